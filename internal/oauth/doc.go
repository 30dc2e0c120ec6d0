// Package oauth is the authorization server: the endpoints that a contract binds to
// hosts and paths, from the token endpoint (RFC 6749) to introspection (RFC 7662).
//
// What every token request must pass lives in one pipeline, in token.go: parse once,
// authenticate the client, find the grant, scopes, grant, issue. A grant, one file each,
// says what it lets be issued; it cannot skip a step, and it reaches neither the form
// nor the wire.
//
// The package makes no decision of its own about secrets and tokens: package authz
// verifies what callers present, package signing has the keys, package token everything
// about JOSE. What is issued and the audit event that tells of it are one transaction.
package oauth
