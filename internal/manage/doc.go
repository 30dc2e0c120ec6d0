// Package manage holds the use cases of managing Cardea: organizations, members and how
// they sign in, keys, clients, service accounts, the tokens these get, issuers, hooks,
// signing keys, address lists, plans, management tokens, and what is known about them:
// usage, requests, audit.
//
// Keys, clients and service accounts are credentials: rows of one table with the same
// life (create, update, rotate, disable, revoke) and so the same code. What only some
// have, such as redirect URIs, is beside it; see noun.
//
// Every use case is a method of [Manager] that takes the [cardea.Actor] who performs
// it and an input struct. The REST API, and through it the command line, the Go
// client and the dashboard, only translate to and from these structs: who may do
// what, what a valid name is, how long a key may live is decided here, with package
// rules, and nowhere else. [Manager.CreateKey] is the only place that creates keys,
// [Manager.CreateClient] the only one where people create clients.
//
// A change is one transaction that holds the change, its audit event with the
// members that changed, and the revision that other parts of Cardea follow. After
// the commit, and before the method returns, the parts that keep credentials in
// memory are told: commit, evict, answer. So a key is dead when [Manager.RevokeKey]
// returns.
//
// Structs carry JSON tags because they are what goes over the wire as well. A secret
// is a [secret.Secret] wherever it appears, which no encoder reveals by itself.
package manage
