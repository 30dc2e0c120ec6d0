package manage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// nameless is a contract whose access tokens do not name their client.
var nameless = strings.Replace(acme, "scope_claim: scope}", "scope_claim: scope, typ: JWT}", 1)

// opaque stores an opaque access token and returns its text.
func (s *scene) opaque() string {
	text := secret.New(secret.ShapePrefix, "at_")
	s.write(func(tx *store.Tx) error {
		return tx.InsertAccessToken(s.ctx, store.AccessToken{
			Hash: text.Hash(), ID: secret.NewID(""), Family: s.family.ID, Client: s.clientID(), Member: s.admin.ID, Organization: s.org.ID,
			Environment: "live", ExpiresAt: s.clock().Add(time.Hour),
		})
	})
	return text.Reveal()
}

// refresh stores a refresh token and returns its text.
func (s *scene) refresh() string {
	text := secret.New(secret.ShapePrefix, "rt_")
	s.write(func(tx *store.Tx) error {
		return tx.InsertRefresh(s.ctx, store.RefreshToken{Hash: text.Hash(), Family: s.family.ID, ExpiresAt: s.clock().Add(time.Hour)})
	})
	return text.Reveal()
}

// signed returns an access token that Cardea signed for a subject.
func (s *scene) signed(subject, id string) string {
	key := must(s.signing.Current(s.ctx, "live", "ES256"))(s.t)
	key.Type, key.KeyID = "at+jwt", true
	return must(s.signing.Signer().Sign(s.ctx, key, []token.Member{
		{Name: "iss", Value: "https://auth.acme.test"}, {Name: "sub", Value: subject}, {Name: "aud", Value: "https://api.acme.test"},
		{Name: "exp", Value: s.clock().Add(15 * time.Minute).Unix()}, {Name: "iat", Value: s.clock().Unix()}, {Name: "jti", Value: id},
	}))(s.t)
}

// What takes a credential away takes its access tokens along: opaque ones are revoked,
// signed ones are from before the mark.
func TestEndingACredentialEndsItsAccessTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, end := range map[string]func(s *scene) error{
			"revoke": func(s *scene) error {
				return second2(s.RevokeClient(s.ctx, operator, manage.RevokeKey{ID: s.clientID()}))
			},
			"disable": func(s *scene) error { return second2(s.DisableClient(s.ctx, operator, manage.ID{ID: s.clientID()})) },
			"regenerate": func(s *scene) error {
				return second2(s.RegenerateClientSecret(s.ctx, operator, manage.ID{ID: s.clientID()}))
			},
			"rotate": func(s *scene) error {
				return second2(s.RotateClientSecret(s.ctx, operator, manage.RotateKey{ID: s.clientID(), OverlapSeconds: ptr[int64](0)}))
			},
			"fewer scopes": func(s *scene) error {
				return second2(s.UpdateClient(s.ctx, operator, manage.UpdateClient{ID: s.clientID(), Scopes: []string{"read"}}))
			},
			"revoke tokens": func(s *scene) error {
				return second2(s.RevokeTokens(s.ctx, operator, manage.RevokeTokens{Credential: s.clientID()}))
			},
			"offboard": func(s *scene) error {
				return second2(s.OffboardOrganization(s.ctx, operator, manage.Offboard{ID: s.org.ID}))
			},
		} {
			s := newScene(w)
			text := s.opaque()
			s.advance(time.Minute)
			if err := end(s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			credential := must(s.store.Credential(s.ctx, s.clientID()))(t)
			stored := must(s.store.AccessTokenByHash(s.ctx, secret.HashOf(text)))(t)
			if !credential.TokensNotBefore.Equal(s.clock()) || stored.RevokedAt.IsZero() {
				t.Errorf("%s: tokens are refused up to %v, the opaque one was revoked at %v", name, credential.TokensNotBefore, stored.RevokedAt)
			}
			if m := must(s.store.Member(s.ctx, s.admin.ID))(t); !m.TokensNotBefore.IsZero() {
				t.Errorf("%s: the member's other programs lost their tokens, which name their client", name)
			}
		}
	})
}

