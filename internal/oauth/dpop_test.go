package oauth

import (
	"crypto"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// A prover makes proofs of possession.
type prover struct {
	t          testing.TB
	private    crypto.Signer
	thumbprint string
}

func newProver(t testing.TB) prover {
	t.Helper()
	private, err := token.Generate("ES256")
	if err != nil {
		t.Fatal(err)
	}
	thumbprint, err := token.Thumbprint(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return prover{t, private, thumbprint}
}

// proof makes one; change alters its claims.
func (p prover) proof(w *world, change ...token.Member) string {
	p.t.Helper()
	claims := []token.Member{
		{Name: "jti", Value: secret.NewID("")}, {Name: "htm", Value: "POST"},
		{Name: "htu", Value: w.http.URL + "/oauth/token"}, {Name: "iat", Value: w.now().Unix()},
	}
	for _, m := range change {
		at := slices.IndexFunc(claims, func(o token.Member) bool { return o.Name == m.Name })
		claims[at] = m
	}
	payload, err := token.MarshalClaims(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.private}, options)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// prove sends a request with a proof.
func prove(w *world, r *http.Request, proofs ...string) answered {
	r.Header["Dpop"] = proofs
	return w.do(r)
}

// TestProofBindsTheToken: RFC 9449 §5 and §6.1: the type says DPoP, and the token names
// the key.
func TestProofBindsTheToken(t *testing.T) {
	w := newWorld(t, acme(t))
	c, p := w.register(), newProver(t)
	build := func() *http.Request {
		return w.form("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", c.secret.Reveal())
	}
	a := prove(w, build(), p.proof(w)).want(200, "")
	if a.text("token_type") != "DPoP" || !strings.Contains(part(t, a.text("access_token"), 1), `"cnf":{"jkt":"`+p.thumbprint+`"}`) {
		t.Errorf("answer %s", a.body)
	}
	plain := w.do(build()).want(200, "")
	if plain.text("token_type") != "Bearer" || strings.Contains(part(t, plain.text("access_token"), 1), "cnf") {
		t.Errorf("without a proof: %s", plain.body)
	}
	again := p.proof(w)
	prove(w, build(), again).want(200, "")
	prove(w, build(), again).want(400, "invalid_dpop_proof")
	member := func(name string, value any) token.Member { return token.Member{Name: name, Value: value} }
	for name, bad := range map[string][]string{
		"two proofs":       {p.proof(w), p.proof(w)},
		"another endpoint": {p.proof(w, member("htu", w.http.URL+"/oauth/revoke"))},
		"another host":     {p.proof(w, member("htu", "https://evil.test/oauth/token"))},
		"another method":   {p.proof(w, member("htm", "GET"))},
		"old":              {p.proof(w, member("iat", w.now().Add(-5*time.Minute).Unix()))},
		"no JWT":           {"x"},
		"a client's JWT":   {newSigner(t).sign(t, "dpop+jwt", assertionClaims(w, c.id())...)},
	} {
		if a := prove(w, build(), bad...); a.status != 400 || a.text("error") != "invalid_dpop_proof" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestRequiredProofs: by the contract, or by the client's registration.
func TestRequiredProofs(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register(func(c *store.Client) { c.DPoPRequired = true })
	w.as(c, "grant_type", "client_credentials").want(400, "invalid_dpop_proof")
	w.contract.Store(acme(t, "dpop: optional", "dpop: required"))
	w.as(w.register(), "grant_type", "client_credentials").want(400, "invalid_dpop_proof")
	w.contract.Store(acme(t, "dpop: optional", "dpop: off"))
	r := w.form("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", c.secret.Reveal())
	if a := prove(w, r, "nonsense").want(200, ""); a.text("token_type") != "Bearer" {
		t.Errorf("where the contract has no DPoP: %s", a.body)
	}
}

// TestBoundGrantsStayBound: a code with dpop_jkt, and a public client's refresh token, are
// good with their key alone (RFC 9449 §5, §10); a confidential client's are bound to it
// anyway.
func TestBoundGrantsStayBound(t *testing.T) {
	w := newWorld(t, acme(t))
	p, thief, m := newProver(t), newProver(t), w.member()
	for kind, c := range map[string]registered{"public": w.register(public), "confidential": w.register()} {
		pairs := []string{"client_id", c.id()}
		if !c.Public {
			pairs = append(pairs, "client_secret", c.secret.Reveal())
		}
		code := w.code(c, m, func(c *store.Code) { c.DPoP = p.thumbprint })
		redeem := func() *http.Request {
			return w.form("/oauth/token", append(pairs, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)...)
		}
		w.do(redeem()).want(400, "invalid_dpop_proof")
		prove(w, redeem(), thief.proof(w)).want(400, "invalid_grant")
		first := prove(w, redeem(), p.proof(w)).want(200, "")
		refresh := func() *http.Request {
			return w.form("/oauth/token", append(pairs, "grant_type", "refresh_token", "refresh_token", first.text("refresh_token"))...)
		}
		if c.Public {
			w.do(refresh()).want(400, "invalid_dpop_proof")
			prove(w, refresh(), thief.proof(w)).want(400, "invalid_grant")
		}
		second := prove(w, refresh(), p.proof(w)).want(200, "")
		if second.text("token_type") != "DPoP" {
			t.Errorf("%s: %s", kind, second.body)
		}
		// The grace is for the one who has the key, too.
		prove(w, refresh(), thief.proof(w)).want(400, "invalid_grant")
	}
}
