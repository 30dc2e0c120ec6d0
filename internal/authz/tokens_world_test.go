package authz

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// issuing is what the contract of the tests has besides when tokens prove themselves.
// PARTNER and the like are filled in with addresses.
const issuing = `issuer: https://auth.acme.test
audience: https://api.acme.test
clients: {grants: [client_credentials, authorization_code], dpop: optional, client_id_metadata: true, public: true}
endpoints:
  token:
    - {host: api, path: /login, grants: {token: exchange}, authentication: [bearer], respond: [access_token]}
    - {host: api, path: /oauth/token, grants: {client_credentials: client_credentials, authorization_code: authorization_code}}
  authorize: {path: /oauth/authorize}
  jwks: {path: /jwks}
service_accounts: {max_lifetime: 1h, algorithms: [ES256], scope_claim: scopes, claims: {org_id: organization}}
tokens: {access: {format: jwt, algorithm: ES256, lifetime: 1h, claims: {org_id: organization}}, user: {lifetime: 15m}}
trusted_issuers:
  partner:
    issuer: https://partner.test
    jwks_url: "PARTNER"
    insecure_private_jwks: true
    algorithms: [ES256]
    environments: [live, test]
    scopes: [read, write]
    default_scopes: [read]
    claims: {tenant: organization}
    plan_claim: tier
    max_lifetime: 2h
  visitors:
    issuer: https://visitors.test
    jwks_url: "VISITORS"
    insecure_private_jwks: true
    algorithms: [ES256]
    environments: [live]
    scopes: [read]
    default_scopes: [read]
organization_issuers: {per: environment, algorithms: [ES256], scopes: [read], default_scopes: [read]}
`

// A foreignIssuer is somebody else's identity provider: a key set at an address.
type foreignIssuer struct {
	url     string
	fetched atomic.Int64
	keys    atomic.Pointer[[]token.PrivateKey]
	*httptest.Server
}

// newForeign starts one with a key.
func newForeign(t testing.TB, kid string) *foreignIssuer {
	f := &foreignIssuer{}
	f.keys.Store(&[]token.PrivateKey{newKey(t, kid)})
	f.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.fetched.Add(1)
		var public []token.Key
		for _, k := range *f.keys.Load() {
			public = append(public, k.Public())
		}
		document, _ := token.PublicJWKS(public)
		_, _ = w.Write(document)
	}))
	f.url = f.Server.URL
	t.Cleanup(f.Close)
	return f
}

// newKey makes a key that signs ES256.
func newKey(t testing.TB, kid string) token.PrivateKey {
	t.Helper()
	signer, err := token.Generate("ES256")
	if err != nil {
		t.Fatal(err)
	}
	return token.PrivateKey{ID: kid, Algorithm: "ES256", KeyID: kid != "", Signer: signer}
}

// An issuer is a world in which tokens are issued.
type issuer struct {
	*world
	keys              *signing.Keys
	signer            *token.Signer
	partner, visitors *foreignIssuer

	organization store.Organization
	member       store.Member
	client       store.Credential
	account      store.Credential
	accountKey   token.PrivateKey

	age    time.Duration     // of tokens when they are made
	texts  map[string]string // see [issuer.one]
	agreed store.Consent
	family string
}

// newIssuer returns a world with one of everything: an organization with a member, a
// client, and a service account with a key.
func newIssuer(t testing.TB, db *store.DB, adjust ...func(*Config)) *issuer {
	t.Helper()
	i := &issuer{partner: newForeign(t, "p1"), visitors: newForeign(t, "v1"), signer: token.NewSigner(4, 0)}
	roots := x509.NewCertPool()
	roots.AddCert(i.partner.Certificate())
	fetcher := fetch.New(fetch.Config{AllowPrivate: true, Roots: roots})
	adjust = append([]func(*Config){func(c *Config) {
		sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
		if err != nil {
			t.Fatal(err)
		}
		i.keys = signing.New(signing.Config{
			Store: c.Store, Sealer: sealer, Contract: c.Contract, Now: c.Now,
			Apply: func(changes store.Changes) { i.Apply(changes) },
		})
		c.Keys = i.keys
		c.Issuers = token.NewCache(token.CacheConfig{Fetch: fetcher, Now: c.Now})
	}}, adjust...)
	i.world = newWorld(t, db, adjust...)
	i.use(issuing)
	i.populate()
	return i
}

