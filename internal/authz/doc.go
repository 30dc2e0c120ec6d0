// Package authz decides: may this request go on, on whose behalf, and if not, why.
//
// [Authorizer.Authorize] is the one decision behind every door. It runs ten steps in
// a fixed order (pipeline.go); each step is a function that gives a reason to refuse,
// or none. Only the last step charges anything. Token endpoints ask the same steps
// without a request: [Authorizer.Secret], [Authorizer.Token], [Authorizer.Assertion] and
// [Authorizer.External].
//
// # Who vouches for a credential
//
// A secret, and an opaque token, is known to the database by its hash. A signed token
// proves itself: who may vouch for it follows from its iss, and from its kid where
// Cardea's own tokens and those of service accounts share one. Each origin has a file:
// own.go, account.go, issuer.go. What a signature says never changes (verified.go); how
// those stand whom the token names is read from the database like a key's standing
// (filltoken.go).
//
// # What is remembered
//
// The credential's record is cached, never a decision: address, scope, clock and
// limits are judged anew for each request. An entry has no time to live. It is
// trusted until it is changed, and [Authorizer.Apply] makes it stale before the call that
// changed it returns: commit, evict, answer. Four guards keep a slow reader from
// bringing back what was removed:
//
//   - a record read at an older sequence number than the last applied change is used
//     for the request that asked for it and not kept;
//   - what is put together from several readings, as a signed token's entry is, counts as
//     old as the first of them;
//   - a request never takes over a look-up that began before the request did and read
//     an older state than the request may see;
//   - whatever entries depend on carries a generation (organizations, members, clients,
//     tokens, consents, issuers, signing keys), so that one store makes all of its entries
//     stale at once.
//
// A stale entry of a signed token costs a look-up and no signature, as long as the keys
// that verified it stand (vouch.go).
//
// # When something is wrong
//
// Every path that cannot decide refuses. Without the database, entries in the cache
// go on to work (on one node nothing can have changed them) and everything else is
// answered 503; so is a token whose issuer's keys cannot be had. A hook that does not
// answer has refused.
package authz
