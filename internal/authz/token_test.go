package authz

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
)

// opaqueTokens is a contract whose tokens the database knows.
const opaqueTokens = `issuer: https://auth.acme.test
audience: https://api.acme.test
clients: {grants: [client_credentials], dpop: optional}
tokens: {access: {format: opaque, prefix: at_, lifetime: 1h}}
endpoints:
  token:
    - {host: api, path: /login, grants: {token: exchange, client_credentials: client_credentials}, authentication: [bearer, client_secret_basic]}
`

// Guarantee: each sort of token lets its owner in, with the principal that it says, the
// first time and from the cache.
func TestTokensOfEveryOrigin(t *testing.T) {
	i := newIssuer(t, nil)
	i.trust(i.organization, "test", "https://idp.test", "", i.visitors)
	own := claims{"iss": "https://idp.test", "tenant": nil}
	mapped := claims{"tier": "small"}
	for name, tt := range map[string]struct {
		text string
		want cardea.Principal
	}{
		"a client's": {i.sign(i.ourKey("live"), i.machine()), cardea.Principal{
			Subject: i.client.ID, Credential: i.client.ID, Kind: "access_token", Scopes: []string{"read", "write"}}},
		"a user's": {i.sign(i.ourKey("live"), i.user()), cardea.Principal{
			Subject: i.member.ID, Credential: i.client.ID, Kind: "access_token", Scopes: []string{"read", "write"}}},
		"a service account's": {i.sign(i.accountKey, i.self()), cardea.Principal{
			Subject: i.account.ID, Credential: i.account.ID, Kind: "service_account", Scopes: []string{"read"}}},
		"a service account's without kid": {i.sign(nameless(i.accountKey), i.self()), cardea.Principal{
			Subject: i.account.ID, Credential: i.account.ID, Kind: "service_account", Scopes: []string{"read"}}},
		"a partner's": {i.sign(i.partner.key(), i.foreign()), cardea.Principal{
			Subject: "auth0|123", Credential: "partner", Kind: "trusted_issuer", Scopes: []string{"read"}}},
		"a partner's with a plan": {i.sign(i.partner.key(), i.foreign().with(mapped)), cardea.Principal{
			Subject: "auth0|123", Credential: "partner", Kind: "trusted_issuer", Scopes: []string{"read"}, Plan: "small"}},
		"an organization's issuer's": {i.sign(i.visitors.key(), i.foreign().with(own)), cardea.Principal{
			Subject: "auth0|123", Kind: "trusted_issuer", Scopes: []string{"read"}, Environment: "test"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Organization = i.organization.ID
			if tt.want.Environment == "" {
				tt.want.Environment = "live"
			}
			if tt.want.Plan == "" {
				tt.want.Plan = "standard"
			}
			for _, state := range []string{"new", "cached"} {
				d := i.allow(withToken(tt.text))
				got, _ := d.Principal()
				if tt.want.Credential == "" {
					tt.want.Credential = got.Credential // the id of the trust
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s: %s\n%s", state, diff, d.Explain().Detail)
				}
				if d.SecretHash() != (secret.Hash{}) || d.Limit.Limit == 0 {
					t.Errorf("%s: %+v, limit %+v", state, d.SecretHash(), d.Limit)
				}
			}
		})
	}
}

// nameless returns a key that tells no kid.
func nameless(k token.PrivateKey) token.PrivateKey {
	k.KeyID = false
	return k
}

// Guarantee: a visitor of an issuer without organizations is somebody for whom limits are
// counted, apart from the others.
func TestVisitorsAreCountedEachForThemselves(t *testing.T) {
	i := newIssuer(t, nil)
	visitor := func(sub string) *cardea.Request {
		return withToken(i.sign(i.visitors.key(), i.foreign().with(claims{"iss": "https://visitors.test", "tenant": nil, "sub": sub})))
	}
	first, second := visitor("one"), visitor("two")
	i.allow(first)
	if d := i.allow(first); d.Limit.Remaining != 298 || d.Organization() != "" || d.Subject() != "one" {
		t.Errorf("%+v of %q", d.Limit, d.Organization())
	}
	if d := i.allow(second); d.Limit.Remaining != 299 {
		t.Errorf("%+v", d.Limit)
	}
}

