package authz

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// encode writes base64url without padding.
func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// payload returns the middle part of a token.
func payload(text string) string { return strings.Split(text, ".")[1] }

// Guarantee: no token is good that was not signed, by a key of the very issuer that it
// names, as what it is used for. Each of these is one way in which others got that wrong.
func TestForgedTokens(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	ours, test := i.ourKey("live"), i.ourKey("test")
	good := i.sign(ours, i.machine())
	public, err := token.MarshalPublic(ours.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	symmetric := encode(`{"alg":"HS256","typ":"at+jwt","kid":"`+ours.ID+`"}`) + "." + payload(good)
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(symmetric))
	stranger := newKey(t, ours.ID)
	stranger.Type = "at+jwt"
	asPartner := i.partner.key()
	asPartner.ID = i.visitors.key().ID
	signature := good[strings.LastIndexByte(good, '.')+1:]
	for name, text := range map[string]string{
		"alg none":                      encode(`{"alg":"none","typ":"at+jwt"}`) + "." + payload(good) + ".",
		"alg none, with kid":            encode(`{"alg":"none","typ":"at+jwt","kid":"`+ours.ID+`"}`) + "." + payload(good) + "." + signature,
		"HS256 with public key":         symmetric + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		"stranger's key, our kid":       i.sign(stranger, i.machine()),
		"unknown kid":                   i.sign(typed(newKey(t, "key-x"), "at+jwt"), i.machine()),
		"no kid":                        i.sign(typed(nameless(ours), "at+jwt"), i.machine()),
		"embedded key":                  encode(`{"alg":"ES256","typ":"at+jwt","kid":"`+ours.ID+`","jwk":{"kty":"EC"}}`) + "." + payload(good) + "." + signature,
		"other's payload":               strings.Replace(good, payload(good), payload(i.sign(ours, i.user())), 1),
		"partner's key for us":          i.sign(typed(i.partner.key(), "at+jwt"), i.machine()),
		"our key for the partner":       i.sign(ours, i.foreign()),
		"visitors' key for partner":     i.sign(i.visitors.key(), i.foreign()),
		"partner's key, other kid":      i.sign(asPartner, i.foreign()),
		"account's key for us":          i.sign(i.accountKey, i.machine()),
		"account's key, no kid, for us": i.sign(typed(nameless(i.accountKey), "at+jwt"), i.machine()),
		"our key for the account":       i.sign(typed(ours, "JWT"), i.self()),
		"foreign iss":                   i.sign(ours, i.machine().with(claims{"iss": "https://evil.test"})),
		"no iss":                        i.sign(ours, i.machine().with(claims{"iss": nil})),
		"other audience":                i.sign(ours, i.machine().with(claims{"aud": "https://other.test"})),
		"audience is a prefix":          i.sign(ours, i.machine().with(claims{"aud": "https://api.acme.tes"})),
		"no audience":                   i.sign(ours, i.machine().with(claims{"aud": nil})),
		"empty audiences":               i.sign(ours, i.machine().with(claims{"aud": []string{}})),
		"audience an object":            i.sign(ours, i.machine().with(claims{"aud": map[string]string{"https://api.acme.test": "x"}})),
		"no exp":                        i.sign(ours, i.machine().with(claims{"exp": nil})),
		"exp a text":                    i.sign(ours, i.machine().with(claims{"exp": "9999999999"})),
		"no iat":                        i.sign(ours, i.machine().with(claims{"iat": nil})),
		"no sub":                        i.sign(ours, i.machine().with(claims{"sub": nil})),
		"ID token's type":               i.sign(typed(ours, "JWT"), i.machine()),
		"ID token":                      i.sign(typed(ours, "JWT"), i.user().with(claims{"aud": i.client.ID})),
		"logout token":                  i.sign(typed(ours, "logout+jwt"), i.user()),
		"proof":                         i.sign(typed(ours, "dpop+jwt"), i.machine()),
		"client's assertion":            i.sign(newKey(t, "c1"), claims{"iss": i.client.ID, "sub": i.client.ID, "aud": "https://auth.acme.test", "exp": start.Add(time.Minute).Unix(), "iat": start.Unix(), "jti": "1"}),
		"scopes of another type":        i.sign(ours, i.machine().with(claims{"scope": 7})),
		"bound by other means":          i.sign(ours, i.machine().with(claims{"cnf": map[string]string{"x5t#S256": "x"}})),
		"another organization":          i.sign(ours, i.machine().with(claims{"org_id": "org_0000000000000000000000"})),
		"organization not a text":       i.sign(ours, i.machine().with(claims{"org_id": 7})),
		"unknown client":                i.sign(ours, i.machine().with(claims{"client_id": secret.NewID("client_"), "sub": "x"})),
		"unknown member":                i.sign(ours, i.user().with(claims{"sub": secret.NewID("usr_")})),
		"test key for a live client":    i.sign(typed(test, "at+jwt"), i.machine()),
		"duplicate claims":              i.raw(ours, `{"iss":"https://auth.acme.test","aud":"https://api.acme.test","sub":"x","sub":"`+i.client.ID+`","client_id":"`+i.client.ID+`","iat":1795348800,"exp":1795352400}`),
		"claims in another case":        i.raw(ours, `{"iss":"https://auth.acme.test","aud":"https://api.acme.test","SUB":"x","client_id":"`+i.client.ID+`","iat":1795348800,"exp":1795352400}`),
		"longer than 8 kB":              i.sign(ours, i.machine().with(claims{"pad": strings.Repeat("x", 8<<10)})),
		"padded":                        good + "=",
		"line break":                    strings.Replace(good, ".", ".\n", 1),
		"four parts":                    good + ".e30",
		"stray bits":                    stray(good),
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				d := i.ask(withToken(text))
				if d.Allowed || d.Reason != cardea.ReasonInvalidCredential && d.Reason != cardea.ReasonMalformedCredential {
					t.Fatalf("%v at %v", d.Reason, d.Step)
				}
				if d.Denial.Status != 401 && d.Denial.Status != 400 || d.Identified() || d.Explain().Detail == "" {
					t.Errorf("%+v, identified %v, %q", d.Denial, d.Identified(), d.Explain().Detail)
				}
				if strings.Contains(d.Explain().Detail, "evil") {
					t.Error("the explanation quotes the token")
				}
			}
		})
	}
	i.allow(withToken(good))
	if _, err := i.keys.Current(t.Context(), "live", "ES256"); err != nil {
		t.Fatal(err)
	}
}