// What widens or only renames ends nothing.
func TestHarmlessChangesEndNoTokens(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	must(s.UpdateClient(s.ctx, operator, manage.UpdateClient{ID: s.clientID(), Name: ptr("new"), Scopes: []string{"read", "write"}}))(t)
	must(s.RotateClientSecret(s.ctx, operator, manage.RotateKey{ID: s.clientID(), OverlapSeconds: ptr[int64](60)}))(t)
	must(s.FinishClientRotation(s.ctx, operator, manage.ID{ID: s.clientID()}))(t)
	if c := must(s.store.Credential(s.ctx, s.clientID()))(t); !c.TokensNotBefore.IsZero() {
		t.Errorf("tokens up to %v are refused", c.TokensNotBefore)
	}
}

// Where access tokens do not name their client, ending a client or a personal token ends
// those of the members concerned, and of nobody else.
func TestTokensWithoutAClientEndWithTheirMember(t *testing.T) {
	eachOf(t, nameless, func(t *testing.T, w *world) {
		for name, end := range map[string]func(s *scene) error{
			"client": func(s *scene) error {
				return second2(s.RevokeClient(s.ctx, operator, manage.RevokeKey{ID: s.clientID()}))
			},
			"consent": func(s *scene) error { return second2(s.WithdrawConsent(s.ctx, operator, manage.ID{ID: s.consent.ID})) },
			"grant": func(s *scene) error {
				return second2(s.RevokeGrant(s.ctx, operator, manage.RevokeKey{ID: s.family.ID}))
			},
		} {
			s := newScene(w)
			other := w.member(s.org.ID, "o@example.com", cardea.RoleViewer)
			s.advance(time.Minute)
			if err := end(s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if m := must(s.store.Member(s.ctx, s.admin.ID))(t); !m.TokensNotBefore.Equal(s.clock()) {
				t.Errorf("%s: the member's tokens are refused up to %v", name, m.TokensNotBefore)
			}
			if m := must(s.store.Member(s.ctx, other.ID))(t); !m.TokensNotBefore.IsZero() {
				t.Errorf("%s: somebody else's tokens are refused", name)
			}
		}
	})
}

// One token is ended by its text or its id, whatever its form; a refresh token takes its
// grant along.
func TestOneTokenIsEndedByItsTextOrItsID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newScene(w)
		text := s.opaque()
		id := must(s.store.AccessTokenByHash(s.ctx, secret.HashOf(text)))(t).ID
		got := must(s.RevokeToken(s.ctx, operator, manage.RevokeToken{Token: text}))(t)
		if got.ID != id || got.Type != "access_token" {
			t.Errorf("opaque, by text: %+v", got)
		}
		byID := must(s.store.AccessTokenByHash(s.ctx, secret.HashOf(s.opaque())))(t)
		must(s.RevokeToken(s.ctx, operator, manage.RevokeToken{ID: byID.ID}))(t)
		for _, one := range []string{id, byID.ID} {
			if stored := must(s.store.AccessTokenByID(s.ctx, one))(t); stored.RevokedAt.IsZero() {
				t.Errorf("the token %s is good", one)
			}
		}
		must(s.RevokeToken(s.ctx, operator, manage.RevokeToken{Token: s.signed(s.admin.ID, "jti-text")}))(t)
		must(s.RevokeToken(s.ctx, operator, manage.RevokeToken{ID: "jti-id"}))(t)
		revoked := strings.Join(must(s.store.RevokedTokens(s.ctx, "", 10))(t), " ")
		if revoked != "jti-id jti-text" {
			t.Errorf("revoked ids: %s", revoked)
		}
		s.evicted()
		got = must(s.RevokeToken(s.ctx, operator, manage.RevokeToken{Token: s.refresh()}))(t)
		if f := must(s.store.Family(s.ctx, s.family.ID))(t); f.RevokedAt.IsZero() || got.ID != f.ID || got.Type != "refresh_token" {
			t.Errorf("by its refresh token: %+v, grant %+v", got, f)
		}
		if got := strings.Join(s.evicted(), " "); !strings.Contains(got, s.family.ID) {
			t.Errorf("evicted %s", got)
		}
	})
}

