package oauth

import (
	"context"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// jwtGrant is the grant_type of assertions on the wire.
const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// An account is a service account with a key of its own.
type account struct {
	w       *world
	row     store.Credential
	key     string
	private crypto.Signer
}

// account makes a service account.
func (w *world) account(scopes ...string) account {
	w.t.Helper()
	private, err := token.Generate("ES256")
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := token.MarshalPublic(private.Public())
	if err != nil {
		w.t.Fatal(err)
	}
	a := account{w: w, key: secret.NewID("sak_"), private: private, row: store.Credential{
		ID: secret.NewID("sa_"), Kind: store.KindServiceAccount, Environment: "live", Organization: w.org.ID, Name: "robot",
		Scopes: scopes, CreatedBy: "test",
	}}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertCredential(w.t.Context(), a.row); err != nil {
			return err
		}
		return tx.InsertAccountKey(w.t.Context(), store.ServiceAccountKey{ID: a.key, Account: a.row.ID, Algorithm: "ES256", PublicKey: public})
	})
	return a
}

// sign makes an assertion for an audience; more are further claims.
func (a account) sign(audience any, lifetime time.Duration, scope string, more ...token.Member) string {
	a.w.t.Helper()
	claims := []token.Member{
		{Name: "iss", Value: "https://auth.example.test"}, {Name: "sub", Value: a.row.ID}, {Name: "aud", Value: audience},
		{Name: "exp", Value: a.w.now().Add(lifetime).Unix()}, {Name: "iat", Value: a.w.now().Unix()}, {Name: "scope", Value: scope},
		{Name: "org_id", Value: a.w.org.ID},
	}
	key := token.PrivateKey{ID: a.key, Algorithm: "ES256", Type: "JWT", KeyID: true, Signer: a.private}
	text, err := token.NewSigner(1, 1).Sign(context.Background(), key, append(claims, more...))
	if err != nil {
		a.w.t.Fatal(err)
	}
	return text
}

const api = "https://api.example.test"

// TestAssertionIsExchanged: the very token that opens routes directly is good for one of
// ours, and so is one for the token endpoint; nobody else has to authenticate.
func TestAssertionIsExchanged(t *testing.T) {
	w := newWorld(t, acme(t))
	a := w.account("read", "write")
	try := func(assertion string, pairs ...string) answered {
		return w.post("/oauth/token", append([]string{"grant_type", jwtGrant, "assertion", assertion}, pairs...)...)
	}
	for _, audience := range []string{api, "https://auth.example.test", w.http.URL + "/oauth/token"} {
		r := try(a.sign(audience, time.Hour, "read")).want(200, "")
		if r.text("scope") != "read" || r.text("refresh_token") != "" || w.reason(r.text("access_token")) != cardea.ReasonAllowed ||
			!strings.Contains(part(t, r.text("access_token"), 1), `"sub":"`+a.row.ID+`"`) {
			t.Errorf("for %s: %s", audience, r.body)
		}
	}
	if r := try(a.sign(api, time.Hour, "read write"), "scope", "read").want(200, ""); r.text("scope") != "read" {
		t.Errorf("scope %q", r.text("scope"))
	}
	try(a.sign(api, time.Hour, "read"), "scope", "write").want(400, "invalid_scope")
	try(a.sign(api, time.Hour, "read delete")).want(400, "invalid_scope")
	for name, bad := range map[string]string{
		"too long":          a.sign(api, time.Hour+time.Second, "read"),
		"expired":           a.sign(api, -time.Second, "read"),
		"for somebody else": a.sign("https://evil.test", time.Hour, "read"),
		"for several":       a.sign([]string{api, "https://evil.test"}, time.Hour, "read"),
		"not signed by it":  account{w, a.row, a.key, newProver(t).private}.sign(api, time.Hour, "read"),
		"an unknown key":    account{w, a.row, "sak_x", a.private}.sign(api, time.Hour, "read"),
		"no JWT":            "x",
		"one of our own":    try(a.sign(api, time.Hour, "read")).text("access_token"),
	} {
		if r := try(bad); r.status != 400 || r.text("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	try("").want(400, "invalid_request")
	once := a.sign(api, time.Hour, "read", token.Member{Name: "jti", Value: "j1"})
	try(once).want(200, "")
	try(once).want(400, "invalid_grant")
	w.change(func(tx *store.Tx) error {
		a.row.RevokedAt = w.now()
		return tx.UpdateCredential(t.Context(), a.row)
	})
	try(a.sign(api, time.Hour, "read")).want(400, "invalid_grant")
}

// TestAssertionBesideAClient: whoever says which client they are must prove it.
func TestAssertionBesideAClient(t *testing.T) {
	w := newWorld(t, acme(t))
	a := w.account("read")
	w.post("/oauth/token", "grant_type", jwtGrant, "assertion", a.sign(api, time.Hour, "read"), "client_id", secret.NewID("client_")).want(401, "invalid_client")
	w.post("/oauth/token", "grant_type", jwtGrant, "assertion", a.sign(api, time.Hour, "read"), "client_secret", "x").want(401, "invalid_client")
	// The self-proving grant opens no other one.
	w.post("/oauth/token", "grant_type", "client_credentials", "assertion", a.sign(api, time.Hour, "read")).want(400, "invalid_request")
}
