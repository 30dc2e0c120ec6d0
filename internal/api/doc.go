// Package api is the management REST API: the use cases of package manage over HTTP,
// under /v1, described by an embedded OpenAPI 3.1 document.
//
// It holds no policy. An operation is one line in [operations]: a name, a pattern, a
// status and the use case it calls; decoding, authentication, errors and encoding are
// the same code for all. A test holds the document and the operations equal, in both
// directions, and the test client checks every request and response against the
// document.
//
// The API is for programs. It authenticates with a management token in the
// Authorization header only, sends no CORS headers and refuses requests that a
// browser sends on behalf of another origin.
package api
