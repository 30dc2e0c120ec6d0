package authz

import (
	"context"
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// An Identity is whom a verified credential stands for, as the token endpoints need it.
type Identity struct {
	// Credential is the id of a key, client or service account; "" for the subject of
	// somebody else's issuer.
	Credential string

	// Kind is the credential's kind: a key kind of the contract, or one of its reserved
	// ones: "client", "service_account", "access_token", "trusted_issuer".
	Kind string

	Organization string // "org_…"; "" where an issuer names none
	Member       string // "usr_…" when it speaks for a person, else ""

	// Environment is the world it belongs to; never nil for an identity that was found.
	Environment *contract.Environment

	// Scopes are what it was granted, implied ones included.
	Scopes contract.ScopeSet

	// OldSecret: a rotation has replaced the secret that was presented.
	OldSecret bool
}

// A TokenInfo is what an access token says, after every check that a request with it
// would pass but for those of the request itself: route, scope and limits.
type TokenInfo struct {
	Identity

	ID      string // of the token; what revoking it by id takes
	Client  string // whom it was issued to, "" where nobody is named
	Subject string // its sub

	IssuedAt, ExpiresAt time.Time

	DPoP   string // thumbprint of the key it is bound to (RFC 9449 §6.1), or ""
	OwnJWT bool   // a JWT that Cardea signed
}

// Secret verifies a client secret or a key for a token endpoint: its form, that it
// exists, its standing and its address lists (steps 3, 4, 5 and 7), through the cache
// that requests use. kind is what it must be: [contract.Contract.ClientKind] or a kind of
// key. A kind that is for exchange only is welcome here. Nothing is charged; unknown
// secrets count against the address.
//
// The reason is [cardea.ReasonAllowed] when the secret is good. The Identity is filled in
// whenever the secret exists, for the record. err is not nil when the database did not
// answer; the reason is then [cardea.ReasonUnavailable].
func (a *Authorizer) Secret(ctx context.Context, text string, kind *contract.KeyKind, from netip.Addr) (Identity, cardea.Reason, error) {
	return Identity{}, cardea.ReasonUnavailable, nil
}

// Token verifies an access token, a JWT or an opaque one, as a request with it would be,
// but for route, scope and limits: for introspection, userinfo and revocation. Reasons
// and errors are those of [Authorizer.Secret].
func (a *Authorizer) Token(ctx context.Context, text string, from netip.Addr) (TokenInfo, cardea.Reason, error) {
	return TokenInfo{}, cardea.ReasonUnavailable, nil
}

// External verifies a token of a trusted issuer or of an organization's issuer, for
// token exchange (RFC 8693). env is the environment it is exchanged in; nil takes the
// issuer's first.
func (a *Authorizer) External(ctx context.Context, text string, env *contract.Environment, from netip.Addr) (TokenInfo, cardea.Reason, error) {
	return TokenInfo{}, cardea.ReasonUnavailable, nil
}
