package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// The tests in files standards_*_test.go hold what the table of docs/standards.md names
// and nothing else does.

// TestConfidentialClientsProveThemselvesEverywhere holds RFC 6749 §3.2.1 and §6, RFC 7009
// §2.1, RFC 7662 §2.1, RFC 8628 §3.1 and RFC 9126 §2: the name of a client that has a
// secret is not enough, neither by itself nor with somebody else's proof, at any endpoint
// and for any grant; and what it is refused is not used up.
func TestConfidentialClientsProveThemselvesEverywhere(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	code, device := w.code(c, m), w.device(c, m)
	tokens := w.redeem(c, w.code(c, m)).want(200, "")
	refresh, access := tokens.text("refresh_token"), tokens.text("access_token")
	requests := map[string][]string{
		"client credentials": {"/oauth/token", "grant_type", "client_credentials"},
		"code":               {"/oauth/token", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier},
		"refresh":            {"/oauth/token", "grant_type", "refresh_token", "refresh_token", refresh},
		"device":             {"/oauth/token", "grant_type", deviceGrant, "device_code", device},
		"exchange":           {"/oauth/token", "grant_type", exchangeGrant, "subject_token_type", typeJWT, "subject_token", access},
		"revocation":         {"/oauth/revoke", "token", access},
		"introspection":      {"/oauth/introspect", "token", access},
		"device codes":       {"/oauth/device", "scope", "read"},
		"pushed requests":    append([]string{"/oauth/par"}, goodPush...),
	}
	stranger := newSigner(t)
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			send := func(pairs ...string) answered { return w.post(r[0], append(pairs, r[1:]...)...) }
			send("client_id", c.id()).want(401, "invalid_client")
			send("client_id", c.id(), "client_secret", secret.New(secret.ShapePrefix, "cs_").Reveal()).want(401, "invalid_client")
			send("client_assertion_type", assertionType, "client_assertion",
				stranger.sign(t, "JWT", assertionClaims(w, c.id())...)).want(401, "invalid_client")
		})
	}
	if len(requests) != 9 {
		t.Fatal("a request is missing")
	}
	w.redeem(c, code).want(200, "")
	w.renew(c, refresh).want(200, "")
	w.poll(c, device).want(200, "")
	if a := w.ask(c, access).want(200, ""); a.json["active"] != true {
		t.Errorf("the token was revoked: %s", a.body)
	}
}

// TestGuessingIsThrottledAtEveryEndpoint holds RFC 6749 §2.3.1 and RFC 7009 §5: who tries
// secrets at one endpoint is throttled at all of them, and whoever has the right one is
// not.
func TestGuessingIsThrottledAtEveryEndpoint(t *testing.T) {
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device", "/oauth/par"} {
		t.Run(path, func(t *testing.T) {
			w := full(t)
			c := w.register()
			access := w.as(c, "grant_type", "client_credentials").want(200, "").text("access_token")
			try := func(path, text string) answered {
				return w.post(path, "client_id", c.id(), "client_secret", text, "grant_type", "client_credentials", "token", access)
			}
			for range 60 {
				try(path, secret.New(secret.ShapePrefix, "cs_").Reveal())
			}
			for _, other := range []string{path, "/oauth/token", "/oauth/revoke", "/oauth/introspect"} {
				if a := try(other, secret.New(secret.ShapePrefix, "cs_").Reveal()); a.status != 429 {
					t.Errorf("another secret at %s is answered %d", other, a.status)
				}
			}
			w.ask(c, access).want(200, "")
		})
	}
}

// TestAssertionsOfPushedRequests holds RFC 9126 §2: the issuer, the token endpoint and the
// endpoint itself are names of ours, and nothing else is.
func TestAssertionsOfPushedRequests(t *testing.T) {
	w := full(t)
	s := newSigner(t)
	c := w.register(func(c *store.Client) { c.PublicKeys = s.jwks })
	push := func(audience string) answered {
		claims := assertionClaims(w, c.id())
		claims[2] = token.Member{Name: "aud", Value: audience}
		pairs := append([]string{"client_assertion_type", assertionType, "client_assertion", s.sign(t, "JWT", claims...)}, goodPush...)
		return w.post("/oauth/par", pairs...)
	}
	for _, audience := range []string{"https://auth.example.test", w.http.URL + "/oauth/token", w.http.URL + "/oauth/par"} {
		push(audience).want(201, "")
	}
	for _, audience := range []string{w.http.URL + "/oauth/par/", w.http.URL, "https://auth.example.test/oauth/revoke", "HTTPS://auth.example.test"} {
		push(audience).want(401, "invalid_client")
	}
}

// TestAssertionsSignedWithRS256 holds RFC 7523 §5: it is the algorithm that every server
// takes.
func TestAssertionsSignedWithRS256(t *testing.T) {
	w := full(t)
	private, err := token.Generate("RS256")
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := token.PublicJWKS([]token.Key{{ID: "k1", Algorithm: "RS256", Public: private.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	c := w.register(func(c *store.Client) { c.PublicKeys = jwks })
	sign := func(kid string, claims []token.Member) string {
		key := token.PrivateKey{ID: kid, Algorithm: "RS256", Type: "JWT", KeyID: true, Signer: private}
		text, err := token.NewSigner(1, 1).Sign(t.Context(), key, claims)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	w.post("/oauth/token", "grant_type", "client_credentials", "client_assertion_type", assertionType,
		"client_assertion", sign("k1", assertionClaims(w, c.id()))).want(200, "")

	a := w.account("read")
	public, err := token.MarshalPublic(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	kid := secret.NewID("sak_")
	w.change(func(tx *store.Tx) error {
		return tx.InsertAccountKey(t.Context(), store.ServiceAccountKey{ID: kid, Account: a.row.ID, Algorithm: "RS256", PublicKey: public})
	})
	claims := append(assertionClaims(w, a.row.ID), token.Member{Name: "scope", Value: "read"})
	claims[0].Value = "https://auth.example.test"
	w.post("/oauth/token", "grant_type", jwtGrant, "assertion", sign(kid, claims)).want(200, "")
}

// TestActorTokensAreRefused holds RFC 8693 §2.1: the client is the actor, so neither an
// actor's token nor its type, which never comes alone, has any meaning here.
func TestActorTokensAreRefused(t *testing.T) {
	w := full(t)
	c := w.register()
	for name, pairs := range map[string][]string{
		"type alone":  {"actor_token_type", typeJWT},
		"token alone": {"actor_token", "x"},
		"both":        {"actor_token", "x", "actor_token_type", typeJWT},
	} {
		a := w.as(c, append([]string{"grant_type", exchangeGrant, "subject_token_type", typeJWT, "subject_token", "x"}, pairs...)...)
		if a.want(400, "invalid_request"); a.text("error_description") != errActorToken.(*Error).Description {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
