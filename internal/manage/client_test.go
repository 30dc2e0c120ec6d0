package manage_test

import (
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// publicKeys returns a key set with one public key, or with its private half.
func publicKeys(t testing.TB) jsontext.Value {
	t.Helper()
	private := must(token.Generate("ES256"))(t)
	return must(token.PublicJWKS([]token.Key{{ID: "k1", Algorithm: "ES256", Public: private.Public()}}))(t)
}

func TestANewClientHasWhatMakesSenseForIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		for name, c := range map[string]struct {
			in                     manage.CreateClient
			grants, authentication string
			secret                 bool
		}{
			"a web application": {manage.CreateClient{RedirectURIs: []string{"https://app.example.com/cb", "http://127.0.0.1/cb"}},
				"authorization_code refresh_token client_credentials device_code", "client_secret_post client_secret_basic", true},
			"a program by itself": {manage.CreateClient{}, "client_credentials device_code", "client_secret_post client_secret_basic", true},
			"a program on a device": {manage.CreateClient{Public: true, RedirectURIs: []string{"com.example.app:/cb"}},
				"authorization_code refresh_token device_code", "none", false},
			"one that signs": {manage.CreateClient{Grants: []string{"client_credentials"}, JWKS: publicKeys(t)},
				"client_credentials", "private_key_jwt", false},
		} {
			c.in.Environment, c.in.Organization, c.in.Name = "live", o.ID, name
			got := must(w.CreateClient(w.ctx, operator, c.in))(t)
			if g, a := strings.Join(got.Client.Grants, " "), strings.Join(got.Client.Authentication, " "); g != c.grants || a != c.authentication {
				t.Errorf("%s has the grants %q and authenticates by %q", name, g, a)
			}
			if !got.Secret.IsZero() != c.secret || c.secret && !secret.CheckPrefixed(got.Secret.Reveal(), "cs_") {
				t.Errorf("%s has the secret %v", name, got.Secret)
			}
			if !strings.HasPrefix(got.Client.ID, "client_") || got.Client.Kind != "client" || strings.Join(got.Client.Scopes, " ") != "read write" {
				t.Errorf("%s is %+v", name, got.Client)
			}
			read := must(w.Client(w.ctx, operator, manage.ID{ID: got.Client.ID}))(t)
			if diff := cmp.Diff(got.Client, read); diff != "" {
				t.Errorf("%s (-created +read):\n%s", name, diff)
			}
		}
	})
}

