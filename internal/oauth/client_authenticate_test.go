package oauth

import (
	"context"
	"crypto"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// TestEveryWayToAuthenticate: a client with a secret may send it in the form or by Basic,
// percent-encoded or plain, as suits it that day.
func TestEveryWayToAuthenticate(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register()
	text := c.secret.Reveal()
	w.post("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", text).want(200, "")
	for _, header := range []string{
		basic(c.id(), text),
		basic(url.QueryEscape(c.id()), url.QueryEscape(text)),
		"basic " + strings.TrimPrefix(basic(c.id(), text), "Basic "), // schemes have no case
		basic(strings.ReplaceAll(c.id(), "_", "%5F"), strings.ReplaceAll(text, "_", "%5F")),
	} {
		r := w.form("/oauth/token", "grant_type", "client_credentials")
		r.Header.Set("Authorization", header)
		w.do(r).want(200, "")
	}
	r := w.form("/oauth/token", "grant_type", "client_credentials", "client_id", c.id())
	r.Header.Set("Authorization", basic(c.id(), text))
	w.do(r).want(200, "") // client_id beside Basic says the same thing twice
}

// TestTwoMethodsAreRefused: RFC 6749 §2.3. Otherwise the one that is checked need not be
// the one that another part of the system looks at.
func TestTwoMethodsAreRefused(t *testing.T) {
	w := newWorld(t, acme(t))
	c, other := w.register(), w.register()
	text := c.secret.Reveal()
	send := func(header []string, pairs ...string) answered {
		r := w.form("/oauth/token", append(pairs, "grant_type", "client_credentials")...)
		r.Header["Authorization"] = header
		return w.do(r)
	}
	send([]string{basic(c.id(), text)}, "client_id", c.id(), "client_secret", text).want(400, "invalid_request")
	send([]string{basic(c.id(), text)}, "client_assertion", "x").want(400, "invalid_request")
	send([]string{basic(c.id(), text)}, "client_assertion_type", assertionType).want(400, "invalid_request")
	send([]string{basic(c.id(), text)}, "client_id", other.id()).want(400, "invalid_request")
	send([]string{basic(c.id(), text), basic(c.id(), text)}).want(400, "invalid_request")
	send(nil, "client_id", c.id(), "client_secret", text, "client_assertion", "x").want(400, "invalid_request")
}

// TestFailedAuthenticationIsOneAnswer: who tries ids and secrets does not learn which of
// the two was wrong, nor that a client exists and is disabled (ASVS 6.3.8).
func TestFailedAuthenticationIsOneAnswer(t *testing.T) {
	w := newWorld(t, acme(t))
	c, other := w.register(), w.register()
	disabled := w.register()
	w.change(func(tx *store.Tx) error {
		disabled.Credential.DisabledAt = w.now()
		return tx.UpdateCredential(t.Context(), disabled.Credential)
	})
	wrong := secret.New(secret.ShapePrefix, "cs_").Reveal()
	var bodies []string
	for _, pair := range [][2]string{
		{c.id(), wrong}, {c.id(), "x"}, {"client_nobody", wrong}, {secret.NewID("client_"), c.secret.Reveal()},
		{c.id(), other.secret.Reveal()}, {disabled.id(), disabled.secret.Reveal()}, {c.id(), c.secret.Reveal() + "x"},
		{c.id(), strings.ToUpper(c.secret.Reveal())},
	} {
		a := w.post("/oauth/token", "grant_type", "client_credentials", "client_id", pair[0], "client_secret", pair[1]).want(401, "invalid_client")
		bodies = append(bodies, a.body)
		if a.header.Get("WWW-Authenticate") != "" {
			t.Errorf("a challenge for Basic, which was not used")
		}
	}
	slices.Sort(bodies)
	if bodies = slices.Compact(bodies); len(bodies) != 1 {
		t.Errorf("answers differ: %q", bodies)
	}
	r := w.form("/oauth/token", "grant_type", "client_credentials")
	r.Header.Set("Authorization", basic(c.id(), wrong))
	if a := w.do(r).want(401, "invalid_client"); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("WWW-Authenticate %q, want Basic: RFC 6749 §5.2", a.header.Get("WWW-Authenticate"))
	}
	for _, header := range []string{"Basic", "Basic !", "Digest x", "Bearer " + c.secret.Reveal(), "Bearer"} {
		r := w.form("/oauth/token", "grant_type", "client_credentials", "client_id", c.id())
		r.Header.Set("Authorization", header)
		w.do(r).want(401, "invalid_client")
	}
	w.post("/oauth/token", "grant_type", "client_credentials").want(400, "invalid_request")
}

