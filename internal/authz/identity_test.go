package authz

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// secretOf gives a credential a secret with a prefix.
func (i *issuer) secretOf(c store.Credential, prefix string) secret.Secret {
	i.t.Helper()
	s := secret.New(secret.ShapePrefix, prefix)
	i.change(func(tx *store.Tx) error {
		return tx.InsertSecret(i.t.Context(), store.CredentialSecret{Hash: s.Hash(), Credential: c.ID, CreatedAt: i.now()})
	})
	return s
}

// sameIdentity compares identities by what they mean.
var sameIdentity = cmp.Options{
	cmp.Comparer(func(a, b *contract.Environment) bool { return a == b }),
	cmp.Comparer(func(a, b contract.ScopeSet) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

// Guarantee: a client's secret is good at a token endpoint, and nowhere else; so is a key
// that is for exchange only.
func TestSecretsAtTokenEndpoints(t *testing.T) {
	i := newIssuer(t, nil)
	c := i.world.contract.Load()
	text := i.secretOf(i.client, "cs_").Reveal()
	exchange := i.world.key(i.organization, "exchange", "live")
	for range 2 {
		got, reason, err := i.Secret(t.Context(), text, c.ClientKind(), client)
		scopes, _ := c.ScopeSet("read", "write", "delete")
		want := Identity{Credential: i.client.ID, Kind: "client", Organization: i.organization.ID, Environment: c.Environment("live"), Scopes: scopes}
		if diff := cmp.Diff(want, got, sameIdentity); diff != "" || reason != pass || err != nil {
			t.Errorf("%v, %v\n%s", reason, err, diff)
		}
		if got, reason, _ := i.Secret(t.Context(), exchange.Reveal(), c.Kind("exchange"), client); reason != pass || got.Credential != exchange.ID {
			t.Errorf("a key for exchange: %v, %+v", reason, got)
		}
	}
	for name, text := range map[string]string{"client": text, "exchange": exchange.Reveal()} {
		if d := i.ask(withToken(text)); d.Allowed {
			t.Errorf("the secret of the %s opens a route", name)
		}
	}
	for name, tt := range map[string]struct {
		text string
		kind *contract.KeyKind
	}{
		"another kind's": {exchange.Reveal(), c.ClientKind()}, "of no kind": {text, &contract.KeyKind{}}, "": {"", c.ClientKind()},
		"with a word": {text + "_expired", c.ClientKind()}, "mistyped": {text[:len(text)-1] + "-", c.ClientKind()},
		"unknown": {secret.New(secret.ShapePrefix, "cs_").Reveal(), c.ClientKind()}, "long": {text + text, c.ClientKind()},
	} {
		got, reason, err := i.Secret(t.Context(), tt.text, tt.kind, client)
		if reason != cardea.ReasonInvalidCredential || err != nil || got.Credential != "" {
			t.Errorf("%s: %v, %+v", name, reason, got)
		}
	}
}

// Guarantee: what ends a credential ends its secret at token endpoints at once, and says
// why; the addresses it may be used from are asked there too.
func TestSecretsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		end    func(*store.Credential)
		reason cardea.Reason
	}{
		"revoked":   {func(c *store.Credential) { c.RevokedAt = start }, cardea.ReasonRevoked},
		"disabled":  {func(c *store.Credential) { c.DisabledAt = start }, cardea.ReasonDisabled},
		"expired":   {func(c *store.Credential) { c.ExpiresAt = start }, cardea.ReasonExpired},
		"elsewhere": {func(c *store.Credential) { c.Addresses = []netip.Prefix{} }, cardea.ReasonAddress},
	} {
		i := newIssuer(t, nil)
		kind := i.world.contract.Load().ClientKind()
		text := i.secretOf(i.client, "cs_").Reveal()
		if _, reason, _ := i.Secret(t.Context(), text, kind, client); reason != pass {
			t.Fatal(reason)
		}
		i.both(tt.end)
		who, reason, err := i.Secret(t.Context(), text, kind, client)
		if reason != tt.reason || err != nil || who.Credential != i.client.ID {
			t.Errorf("%s: %v, %v, %+v", name, reason, err, who)
		}
	}
}

