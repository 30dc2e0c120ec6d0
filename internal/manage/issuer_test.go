package manage_test

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// An issuer is named by itself, with or without the slash at its end, by its key set, or
// by a key set and what it calls itself.
func TestAnIssuerIsFoundByWhatPeopleKnowOfIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		p := provider(t)
		for name, in := range map[string]manage.SetOrganizationIssuer{
			"issuer":       {URL: ptr(p.URL)},
			"with a slash": {URL: ptr(p.URL + "/")},
			"key set":      {URL: ptr(p.URL + "/.well-known/jwks.json")},
			"said twice":   {URL: ptr(p.URL), Issuer: p.URL},
			"bare key set": {URL: ptr(p.URL + "/bare/jwks.json"), Issuer: "somebody", Audience: "other"},
		} {
			in.Organization, in.Environment = o.ID, "live"
			got := must(w.SetOrganizationIssuer(w.ctx, operator, in))(t)
			issuer, jwks, audience := p.URL, p.URL+"/.well-known/jwks.json", "https://api.acme.test"
			if name == "bare key set" {
				issuer, jwks, audience = "somebody", p.URL+"/bare/jwks.json", "other"
			}
			if got.Issuer != issuer || got.JWKSURL != jwks || got.Audience != audience || got.Keys == nil || got.Keys.Count != 1 || len(got.Keys.KeyIDs) != 1 || got.Keys.Fault != "" {
				t.Errorf("%s: %+v", name, got)
			}
			list := must(w.OrganizationIssuers(w.ctx, operator, manage.IssuerFilter{Organization: o.ID}))(t).Items
			if len(list) != 1 || list[0].Issuer != issuer {
				t.Errorf("%s: listed %+v", name, list)
			}
			if e := must(w.Environment(w.ctx, operator, manage.AddressListID{Organization: o.ID, Environment: "live"}))(t); e.Issuer == nil || e.Issuer.Issuer != issuer {
				t.Errorf("%s: the environment shows %+v", name, e.Issuer)
			}
		}
		gone := must(w.SetOrganizationIssuer(w.ctx, operator, manage.SetOrganizationIssuer{Organization: o.ID, Environment: "live", URL: ptr("")}))(t)
		if list := must(w.OrganizationIssuers(w.ctx, operator, manage.IssuerFilter{}))(t).Items; gone.JWKSURL != "" || len(list) != 0 {
			t.Errorf("removed %+v, left %v", gone, list)
		}
	})
}

// What leads to no keys is not stored, and what was stored before stays.
func TestAnIssuerThatCannotBeUsedReplacesNone(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	p := provider(t)
	set := func(in manage.SetOrganizationIssuer) error {
		in.Organization = o.ID
		if in.Environment == "" {
			in.Environment = "live"
		}
		return second2(w.SetOrganizationIssuer(w.ctx, operator, in))
	}
	if err := set(manage.SetOrganizationIssuer{URL: ptr(p.URL)}); err != nil {
		t.Fatal(err)
	}
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr(p.URL + "/nothing")}), "url")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr("file:///etc/passwd")}), "url")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr("https://user:pass@example.com")}), "url")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr(p.URL), Issuer: "another"}), "issuer")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr(p.URL + "/bare/jwks.json")}), "issuer")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr(p.URL + "/bare/jwks.json"), Issuer: "https://auth.acme.test"}), "url")
	wantField(t, set(manage.SetOrganizationIssuer{URL: ptr(p.URL), Environment: "nowhere"}), "environment")
	wantField(t, set(manage.SetOrganizationIssuer{Audience: "x", URL: ptr("")}), "url")
	wantField(t, set(manage.SetOrganizationIssuer{}), "url")
	if list := must(w.OrganizationIssuers(w.ctx, operator, manage.IssuerFilter{}))(t).Items; len(list) != 1 || list[0].Issuer != p.URL {
		t.Errorf("left %+v", list)
	}
}

func TestTrustedIssuersOfTheContractAreShown(t *testing.T) {
	w := sqlite(t)
	list := must(w.TrustedIssuers(w.ctx, operator, manage.None{}))(t).Items
	if len(list) != 1 || list[0].Name != "partner" || strings.Join(list[0].Environments, " ") != "live" || list[0].Keys.Count != 0 {
		t.Errorf("trusted %+v", list)
	}
}