// typed returns a key whose tokens have this type.
func typed(k token.PrivateKey, typ string) token.PrivateKey {
	k.Type = typ
	return k
}

// raw signs a payload as it is.
func (i *issuer) raw(k token.PrivateKey, text string) string {
	i.t.Helper()
	input := encode(`{"alg":"ES256","typ":"at+jwt","kid":"`+k.ID+`"}`) + "." + encode(text)
	signed, err := signES256(k, input)
	if err != nil {
		i.t.Fatal(err)
	}
	return input + "." + signed
}

// stray returns the token with bits in its last letter that no byte has.
func stray(text string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, text[len(text)-1])
	return text[:len(text)-1] + string(digits[last^1])
}

// Guarantee: what service accounts sign is good for no longer, for nobody else and for no
// more than the contract and the account say.
func TestServiceAccountsCannotWiden(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	other, otherKey := i.newAccount(i.organization, "live")
	inTest, testKey := i.newAccount(i.organization, "test")
	for name, text := range map[string]string{
		"longer than allowed":      i.sign(i.accountKey, i.self().with(claims{"exp": start.Add(time.Hour + time.Second).Unix()})),
		"longer, made earlier":     i.sign(i.accountKey, i.self().with(claims{"iat": start.Add(-time.Minute).Unix()})),
		"without iat":              i.sign(i.accountKey, i.self().with(claims{"iat": nil})),
		"foreign audience":         i.sign(i.accountKey, i.self().with(claims{"aud": "https://other.test"})),
		"several audiences":        i.sign(i.accountKey, i.self().with(claims{"aud": []string{"https://api.acme.test", "https://evil.test"}})),
		"in another's name":        i.sign(i.accountKey, i.self().with(claims{"sub": other.ID})),
		"another's kid":            i.sign(typed(token.PrivateKey{ID: otherKey.ID, Algorithm: "ES256", KeyID: true, Signer: i.accountKey.Signer}, ""), i.self().with(claims{"sub": other.ID})),
		"for another organization": i.sign(i.accountKey, i.self().with(claims{"org_id": "org_x"})),
		"unknown account":          i.sign(i.accountKey, i.self().with(claims{"sub": secret.NewID("sa_")})),
		"a client as account":      i.sign(i.accountKey, i.self().with(claims{"sub": i.client.ID})),
		"an assertion":             i.sign(i.accountKey, i.self().with(claims{"aud": "https://auth.acme.test"})),
	} {
		d := i.expect(withToken(text), cardea.StepVerify, cardea.ReasonInvalidCredential)
		if d.Explain().Detail == "" || d.Identified() {
			t.Errorf("%s: %+v", name, d.Explain())
		}
	}
	// Scopes beyond the account's are no scopes, and fewer are fewer.
	wide := i.sign(i.accountKey, i.self().with(claims{"scopes": []string{"read", "write", "admin"}}))
	i.allow(withToken(wide))
	r := withToken(wide)
	r.Method = "POST"
	d := i.expect(r, cardea.StepScope, cardea.ReasonScope)
	if d.Denial.Status != 403 || !strings.Contains(d.Denial.Header.Get("WWW-Authenticate"), `scope="write"`) {
		t.Errorf("%+v", d.Denial)
	}
	i.expect(withToken(i.sign(i.accountKey, i.self().with(claims{"scopes": []string{}}))), cardea.StepScope, cardea.ReasonScope)
	i.expect(withToken(i.sign(i.accountKey, i.self().with(claims{"scopes": "delete"}))), cardea.StepScope, cardea.ReasonScope)
	i.allow(withToken(i.sign(i.accountKey, i.self().with(claims{"scopes": nil}))))
	// The environment is the account's.
	inOther := i.sign(testKey, i.self().with(claims{"sub": inTest.ID}))
	if d := i.allow(withToken(inOther)); d.Environment != "test" {
		t.Errorf("in %s", d.Environment)
	}
	live := withToken(inOther)
	live.Target = "/live/data"
	i.expect(live, cardea.StepEnvironment, cardea.ReasonWrongEnvironment)
}