// What the contract does not offer, and what could not work or would not be safe, is not
// registered.
func TestClientsCannotBeWhatTheContractDoesNotOffer(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	symmetric := jsontext.Value(`{"keys":[{"kty":"oct","kid":"k1","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}`)
	uris := []string{"https://app.example.com/cb"}
	for name, c := range map[string]struct {
		field string
		in    manage.CreateClient
	}{
		"a grant it has not":         {"grants[0]", manage.CreateClient{Grants: []string{"password"}}},
		"a grant twice":              {"grants[1]", manage.CreateClient{Grants: []string{"client_credentials", "client_credentials"}}},
		"no grant":                   {"grants", manage.CreateClient{Grants: []string{}}},
		"codes to nowhere":           {"redirect_uris", manage.CreateClient{Grants: []string{"authorization_code"}}},
		"a public one by itself":     {"grants", manage.CreateClient{Public: true, Grants: []string{"client_credentials"}}},
		"a public one with a secret": {"authentication", manage.CreateClient{Public: true, RedirectURIs: uris, Authentication: []string{"client_secret_basic"}}},
		"a secret one without":       {"authentication[0]", manage.CreateClient{Authentication: []string{"none"}}},
		"a public one that signs":    {"jwks", manage.CreateClient{Public: true, RedirectURIs: uris, JWKS: publicKeys(t)}},
		"signing without keys":       {"jwks", manage.CreateClient{Authentication: []string{"private_key_jwt"}}},
		"keys without signing":       {"jwks", manage.CreateClient{Authentication: []string{"client_secret_post"}, JWKS: publicKeys(t)}},
		"keys at two places":         {"jwks_url", manage.CreateClient{JWKS: publicKeys(t), JWKSURL: "https://app.example.com/jwks"}},
		"a symmetric key":            {"jwks", manage.CreateClient{JWKS: symmetric}},
		"keys that are none":         {"jwks", manage.CreateClient{JWKS: jsontext.Value(`{"keys":[{}]}`)}},
		"plain http":                 {"redirect_uris[1]", manage.CreateClient{RedirectURIs: []string{uris[0], "http://app.example.com/cb"}}},
		"javascript":                 {"redirect_uris[0]", manage.CreateClient{RedirectURIs: []string{"javascript:alert(1)"}}},
		"a fragment":                 {"redirect_uris[0]", manage.CreateClient{RedirectURIs: []string{"https://app.example.com/#x"}}},
		"a wildcard":                 {"redirect_uris[0]", manage.CreateClient{RedirectURIs: []string{"https://*.example.com/cb"}}},
		"the same twice":             {"redirect_uris[1]", manage.CreateClient{RedirectURIs: []string{uris[0], uris[0]}}},
		"33 of them":                 {"redirect_uris", manage.CreateClient{RedirectURIs: many(33)}},
		"an origin with a path":      {"origins[0]", manage.CreateClient{Origins: []string{"https://app.example.com/"}}},
		"any origin":                 {"origins[0]", manage.CreateClient{Origins: []string{"*"}}},
		"no origin":                  {"origins[0]", manage.CreateClient{Origins: []string{"null"}}},
		"an origin over http":        {"origins[0]", manage.CreateClient{Origins: []string{"http://app.example.com"}}},
		"an origin with its port":    {"origins[0]", manage.CreateClient{Origins: []string{"https://app.example.com:443"}}},
		"an origin in upper case":    {"origins[0]", manage.CreateClient{Origins: []string{"https://APP.example.com"}}},
		"a scope it has not":         {"scopes[0]", manage.CreateClient{Scopes: []string{"delete"}}},
		"a logo of a script":         {"logo_url", manage.CreateClient{LogoURL: "javascript:alert(1)"}},
		"a logo with a user":         {"logo_url", manage.CreateClient{LogoURL: "https://user@example.com/logo"}},
		"keys over http":             {"jwks_url", manage.CreateClient{JWKSURL: "http://app.example.com/jwks"}},
		"no organization":            {"organization", manage.CreateClient{Organization: "org_none"}},
	} {
		c.in.Environment, c.in.Name = "live", "x"
		if c.in.Organization == "" {
			c.in.Organization = o.ID
		}
		t.Run(name, func(t *testing.T) {
			_, err := w.CreateClient(w.ctx, operator, c.in)
			wantField(t, err, c.field)
		})
	}
	if n := len(must(w.Clients(w.ctx, operator, manage.ClientFilter{}))(t).Items); n != 0 {
		t.Errorf("%d clients were created all the same", n)
	}
}

// many returns n redirect URIs.
func many(n int) []string {
	uris := make([]string, n)
	for i := range uris {
		uris[i] = fmt.Sprintf("https://app.example.com/%d", i)
	}
	return uris
}

// An update is checked with what stays: a client cannot be turned step by step into what
// could not be created.
func TestAnUpdateCannotMakeWhatCouldNotBeCreated(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	app := w.client(o.ID, "app").Client
	update := func(in manage.UpdateClient) error {
		in.ID = app.ID
		return second2(w.UpdateClient(w.ctx, operator, in))
	}
	wantField(t, update(manage.UpdateClient{RedirectURIs: []string{}}), "redirect_uris")
	wantField(t, update(manage.UpdateClient{Authentication: []string{"private_key_jwt"}}), "jwks")
	wantField(t, update(manage.UpdateClient{JWKS: publicKeys(t)}), "jwks")
	if err := update(manage.UpdateClient{RedirectURIs: []string{}, Grants: []string{"client_credentials"}, LogoURL: ptr("https://example.com/l.png")}); err != nil {
		t.Error(err)
	}
	if err := update(manage.UpdateClient{Authentication: []string{"private_key_jwt"}, JWKS: publicKeys(t)}); err != nil {
		t.Error(err)
	}
	_, err := w.RotateClientSecret(w.ctx, operator, manage.RotateKey{ID: app.ID})
	wantKind(t, err, cardea.KindConflict) // it has no use for one
	if err := update(manage.UpdateClient{Authentication: []string{"client_secret_basic"}, JWKS: jsontext.Value(`{"keys": []}`), LogoURL: ptr("")}); err != nil {
		t.Error(err)
	}
	got := must(w.Client(w.ctx, operator, manage.ID{ID: app.ID}))(t)
	if got.JWKS != nil || got.LogoURL != "" || got.Grants[0] != "client_credentials" {
		t.Errorf("the client is %+v", got)
	}
}

