// Package insight answers questions about what happened: the request log and why a
// request was answered as it was, usage and limits, the audit log, the health of Cardea,
// and what a changed contract would do to the credentials there are.
//
// Its use cases are methods of [Insight] that take the [cardea.Actor] who asks and an
// input struct, as those of package manage do, and change nothing. Who may ask is decided
// here, with package access; pages and the management API only translate.
//
// A member sees the requests, the usage and the audit events of their organization. What
// belongs to nobody, such as a request without a known caller, is for operators and
// observers.
//
// Every answer is bounded, whatever an organization has: a list looks at so many rows
// and continues where it stopped, a group says when it did not see everything.
package insight