// Guarantee: somebody else's issuer says whose its tokens are and what they may do only as
// far as the contract lets it.
func TestTrustedIssuersCannotWiden(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	k := i.partner.key()
	for name, c := range map[string]claims{
		"without organization":    {"tenant": nil},
		"organization not a text": {"tenant": []string{i.organization.ID}},
		"unknown organization":    {"tenant": "org_0000000000000000000000"},
		"in a member's name":      {"sub": i.member.ID},
		"in a client's name":      {"sub": i.client.ID},
		"in an account's name":    {"sub": i.account.ID},
		"longer than allowed":     {"exp": start.Add(3 * time.Hour).Unix()},
		"without iat":             {"iat": nil},
		"foreign audience":        {"aud": "https://other.test"},
		"without audience":        {"aud": nil},
		"without subject":         {"sub": nil},
		"plan not a text":         {"tier": 7},
	} {
		d := i.expect(withToken(i.sign(k, i.foreign().with(c))), cardea.StepVerify, cardea.ReasonInvalidCredential)
		if d.Explain().Detail == "" {
			t.Errorf("%s: no explanation", name)
		}
	}
	// A member is one of the organization, or the token is good for nothing.
	i.use(strings.Replace(issuing, "claims: {tenant: organization}", "claims: {tenant: organization, user: member}", 1))
	i.allow(withToken(i.sign(k, i.foreign().with(claims{"user": i.member.ID}))))
	elsewhere := i.world.organization("standard")
	i.expect(withToken(i.sign(k, i.foreign().with(claims{"user": i.member.ID, "tenant": elsewhere.ID}))), cardea.StepVerify, cardea.ReasonInvalidCredential)
	i.expect(withToken(i.sign(k, i.foreign().with(claims{"user": "usr_x"}))), cardea.StepVerify, cardea.ReasonInvalidCredential)
	i.use(issuing)
	// The ceiling holds for implied scopes too.
	all := withToken(i.sign(k, i.foreign().with(claims{"scope": "admin"})))
	i.allow(all)
	all.Method, all.Target = "DELETE", "/v1/records/1"
	i.expect(all, cardea.StepScope, cardea.ReasonScope)
	// A token without the claim has the default scopes; one with an empty claim has none.
	i.allow(withToken(i.sign(k, i.foreign().with(claims{"scope": nil}))))
	i.expect(withToken(i.sign(k, i.foreign().with(claims{"scope": ""}))), cardea.StepScope, cardea.ReasonScope)
	// Where the issuer serves several environments the target chooses, and only among them.
	text := i.sign(k, i.foreign().with(claims{"scope": "read"}))
	for target, env := range map[string]string{"/live/data": "live", "/test/data": "test"} {
		r := withToken(text)
		r.Target = target
		for range 2 {
			if d := i.allow(r); d.Environment != env {
				t.Errorf("%s in %s", target, d.Environment)
			}
		}
	}
	r := withToken(text)
	r.Host = "eu.acme.test"
	i.expect(r, cardea.StepEnvironment, cardea.ReasonWrongEnvironment)
}