// TestBothSecretsWorkDuringARotation: until the overlap ends.
func TestBothSecretsWorkDuringARotation(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register()
	next := secret.New(secret.ShapePrefix, "cs_")
	w.change(func(tx *store.Tx) error {
		if err := tx.EndSecrets(t.Context(), c.id(), w.now().Add(time.Hour)); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: next.Hash(), Credential: c.id(), Hint: next.Hint(), CreatedAt: w.now()})
	})
	try := func(text string) answered {
		return w.post("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", text)
	}
	try(c.secret.Reveal()).want(200, "")
	try(next.Reveal()).want(200, "")
	w.advance(time.Hour + time.Second)
	try(c.secret.Reveal()).want(401, "invalid_client")
	try(next.Reveal()).want(200, "")
}

// TestGuessingIsThrottled: an address that tries too many secrets is told to wait; whoever
// has the right one is not.
func TestGuessingIsThrottled(t *testing.T) {
	w := newWorld(t, acme(t))
	c, p := w.register(), w.register(public)
	var last answered
	for range 60 {
		wrong := secret.New(secret.ShapePrefix, "cs_").Reveal()
		last = w.post("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", wrong)
	}
	last.want(429, "temporarily_unavailable")
	if last.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.as(p, "grant_type", "refresh_token", "refresh_token", "rt_guess").want(429, "temporarily_unavailable")
	w.as(c, "grant_type", "client_credentials").want(200, "")
	w.advance(time.Minute)
	w.as(p, "grant_type", "refresh_token", "refresh_token", "rt_guess").want(400, "invalid_grant")
}

// A signer signs a client's assertions.
type signer struct {
	private crypto.Signer
	jwks    []byte
}