// A client that describes itself is not described here.
func TestAClientOfAMetadataDocumentIsNotRewritten(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	w.write(func(tx *store.Tx) error {
		return tx.InsertClient(w.ctx, store.Client{MetadataURL: "https://agent.example.com/c.json", Public: true,
			Credential: store.Credential{ID: "client_agent", Organization: o.ID, Environment: "live", Name: "Agent"}})
	})
	_, err := w.UpdateClient(w.ctx, operator, manage.UpdateClient{ID: "client_agent", RedirectURIs: many(1)})
	wantKind(t, err, cardea.KindConflict)
	must(w.UpdateClient(w.ctx, operator, manage.UpdateClient{ID: "client_agent", Scopes: []string{"read"}}))(t)
	must(w.RevokeClient(w.ctx, operator, manage.RevokeKey{ID: "client_agent"}))(t)
}

// Keys, clients and service accounts share ids, secrets and rules, and none is reached as
// another.
func TestSortsOfCredentialAreNotMixedUp(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	for name, err := range map[string]error{
		"a client as a key":      second2(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: s.clientID()})),
		"an account as a key":    second2(w.Key(w.ctx, operator, manage.ID{ID: s.accountID()})),
		"a key as a client":      second2(w.RevealClientSecret(w.ctx, operator, manage.ID{ID: s.system.Key.ID})),
		"an account as a client": second2(w.RotateClientSecret(w.ctx, operator, manage.RotateKey{ID: s.accountID()})),
		"a client as an account": second2(w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: s.clientID()})),
	} {
		if cardea.KindOf(err) != cardea.KindNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, k := range must(w.Keys(w.ctx, operator, manage.KeyFilter{}))(t).Items {
		if k.Kind == "client" || k.Kind == "service_account" {
			t.Errorf("the list of keys shows a %s", k.Kind)
		}
	}
	_, err := w.Keys(w.ctx, operator, manage.KeyFilter{Kind: "client"})
	wantField(t, err, "kind")
	_, err = w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "client", Environment: "live", Organization: s.org.ID, Name: "x"})
	wantField(t, err, "kind")
	if n := len(must(w.Clients(w.ctx, operator, manage.ClientFilter{Organization: s.org.ID, Environment: "test"}))(t).Items); n != 0 {
		t.Errorf("%d clients in the wrong environment", n)
	}
}