// Guarantee: a token is read from Authorization alone, once, and never chosen.
func TestTokensAreSentOneWay(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	good := i.sign(i.ourKey("live"), i.machine())
	space := i.world.key(i.organization, "space", "live").Reveal()
	i.each(t, []asked{
		{"in a key's header", request("GET", "/v1/records", "X-Apikey", good), cardea.StepShape, cardea.ReasonInvalidCredential},
		{"twice", request("GET", "/v1/records", "Authorization", "Bearer "+good, "Authorization", "Bearer "+good), cardea.StepCredential, cardea.ReasonSeveralCredentials},
		{"joined", request("GET", "/v1/records", "Authorization", "Bearer "+good+", Bearer "+good), cardea.StepCredential, cardea.ReasonSeveralCredentials},
		{"with a key", request("GET", "/v1/records", "Authorization", "Bearer "+good, "X-Apikey", space), cardea.StepCredential, cardea.ReasonSeveralCredentials},
		{"as Basic", request("GET", "/v1/records", "Authorization", "Basic "+good), cardea.StepCredential, cardea.ReasonInvalidCredential},
		{"in the query", request("GET", "/v1/records?access_token="+good), cardea.StepCredential, cardea.ReasonMissingCredential},
	})
	// A contract without such tokens takes none.
	i.world.contract.Store(load(t, acme))
	i.expect(withToken(good), cardea.StepShape, cardea.ReasonInvalidCredential)
}

// Guarantee: an organization's issuer speaks for that organization only, in its
// environment only, and no organization takes over the users of another by naming their
// issuer.
func TestOrganizationIssuers(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	second := i.world.organization("standard")
	const idp = "https://idp.test"
	i.trust(i.organization, "live", idp, "first", i.partner)
	mine := i.sign(i.partner.key(), i.foreign().with(claims{"iss": idp, "aud": "first", "tenant": nil}))
	if d := i.allow(withToken(mine)); d.Organization() != i.organization.ID {
		t.Errorf("of %s", d.Organization())
	}
	fresh := func(aud string) *cardea.Request {
		return withToken(i.sign(i.partner.key(), i.foreign().with(claims{"iss": idp, "aud": aud, "tenant": nil})))
	}
	// The other organization's own application at the same provider.
	i.trust(second, "live", idp, "second", i.partner)
	if d := i.allow(fresh("second")); d.Organization() != second.ID {
		t.Errorf("of %s", d.Organization())
	}
	if d := i.allow(fresh("first")); d.Organization() != i.organization.ID {
		t.Errorf("of %s", d.Organization())
	}
	i.expect(fresh("third"), cardea.StepVerify, cardea.ReasonInvalidCredential)
	// One that names the issuer for everybody gets nobody, and neither does the victim.
	i.trust(second, "live", idp, "", i.partner)
	if d := i.expect(fresh("first"), cardea.StepVerify, cardea.ReasonInvalidCredential); !strings.Contains(d.Explain().Detail, "several") {
		t.Error(d.Explain().Detail)
	}
	i.change(func(tx *store.Tx) error { return tx.DeleteIssuer(t.Context(), second.ID, "live") })
	i.allow(fresh("first"))
	elsewhere := fresh("first")
	elsewhere.Target = "/test/data"
	i.expect(elsewhere, cardea.StepEnvironment, cardea.ReasonWrongEnvironment)
	i.change(func(tx *store.Tx) error { return tx.DeleteIssuer(t.Context(), i.organization.ID, "live") })
	i.expect(withToken(mine), cardea.StepVerify, cardea.ReasonInvalidCredential)
	// What is worth nothing in one environment may be good in another.
	i.trust(i.organization, "live", idp, "first", i.visitors)
	i.trust(i.organization, "test", idp, "first", i.partner)
	live, test := withToken(i.sign(nameless(i.partner.key()), i.foreign().with(claims{"iss": idp, "aud": "first", "tenant": nil}))), withToken("")
	live.Target, test.Target, test.Header = "/live/data", "/test/data", live.Header
	i.expect(live, cardea.StepVerify, cardea.ReasonInvalidCredential)
	i.allow(test)
	i.expect(live, cardea.StepVerify, cardea.ReasonInvalidCredential)
}

