// Package access says who may do what. Use cases ask it, pages ask it which buttons to
// hide, and nobody else decides.
//
// There are four types of [cardea.Actor], and one of an unknown type may do nothing:
//
//   - "operator", a management token or an owner or admin of the staff organization, and
//     "system", Cardea itself, may do everything;
//   - "observer", a developer or viewer of the staff organization, may read what operators
//     read, secrets excepted, and change nothing;
//   - "member", a person in an organization, may do there what their role has a [Right]
//     to, and of all other organizations hears that they do not exist.
//
// It also holds what every list and every change of the use cases has in common: pages
// and their cursors ([Paged]), and the events of the audit log ([Audit]).
package access