// newSigner returns a signer with an ES256 key.
func newSigner(t testing.TB) signer {
	t.Helper()
	private, err := token.Generate("ES256")
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := token.PublicJWKS([]token.Key{{ID: "k1", Algorithm: "ES256", Public: private.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return signer{private, jwks}
}

// sign makes a JWT of a type.
func (s signer) sign(t testing.TB, typ string, claims ...token.Member) string {
	t.Helper()
	key := token.PrivateKey{ID: "k1", Algorithm: "ES256", Type: typ, KeyID: true, Signer: s.private}
	text, err := token.NewSigner(1, 1).Sign(context.Background(), key, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// assertionClaims are the claims of a good client assertion.
func assertionClaims(w *world, id string) []token.Member {
	return []token.Member{
		{Name: "iss", Value: id}, {Name: "sub", Value: id}, {Name: "aud", Value: w.contract.Load().Issuer()},
		{Name: "exp", Value: w.now().Add(time.Minute).Unix()}, {Name: "iat", Value: w.now().Unix()},
		{Name: "jti", Value: secret.NewID("")},
	}
}

// TestPrivateKeyJWT: a client signs who it is. The audience must be us alone: an assertion
// for several receivers can be replayed by each of them (threats D20).
func TestPrivateKeyJWT(t *testing.T) {
	w := newWorld(t, acme(t))
	s, stranger := newSigner(t), newSigner(t)
	c := w.register(func(c *store.Client) { c.PublicKeys = s.jwks })
	other := w.register(func(c *store.Client) { c.PublicKeys = stranger.jwks })
	const issuer = "https://auth.example.test"
	endpoint := w.http.URL + "/oauth/token"
	claims := func(change ...token.Member) []token.Member {
		all := assertionClaims(w, c.id())
		for _, m := range change {
			at := slices.IndexFunc(all, func(o token.Member) bool { return o.Name == m.Name })
			switch {
			case at >= 0 && m.Value == nil:
				all = slices.Delete(all, at, at+1)
			case at >= 0:
				all[at] = m
			default:
				all = append(all, m)
			}
		}
		return all
	}
	try := func(assertion string, pairs ...string) answered {
		return w.post("/oauth/token", append([]string{"grant_type", "client_credentials",
			"client_assertion_type", assertionType, "client_assertion", assertion}, pairs...)...)
	}
	good := s.sign(t, "JWT", claims()...)
	try(good).want(200, "")
	try(good).want(401, "invalid_client") // used before
	try(s.sign(t, "", claims()...)).want(200, "")
	try(s.sign(t, "client-authentication+jwt", claims()...), "client_id", c.id()).want(200, "")
	try(s.sign(t, "JWT", claims(token.Member{Name: "aud", Value: endpoint})...)).want(200, "")

	change := func(name string, value any) token.Member { return token.Member{Name: name, Value: value} }
	for name, bad := range map[string]string{
		"audience is a list":        s.sign(t, "JWT", claims(change("aud", []string{issuer}))...),
		"audience is several":       s.sign(t, "JWT", claims(change("aud", []string{issuer, "https://evil.test"}))...),
		"audience is somebody else": s.sign(t, "JWT", claims(change("aud", "https://evil.test/token"))...),
		"no audience":               s.sign(t, "JWT", claims(change("aud", nil))...),
		"too long":                  s.sign(t, "JWT", claims(change("exp", w.now().Add(time.Hour).Unix()))...),
		"expired":                   s.sign(t, "JWT", claims(change("exp", w.now().Add(-time.Second).Unix()))...),
		"no expiry":                 s.sign(t, "JWT", claims(change("exp", nil))...),
		"no jti":                    s.sign(t, "JWT", claims(change("jti", nil))...),
		"subject is another":        s.sign(t, "JWT", claims(change("sub", other.id()))...),
		"issuer is another":         s.sign(t, "JWT", claims(change("iss", other.id()), change("sub", other.id()))...),
		"another's key":             stranger.sign(t, "JWT", claims()...),
		"an access token's type":    s.sign(t, "at+jwt", claims()...),
		"a proof's type":            s.sign(t, "dpop+jwt", claims()...),
		"from the future":           s.sign(t, "JWT", claims(change("iat", w.now().Add(time.Hour).Unix()))...),
		"no JWT":                    "x",
		"unsigned":                  good[:strings.LastIndexByte(good, '.')+1],
	} {
		if a := try(bad); a.status != 401 || a.text("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	try(s.sign(t, "JWT", claims()...), "client_id", other.id()).want(401, "invalid_client")
	w.post("/oauth/token", "grant_type", "client_credentials", "client_assertion", s.sign(t, "JWT", claims()...)).want(400, "invalid_request")
	secretOnly := w.register(func(c *store.Client) {
		c.PublicKeys, c.Authentication = s.jwks, []string{"client_secret_post"}
	})
	try(s.sign(t, "JWT", claims(change("iss", secretOnly.id()), change("sub", secretOnly.id()))...)).want(401, "invalid_client")
}

// TestKeySetByItsURL: a client's key set may be at an address of its own; while that does
// not answer, nobody is authenticated, and nobody is told that a signature was wrong.
func TestKeySetByItsURL(t *testing.T) {
	s := newSigner(t)
	var down atomic.Bool
	keys := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.jwks)
	}))
	defer keys.Close()
	w := newWorld(t, acme(t))
	c := w.register(func(c *store.Client) { c.JWKSURL = keys.URL + "/keys" })
	late := w.register(func(c *store.Client) { c.JWKSURL = keys.URL + "/late" })
	try := func(c registered, s signer) answered {
		return w.post("/oauth/token", "grant_type", "client_credentials", "client_assertion_type", assertionType,
			"client_assertion", s.sign(t, "JWT", assertionClaims(w, c.id())...))
	}
	try(c, s).want(200, "")
	try(c, newSigner(t)).want(401, "invalid_client")
	down.Store(true)
	try(c, s).want(200, "") // known already
	try(late, s).want(503, "temporarily_unavailable")
}

// TestRevokedClientGetsNothing: the client's next request after the change is refused, by
// every way to authenticate, and comes back with it.
func TestRevokedClientGetsNothing(t *testing.T) {
	w := newWorld(t, acme(t))
	c, p := w.register(), w.register(public)
	m := w.member()
	w.as(c, "grant_type", "client_credentials").want(200, "")
	tokens := w.as(p, "grant_type", "authorization_code", "code", w.code(p, m), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	for _, one := range []*store.Credential{&c.Credential, &p.Credential} {
		w.change(func(tx *store.Tx) error {
			one.DisabledAt = w.now()
			return tx.UpdateCredential(t.Context(), *one)
		})
	}
	w.as(c, "grant_type", "client_credentials").want(401, "invalid_client")
	w.as(p, "grant_type", "refresh_token", "refresh_token", tokens.text("refresh_token")).want(401, "invalid_client")
	w.change(func(tx *store.Tx) error {
		c.Credential.DisabledAt = time.Time{}
		return tx.UpdateCredential(t.Context(), c.Credential)
	})
	w.as(c, "grant_type", "client_credentials").want(200, "")
	w.change(func(tx *store.Tx) error {
		w.org.SuspendedAt = w.now()
		return tx.UpdateOrganization(t.Context(), w.org)
	})
	w.as(c, "grant_type", "client_credentials").want(401, "invalid_client")
}

// TestAddressListsHoldAtTheTokenEndpoint: a list of an organization or of a client holds
// however the client authenticates, and from the moment it is set.
func TestAddressListsHoldAtTheTokenEndpoint(t *testing.T) {
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	here := append([]netip.Prefix{netip.MustParsePrefix("::ffff:127.0.0.0/104")}, elsewhere...)
	for name, set := range map[string]func(w *world, c *registered, tx *store.Tx, list []netip.Prefix) error{
		"organization": func(w *world, _ *registered, tx *store.Tx, list []netip.Prefix) error {
			return tx.SetAddressList(w.t.Context(), store.AddressList{Organization: w.org.ID, Environment: "live", Prefixes: list})
		},
		"client": func(w *world, c *registered, tx *store.Tx, list []netip.Prefix) error {
			c.Credential.Addresses = list
			return tx.UpdateCredential(w.t.Context(), c.Credential)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t))
			s, m := newSigner(t), w.member()
			confidential, p := w.register(func(c *store.Client) { c.PublicKeys = s.jwks }), w.register(public)
			tries := map[string]func() answered{
				"secret": func() answered { return w.as(confidential, "grant_type", "client_credentials") },
				"assertion": func() answered {
					return w.post("/oauth/token", "grant_type", "client_credentials", "client_assertion_type", assertionType,
						"client_assertion", s.sign(t, "JWT", assertionClaims(w, confidential.id())...))
				},
				"public": func() answered { return w.redeem(p, w.code(p, m)) },
			}
			for _, list := range [][]netip.Prefix{here, elsewhere, {}, here} {
				w.change(func(tx *store.Tx) error {
					if err := set(w, &p, tx, list); err != nil || name == "organization" {
						return err
					}
					return set(w, &confidential, tx, list)
				})
				for way, try := range tries {
					if a := try(); (a.status == 200) != (len(list) == len(here)) {
						t.Errorf("%s with the list %v: %d %s", way, list, a.status, a.body)
					}
				}
			}
		})
	}
}

// TestMethodsOfTheTokenEndpoint: POST and nothing else; no token over GET.
func TestMethodsOfTheTokenEndpoint(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register()
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodDelete} {
		r, _ := http.NewRequestWithContext(t.Context(), method, w.http.URL+"/oauth/token?grant_type=client_credentials&client_id="+c.id()+"&client_secret="+c.secret.Reveal(), nil)
		a := w.do(r)
		if a.status != 405 || a.header.Get("Allow") != "POST" {
			t.Errorf("%s: %d, Allow %q", method, a.status, a.header.Get("Allow"))
		}
	}
	// And a POST that has everything in its query has nothing.
	r := w.raw("/oauth/token?grant_type=client_credentials&client_id="+c.id()+"&client_secret="+c.secret.Reveal(), formType, "")
	w.do(r).want(400, "invalid_request")
	if strings.Contains(w.logged(), c.secret.Reveal()) {
		t.Error("the log has the secret")
	}
}
