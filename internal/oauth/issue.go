package oauth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// issued is what was made for a ticket.
type issued struct {
	access            string // the token's text
	id                string // what it is revoked by
	issuedAt, expires time.Time
	refresh           string // the refresh token's text, "" without one
	identity          string // the ID token, "" without one
	family            string // id of the family it belongs to, "" none
}

// issue makes tokens for a ticket and returns the answer.
func (s *Server) issue(ctx context.Context, r *request, t *ticket) ([]byte, error) {
	if t.terms == nil {
		return nil, errNoTerms
	}
	if t.again != nil {
		return s.repeat(r, t, t.again)
	}
	if !t.remember {
		return s.issueNew(ctx, r, t)
	}
	key := memoKey{
		contract: r.contract, endpoint: r.binding.token, holder: t.holder, asked: t.scopes.text, proof: t.proof,
		second: t.issuedAt(r.now).Unix(),
	}
	return s.memo.get(ctx, r.now.Unix(), key, func(ctx context.Context) ([]byte, error) { return s.issueNew(ctx, r, t) })
}

// errNoTerms refuses what the contract has no tokens for.
var errNoTerms = refuse(codeUnauthorizedClient, "no access tokens of this sort are issued")

// issueNew makes the tokens, stores what is stored of them with the audit event, and
// returns the answer. The private-key operation comes before the transaction: it takes
// its time, and on SQLite nobody else can write during a transaction.
func (s *Server) issueNew(ctx context.Context, r *request, t *ticket) ([]byte, error) {
	i, err := s.mint(ctx, r, t)
	if err != nil {
		return nil, err
	}
	o, err := s.commit(ctx, r, t, i)
	switch {
	case err != nil:
		return nil, err
	case o.answer != nil:
		return nil, o.answer
	case o.again != nil:
		return s.repeat(r, t, o.again)
	}
	return s.response(r, t, i).text()
}

// issuedAt returns iat: the present second, or the first one after a watermark. A
// watermark refuses the tokens of its own second, so the next one is not too early.
func (t *ticket) issuedAt(now time.Time) time.Time {
	at := now.Truncate(time.Second)
	if !t.notBefore.IsZero() {
		at = latest(at, t.notBefore.Truncate(time.Second).Add(time.Second))
	}
	return at.UTC()
}

// mint makes the texts of tokens.
func (s *Server) mint(ctx context.Context, r *request, t *ticket) (*issued, error) {
	i := &issued{issuedAt: t.issuedAt(r.now)}
	i.expires = i.issuedAt.Add(t.terms.Lifetime)
	if !t.until.IsZero() && t.until.Before(i.expires) {
		i.expires = t.until.Truncate(time.Second)
	}
	if t.family != nil {
		i.family = t.family.ID
	} else if t.spend != nil {
		i.family = secret.NewID("fam_") // what a code was exchanged for can be found again
	}
	if err := s.mintAccess(ctx, r, t, i); err != nil {
		return nil, err
	}
	i.refresh = t.kept
	if t.refresh {
		i.refresh = secret.New(secret.ShapePrefix, r.contract.Tokens().Refresh.Prefixes[t.env.Index]).Reveal()
	}
	return i, s.mintIdentity(ctx, r, t, i)
}

// mintAccess makes the access token.
func (s *Server) mintAccess(ctx context.Context, r *request, t *ticket, i *issued) error {
	i.id = secret.NewID(accessTokenID)
	if t.terms.Format == contract.TokenOpaque {
		i.access = secret.New(secret.ShapePrefix, t.terms.Prefixes[t.env.Index]).Reveal()
		return nil
	}
	if s.cfg.Keys == nil {
		return errUnavailable
	}
	plan := ""
	if t.needsPlan() && t.organization != "" {
		o, err := s.store.Organization(ctx, t.organization)
		if err != nil {
			return err
		}
		plan = o.Plan
	}
	key, err := s.cfg.Keys.Current(ctx, t.env.Name, t.terms.Algorithm)
	if err != nil {
		return err
	}
	key.Type, key.KeyID = t.terms.Type, t.terms.KeyID
	i.access, err = s.cfg.Keys.Signer().Sign(ctx, key, t.claims(r.contract, i.id, i.issuedAt, i.expires, plan))
	if err == nil && t.terms.IDClaim == "" {
		i.id = token.ID(i.access, "", token.Claims{})
	}
	return err
}

// accessTokenID begins the ids of access tokens.
const accessTokenID = "tok_"

// mintIdentity makes the ID token, where OpenID Connect is spoken: Core §3.1.3.3.
func (s *Server) mintIdentity(ctx context.Context, r *request, t *ticket, i *issued) (err error) {
	openid := r.contract.Scope("openid")
	if !t.identity || t.member == "" || openid == nil || r.contract.Tokens().ID == nil || !t.scopes.set.Has(openid.Index) {
		return nil
	}
	i.identity, err = s.idToken(ctx, r, idTokenInput{
		Client: t.holder, Subject: t.subject, Nonce: t.nonce, AuthTime: t.authTime, AccessToken: i.access,
		Environment: t.env.Name, IssuedAt: i.issuedAt, Scopes: r.contract.ScopeNames(t.scopes.set), Member: t.person,
	})
	return err
}

