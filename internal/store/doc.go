// Package store keeps what Cardea knows in SQLite or PostgreSQL: organizations,
// members, credentials and their secrets' hashes, address lists, management tokens, what
// OAuth needs (clients, keys, codes, tokens, consents), how people sign in (passwords,
// passkeys, sessions), the audit log, usage and the request log.
//
// # One text, two engines
//
// Every statement is written once and runs on both engines: `$1` numbered in order of
// first appearance (SQLite takes them for names), RETURNING, ON CONFLICT, row-value
// paging, BIGINT microseconds UTC for times, JSON as TEXT, columns always named, no
// functions of one engine. What differs is in few places: the tables' types (migrations/), pools, pragmas
// and error codes (sqlite.go, postgres.go), and the request log's days
// (requestlog_sqlite.go, requestlog_postgres.go).
//
// # Changes
//
// [DB.Update] is the only way to change anything by hand. It takes an actor, runs a
// closure on a [Tx], and fails unless the closure left an audit event ([Tx.Audit]) when
// it wrote. It returns the [Changes] that caches must follow: commit, evict, answer.
// The closure may run more than once (PostgreSQL asks for that after a deadlock), so it
// must assign what it returns to its caller and not append.
//
// On SQLite closures that wait at the same time share one transaction and one fsync,
// each in a savepoint of its own; each caller is answered after the commit. On
// PostgreSQL each has its own transaction; a lock on change_head puts them in one
// order, so that on both engines a closure sees a world that does not move.
//
// # API
//
// Opening: [Open], [Config], [DB.Hold], [DB.Close], [DB.Ping], [DB.Maintain].
// Changing: [DB.Update], [Tx.Audit], [Tx.Changed], [Changes], [DB.ChangesAfter], [DB.Head].
// Nouns, written by [Tx] and read by [Reader] (which both [DB] and [Tx] embed):
// [Organization], [Member], [Credential], [CredentialSecret], [AddressList],
// [ManagementToken]; small named values: [Reader.Setting], [Tx.SetSetting].
// Who asks for tokens and signs them: [Client], [ServiceAccountKey], [SigningKey],
// [OrganizationIssuer]. What becomes of it: [Code], [DeviceCode], [PushedRequest],
// [Consent], [Family], [RefreshToken], [AccessToken]. People: [Password], [Passkey],
// [Session], [Connection], [OneTimeLink].
// Hot path: [DB.LookupSecret], [DB.LookupToken], [DB.LookupPrincipal] → [Lookup].
// Records: [DB.AppendRequests], [DB.Request], [DB.Requests], [DB.Gaps], [DB.AddUsage],
// [DB.Usage], [DB.KeyUsage], [DB.Touch], [Reader.DayCounts], [DB.AddDayCounts].
// Audit: [Reader.AuditEvents], [DB.VerifyAudit], [DB.SignCheckpoint],
// [DB.VerifyCheckpoint], [DB.ProveInclusion], [DB.ProveConsistency].
// Moving: [DB.Backup], [Restore].
//
// # Webhooks
//
// Whatever writes a credential notes what happened, and the change's end puts an event into
// the queue of every [WebhookEndpoint] that wants to hear of it: in the same transaction, so
// that there is no change without its event. [DB.TellExpiring] and [DB.See] tell of what
// nobody changed, [Tx.ReportLeak] of a secret that was found. Workers take what is due with
// [DB.ClaimWebhooks] and note what became of it with [DB.NoteWebhook]; [DB.Queued] wakes them.
//
// # Single use
//
// What may be used once is used by one statement that looks for an unused row and marks
// it: [Tx.ConsumeCode], [Tx.ConsumeRefresh], [Tx.ConsumeDevice], [Tx.ConsumePushed],
// [Tx.ConsumeLink], [Tx.Remember]. Of any number that try it at the same time, on any
// number of nodes, one is the first. A change that fails afterwards undoes the use.
//
// # Taking back
//
// An opaque access token is a row and can be revoked; a JWT has none. Its id can be put on
// a list until it expires ([Tx.RevokeToken]), and everything issued up to now to a
// credential or for a member can be made worthless ([Tx.EndTokens], [Tx.EndMemberTokens]),
// which leaves a watermark, TokensNotBefore. Look-ups return all that a token stands and
// falls with; refusing it is the caller's part.
//
// # Order, durability and what may be lost
//
// An acknowledged change survives the death of the process and of the machine
// (synchronous=FULL; fsync on PostgreSQL). Counts and last uses are written behind the
// requests, about a second's worth of them dies with the process; the request log and
// usage may also lose their last moments in a power cut (synchronous=NORMAL).
//
// One process may use a SQLite directory. Another one's changes would be stored, but
// this one's caches would not hear of them, and a revoked key would go on working here.
// Several nodes share a PostgreSQL.
//
// # Errors
//
// Errors are [cardea.Error] values: KindNotFound, KindConflict, KindInvalid (a damaged
// page cursor), KindStorageFull (no room; reads go on), KindUnavailable (the database
// does not answer). Anything else is a defect and has no kind.
package store
