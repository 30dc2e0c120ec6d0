// Package interop tests Cardea with OAuth clients that nobody here wrote: Go's x/oauth2
// and go-oidc, the MCP Go SDK, openid-client and oauth4webapi for Node, PyJWT, Authlib and
// requests-oauthlib for Python. It is a module of its own, so that Cardea depends on none
// of them.
//
// The tests build the program, run `cardea dev` on a contract with everything switched on
// (examples/conformance), and a browser: an HTTP service that plays a person who signs in
// and agrees. `scripts/interop` installs the clients and runs them.
package interop