// use puts another contract in force: the one of the tests with this text in place of
// its tokens.
func (i *issuer) use(text string) {
	i.t.Helper()
	text = strings.NewReplacer("PARTNER", i.partner.url, "VISITORS", i.visitors.url).Replace(text)
	at := strings.Index(acme, "tokens:")
	end := strings.Index(acme, "errors:")
	i.world.contract.Store(load(i.t, acme[:at]+text+acme[end:]))
}

// populate makes whom tokens are about.
func (i *issuer) populate() {
	i.organization = i.world.organization("standard")
	i.member = store.Member{ID: secret.NewID("usr_"), Organization: i.organization.ID, Email: "a@acme.test", Role: cardea.RoleDeveloper}
	i.change(func(tx *store.Tx) error { return tx.InsertMember(i.t.Context(), i.member) })
	i.client = i.newClient(i.organization, "live")
	i.account, i.accountKey = i.newAccount(i.organization, "live")
}

// newClient makes a client with every scope.
func (i *issuer) newClient(o store.Organization, env string) store.Credential {
	i.t.Helper()
	c := store.Client{Credential: store.Credential{
		ID: secret.NewID("client_"), Environment: env, Organization: o.ID, Name: "app",
		Scopes: []string{"read", "write", "delete"}, CreatedBy: "test",
	}}
	i.change(func(tx *store.Tx) error { return tx.InsertClient(i.t.Context(), c) })
	c.Credential.Kind = store.KindClient
	return c.Credential
}

// newAccount makes a service account that may read, with a key.
func (i *issuer) newAccount(o store.Organization, env string) (store.Credential, token.PrivateKey) {
	i.t.Helper()
	c := store.Credential{
		ID: secret.NewID("sa_"), Kind: store.KindServiceAccount, Environment: env, Organization: o.ID,
		Name: "worker", Scopes: []string{"read"}, CreatedBy: "test",
	}
	i.change(func(tx *store.Tx) error { return tx.InsertCredential(i.t.Context(), c) })
	return c, i.newAccountKey(c)
}

// newAccountKey gives a service account another key.
func (i *issuer) newAccountKey(c store.Credential) token.PrivateKey {
	i.t.Helper()
	k := newKey(i.t, secret.NewID("sak_"))
	i.change(func(tx *store.Tx) error { return tx.InsertAccountKey(i.t.Context(), accountRow(i.t, c, k)) })
	return k
}