// A text that is no token of this server is not found; one that might be a secret is not
// quoted.
func TestWhatIsNoTokenIsNotRevoked(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	good := s.signed(s.admin.ID, "jti-1")
	parts := strings.Split(good, ".")
	expired := s.signed(s.admin.ID, "jti-2")
	s.advance(time.Hour)
	for name, text := range map[string]string{
		"nonsense": "x", "a key": s.key.Secret.Reveal(), "expired": expired, "without a signature": parts[0] + "." + parts[1] + ".",
		"another's signature": parts[0] + "." + parts[1] + "." + strings.Split(s.signed("x", "y"), ".")[2], "long": strings.Repeat("x", 9000),
	} {
		_, err := s.RevokeToken(s.ctx, operator, manage.RevokeToken{Token: text})
		if cardea.KindOf(err) != cardea.KindNotFound || strings.Contains(err.Error(), text) && len(text) > 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.RevokeToken(s.ctx, operator, manage.RevokeToken{})
	wantField(t, err, "token")
	_, err = s.RevokeToken(s.ctx, operator, manage.RevokeToken{ID: "a", Token: "b"})
	wantField(t, err, "id")
	_, err = s.RevokeTokens(s.ctx, operator, manage.RevokeTokens{})
	wantField(t, err, "credential")
}

// Whoever found a token of their organization may end it; of another's they learn
// nothing.
func TestMembersEndTokensOfTheirOrganizationOnly(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	other := w.organization("Other")
	stranger := actorOf(w.member(other.ID, "s@example.com", cardea.RoleOwner))
	viewer := actorOf(w.member(s.org.ID, "v@example.com", cardea.RoleViewer))
	developer := actorOf(w.member(s.org.ID, "d@example.com", cardea.RoleDeveloper))
	for _, text := range []string{s.opaque(), s.signed(s.admin.ID, "jti-3"), s.signed(s.accountID(), "jti-4"), s.refresh()} {
		for _, actor := range []cardea.Actor{stranger, viewer} {
			_, err := s.RevokeToken(s.ctx, actor, manage.RevokeToken{Token: text})
			wantKind(t, err, cardea.KindNotFound)
		}
		must(s.RevokeToken(s.ctx, developer, manage.RevokeToken{Token: text}))(t)
	}
	must(s.RevokeToken(s.ctx, viewer, manage.RevokeToken{Token: s.signed(viewer.ID, "jti-5")}))(t)
	_, err := s.RevokeToken(s.ctx, developer, manage.RevokeToken{ID: "jti-6"})
	wantKind(t, err, cardea.KindForbidden)
	_, err = s.RevokeToken(s.ctx, stranger, manage.RevokeToken{Token: s.signed("somebody-else", "jti-7")})
	wantKind(t, err, cardea.KindNotFound)
}

// A repetition of a revocation whose answer was lost leaves no second event and tells the
// caches again.
func TestRepeatedRevocationsAreAnnouncedAgain(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	for name, c := range map[string]struct {
		id   string
		call func() error
	}{
		"client":  {s.clientID(), func() error { return second2(s.RevokeClient(s.ctx, operator, manage.RevokeKey{ID: s.clientID()})) }},
		"account": {s.accountID(), func() error { return second2(s.DisableServiceAccount(s.ctx, operator, manage.ID{ID: s.accountID()})) }},
		"consent": {s.consent.ID, func() error { return second2(s.WithdrawConsent(s.ctx, operator, manage.ID{ID: s.consent.ID})) }},
		"grant":   {s.family.ID, func() error { return second2(s.RevokeGrant(s.ctx, operator, manage.RevokeKey{ID: s.family.ID})) }},
		"issuer": {s.org.ID + "/test", func() error {
			return second2(s.SetOrganizationIssuer(s.ctx, operator, manage.SetOrganizationIssuer{Organization: s.org.ID, Environment: "test", URL: ptr("")}))
		}},
	} {
		if err := c.call(); err != nil {
			t.Fatal(err)
		}
		s.evicted()
		n := len(must(s.AuditEvents(s.ctx, operator, insight.AuditFilter{Target: c.id}))(t).Items)
		if err := c.call(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.evicted(), " "); !strings.Contains(got, c.id) {
			t.Errorf("%s: evicted %s", name, got)
		}
		if got := len(must(s.AuditEvents(s.ctx, operator, insight.AuditFilter{Target: c.id}))(t).Items); got != n {
			t.Errorf("%s: %d events, %d after the first time", name, got, n)
		}
	}
}