// Guarantee: junk in the shape of tokens is counted against the address that sends it, and
// soon told to go away; a good token from there works all the while.
func TestForgedTokensAreThrottled(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = 10 })
	forged := newKey(t, i.ourKey("live").ID)
	forged.Type = "at+jwt"
	for range 10 {
		i.expect(withToken(i.sign(forged, i.machine())), cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
	i.expect(withToken(i.sign(forged, i.machine())), cardea.StepVerify, cardea.ReasonRateLimited)
	i.allow(withToken(i.sign(i.ourKey("live"), i.machine())))
	other := withToken(i.sign(forged, i.machine()))
	other.Peer = netip.MustParseAddr("198.51.100.1")
	i.expect(other, cardea.StepVerify, cardea.ReasonInvalidCredential)
	// With no turn left for such addresses the answer is the same, without a signature.
	i.queueTime = time.Millisecond
	i.slowVerifying <- struct{}{}
	verified := i.Stats().Verified
	i.expect(withToken(i.sign(forged, i.machine())), cardea.StepVerify, cardea.ReasonRateLimited)
	<-i.slowVerifying
	// The same junk again costs no signature, whoever sends it.
	other.Peer = netip.MustParseAddr("198.51.100.2")
	i.expect(other, cardea.StepVerify, cardea.ReasonInvalidCredential)
	if n := i.Stats().Verified - verified; n != 0 {
		t.Errorf("%d signatures were looked at", n)
	}
}

// Guarantee: whatever text is sent as a token, the one that was issued is the only one
// that is let in.
func FuzzTokens(f *testing.F) {
	i := newIssuer(f, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	i.organization.Limits = &store.Limits{}
	i.change(func(tx *store.Tx) error { return tx.UpdateOrganization(f.Context(), i.organization) })
	good := i.sign(i.ourKey("live"), i.machine())
	parts := strings.Split(good, ".")
	f.Add(parts[0], parts[1], parts[2])
	f.Add(encode(`{"alg":"none"}`), parts[1], "")
	f.Add(encode(`{"alg":"ES256","typ":"at+jwt","kid":""}`), encode(`{"iss":"https://partner.test","aud":["https://api.acme.test"],"exp":1e99}`), parts[2])
	f.Add(parts[0]+"=", parts[1], parts[2]+"A")
	f.Fuzz(func(t *testing.T, head, body, signature string) {
		text := head + "." + body + "." + signature
		for _, r := range []*cardea.Request{withToken(text), request("GET", "/v1/records", "Authorization", "DPoP "+text, "DPoP", text)} {
			d, err := i.Authorize(t.Context(), r)
			if err != nil || d.Allowed != (text == good && len(r.Header["Dpop"]) == 0) || d.Allowed == (d.Denial != nil) {
				t.Fatalf("%v, %v", d.Reason, err)
			}
			d.Explain()
		}
	})
}
