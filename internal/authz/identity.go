package authz

import (
	"context"
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
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

	// NotBefore is up to when tokens made from the credential, or for its member, have
	// been revoked: a new one needs a later iat. Zero: they never were.
	NotBefore time.Time

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
// secrets count against the address, and one with too many is told
// [cardea.ReasonRateLimited]. A good secret is noted as used.
//
// The reason is [cardea.ReasonAllowed] when the secret is good. The Identity is filled in
// whenever the secret exists, for the record. err is not nil when the database did not
// answer; the reason is then [cardea.ReasonUnavailable].
func (a *Authorizer) Secret(ctx context.Context, text string, kind *contract.KeyKind, from netip.Addr) (Identity, cardea.Reason, error) {
	j := a.begin(from)
	if j.scheme = j.view.secrets[kind]; j.scheme == nil {
		return Identity{}, j.stranger(), nil // a kind of an older contract
	}
	j.text = text
	if reason, err := j.recognise(ctx); reason != pass {
		return Identity{}, reason, err
	}
	reason := j.ended()
	if reason == pass {
		reason = j.address()
	}
	if reason == pass {
		a.noteUse(ctx, j.entry, from, j.now)
	}
	return j.identity(), reason, nil
}

// begin returns a judgement of something that is no request of the API.
func (a *Authorizer) begin(from netip.Addr) *judgement {
	j := &judgement{a: a, req: noRequest, need: a.applied.Load(), now: a.now()}
	j.view = a.current()
	j.Contract, j.Client = j.view.contract, from
	return j
}

// noRequest stands for the request where there is none.
var noRequest = &cardea.Request{}

// recognise is steps 3 and 4.
func (j *judgement) recognise(ctx context.Context) (cardea.Reason, error) {
	if isMalformed(j.text) {
		return j.stranger(), nil
	}
	if _, reason := j.shape(); reason != pass {
		return reason, nil
	}
	return j.verify(ctx)
}

// identity tells whom the credential stands for.
func (j *judgement) identity() Identity {
	e := j.entry
	id := Identity{
		Credential: e.credentialID(), Kind: e.profile.kind.Name, Organization: e.account.organization,
		Member: e.member(), Environment: e.profile.env, Scopes: e.profile.scopes, OldSecret: j.OldSecret,
	}
	if e.holder != nil {
		id.NotBefore = e.holder.mark
	}
	return id
}

// noteUse writes that a secret was used, about once a minute. An idle time counts from
// there, and nobody else writes it: the exchange is no request of the API. That it could
// not be written refuses nobody; a restart would forget the use, no more.
func (a *Authorizer) noteUse(ctx context.Context, e *entry, from netip.Addr, now time.Time) {
	if !e.touch(now, writeEvery(0, e.profile.kind.Idle)) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
	defer cancel()
	_ = a.cfg.Store.Touch(ctx, &store.Touch{
		Credentials: map[string]store.Use{e.credentialID(): {At: now, From: from}},
		Secrets:     map[secret.Hash]time.Time{e.hash: now},
	})
}

// Refused counts a failed attempt of an address at something else than a secret: a code,
// a refresh token, an assertion. See [Config.RefusedPerMinute].
func (a *Authorizer) Refused(from netip.Addr) { a.refused.add(from.Unmap(), a.now()) }

// Exceeded reports whether the address has made more failed attempts in this minute than
// [Config.RefusedPerMinute]. Valid credentials of such an address are still good.
func (a *Authorizer) Exceeded(from netip.Addr) bool { return a.refused.exceeded(from.Unmap(), a.now()) }

// Token verifies an access token, a JWT or an opaque one, as a request with it would be,
// but for what belongs to the request: route, scope, limits, address lists and proof of
// possession. It is for introspection, userinfo and revocation. from is whom a token that
// nobody issued counts against; the zero address is nobody. Reasons and errors are those
// of [Authorizer.Secret]; the TokenInfo is filled in whenever the token is genuine, also
// when it has been revoked or has expired.
func (a *Authorizer) Token(ctx context.Context, text string, from netip.Addr) (TokenInfo, cardea.Reason, error) {
	return a.tokenInfo(ctx, a.begin(from), text)
}

// Assertion verifies a token that a service account has signed to exchange it for another
// (RFC 7523 §2.1): as Token does, but it may be for one of these audiences as well as for
// the API. Whether it was used before is the caller's to find out.
func (a *Authorizer) Assertion(ctx context.Context, text string, audiences []string, from netip.Addr) (TokenInfo, cardea.Reason, error) {
	j := a.begin(from)
	j.audiences = audiences
	if j.audiences == nil {
		j.audiences = []string{}
	}
	info, reason, err := a.tokenInfo(ctx, j, text)
	if j.entry != nil && j.entry.token().origin != fromAccount {
		j.fault = faultType
		return TokenInfo{}, j.stranger(), nil
	}
	return info, reason, err
}

// External verifies a token of a trusted issuer or of an organization's issuer, for
// token exchange (RFC 8693). env is the environment it is exchanged in; nil takes the
// issuer's first. Otherwise it is as Token.
func (a *Authorizer) External(ctx context.Context, text string, env *contract.Environment, from netip.Addr) (TokenInfo, cardea.Reason, error) {
	j := a.begin(from)
	j.env = env
	info, reason, err := a.tokenInfo(ctx, j, text)
	switch {
	case j.entry == nil:
	case !j.entry.token().external():
		j.fault = faultIssuer
		return TokenInfo{}, j.stranger(), nil
	case reason == pass && env != nil && env != j.entry.profile.env:
		return info, cardea.ReasonWrongEnvironment, nil
	}
	return info, reason, err
}

// tokenInfo judges a token as far as that can be done without a request.
func (a *Authorizer) tokenInfo(ctx context.Context, j *judgement, text string) (TokenInfo, cardea.Reason, error) {
	j.scheme, j.text = &j.view.tokenScheme, text
	if reason, err := j.recognise(ctx); reason != pass {
		return TokenInfo{}, reason, err
	}
	reason := j.ended()
	t := j.entry.token()
	return TokenInfo{
		Identity: j.identity(), ID: t.id, Client: t.client, Subject: t.subject, IssuedAt: t.iat,
		ExpiresAt: time.UnixMicro(t.until).UTC(), DPoP: t.jkt, OwnJWT: t.origin == fromUs,
	}, reason, nil
}
