package people_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
)

// A provider is a small OpenID provider over real HTTP: discovery, keys, codes with PKCE,
// ID tokens signed with RS256. What it lies about is for tests to set.
type provider struct {
	*httptest.Server
	t   testing.TB
	now func() time.Time
	key *rsa.PrivateKey

	mu       sync.Mutex
	codes    map[string]url.Values // the authorization request that a code answers
	fetched  int                   // discovery documents
	claims   map[string]any        // in place of, or besides, the honest ones; nil values are left out
	issuer   string                // what discovery says; "": the truth
	sends    bool                  // it sends iss (RFC 9207)
	again    bool                  // it redeems a code more than once
	sign     func(payload []byte) string
	redeemed int
}

func newProvider(t testing.TB, now func() time.Time) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, now: now, key: key, codes: map[string]url.Values{}}
	p.sign = p.rs256
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) write(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		p.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched++
	issuer := p.URL
	if p.issuer != "" {
		issuer = p.issuer
	}
	p.write(w, map[string]any{
		"issuer": issuer, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": p.sends,
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
}

// authorize is the person saying yes at the provider: it returns what the browser brings
// back.
func (p *provider) authorize(to string) url.Values {
	p.t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		p.t.Fatal(err)
	}
	query := u.Query()
	if query.Get("code_challenge_method") != "S256" || query.Get("nonce") == "" || query.Get("response_type") != "code" {
		p.t.Errorf("authorization request %v", query)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.codes[code] = query
	answer := url.Values{"code": {code}, "state": {query.Get("state")}}
	if p.sends {
		answer.Set("iss", p.URL)
	}
	return answer
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	asked, ok := p.codes[r.PostForm.Get("code")]
	if !p.again {
		delete(p.codes, r.PostForm.Get("code"))
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if !ok || b64.EncodeToString(sum[:]) != asked.Get("code_challenge") || id != "cardea" || secret != "s3cret" ||
		r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	p.redeemed++
	claims := map[string]any{
		"iss": p.URL, "sub": "248289761001", "aud": "cardea", "nonce": asked.Get("nonce"),
		"iat": p.now().Unix(), "exp": p.now().Add(5 * time.Minute).Unix(),
		"email": "ada@one.test", "email_verified": true, "name": "Ada Lovelace",
	}
	maps.Copy(claims, p.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	p.write(w, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": p.sign(payload)})
}

// rs256 signs as the provider promises to.
func (p *provider) rs256(payload []byte) string { return p.signed(jose.RS256, p.key, payload) }

func (p *provider) signed(alg jose.SignatureAlgorithm, key any, payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		p.t.Fatal(err)
	}
	signature, err := signer.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signature.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// lie sets claims until the next call.
func (p *provider) lie(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}