// An empty list says that an organization has nothing; one that does not exist has no
// list.
func TestAnUnknownOrganizationHasNoLists(t *testing.T) {
	w := sqlite(t)
	for name, err := range map[string]error{
		"keys":     second2(w.Keys(w.ctx, operator, manage.KeyFilter{Organization: "org_none"})),
		"clients":  second2(w.Clients(w.ctx, operator, manage.ClientFilter{Organization: "org_none"})),
		"members":  second2(w.Members(w.ctx, operator, manage.MemberFilter{Organization: "org_none"})),
		"requests": second2(w.Requests(w.ctx, operator, insight.RequestFilter{Organization: "org_none"})),
		"consents": second2(w.Consents(w.ctx, operator, manage.GrantFilter{Organization: "org_none"})),
		"issuers":  second2(w.OrganizationIssuers(w.ctx, operator, manage.IssuerFilter{Organization: "org_none"})),
	} {
		if cardea.KindOf(err) != cardea.KindNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The most clients an owner may have counts clients alone, and not revoked ones.
func TestTheBoundOfClientsHolds(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	first := w.client(o.ID, "0").Client
	for i := range 8 {
		w.client(o.ID, fmt.Sprint(i+1))
	}
	w.key(o.ID, "k")
	one := manage.CreateClient{Environment: "live", Organization: o.ID, Name: "x"}
	_, err := w.CreateClient(w.ctx, operator, one)
	wantKind(t, err, cardea.KindConflict)
	must(w.RevokeClient(w.ctx, operator, manage.RevokeKey{ID: first.ID}))(t)
	must(w.CreateClient(w.ctx, operator, one))(t)
}

// The file of a service account's key is all that its holder needs: what it signs, the
// stored public key verifies. The private half is nowhere else.
func TestAKeyFileSignsWhatTheStoredKeyVerifies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		account := w.account(o.ID, "robot")
		for _, algorithm := range []string{"", "ES256", "EdDSA"} {
			made := must(w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: account.ID, Algorithm: algorithm}))(t)
			f := made.File
			want := manage.KeyFile{
				Type: "service_account", ClientID: account.ID, Organization: o.ID, Environment: "live", KeyID: made.Key.ID,
				Algorithm: made.Key.Algorithm, Issuer: "https://auth.acme.test", Audience: "https://api.acme.test", ScopeClaim: "scopes",
				Claims: map[string]string{"org_id": o.ID}, MaxLifetimeSeconds: 3600, TokenURI: "http://127.0.0.1:8080/oauth/token",
			}
			private := f.PrivateKey
			f.PrivateKey = secret.Secret{}
			if diff := cmp.Diff(want, f, cmp.AllowUnexported(), cmp.Comparer(func(a, b secret.Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			if made.Name != "service-account.json" {
				t.Errorf("the file is called %s", made.Name)
			}
			signWith(t, w, made.Key.ID, algorithm, private.Reveal())
			text := string(must(made.File.Reveal())(t))
			if !strings.Contains(text, `"private_key": "-----BEGIN PRIVATE KEY-----\n`) || strings.Contains(fmt.Sprintf("%+v", made), "BEGIN") {
				t.Errorf("the private key is not where it belongs")
			}
		}
	})
}

// A key of a service account has an end, a bound and a standing of its own.
func TestKeysOfAServiceAccountStandAlone(t *testing.T) {
	w := sqlite(t)
	account := w.account(w.organization("Acme").ID, "robot")
	create := manage.CreateServiceAccountKey{ServiceAccount: account.ID, ExpiresAt: w.clock().Add(time.Hour)}
	first := must(w.CreateServiceAccountKey(w.ctx, operator, create))(t).Key
	second := must(w.CreateServiceAccountKey(w.ctx, operator, create))(t).Key
	w.evicted()
	id := manage.ServiceAccountKeyID{ServiceAccount: account.ID, ID: first.ID}
	revoked := must(w.RevokeServiceAccountKey(w.ctx, operator, id))(t)
	w.advance(time.Minute)
	again := must(w.RevokeServiceAccountKey(w.ctx, operator, id))(t)
	if revoked.Status != manage.StatusRevoked || !again.RevokedAt.Equal(revoked.RevokedAt) {
		t.Errorf("revoked %+v, again %+v", revoked, again)
	}
	if got := strings.Join(w.evicted(), " "); got != account.ID+" "+account.ID {
		t.Errorf("evicted %s", got)
	}
	w.advance(time.Hour)
	status := map[string]manage.Status{}
	for _, k := range must(w.ServiceAccountKeys(w.ctx, operator, manage.ServiceAccountKeyFilter{ServiceAccount: account.ID}))(t).Items {
		status[k.ID] = k.Status
	}
	if status[first.ID] != manage.StatusRevoked || status[second.ID] != manage.StatusExpired {
		t.Errorf("status %v", status)
	}
	for range 10 {
		must(w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: account.ID}))(t)
	}
	_, err := w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: account.ID})
	wantKind(t, err, cardea.KindConflict)
	other := w.account(account.Organization, "other")
	_, err = w.RevokeServiceAccountKey(w.ctx, operator, manage.ServiceAccountKeyID{ServiceAccount: other.ID, ID: second.ID})
	wantKind(t, err, cardea.KindNotFound)
	_, err = w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: other.ID, Algorithm: "HS256"})
	wantField(t, err, "algorithm")
	must(w.RevokeServiceAccount(w.ctx, operator, manage.RevokeKey{ID: other.ID}))(t)
	_, err = w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: other.ID})
	wantKind(t, err, cardea.KindConflict)
	_, err = w.CreateServiceAccount(w.ctx, operator, manage.CreateServiceAccount{Environment: "live", Organization: account.Organization, Name: "x"})
	wantField(t, err, "scopes")
}