// Guarantee: each exchange counts as a use of the key, also after a restart, so that its
// idle time begins again.
func TestExchangeCountsAsUse(t *testing.T) {
	i := newIssuer(t, nil)
	c := i.world.contract.Load()
	k := i.world.key(i.organization, "personal", "live")
	for range 3 {
		i.advance(29 * 24 * time.Hour)
		again := New(Config{Contract: i.world.contract.Load, Store: i.db, Now: i.now})
		if _, reason, err := again.Secret(t.Context(), k.Reveal(), c.Kind("personal"), client); reason != pass || err != nil {
			t.Fatal(reason, err)
		}
	}
	i.advance(31 * 24 * time.Hour)
	if _, reason, _ := i.Secret(t.Context(), k.Reveal(), c.Kind("personal"), client); reason != cardea.ReasonIdle {
		t.Errorf("%v", reason)
	}
}

// Guarantee: guessing at a token endpoint is throttled with the counts of the API, and a
// good secret from such an address is still good.
func TestGuessingSecretsIsThrottled(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = 5 })
	kind := i.world.contract.Load().ClientKind()
	text := i.secretOf(i.client, "cs_").Reveal()
	for range 4 {
		if _, reason, _ := i.Secret(t.Context(), "guess", kind, client); reason != cardea.ReasonInvalidCredential {
			t.Fatal(reason)
		}
	}
	if i.Exceeded(client) {
		t.Error("too early")
	}
	i.Refused(client)
	if _, reason, _ := i.Secret(t.Context(), "guess", kind, client); reason != cardea.ReasonRateLimited || !i.Exceeded(client) {
		t.Error(reason)
	}
	if _, reason, _ := i.Secret(t.Context(), text, kind, client); reason != pass {
		t.Error(reason)
	}
	i.expect(withToken("guess"), cardea.StepShape, cardea.ReasonRateLimited)
	// A token that a resource server asks about counts against nobody.
	for range 10 {
		if _, reason, _ := i.Token(t.Context(), "guess", netip.Addr{}); reason != cardea.ReasonInvalidCredential {
			t.Fatal(reason)
		}
	}
}

// Guarantee: Token tells about a genuine token what a request with it would find, whatever
// its standing, and nothing about others.
func TestTokenInfo(t *testing.T) {
	i := newIssuer(t, nil)
	text := i.sign(i.ourKey("live"), i.user().with(claims{"cnf": map[string]string{"jkt": "thumb"}}))
	scopes, _ := i.world.contract.Load().ScopeSet("read", "write")
	want := TokenInfo{
		Identity: Identity{Credential: i.client.ID, Kind: "access_token", Organization: i.organization.ID, Member: i.member.ID,
			Environment: i.world.contract.Load().Environment("live"), Scopes: scopes},
		Client: i.client.ID, Subject: i.member.ID, IssuedAt: start, ExpiresAt: start.Add(15 * time.Minute), DPoP: "thumb", OwnJWT: true,
	}
	got, reason, err := i.Token(t.Context(), text, client)
	want.ID = got.ID
	if diff := cmp.Diff(want, got, sameIdentity); diff != "" || reason != pass || err != nil || got.ID[:4] != "jti_" {
		t.Errorf("%v, %v\n%s", reason, err, diff)
	}
	i.both(func(c *store.Credential) { c.RevokedAt = start })
	if got, reason, _ = i.Token(t.Context(), text, client); reason != cardea.ReasonRevoked || got.ID != want.ID {
		t.Errorf("%v: %+v", reason, got)
	}
	for _, bad := range []string{"", "x", "a.b.c", text + "x", secret.New(secret.ShapePrefix, "ck_live_").Reveal()} {
		if got, reason, _ := i.Token(t.Context(), bad, client); reason != cardea.ReasonInvalidCredential || got.ID != "" {
			t.Errorf("%v: %+v", reason, got)
		}
	}
	i.use(opaqueTokens)
	row, opaque := i.opaque(func(t *store.AccessToken) { t.DPoP, t.Client = "thumb", "" })
	got, reason, err = i.Token(t.Context(), opaque, client)
	if reason != pass || err != nil || got.ID != row.ID || got.DPoP != "thumb" || got.OwnJWT || got.Subject != i.member.ID {
		t.Errorf("%v, %v: %+v", reason, err, got)
	}
	_ = i.db.Close()
	if _, reason, err = i.Token(t.Context(), secret.New(secret.ShapePrefix, "at_").Reveal(), client); reason != cardea.ReasonUnavailable || err == nil {
		t.Errorf("%v, %v", reason, err)
	}
}

