package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// info asks the userinfo endpoint with an Authorization header.
func (w *world) info(authorization string) page {
	w.t.Helper()
	b := w.stranger()
	if authorization != "" {
		b.header.Set("Authorization", authorization)
	}
	return b.get("/oauth/userinfo")
}

// TestUserInfo holds OpenID Connect Core §5.3: the person of the ID token, with the
// claims that the granted scopes open and no more.
func TestUserInfo(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	exchange := func(scope string) answered {
		return w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", scope), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	}
	for scope, want := range map[string][]string{
		"openid": {"sub"}, "openid profile": {"sub", "name", "updated_at"}, "openid email": {"sub", "email"},
		"openid profile email read": {"sub", "name", "updated_at", "email"},
	} {
		got := exchange(scope)
		p := w.info("Bearer " + got.text("access_token"))
		p.want(http.StatusOK, "")
		if strings.Join(p.members(), " ") != strings.Join(want, " ") {
			t.Errorf("%s: %s", scope, p.body)
		}
		if sub := parseObject(t, part(t, got.text("id_token"), 1))["sub"]; p.json["sub"] != sub || sub != m.ID {
			t.Errorf("sub is %v, and %v in the ID token", p.json["sub"], sub)
		}
	}
	r := w.form("/oauth/userinfo")
	r.Header.Set("Authorization", "Bearer "+exchange("openid").text("access_token"))
	w.do(r).want(http.StatusOK, "")

	p := w.info("Bearer " + exchange("read").text("access_token"))
	p.want(http.StatusForbidden, "insufficient_scope")
	if c := p.header.Values("WWW-Authenticate"); !strings.Contains(strings.Join(c, ","), `scope="openid"`) {
		t.Errorf("challenge %q", c)
	}
}

// TestUserInfoRefuses holds RFC 6750 §3.1 and RFC 9449 §7: one token, in the header, that
// is good at the API; never an ID token, and never one that is bound to a key without
// that key's proof.
func TestUserInfoRefuses(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	got := w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", "openid"), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	access := got.text("access_token")

	p := w.info("")
	p.want(http.StatusUnauthorized, "invalid_request")
	if lines := p.header.Values("WWW-Authenticate"); len(lines) != 2 || strings.Contains(lines[0], "error") || !strings.HasPrefix(lines[0], "Bearer") ||
		!strings.HasPrefix(lines[1], "DPoP") {
		t.Errorf("challenges %q", lines)
	}
	for name, one := range map[string]struct {
		header string
		status int
		code   string
	}{
		"ID token":        {"Bearer " + got.text("id_token"), 401, "invalid_token"},
		"refresh token":   {"Bearer " + got.text("refresh_token"), 401, "invalid_token"},
		"truncated":       {"Bearer " + access[:len(access)-1], 401, "invalid_token"},
		"bearer as DPoP":  {"DPoP " + access, 401, "invalid_token"},
		"Basic":           {"Basic eDp5", 401, "invalid_request"},
		"nothing":         {"Bearer ", 400, "invalid_request"},
		"two in a header": {"Bearer " + access + ", Bearer " + access, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.info(one.header)
			p.want(one.status, one.code)
			if one.code == "invalid_token" && !strings.Contains(p.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("challenge %q", p.header.Values("WWW-Authenticate"))
			}
		})
	}
	if p := w.stranger().get("/oauth/userinfo?access_token=" + access); p.status != 401 {
		t.Errorf("a token in the address is answered %d", p.status)
	}
	r := w.form("/oauth/userinfo", "access_token", access)
	w.do(r).want(401, "invalid_request")

	machine := w.as(c, "grant_type", "client_credentials", "scope", "openid").want(200, "")
	w.info("Bearer "+machine.text("access_token")).want(401, "invalid_token")

	w.advance(15*time.Minute + time.Second)
	w.info("Bearer "+access).want(401, "invalid_token")
}

// TestUserInfoFollowsThePerson holds that a token dies with what it stands on.
func TestUserInfoFollowsThePerson(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	got := w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", "openid"), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	access := "Bearer " + got.text("access_token")
	w.info(access).want(200, "")
	consent, err := w.db.Consent(t.Context(), m.ID, c.id())
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(tx *store.Tx) error { return tx.RevokeConsent(t.Context(), consent.ID) })
	w.info(access).want(401, "invalid_token")
}

// TestUserInfoWithProof holds RFC 9449 §7: a token that is bound to a key is good with a
// proof of that key made for it, and with nothing else; and dpop_jkt binds the code that
// it comes from (§10).
func TestUserInfoWithProof(t *testing.T) {
	w := full(t)
	c := w.register(public)
	b := w.signedIn(w.member())
	p, thief := newProver(t), newProver(t)
	code := b.code(c, "scope", "openid", "dpop_jkt", p.thumbprint)
	redeem := func(proofs ...string) answered {
		return prove(w, w.form("/oauth/token", "client_id", c.id(), "grant_type", "authorization_code", "code", code,
			"redirect_uri", callback, "code_verifier", verifier), proofs...)
	}
	if a := redeem(); a.status == 200 {
		t.Error("the code is good without the key that it was asked for with")
	}
	if a := redeem(thief.proof(w)); a.status == 200 {
		t.Error("the code is good with another key")
	}
	access := redeem(p.proof(w)).want(200, "").text("access_token")
	ask := func(scheme string, proofs ...string) page {
		b := w.stranger()
		b.header["Authorization"], b.header["Dpop"] = []string{scheme + " " + access}, proofs
		return b.get("/oauth/userinfo")
	}
	good := func(p prover, of string) string { return p.proofFor(w, "GET", "/oauth/userinfo", of) }
	once := good(p, access)
	ask("DPoP", once).want(200, "")
	ask("DPoP", once).want(401, "invalid_dpop_proof")
	ask("DPoP").want(401, "invalid_dpop_proof")
	ask("DPoP", good(p, access), good(p, access)).want(401, "invalid_dpop_proof")
	ask("DPoP", good(thief, access)).want(401, "invalid_dpop_proof")
	ask("DPoP", good(p, access+"x")).want(401, "invalid_dpop_proof")
	ask("DPoP", p.proofFor(w, "POST", "/oauth/userinfo", access)).want(401, "invalid_dpop_proof")
	ask("DPoP", p.proofFor(w, "GET", "/oauth/token", access)).want(401, "invalid_dpop_proof")
	ask("Bearer", good(p, access)).want(401, "invalid_token")
	ask("Bearer").want(401, "invalid_token")
}

// proofFor makes a proof for a request with an access token.
func (p prover) proofFor(w *world, method, path, accessToken string) string {
	p.t.Helper()
	hash := sha256.Sum256([]byte(accessToken))
	payload, err := token.MarshalClaims([]token.Member{
		{Name: "jti", Value: secret.NewID("")}, {Name: "htm", Value: method}, {Name: "htu", Value: w.http.URL + path},
		{Name: "iat", Value: w.now().Unix()}, {Name: "ath", Value: base64.RawURLEncoding.EncodeToString(hash[:])},
	})
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
