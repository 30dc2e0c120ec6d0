package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Errors of refresh tokens.
var (
	errNoRefresh = refuse(codeInvalidRequest, "refresh_token is missing")
	errRefresh   = refuse(codeInvalidGrant, "the refresh token is not good")
)

// Why a family is revoked.
const (
	reasonCodeReplayed    = "the code was used twice"
	reasonRefreshReplayed = "a used refresh token was used again"
	reasonRevoked         = "revoked by the client"
)

// findRefresh exchanges a refresh token: RFC 6749 §6. Each is good once; its successor
// comes with the answer. A client that did not get the answer may ask again within the
// contract's grace and gets the same one. Later, a used token means that two parties have
// it, and the whole family ends (RFC 9700 §4.14.2).
func (s *Server) findRefresh(ctx context.Context, r *request) (*ticket, error) {
	text := r.params.get("refresh_token")
	if text == "" {
		return nil, errNoRefresh
	}
	if r.contract.Tokens().Refresh == nil {
		return nil, errRefresh
	}
	hash := secret.HashOf(text)
	old, err := s.store.Refresh(ctx, hash)
	if err := s.known(r, text, err, errRefresh); err != nil {
		return nil, err
	}
	f, err := s.store.Family(ctx, old.Family)
	if err != nil {
		return nil, err
	}
	if err := s.own(ctx, r, f.Client, errRefresh); err != nil {
		return nil, err
	}
	if ended(&f, &old, r.now) {
		return nil, errRefresh
	}
	t, err := s.personal(ctx, r, personal{
		member: f.Member, organization: f.Organization, environment: f.Environment, consent: f.Consent,
		scopes: f.Scopes, resource: f.Resource, authTime: f.AuthTime,
	}, errRefresh)
	if err != nil {
		return nil, err
	}
	t.bound, t.family = f.DPoP, &f
	return t, s.rotate(ctx, r, t, text, &old)
}

// absolute returns how long a family lives, however often it is renewed: a device that
// nobody remembers does not keep its access for ever.
func (t *ticket) absolute(c *contract.Contract) time.Duration {
	if t.refresh {
		return c.Tokens().Refresh.MaxLifetime
	}
	return t.terms.Lifetime
}

// ended reports whether nothing of a family may be renewed with a token any more.
func ended(f *store.Family, t *store.RefreshToken, now time.Time) bool {
	over := func(end time.Time) bool { return !end.IsZero() && !now.Before(end) }
	return !f.RevokedAt.IsZero() || over(f.ExpiresAt) || over(t.ExpiresAt)
}

// rotate fills in what becomes of the presented token.
func (s *Server) rotate(ctx context.Context, r *request, t *ticket, text string, old *store.RefreshToken) error {
	if !r.contract.Tokens().Refresh.Rotate {
		t.kept = text
		return nil
	}
	if !old.UsedAt.IsZero() {
		again, err := s.again(ctx, r, text, old)
		if err != nil {
			return err
		}
		if again == nil {
			return s.replayed(ctx, r, old.Family, reasonRefreshReplayed, errRefresh)
		}
		t.again = again
		return nil
	}
	t.refresh = true
	t.spend = func(ctx context.Context, tx *store.Tx, i *issued) (outcome, error) {
		used, first, err := tx.ConsumeRefresh(ctx, old.Hash, seal(text, t, i))
		if err != nil || first {
			return outcome{}, err
		}
		// Another request with the same token came first, a moment ago.
		if again := within(r, text, &used); again != nil {
			tx.Audit(store.Event{Action: "token.repeat", TargetType: "token", TargetID: again.ID, Organization: t.organization})
			return outcome{again: again}, nil
		}
		return outcome{answer: errRefresh}, endFamily(ctx, tx, r.contract, used.Family, reasonRefreshReplayed)
	}
	return nil
}

// again returns what a used token was exchanged for, nil when it is too late to ask: the
// grace is over, or the successor has been used, so that the client did get it.
func (s *Server) again(ctx context.Context, r *request, text string, old *store.RefreshToken) (*sealed, error) {
	a := within(r, text, old)
	if a == nil {
		return nil, nil
	}
	next, err := s.store.Refresh(ctx, secret.HashOf(a.Refresh))
	if missing(err) || err == nil && !next.UsedAt.IsZero() {
		return nil, nil
	}
	return a, err
}

// within returns what a used token was exchanged for, if that was no longer ago than the
// grace.
func within(r *request, text string, old *store.RefreshToken) *sealed {
	grace := r.contract.Tokens().Refresh.ReuseGrace
	if grace <= 0 || r.now.Sub(old.UsedAt) > grace {
		return nil
	}
	return unseal(text, old.SuccessorSealed)
}