// Guarantee: an assertion is what a service account signs for the token endpoint or the
// API, and one for the token endpoint never becomes a token for the API, however the two
// come together.
func TestAssertions(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	const endpoint = "https://auth.acme.test/oauth/token"
	forEndpoint := i.sign(i.accountKey, i.self().with(claims{"aud": endpoint}))
	forAPI := i.sign(i.accountKey, i.self())
	for range 2 {
		for _, text := range []string{forEndpoint, forAPI} {
			got, reason, err := i.Assertion(t.Context(), text, []string{endpoint}, client)
			if reason != pass || err != nil || got.Subject != i.account.ID || got.Scopes.IsEmpty() || got.ID == "" {
				t.Errorf("%v, %v: %+v", reason, err, got)
			}
		}
		i.expect(withToken(forEndpoint), cardea.StepVerify, cardea.ReasonInvalidCredential)
		i.allow(withToken(forAPI))
	}
	for name, text := range map[string]string{
		"our own token": i.sign(i.ourKey("live"), i.machine()), "a partner's": i.sign(i.partner.key(), i.foreign()),
		"for somebody else": i.sign(i.accountKey, i.self().with(claims{"aud": "https://other.test"})),
		"for several":       i.sign(i.accountKey, i.self().with(claims{"aud": []string{endpoint, "https://other.test"}})),
	} {
		if got, reason, err := i.Assertion(t.Context(), text, []string{endpoint}, client); reason != cardea.ReasonInvalidCredential || err != nil || got.ID != "" {
			t.Errorf("%s: %v, %v", name, reason, err)
		}
	}
}

// Guarantee: what is exchanged is somebody else's token, in an environment that its issuer
// has.
func TestExternalTokens(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	c := i.world.contract.Load()
	text := i.sign(i.partner.key(), i.foreign())
	for _, env := range []*contract.Environment{nil, c.Environment("live"), c.Environment("test")} {
		want := env
		if want == nil {
			want = c.Environment("live")
		}
		got, reason, err := i.External(t.Context(), text, env, client)
		if reason != pass || err != nil || got.Subject != "auth0|123" || got.Organization != i.organization.ID || got.Environment != want {
			t.Errorf("%v: %v, %v: %+v", env, reason, err, got)
		}
	}
	if _, reason, _ := i.External(t.Context(), text, c.Environment("eu"), client); reason != cardea.ReasonWrongEnvironment {
		t.Errorf("%v", reason)
	}
	for name, text := range map[string]string{
		"our own": i.sign(i.ourKey("live"), i.machine()), "an account's": i.sign(i.accountKey, i.self()),
	} {
		if got, reason, err := i.External(t.Context(), text, nil, client); reason != cardea.ReasonInvalidCredential || err != nil || got.ID != "" {
			t.Errorf("%s: %v, %v", name, reason, err)
		}
	}
}

// Guarantee: whoever issues a token learns up to when tokens of the credential and of its
// member were taken back, so that a new one is not born dead.
func TestIdentityTellsWatermarks(t *testing.T) {
	i := newIssuer(t, nil)
	c := i.world.contract.Load()
	k := i.world.key(i.organization, "personal", "live", func(c *store.Credential) { c.Member = i.member.ID })
	ask := func() time.Time {
		got, reason, err := i.Secret(t.Context(), k.Reveal(), c.Kind("personal"), client)
		if reason != pass || err != nil || got.Member != i.member.ID {
			t.Fatal(reason, err)
		}
		return got.NotBefore
	}
	if got := ask(); !got.IsZero() {
		t.Errorf("%v before anything was taken back", got)
	}
	i.change(func(tx *store.Tx) error { return tx.EndMemberTokens(t.Context(), i.member.ID) })
	if got := ask(); !got.Equal(i.now()) {
		t.Errorf("the member's: %v", got)
	}
	i.advance(time.Minute)
	i.change(func(tx *store.Tx) error { return tx.EndTokens(t.Context(), k.ID) })
	if got := ask(); !got.Equal(i.now()) {
		t.Errorf("the key's: %v", got)
	}
}