// accountRow is a service account's key as the store has it.
func accountRow(t testing.TB, c store.Credential, k token.PrivateKey) store.ServiceAccountKey {
	t.Helper()
	public, err := token.MarshalPublic(k.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return store.ServiceAccountKey{ID: k.ID, Account: c.ID, Algorithm: k.Algorithm, PublicKey: public}
}

// claims are what a token says; a nil value removes a claim.
type claims map[string]any

// with returns the claims changed.
func (c claims) with(more claims) claims {
	out := maps.Clone(c)
	for name, value := range more {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// sign signs claims as they are.
func (i *issuer) sign(k token.PrivateKey, c claims) string {
	i.t.Helper()
	var members []token.Member
	for _, name := range slices.Sorted(maps.Keys(c)) {
		members = append(members, token.Member{Name: name, Value: c[name]})
	}
	text, err := i.signer.Sign(i.t.Context(), k, members)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

// key returns the key that signs our tokens in an environment.
func (i *issuer) ourKey(env string) token.PrivateKey {
	i.t.Helper()
	k, err := i.keys.Current(i.t.Context(), env, "ES256")
	if err != nil {
		i.t.Fatal(err)
	}
	k.Type, k.KeyID = "at+jwt", true
	return k
}

// common are claims of ours.
func (i *issuer) common() claims {
	return claims{
		"iss": "https://auth.acme.test", "aud": "https://api.acme.test", "jti": secret.NewID("jti_"),
		"iat": i.now().Add(-i.age).Unix(), "exp": i.now().Add(time.Hour - i.age).Unix(), "scope": "read write", "org_id": i.organization.ID,
	}
}

// machine are the claims of a client's own token.
func (i *issuer) machine() claims {
	return i.common().with(claims{"sub": i.client.ID, "client_id": i.client.ID})
}

// user are the claims of a token for the member.
func (i *issuer) user() claims {
	return i.common().with(claims{"sub": i.member.ID, "client_id": i.client.ID, "exp": i.now().Add(15 * time.Minute).Unix()})
}

// self are the claims of a token that the service account signs.
func (i *issuer) self() claims {
	return claims{
		"iss": "https://auth.acme.test", "sub": i.account.ID, "aud": "https://api.acme.test",
		"iat": i.now().Add(-i.age).Unix(), "exp": i.now().Add(time.Hour - i.age).Unix(), "scopes": []string{"read"}, "org_id": i.organization.ID,
		"nonce": secret.NewID(""),
	}
}

// foreign are the claims of the partner's tokens.
func (i *issuer) foreign() claims {
	return claims{
		"iss": "https://partner.test", "sub": "auth0|123", "aud": "https://api.acme.test", "tenant": i.organization.ID,
		"iat": i.now().Add(-i.age).Unix(), "exp": i.now().Add(time.Hour - i.age).Unix(), "scope": "read", "jti": secret.NewID(""),
	}
}

// key returns the issuer's first key.
func (f *foreignIssuer) key() token.PrivateKey { return (*f.keys.Load())[0] }

// withToken is a request with a token.
func withToken(text string) *cardea.Request {
	return request("GET", "/v1/records", "Authorization", "Bearer "+text)
}

// opaque makes an opaque access token of the client for the member.
func (i *issuer) opaque(adjust ...func(*store.AccessToken)) (store.AccessToken, string) {
	i.t.Helper()
	s := secret.New(secret.ShapePrefix, "at_")
	t := store.AccessToken{
		Hash: s.Hash(), ID: secret.NewID("tok_"), Client: i.client.ID, Member: i.member.ID, Organization: i.organization.ID,
		Environment: "live", Scopes: []string{"read"}, CreatedAt: i.now(), ExpiresAt: i.now().Add(time.Hour),
	}
	for _, f := range adjust {
		f(&t)
	}
	i.change(func(tx *store.Tx) error { return tx.InsertAccessToken(i.t.Context(), t) })
	return t, s.Reveal()
}

// trust makes an organization trust an issuer in an environment.
func (i *issuer) trust(o store.Organization, env, name, audience string, f *foreignIssuer) store.OrganizationIssuer {
	i.t.Helper()
	row := store.OrganizationIssuer{
		ID: secret.NewID("iss_"), Organization: o.ID, Environment: env, Issuer: name, JWKSURL: f.url, Audience: audience,
	}
	i.change(func(tx *store.Tx) error {
		_, err := tx.SaveIssuer(i.t.Context(), row)
		return err
	})
	return row
}

// consent makes the member agree to a client.
func (i *issuer) consent(client string) store.Consent {
	i.t.Helper()
	c := store.Consent{ID: secret.NewID("grt_"), Member: i.member.ID, Client: client, Organization: i.organization.ID, Scopes: []string{"read"}}
	i.change(func(tx *store.Tx) error {
		saved, err := tx.SaveConsent(i.t.Context(), c)
		c = saved
		return err
	})
	return c
}

// signES256 signs a text as JOSE writes it: RFC 7518 §3.4.
func signES256(k token.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.Signer.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		return "", err
	}
	var both [64]byte
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return base64.RawURLEncoding.EncodeToString(both[:]), nil
}