// Guarantee: an opaque token works like a key: with its scopes as far as its client still
// has them, for its member, in its environment.
func TestOpaqueTokens(t *testing.T) {
	i := newIssuer(t, nil)
	i.use(opaqueTokens)
	_, text := i.opaque()
	for range 2 {
		d := i.allow(withToken(text))
		got, _ := d.Principal()
		want := cardea.Principal{Organization: i.organization.ID, Subject: i.member.ID, Credential: i.client.ID,
			Kind: "access_token", Environment: "live", Scopes: []string{"read"}, Plan: "standard"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	// One prefix serves all environments: the row says which it is.
	app := i.newClient(i.organization, "test")
	_, elsewhere := i.opaque(func(t *store.AccessToken) { t.Environment, t.Client = "test", app.ID })
	if d := i.allow(withToken(elsewhere)); d.Environment != "test" {
		t.Errorf("in %s", d.Environment)
	}
	i.client.Scopes = []string{"delete"}
	i.change(func(tx *store.Tx) error { return tx.UpdateCredential(t.Context(), i.client) })
	i.expect(withToken(text), cardea.StepScope, cardea.ReasonScope)
	i.expect(withToken(text[:len(text)-1]+"0"), cardea.StepShape, cardea.ReasonInvalidCredential)
	i.expect(request("GET", "/v1/records", "X-Apikey", text), cardea.StepShape, cardea.ReasonInvalidCredential)
	unknown := secret.New(secret.ShapePrefix, "at_").Reveal()
	for range 2 {
		i.expect(withToken(unknown), cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
}

// Guarantee: a token that is issued while its family is being revoked is born dead.
func TestTokenOfARevokedFamily(t *testing.T) {
	i := newIssuer(t, nil)
	i.use(opaqueTokens)
	i.one()
	i.change(func(tx *store.Tx) error { return tx.RevokeFamily(t.Context(), i.family, "test") })
	_, text := i.opaque(func(t *store.AccessToken) { t.Family = i.family })
	i.expect(withToken(text), cardea.StepStanding, cardea.ReasonRevoked)
}

// An ending is a way in which tokens stop being good, and which of those of [issuer.one]
// it concerns.
type ending struct {
	of     string
	end    func(i *issuer)
	step   cardea.Step
	reason cardea.Reason
}

// tokenEndings are all there are.
var tokenEndings = map[string]ending{
	"credential revoked": {"client user account opaque", func(i *issuer) {
		i.both(func(c *store.Credential) { c.RevokedAt = i.now() })
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"credential disabled": {"client user account opaque", func(i *issuer) {
		i.both(func(c *store.Credential) { c.DisabledAt = i.now() })
	}, cardea.StepStanding, cardea.ReasonDisabled},
	"credential expired": {"client user account opaque", func(i *issuer) {
		i.both(func(c *store.Credential) { c.ExpiresAt = i.now() })
	}, cardea.StepStanding, cardea.ReasonExpired},
	"credential elsewhere": {"client user account opaque", func(i *issuer) {
		i.both(func(c *store.Credential) { c.Addresses = []netip.Prefix{} })
	}, cardea.StepAddress, cardea.ReasonAddress},
	"credential narrowed": {"client user account opaque", func(i *issuer) {
		i.both(func(c *store.Credential) { c.Scopes = []string{"delete"} })
	}, cardea.StepScope, cardea.ReasonScope},
	"credential's tokens ended": {"client user account opaque", func(i *issuer) {
		for _, id := range []string{i.client.ID, i.account.ID} {
			i.change(func(tx *store.Tx) error { return tx.EndTokens(i.t.Context(), id) })
		}
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"account key revoked": {"account", func(i *issuer) {
		row := accountRow(i.t, i.account, i.accountKey)
		row.RevokedAt = i.now()
		i.change(func(tx *store.Tx) error { return tx.UpdateAccountKey(i.t.Context(), row) })
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"account key expired": {"account", func(i *issuer) {
		row := accountRow(i.t, i.account, i.accountKey)
		row.ExpiresAt = i.now()
		i.change(func(tx *store.Tx) error { return tx.UpdateAccountKey(i.t.Context(), row) })
	}, cardea.StepStanding, cardea.ReasonExpired},
	"member disabled": {"user opaque", func(i *issuer) {
		i.member.DisabledAt = i.now()
		i.change(func(tx *store.Tx) error { return tx.UpdateMember(i.t.Context(), i.member) })
	}, cardea.StepStanding, cardea.ReasonDisabled},
	"member's tokens ended": {"user opaque", func(i *issuer) {
		i.change(func(tx *store.Tx) error { return tx.EndMemberTokens(i.t.Context(), i.member.ID) })
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"consent withdrawn": {"user opaque", func(i *issuer) {
		i.change(func(tx *store.Tx) error { return tx.RevokeConsent(i.t.Context(), i.agreed.ID) })
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"consent withdrawn and given again": {"user opaque", func(i *issuer) {
		i.change(func(tx *store.Tx) error { return tx.RevokeConsent(i.t.Context(), i.agreed.ID) })
		i.consent(i.client.ID)
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"family revoked": {"opaque", func(i *issuer) {
		if i.family == "" {
			return
		}
		i.change(func(tx *store.Tx) error { return tx.RevokeFamily(i.t.Context(), i.family, "test") })
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"organization suspended": {"client user account opaque partner", func(i *issuer) {
		i.organization.SuspendedAt = i.now()
		i.change(func(tx *store.Tx) error { return tx.UpdateOrganization(i.t.Context(), i.organization) })
	}, cardea.StepStanding, cardea.ReasonSuspended},
	"organization elsewhere": {"client user account opaque partner", func(i *issuer) {
		list := store.AddressList{Organization: i.organization.ID, Environment: "live", Prefixes: []netip.Prefix{}}
		i.change(func(tx *store.Tx) error { return tx.SetAddressList(i.t.Context(), list) })
	}, cardea.StepAddress, cardea.ReasonAddress},
	"token revoked": {"client user account opaque partner", func(i *issuer) {
		for _, text := range i.texts {
			info, _, err := i.Token(i.t.Context(), text, client)
			if err != nil || info.ID == "" {
				i.t.Fatal(info, err)
			}
			i.change(func(tx *store.Tx) error { return tx.RevokeToken(i.t.Context(), info.ID, info.ExpiresAt) })
		}
	}, cardea.StepStanding, cardea.ReasonRevoked},
	"time": {"client user account opaque partner", func(i *issuer) {
		i.advance(time.Hour)
	}, cardea.StepStanding, cardea.ReasonExpired},
	"signing key revoked": {"client user", func(i *issuer) {
		if _, err := i.keys.Revoke(i.t.Context(), storetest.Actor, i.ourKey("live").ID); err != nil {
			i.t.Fatal(err)
		}
	}, cardea.StepVerify, cardea.ReasonInvalidCredential},
}

// both changes client and service account.
func (i *issuer) both(f func(*store.Credential)) {
	for _, c := range []*store.Credential{&i.client, &i.account} {
		f(c)
		i.change(func(tx *store.Tx) error { return tx.UpdateCredential(i.t.Context(), *c) })
	}
}

// one makes one token of every origin that the contract in force has.
func (i *issuer) one() {
	i.agreed = i.consent(i.client.ID)
	if i.world.contract.Load().Tokens().Machine.Format == contract.TokenOpaque {
		i.family = secret.NewID("fam_")
		f := store.Family{ID: i.family, Client: i.client.ID, Member: i.member.ID, Organization: i.organization.ID,
			Environment: "live", Consent: i.agreed.ID, Scopes: []string{"read"}, ExpiresAt: i.now().AddDate(0, 1, 0)}
		i.change(func(tx *store.Tx) error { return tx.InsertFamily(i.t.Context(), f) })
		_, text := i.opaque(func(t *store.AccessToken) { t.Family = i.family })
		i.texts = map[string]string{"opaque": text}
		return
	}
	i.texts = map[string]string{
		"client": i.sign(i.ourKey("live"), i.machine()), "user": i.sign(i.ourKey("live"), i.user()),
		"account": i.sign(i.accountKey, i.self()), "partner": i.sign(i.partner.key(), i.foreign()),
	}
}

// Guarantee: whatever ends a token ends it, with its own reason at its own step, whether
// the token is new to us or in the cache, and leaves the others alone.
func TestEveryReasonForTokens(t *testing.T) {
	for name, tt := range tokenEndings {
		for _, state := range []string{"new", "cached"} {
			for form, text := range map[string]string{"signed": issuing, "opaque": opaqueTokens} {
				t.Run(name+" "+state+" "+form, func(t *testing.T) {
					i := newIssuer(t, nil)
					i.use(text)
					i.one()
					for _, text := range i.texts {
						if state == "cached" {
							i.allow(withToken(text))
						}
					}
					tt.end(i)
					for origin, text := range i.texts {
						if !strings.Contains(tt.of, origin) {
							i.allow(withToken(text))
							continue
						}
						d := i.expect(withToken(text), tt.step, tt.reason)
						if x := d.Explain(); x.Detail == "" || d.Denial.Status < 400 {
							t.Errorf("%s: half an answer: %+v, %+v", origin, x, d.Denial)
						}
						if d.Identified() != (tt.step != cardea.StepVerify) {
							t.Errorf("%s: identified: %v", origin, d.Identified())
						}
					}
				})
			}
		}
	}
}

// Guarantee: a token is good until the very second that it says, and a token that will be
// good is not yet.
func TestTokensEndToTheSecond(t *testing.T) {
	i := newIssuer(t, nil)
	for origin, text := range map[string]string{
		"client": i.sign(i.ourKey("live"), i.machine()), "account": i.sign(i.accountKey, i.self()),
	} {
		i.time.Store(&start)
		i.advance(time.Hour - time.Microsecond)
		i.allow(withToken(text))
		i.advance(time.Microsecond)
		i.expect(withToken(text), cardea.StepStanding, cardea.ReasonExpired)
		if d := i.ask(withToken(text)); d.Denial.Status != 401 || d.Credential() == "" {
			t.Errorf("%s: %+v", origin, d.Denial)
		}
	}
	i.time.Store(&start)
	for name, c := range map[string]claims{
		"not before": {"nbf": start.Add(2 * time.Minute).Unix()}, "made in the future": {"iat": start.Add(2 * time.Minute).Unix()},
	} {
		i.expect(withToken(i.sign(i.ourKey("live"), i.machine().with(c))), cardea.StepVerify, cardea.ReasonInvalidCredential)
		_ = name
	}
}

// Guarantee: a client stands and falls with the organization that it belongs to, also
// where it acts for a member of another one.
func TestClientsOfSuspendedOrganizations(t *testing.T) {
	i := newIssuer(t, nil)
	vendor := i.world.organization("standard")
	app := i.newClient(vendor, "live")
	r := withToken(i.sign(i.ourKey("live"), i.user().with(claims{"client_id": app.ID})))
	if d := i.allow(r); d.Organization() != i.organization.ID || d.Credential() != app.ID {
		t.Errorf("%s of %s", d.Credential(), d.Organization())
	}
	vendor.SuspendedAt = i.now()
	i.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), vendor) })
	i.expect(r, cardea.StepStanding, cardea.ReasonSuspended)
	vendor.SuspendedAt = time.Time{}
	i.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), vendor) })
	i.allow(r)
}

// Guarantee: two tokens that share a place in the table are not taken for each other.
func TestTokensAreComparedWhole(t *testing.T) {
	i := newIssuer(t, nil)
	text := i.sign(i.ourKey("live"), i.machine())
	i.allow(withToken(text))
	place := i.tokenHash(text, nil)
	if i.current().cachedToken(&place, text) == nil || i.current().cachedToken(&place, text+"x") != nil {
		t.Error("the place alone was compared")
	}
}

// Guarantee: a token that names no client, as some contracts have them, stands and falls
// with its member, and counts for its organization.
func TestTokensWithoutClient(t *testing.T) {
	i := newIssuer(t, nil)
	i.use(strings.Replace(issuing, "algorithm: ES256, lifetime", "algorithm: ES256, typ: JWT, id_claim: none, lifetime", 1))
	k := typed(i.ourKey("live"), "JWT")
	bare := claims{"client_id": nil, "jti": nil}
	user, machine := i.sign(k, i.user().with(bare)), i.sign(k, i.machine().with(bare))
	for range 2 {
		if d := i.allow(withToken(user)); d.Member() != i.member.ID || d.Subject() != i.member.ID || d.Credential() != i.member.ID || d.Limit.Limit != 300 {
			t.Errorf("%q of %q, %+v", d.Subject(), d.Credential(), d.Limit)
		}
		if d := i.allow(withToken(machine)); d.Credential() != i.client.ID {
			t.Errorf("%q", d.Credential())
		}
	}
	// It is revoked by an id made of its signature.
	info, _, _ := i.Token(t.Context(), machine, client)
	i.change(func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), info.ID, info.ExpiresAt) })
	i.expect(withToken(machine), cardea.StepStanding, cardea.ReasonRevoked)
	i.change(func(tx *store.Tx) error { return tx.EndMemberTokens(t.Context(), i.member.ID) })
	i.expect(withToken(user), cardea.StepStanding, cardea.ReasonRevoked)
	// An ID token has the same key, issuer and type, and another audience.
	i.expect(withToken(i.sign(k, i.user().with(bare).with(claims{"aud": i.client.ID}))), cardea.StepVerify, cardea.ReasonInvalidCredential)
}

// Guarantee: a route that Cardea answers says who the token speaks for: the user and not
// whoever made the application, and nobody of ours for a user of somebody else's.
func TestAnswerForTokens(t *testing.T) {
	i := newIssuer(t, nil)
	owner := store.Member{ID: secret.NewID("usr_"), Organization: i.organization.ID, Email: "owner@acme.test", Role: cardea.RoleOwner}
	i.change(func(tx *store.Tx) error { return tx.InsertMember(t.Context(), owner) })
	for name, tt := range map[string]struct{ text, want string }{
		"a user":             {i.sign(i.ourKey("live"), i.user()), i.member.ID},
		"a client":           {i.sign(i.ourKey("live"), i.machine()), owner.ID},
		"somebody else's":    {i.sign(i.partner.key(), i.foreign()), ""},
		"without an account": {i.sign(i.visitors.key(), i.foreign().with(claims{"iss": "https://visitors.test"})), ""},
	} {
		r := withToken(tt.text)
		r.Target = "/v1/users/me"
		d := i.allow(r)
		body, err := i.Answer(t.Context(), &d)
		if err != nil || !strings.Contains(string(body), `"id":`) || tt.want != "" && !strings.Contains(string(body), tt.want) ||
			tt.want == "" && strings.Contains(string(body), "usr_") {
			t.Errorf("%s: %v %s", name, err, body)
		}
	}
}

// Guarantee: that another node revoked a signing key counts from the moment the change is
// applied here, for tokens that do not name their key too.
func TestKeysRevokedElsewhere(t *testing.T) {
	for _, text := range []string{issuing, strings.Replace(issuing, "algorithm: ES256, lifetime", "algorithm: ES256, kid: false, lifetime", 1)} {
		i := newIssuer(t, nil)
		i.use(text)
		k := i.ourKey("live")
		k.KeyID = i.world.contract.Load().Tokens().Machine.KeyID
		r := withToken(i.sign(k, i.machine()))
		i.allow(r)
		row, err := i.db.SigningKey(t.Context(), k.ID)
		if err != nil {
			t.Fatal(err)
		}
		row.RevokedAt = i.now()
		i.change(func(tx *store.Tx) error { return tx.UpdateSigningKey(t.Context(), row) })
		i.expect(r, cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
}

// Guarantee: what the contract takes away from service accounts, they have no longer,
// whether their tokens name scopes or leave the choice.
func TestServiceAccountsAreHeldToTheContract(t *testing.T) {
	i := newIssuer(t, nil)
	account := store.Credential{
		ID: secret.NewID("sa_"), Kind: store.KindServiceAccount, Environment: "live", Organization: i.organization.ID,
		Name: "worker", Scopes: []string{"read", "write"}, CreatedBy: "test",
	}
	i.change(func(tx *store.Tx) error { return tx.InsertCredential(t.Context(), account) })
	key := i.newAccountKey(account)
	tokens := map[string]any{"named": []string{"read", "write"}, "left out": nil}
	for name, scopes := range tokens {
		text := i.sign(key, i.self().with(claims{"sub": account.ID, "scopes": scopes}))
		post := request("POST", "/v1/records", "Authorization", "Bearer "+text)
		i.use(issuing)
		if d := i.ask(post); !d.Allowed {
			t.Errorf("%s: refused before: %v", name, d.Reason)
		}
		i.use(strings.Replace(issuing, "service_accounts: {", "service_accounts: {scopes: [read], ", 1))
		i.expect(post, cardea.StepScope, cardea.ReasonScope)
		i.allow(withToken(text))
	}
}
