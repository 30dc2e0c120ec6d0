// Package manage holds the use cases of managing Cardea: organizations, members,
// keys, address lists, plans, management tokens, and what is known about them:
// usage, requests, audit.
//
// Every use case is a method of [Manager] that takes the [cardea.Actor] who performs
// it and an input struct. The REST API, and through it the command line, the Go
// client and the dashboard, only translate to and from these structs: who may do
// what, what a valid name is, how long a key may live is decided here and nowhere
// else. [Manager.CreateKey] is the only place that creates keys.
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