// sealed is what a refresh token was exchanged for, kept for the length of the grace so
// that a client whose answer was lost gets the same one.
type sealed struct {
	Access   string    `json:"access"`
	ID       string    `json:"id"`
	IssuedAt time.Time `json:"issued_at"`
	Expires  time.Time `json:"expires"`
	Refresh  string    `json:"refresh"`
	Identity string    `json:"identity,omitzero"`
	Scope    string    `json:"scope"`
	Proof    string    `json:"proof,omitzero"` // thumbprint of the key it is bound to
}

// sealLabel begins what the key of a seal is made from.
const sealLabel = "cardea refresh successor"

// sealer returns the Sealer of a refresh token's text. Whoever has the database has
// hashes of tokens, and cannot open what is sealed with the tokens themselves.
func sealer(text string) (s *secret.Sealer, place string) {
	key := sha256.Sum256([]byte(sealLabel + text))
	s, err := secret.NewSealer(key[:])
	if err != nil {
		panic("oauth: " + err.Error()) // the key has the right size
	}
	hash := secret.HashOf(text)
	return s, secret.AAD("refresh_token", hex.EncodeToString(hash[:]), 1)
}

// seal seals what was issued in exchange for a refresh token.
func seal(text string, t *ticket, i *issued) []byte {
	plain, err := json.Marshal(sealed{
		Access: i.access, ID: i.id, IssuedAt: i.issuedAt, Expires: i.expires,
		Refresh: i.refresh, Identity: i.identity, Scope: t.scopes.text, Proof: t.proof,
	})
	if err != nil {
		panic("oauth: " + err.Error()) // it consists of texts and times
	}
	s, place := sealer(text)
	return s.Seal(place, plain)
}

// unseal returns what was sealed, nil when it cannot be opened.
func unseal(text string, data []byte) *sealed {
	s, place := sealer(text)
	plain, err := s.Open(place, data)
	if err != nil {
		return nil
	}
	var out sealed
	if json.Unmarshal(plain, &out) != nil || out.Refresh == "" {
		return nil
	}
	return &out
}

// repeat answers a repeated request with what the first one got. It must be the same
// request: other scopes, or another key, would be another token.
func (s *Server) repeat(r *request, t *ticket, a *sealed) ([]byte, error) {
	before, _, ok := parseScopes(r.contract, a.Scope)
	if r.params.get("scope") != "" && (!ok || before != t.scopes.set) {
		return nil, errScope
	}
	if a.Proof != t.proof {
		return nil, errBound
	}
	t.scopes.text = a.Scope
	i := &issued{access: a.Access, id: a.ID, issuedAt: a.IssuedAt, expires: a.Expires, refresh: a.Refresh, identity: a.Identity}
	return s.response(r, t, i).text()
}

// replayed ends a family because something of it was used twice, and returns bad.
func (s *Server) replayed(ctx context.Context, r *request, family, reason string, bad error) error {
	if family == "" {
		return bad
	}
	changes, err := s.store.Update(ctx, r.actor(actorClient, r.caller.id()), func(tx *store.Tx) error {
		return endFamily(ctx, tx, r.contract, family, reason)
	})
	if err != nil {
		return err
	}
	s.apply(changes)
	return bad
}

// endFamily revokes a family with everything that was issued in it.
func endFamily(ctx context.Context, tx *store.Tx, c *contract.Contract, family, reason string) error {
	f, err := tx.Family(ctx, family)
	if missing(err) {
		tx.Audit(store.Event{Action: "grant.replay", TargetType: "grant", TargetID: family})
		return nil // the first use has not got that far, or came to nothing
	}
	if err != nil {
		return err
	}
	tx.Audit(store.Event{
		Action: "grant.revoke", TargetType: "grant", TargetID: family, Organization: f.Organization,
		Detail: because{reason},
	})
	return revokeFamily(ctx, tx, c, &f, reason)
}

// revokeFamily revokes a family. The store knows the JWTs that came with each refresh
// token; where one refresh token brings many, all of the member's end instead, and other
// clients have to renew theirs.
func revokeFamily(ctx context.Context, tx *store.Tx, c *contract.Contract, f *store.Family, reason string) error {
	t := c.Tokens()
	if t.Refresh != nil && !t.Refresh.Rotate && t.User != nil && t.User.Format == contract.TokenJWT && f.Member != "" {
		if err := tx.EndMemberTokens(ctx, f.Member); err != nil {
			return err
		}
	}
	return tx.RevokeFamily(ctx, f.ID, reason)
}