// commit uses up what was presented and stores what is stored of the tokens: all of it,
// the audit event included, or nothing.
func (s *Server) commit(ctx context.Context, r *request, t *ticket, i *issued) (o outcome, err error) {
	changes, err := s.store.Update(ctx, t.actor, func(tx *store.Tx) (err error) {
		o = outcome{}
		if t.spend != nil {
			o, err = t.spend(ctx, tx, i)
			if missing(err) {
				// Taken away since it was found, with the consent it came from.
				o, err = outcome{answer: t.bad}, nil
			}
			if !o.isZero() || err != nil {
				return err
			}
		}
		if err := s.insert(ctx, tx, r, t, i); err != nil {
			return err
		}
		s.recordIssue(tx, r, t, i)
		return nil
	})
	if err != nil {
		return outcome{}, err
	}
	if len(changes) > 0 {
		s.apply(changes)
	}
	return o, nil
}

// insert stores the rows of tokens. JWTs have none.
func (s *Server) insert(ctx context.Context, tx *store.Tx, r *request, t *ticket, i *issued) error {
	jwt := t.terms.Format == contract.TokenJWT
	names := r.contract.ScopeNames(t.scopes.set)
	if t.family == nil && i.family != "" {
		f := store.Family{
			ID: i.family, Client: t.holder, Member: t.member, Organization: t.organization, Environment: t.env.Name,
			Subject: t.subject, Consent: t.consent, Scopes: strings.Fields(t.scopes.text), Resource: t.resource, DPoP: t.binding(r),
			AuthTime: t.authTime, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(t.absolute(r.contract)),
		}
		if jwt && !t.refresh {
			f.AccessID, f.AccessExpiresAt = i.id, i.expires
		}
		if err := tx.InsertFamily(ctx, f); err != nil {
			return err
		}
	}
	if !jwt {
		a := store.AccessToken{
			Hash: secret.HashOf(i.access), ID: i.id, Family: i.family, Client: t.holder, Member: t.member,
			Organization: t.organization, Environment: t.env.Name, Subject: t.subject, Scopes: names,
			Resource: t.resource, DPoP: t.proof, CreatedAt: i.issuedAt, ExpiresAt: i.expires,
		}
		if err := tx.InsertAccessToken(ctx, a); err != nil {
			return err
		}
	}
	if !t.refresh {
		return nil
	}
	next := store.RefreshToken{
		Hash: secret.HashOf(i.refresh), Family: i.family, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(r.contract.Tokens().Refresh.Lifetime),
	}
	if jwt {
		next.AccessID, next.AccessExpiresAt = i.id, i.expires
	}
	return tx.InsertRefresh(ctx, next)
}

// binding returns the key that a family's refresh tokens are bound to. Those of clients
// that authenticate are bound to the client already: RFC 9449 §5.
func (t *ticket) binding(r *request) string {
	if r.caller.method == contract.ClientNone {
		return t.proof
	}
	return ""
}

// An issueDetail is what the audit log says of an issued token.
type issueDetail struct {
	Grant     string    `json:"grant"`
	Client    string    `json:"client,omitzero"`
	Subject   string    `json:"subject"`
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
	Family    string    `json:"family,omitzero"`
	Resource  string    `json:"resource,omitzero"`
	DPoP      bool      `json:"dpop,omitzero"`
}

// recordIssue records that a token was issued.
func (s *Server) recordIssue(tx *store.Tx, r *request, t *ticket, i *issued) {
	tx.Audit(store.Event{
		Action: "token.issue", TargetType: "token", TargetID: i.id, Organization: t.organization,
		Detail: issueDetail{
			Grant: string(r.named.Grant), Client: t.holder, Subject: t.subject, Scopes: r.contract.ScopeNames(t.scopes.set),
			ExpiresAt: i.expires, Family: i.family, Resource: t.resource, DPoP: t.proof != "",
		},
	})
}

// response returns the answer of RFC 6749 §5.1: the members that the endpoint's page
// prints, in its order, as far as they apply. What an extension requires follows.
func (s *Server) response(r *request, t *ticket, i *issued) object {
	kind := "Bearer"
	if t.proof != "" {
		kind = "DPoP"
	}
	all := object{
		{"access_token", i.access},
		{"token_type", kind},
		{"expires_in", max(0, int64(i.expires.Sub(latest(i.issuedAt, r.now.Truncate(time.Second)))/time.Second))},
		{"refresh_token", omitEmpty(i.refresh)},
		{"scope", omitEmpty(t.scopes.text)},
		{"id_token", omitEmpty(i.identity)},
	}
	var out object
	for _, name := range r.binding.token.Respond {
		at := slices.IndexFunc(all, func(m member) bool { return m.name == name })
		if at >= 0 {
			out = append(out, all[at])
		}
	}
	if r.grantsLess() && !slices.Contains(r.binding.token.Respond, "scope") {
		out = append(out, member{"scope", omitEmpty(t.scopes.text)})
	}
	if i.identity != "" && !slices.Contains(r.binding.token.Respond, "id_token") {
		out = append(out, member{"id_token", i.identity})
	}
	if t.exchanged {
		out = append(out, member{"issued_token_type", typeAccessToken}) // RFC 8693 §2.2.1
	}
	return out
}

// grantsLess reports whether the request's grant may come to less than what was asked for
// earlier and elsewhere, so that the caller has to be told (RFC 6749 §3.3). What is asked
// for here is granted or refused.
func (r *request) grantsLess() bool {
	switch r.named.Grant {
	case contract.GrantAuthorizationCode, contract.GrantRefreshToken, contract.GrantDeviceCode, contract.GrantTokenExchange:
		return true
	}
	return false
}

// omitEmpty returns nil for "".
func omitEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}