// signWith signs a token as a program with a key file does, and verifies it with what is
// stored.
func signWith(t *testing.T, w *world, kid, algorithm, pemText string) {
	t.Helper()
	stored := must(w.store.AccountKey(w.ctx, kid))(t)
	public := must(token.UnmarshalPublic(stored.PublicKey, stored.Algorithm))(t)
	private := must(token.UnmarshalPrivate(derOf(t, pemText)))(t)
	text := must(token.NewSigner(0, 0).Sign(w.ctx, token.PrivateKey{ID: kid, Algorithm: stored.Algorithm, KeyID: true, Signer: private},
		[]token.Member{{Name: "iss", Value: "me"}, {Name: "sub", Value: stored.Account}, {Name: "exp", Value: w.clock().Add(time.Minute).Unix()}}))(t)
	set := must(token.NewKeySet([]token.Key{{ID: kid, Algorithm: stored.Algorithm, Public: public}}))(t)
	if _, err := token.Verify(text, set.Find, token.Expect{Issuer: "me", AnyAudience: true, Now: w.clock()}); err != nil {
		t.Errorf("what a key %s signs is not verified: %v", algorithm, err)
	}
}

// derOf returns the content of a PEM block.
func derOf(t *testing.T, text string) []byte {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
		t.Fatal("the private key is no PEM")
	}
	return block.Bytes
}

// Members of every organization give a client of the product what it asks for without being
// asked. Where that goes, and how much it is, only operators say.
func TestMembersDoNotRedirectAClientOfTheProduct(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	owner := actorOf(w.member(o.ID, "o@example.com", cardea.RoleOwner))
	c := w.client(o.ID, "app").Client
	c = must(w.UpdateClient(w.ctx, operator, manage.UpdateClient{ID: c.ID, FirstParty: ptr(true), Scopes: []string{"read"}}))(t)
	for name, in := range map[string]manage.UpdateClient{
		"redirect URIs": {RedirectURIs: []string{"https://app.example.com/callback", "https://evil.example/callback"}},
		"scopes":        {Scopes: []string{"read", "write"}},
		"grants":        {Grants: []string{"client_credentials"}},
	} {
		in.ID = c.ID
		if _, err := w.UpdateClient(w.ctx, owner, in); cardea.KindOf(err) != cardea.KindForbidden {
			t.Errorf("an owner changed its %s: %v", name, err)
		}
		if got := must(w.Client(w.ctx, owner, manage.ID{ID: c.ID}))(t); len(got.RedirectURIs) != 1 || len(got.Scopes) != 1 {
			t.Errorf("refused, and changed: %+v", got)
		}
		must(w.UpdateClient(w.ctx, operator, in))(t)
		must(w.UpdateClient(w.ctx, operator, manage.UpdateClient{ID: c.ID, RedirectURIs: c.RedirectURIs, Scopes: c.Scopes, Grants: c.Grants}))(t)
	}
	// A form sends back what it was filled in with.
	must(w.UpdateClient(w.ctx, owner, manage.UpdateClient{ID: c.ID, Name: ptr("renamed"), RedirectURIs: c.RedirectURIs, Scopes: c.Scopes, Grants: c.Grants}))(t)
}