// A hook is tested as a request would be: by its condition, and closed when nobody
// answers.
func TestHooksAreTestedLikeRequests(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	key, account := w.key(o.ID, "k").Key, w.account(o.ID, "robot")
	hooks := must(w.Hooks(w.ctx, operator, manage.None{}))(t).Items
	if len(hooks) != 2 || hooks[0].Condition == "" || hooks[1].URL == "" || hooks[1].When != "no_credential" || hooks[0].Line == 0 {
		t.Fatalf("hooks %+v", hooks)
	}
	test := func(in manage.TestHook) manage.HookAnswer {
		t.Helper()
		return must(w.TestHook(w.ctx, operator, in))(t)
	}
	if a := test(manage.TestHook{ID: 1, Path: "/v1/things?x=1", Credential: key.ID}); !a.Allow || !a.Matches || a.Fault != "" {
		t.Errorf("with a key: %+v", a)
	}
	if a := test(manage.TestHook{ID: 1, Path: "/v1/other", Credential: account.ID}); a.Allow || a.Matches {
		t.Errorf("with a service account, elsewhere: %+v", a)
	}
	if a := test(manage.TestHook{ID: 2, Method: "POST", Path: "/v1/things"}); a.Allow || !a.Matches || a.Fault == "" {
		t.Errorf("nobody answers: %+v", a)
	}
	for field, bad := range map[string]manage.TestHook{
		"path": {ID: 1, Path: "x"}, "environment": {ID: 1, Path: "/", Environment: "nowhere"}, "client": {ID: 1, Path: "/", Client: "x"},
		"credential": {ID: 1, Path: "/", Credential: "key_none"}, "headers": {ID: 1, Path: "/", Headers: map[string]string{"a": "b\nc"}},
	} {
		_, err := w.TestHook(w.ctx, operator, bad)
		wantField(t, err, field)
	}
	_, err := w.TestHook(w.ctx, operator, manage.TestHook{ID: 3, Path: "/"})
	wantKind(t, err, cardea.KindNotFound)
	if s := must(w.RevealHookSecret(w.ctx, operator, manage.None{}))(t); !strings.HasPrefix(s.Secret.Reveal(), "whsec_") || s.Secret.String() != "whsec_…" {
		t.Errorf("hook secret %v", s.Secret)
	}
}

// A revoked signing key stays revoked, also when its revocation is asked for again.
func TestSigningKeysAreReplacedAndRevoked(t *testing.T) {
	w := sqlite(t)
	old := must(w.signing.Current(w.ctx, "live", "ES256"))(t).ID
	fresh := must(w.RotateSigningKeys(w.ctx, operator, manage.RotateSigningKeys{Environment: "live"}))(t).Items
	if len(fresh) != 1 || fresh[0].State != "pending" {
		t.Fatalf("fresh %+v", fresh)
	}
	for range 2 {
		if k := must(w.RevokeSigningKey(w.ctx, operator, manage.ID{ID: old}))(t); k.State != "revoked" {
			t.Errorf("revoked %+v", k)
		}
	}
	state := map[string]string{}
	for _, k := range must(w.SigningKeys(w.ctx, operator, manage.None{}))(t).Items {
		state[k.ID] = k.State
	}
	if state[old] != "revoked" || state[fresh[0].ID] != "signing" {
		t.Errorf("states %v", state)
	}
	_, err := w.RotateSigningKeys(w.ctx, operator, manage.RotateSigningKeys{Environment: "nowhere"})
	wantField(t, err, "environment")
	_, err = w.RevokeSigningKey(w.ctx, operator, manage.ID{ID: "key-none"})
	wantKind(t, err, cardea.KindNotFound)
}

// TestNobodyTakesAnIssuerThatAnotherOrganizationHas: two organizations that trust one
// issuer for one audience cannot be told apart, so that tokens of it are refused. Whoever
// names another organization's issuer would so shut its people out; they are told instead,
// and not whose it is. Another audience, or another environment, is another matter.
func TestNobodyTakesAnIssuerThatAnotherOrganizationHas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := provider(t)
		victim, other := w.organization("Acme"), w.organization("Other")
		admin := actorOf(w.member(other.ID, "admin@other.test", cardea.RoleAdmin))
		set := func(actor cardea.Actor, organization, environment, audience, url string) error {
			return second2(w.SetOrganizationIssuer(w.ctx, actor, manage.SetOrganizationIssuer{
				Organization: organization, Environment: environment, Audience: audience, URL: ptr(url),
			}))
		}
		for range 2 { // its own again is fine
			if err := set(operator, victim.ID, "live", "", p.URL); err != nil {
				t.Fatal(err)
			}
		}
		for _, actor := range []cardea.Actor{admin, operator} {
			err := set(actor, other.ID, "live", "", p.URL)
			wantKind(t, err, cardea.KindConflict)
			if strings.Contains(err.Error(), victim.ID) || strings.Contains(err.Error(), "Acme") {
				t.Errorf("it says whose issuer it is: %v", err)
			}
		}
		if err := set(admin, other.ID, "live", "other", p.URL); err != nil {
			t.Errorf("another audience: %v", err)
		}
		if err := set(admin, other.ID, "test", "", p.URL); err != nil {
			t.Errorf("another environment: %v", err)
		}
		if err := set(operator, victim.ID, "live", "", ""); err != nil {
			t.Fatal(err)
		}
		if err := set(admin, other.ID, "live", "", p.URL); err != nil {
			t.Errorf("after it was given up: %v", err)
		}
	})
}
