// Package fetch is the one way out: every request that Cardea makes to an address
// somebody else chose (key sets, discovery documents, client metadata, hooks) goes
// through a [Client].
//
// What it guarantees, whatever the URL says and whatever a name resolves to:
//
//   - The address is checked when the socket is made, after the name was resolved, so
//     a name that changes its answer between a check and its use gains nothing.
//   - No redirect is followed: it is the answer. No proxy is taken from the
//     environment, no cookie is kept, no compressed body is unpacked.
//   - Every request has an end: [Options] bounds its time and its bytes.
//   - https only, unless the caller says otherwise.
//
// Errors never hold the URL, which may carry a secret in its query.
package fetch
