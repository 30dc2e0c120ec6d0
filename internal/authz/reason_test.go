package authz

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// asked is a request and what to expect of it.
type asked struct {
	name   string
	req    *cardea.Request
	step   cardea.Step
	reason cardea.Reason
}

// each asks every question.
func (w *world) each(t *testing.T, questions []asked) {
	t.Helper()
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			w := &world{Authorizer: w.Authorizer, t: t, db: w.db}
			d := w.expect(q.req, q.step, q.reason)
			if !d.Allowed && d.Explain().Detail == "" {
				t.Error("the denial explains nothing")
			}
		})
	}
}

// Guarantee: what no route was written for, and what could be read in two ways, is
// refused before anybody looks at credentials.
func TestRouteIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live", func(c *store.Credential) { c.Scopes = []string{"admin"} })
	const none, bad = cardea.ReasonNoRoute, cardea.ReasonBadRequest
	var questions []asked
	for target, reason := range map[string]cardea.Reason{
		"/v1/nothing": none, "/v1/records/": none, "/": none, "/v1": none, "/V1/records": none, "/mars/data": none,
		"//v1/records": bad, "/v1/../v1/records": bad, "/v1/./records": bad, "/v1/records/%2e%2e": bad,
		"/v1/records/a%2Fb": bad, "/v1/records/a%00": bad, "/v1/records;x=1": bad, "/v1/%72ecords": bad,
		"/v1/records%3f": bad, "/v1/records#x": bad, "v1/records": bad, "http://api.acme.test/v1/records": bad,
		"*": bad, "": bad, "/v1/records\\": bad, "/v1/records/\u00e9": bad, "/v1/records?a=%zz": bad,
		"/" + strings.Repeat("a", 9000): bad,
	} {
		name := target
		if len(name) > 40 {
			name = "long"
		}
		questions = append(questions, asked{name, bearer("GET", target, k), cardea.StepRoute, reason})
	}
	questions = append(questions,
		asked{"method", bearer("DELETE", "/v1/records", k), cardea.StepRoute, cardea.ReasonMethodNotAllowed},
		asked{"TRACE", bearer("TRACE", "/v1/records", k), cardea.StepRoute, cardea.ReasonMethodNotAllowed},
		asked{"lower-case method", bearer("get", "/v1/records", k), cardea.StepRoute, cardea.ReasonMethodNotAllowed},
		// "@bulk" is a route of its own; its encoded spelling must not pass as an {id}.
		asked{"encoded delimiter of another route", bearer("POST", "/v1/records/%40bulk", k), cardea.StepRoute, bad},
		asked{"public route of another environment", request("GET", "/v1/open/x"), cardea.StepRoute, cardea.ReasonAllowed},
		asked{"path and host name different worlds", withHost(bearer("GET", "/live/data", k), "eu.acme.test"), cardea.StepRoute, none},
	)
	w.each(t, questions)

	d := w.ask(bearer("DELETE", "/v1/records", k))
	if diff := cmp.Diff([]string{"GET, HEAD, POST"}, d.Denial.Header["Allow"]); diff != "" {
		t.Error(diff)
	}
}

func withHost(r *cardea.Request, host string) *cardea.Request { r.Host = host; return r }

// Guarantee: data may hold an encoded delimiter or, where the route says so, a slash.
func TestEncodedDataPasses(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	w.allow(bearer("GET", "/v1/records/a%40b", k))
	w.allow(bearer("GET", "/v1/files/a%2Fb", k))
	w.allow(bearer("HEAD", "/v1/records/1?q=/../%2f", k))
}

// Guarantee: exactly one credential, well formed, or none is believed.
func TestCredentialIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	k, space := w.key(o, "api_key", "live"), w.key(o, "space", "live")
	live, uuid := k.Reveal(), space.Reveal()
	const several, malformed, invalid = cardea.ReasonSeveralCredentials, cardea.ReasonMalformedCredential, cardea.ReasonInvalidCredential
	get := func(headers ...string) *cardea.Request { return request("GET", "/v1/records", headers...) }
	w.each(t, []asked{
		{"none", get(), cardea.StepCredential, cardea.ReasonMissingCredential},
		{"in the query", request("GET", "/v1/records?access_token="+live+"&api_key="+live), cardea.StepCredential, cardea.ReasonMissingCredential},
		{"in a cookie", get("Cookie", "Authorization="+live), cardea.StepCredential, cardea.ReasonMissingCredential},
		{"repeated header", get("Authorization", "Bearer "+live, "Authorization", "Bearer "+live), cardea.StepCredential, several},
		{"repeated bare header", get("X-Apikey", uuid, "X-Apikey", uuid), cardea.StepCredential, several},
		{"joined", get("Authorization", "Bearer "+live+", Bearer "+live), cardea.StepCredential, several},
		{"joined without spaces", get("Authorization", "Bearer "+live+","+live), cardea.StepCredential, several},
		{"joined bare", get("X-Apikey", uuid+","+uuid), cardea.StepCredential, several},
		{"two headers", get("Authorization", "Bearer "+live, "X-Apikey", uuid), cardea.StepCredential, several},
		{"same secret in two headers", get("X-Apikey", uuid, "X-Api-Key", uuid), cardea.StepCredential, several},
		{"good one and an empty one", get("Authorization", "Bearer "+live, "X-Apikey", ""), cardea.StepCredential, several},
		{"good one and another scheme", get("Authorization", "Basic YTpi", "X-Apikey", uuid), cardea.StepCredential, several},
		{"empty", get("Authorization", ""), cardea.StepCredential, malformed},
		{"empty bare", get("X-Apikey", ""), cardea.StepCredential, malformed},
		{"scheme alone", get("Authorization", "Bearer"), cardea.StepCredential, malformed},
		{"scheme and space", get("Authorization", "Bearer "), cardea.StepCredential, malformed},
		{"space inside", get("Authorization", "Bearer "+live[:20]+" "+live[20:]), cardea.StepCredential, malformed},
		{"tab after scheme", get("Authorization", "Bearer\t"+live), cardea.StepCredential, malformed},
		{"NUL", get("Authorization", "Bearer "+live+"\x00"), cardea.StepCredential, malformed},
		{"control byte", get("Authorization", "Bearer \x01"+live), cardea.StepCredential, malformed},
		{"not ASCII", get("Authorization", "Bearer ck_live_\u212a"), cardea.StepCredential, malformed},
		{"too long", get("Authorization", "Bearer "+strings.Repeat("a", 9000)), cardea.StepCredential, malformed},
		{"endless scheme", get("Authorization", strings.Repeat("a", 9000)), cardea.StepCredential, malformed},
		{"other scheme", get("Authorization", "Basic YTpi"), cardea.StepCredential, invalid},
		{"bare secret in Authorization", get("Authorization", live), cardea.StepCredential, invalid},
		{"scheme in a bare header", get("X-Apikey", "Bearer "+uuid), cardea.StepCredential, malformed},
	})
	for _, spelling := range []string{"bearer ", "BEARER ", "Bearer   "} {
		w.allow(get("Authorization", spelling+live))
	}
}

// Guarantee: a typo is recognised by its form and costs no query, and a secret works
// only in the headers of its kind.
func TestShapeIsRefusedWithoutAQuery(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	k, space, admin := w.key(o, "api_key", "live"), w.key(o, "space", "live"), w.key(o, "admin_token", "live")
	live := k.Reveal()
	typo := live[:12] + string(rot(live[12])) + live[13:]
	const invalid = cardea.ReasonInvalidCredential
	get := func(headers ...string) *cardea.Request { return request("GET", "/v1/me", headers...) }
	w.each(t, []asked{
		{"typo", get("Authorization", "Bearer "+typo), cardea.StepShape, invalid},
		{"cut", get("Authorization", "Bearer "+live[:45]), cardea.StepShape, invalid},
		{"page's sample", get("Authorization", "Bearer ck_live_abc123def456"), cardea.StepShape, invalid},
		{"other environment's prefix", get("Authorization", "Bearer ck_test_"+live[8:]), cardea.StepShape, invalid},
		{"unknown prefix", get("Authorization", "Bearer zz_live_"+live[8:]), cardea.StepShape, invalid},
		{"upper-case UUID", get("X-Apikey", strings.ToUpper(space.Reveal())), cardea.StepShape, invalid},
		{"UUID as bearer", get("Authorization", "Bearer "+space.Reveal()), cardea.StepShape, invalid},
		{"admin token as bearer", get("Authorization", "Bearer "+admin.Reveal()), cardea.StepShape, invalid},
		{"admin token in x-apikey", get("X-Apikey", admin.Reveal()), cardea.StepShape, invalid},
		{"key in x-apikey", get("X-Apikey", live), cardea.StepShape, invalid},
		{"JWT", get("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."), cardea.StepShape, invalid},
	})
	if n := w.Stats().Lookups; n != 0 {
		t.Errorf("%d queries, want none", n)
	}
	w.allow(get("X-Apikey", space.Reveal()))
	w.allow(get("X-Api-Key", space.Reveal()))
	w.allow(get("X-Admintoken", admin.Reveal()))
}

// Guarantee: kinds that share a header are told apart by their text, also when their
// secrets are of the same length.
func TestKindsOfOneHeaderAreToldApart(t *testing.T) {
	w := newWorld(t, nil)
	text := strings.Replace(acme, "present: [{header: x-admintoken}]", "present: [{header: Authorization, scheme: Bearer}]", 1)
	w.contract.Store(load(t, strings.Replace(text, "pt_live_", "pt_liv_", 1)))
	o := w.organization("standard")
	hex := w.key(o, "admin_token", "live")
	prefixed := key{Secret: secret.New(secret.ShapePrefix, "pt_liv_")}
	prefixed.Credential = store.Credential{ID: "key_p", Kind: "personal", Environment: "live", Organization: o.ID, CreatedAt: start}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertCredential(t.Context(), prefixed.Credential); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: prefixed.Hash(), Credential: "key_p"})
	})
	if len(hex.Reveal()) != len(prefixed.Reveal()) {
		t.Fatal("the test needs secrets of one length")
	}
	for kind, k := range map[string]key{"admin_token": hex, "personal": prefixed} {
		for range 2 {
			if d := w.allow(bearer("GET", "/v1/me", k)); d.Kind().Name != kind {
				t.Errorf("%s taken for %s", kind, d.Kind().Name)
			}
		}
	}
}

// rot returns another base62 character.
func rot(c byte) byte {
	if c == 'a' {
		return 'b'
	}
	return 'a'
}

// Guarantee: a well-formed secret that nobody was given is refused, and asking for it
// again costs no second query.
func TestUnknownCredentialIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	r := request("GET", "/v1/me", "Authorization", "Bearer "+secret.New(secret.ShapePrefix, "ck_live_").Reveal())
	for range 3 {
		w.expect(r, cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
	if s := w.Stats(); s.Lookups != 1 || s.Unknown != 2 {
		t.Errorf("%d queries and %d remembered, want 1 and 2", s.Lookups, s.Unknown)
	}
}

// Guarantee: a secret that was tried before it existed works the moment its creation
// returned.
func TestUnknownMemoryNeverHidesANewCredential(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	s := secret.New(secret.ShapePrefix, "ck_live_")
	r := request("GET", "/v1/me", "Authorization", "Bearer "+s.Reveal())
	w.expect(r, cardea.StepVerify, cardea.ReasonInvalidCredential)
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertCredential(t.Context(), store.Credential{ID: "key_1", Kind: "api_key", Environment: "live", Organization: o.ID}); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: s.Hash(), Credential: "key_1"})
	})
	if d := w.allow(r); d.Credential() != "key_1" {
		t.Errorf("credential %q: an id that cannot be packed must be kept as it is", d.Credential())
	}
}

// Guarantee: each way in which a credential's time can end, ends it.
func TestStanding(t *testing.T) {
	w := newWorld(t, nil)
	o, gone := w.organization("standard"), w.organization("standard")
	member := store.Member{ID: secret.NewID("usr_"), Organization: o.ID, Email: "a@acme.test", Role: cardea.RoleDeveloper}
	w.change(func(tx *store.Tx) error { return tx.InsertMember(t.Context(), member) })
	of := func(f func(*store.Credential)) key { return w.key(o, "api_key", "live", f) }
	hour := start.Add(time.Hour)
	revoked, off := of(func(c *store.Credential) { c.RevokedAt = start }), of(func(c *store.Credential) { c.DisabledAt = start })
	short := of(func(c *store.Credential) { c.ExpiresAt = hour })
	both := of(func(c *store.Credential) { c.RevokedAt, c.ExpiresAt = start, start })
	orphan, personal := w.key(gone, "api_key", "live"), w.key(o, "personal", "live", func(c *store.Credential) { c.Member = member.ID })
	exchange, space := w.key(o, "exchange", "live"), w.key(o, "space", "live")
	now := start
	gone.SuspendedAt = now
	w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), gone) })
	for _, k := range []key{short, personal} {
		w.allow(bearer("GET", "/v1/me", k))
	}
	page := request("GET", "/v1/me", "X-Apikey", space.Reveal(), "Origin", "https://evil.test")
	const s = cardea.StepStanding
	w.each(t, []asked{
		{"revoked", bearer("GET", "/v1/me", revoked), s, cardea.ReasonRevoked},
		{"revoked and expired", bearer("GET", "/v1/me", both), s, cardea.ReasonRevoked},
		{"disabled", bearer("GET", "/v1/me", off), s, cardea.ReasonDisabled},
		{"suspended", bearer("GET", "/v1/me", orphan), s, cardea.ReasonSuspended},
		{"exchange only", bearer("GET", "/v1/me", exchange), s, cardea.ReasonExchangeOnly},
		{"browser", page, s, cardea.ReasonBrowser},
	})
	w.advance(time.Hour - time.Microsecond)
	w.allow(bearer("GET", "/v1/me", short))
	w.advance(time.Microsecond)
	w.expect(bearer("GET", "/v1/me", short), s, cardea.ReasonExpired)

	// Idle counts from the last use that was allowed; a refused one is no use.
	w.advance(30*24*time.Hour - time.Hour)
	w.allow(bearer("GET", "/v1/me", personal))
	w.advance(30 * 24 * time.Hour)
	w.allow(bearer("GET", "/v1/me", personal))
	w.advance(30*24*time.Hour + time.Second)
	for range 2 {
		w.expect(bearer("GET", "/v1/me", personal), s, cardea.ReasonIdle)
		w.advance(time.Hour)
	}

	member.DisabledAt = w.now()
	other := w.key(o, "personal", "live", func(c *store.Credential) { c.Member = member.ID })
	w.allow(bearer("GET", "/v1/me", other))
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), member) })
	w.expect(bearer("GET", "/v1/me", other), s, cardea.ReasonDisabled)
}

// Guarantee: after a rotation both secrets work until the overlap ends, the use of the
// old one shows, and from then on it is refused and the new one is not.
func TestRotationOverlap(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	w.allow(bearer("GET", "/v1/me", k))
	fresh := secret.New(secret.ShapePrefix, "ck_live_")
	w.change(func(tx *store.Tx) error {
		if err := tx.EndSecrets(t.Context(), k.ID, start.Add(time.Hour)); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: fresh.Hash(), Credential: k.ID, Hint: fresh.Hint()})
	})
	renewed := key{k.Credential, fresh}
	if d := w.allow(bearer("GET", "/v1/me", k)); !d.OldSecret || d.Credential() != k.ID {
		t.Errorf("the use of the old secret must show: %+v", d)
	}
	if d := w.allow(bearer("GET", "/v1/me", renewed)); d.OldSecret || d.Credential() != k.ID {
		t.Errorf("the new secret is not old: %+v", d)
	}
	w.advance(time.Hour)
	if d := w.expect(bearer("GET", "/v1/me", k), cardea.StepStanding, cardea.ReasonSuperseded); !d.OldSecret {
		t.Error("the use of the old secret must show when it is refused")
	}
	w.allow(bearer("GET", "/v1/me", renewed))
}

// Guarantee: environments are walls, whatever names the environment.
func TestEnvironmentsAreWalls(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	live, test := w.key(o, "api_key", "live"), w.key(o, "api_key", "test")
	space := w.key(o, "space", "test")
	// A record that contradicts its own secret: a damaged or tampered database.
	forged := w.key(o, "api_key", "live", func(c *store.Credential) { c.Environment = "test" })
	const e, wrong = cardea.StepEnvironment, cardea.ReasonWrongEnvironment
	w.each(t, []asked{
		{"path names the other", bearer("GET", "/live/data", test), e, wrong},
		{"path names the other, the other way", bearer("GET", "/test/data", live), e, wrong},
		{"UUID in the other", request("GET", "/live/data", "X-Apikey", space.Reveal()), e, wrong},
		{"host of another", withHost(bearer("GET", "/v1/records", live), "EU.acme.test:443"), e, wrong},
		{"route of another", bearer("GET", "/v1/live", test), e, wrong},
		{"record contradicts prefix", bearer("GET", "/v1/records", forged), e, wrong},
	})
	for target, k := range map[string]key{"/live/data": live, "/test/data": test, "/v1/records": test} {
		d := w.allow(bearer("GET", target, k))
		want := map[string]string{"live": "http://127.0.0.1:9000", "test": "http://127.0.0.1:9001"}[k.Environment]
		if d.Environment != k.Environment || d.Upstream() != want {
			t.Errorf("%s: %s at %s, want %s at %s", target, d.Environment, d.Upstream(), k.Environment, want)
		}
	}
}

// Guarantee: an IP list admits what is on it, in every spelling of an address, and
// nothing else; an unknown peer is on no list.
func TestAddressLists(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	o := w.organization("standard")
	list := func(s ...string) func(*store.Credential) {
		return func(c *store.Credential) {
			c.Addresses = []netip.Prefix{}
			for _, p := range s {
				c.Addresses = append(c.Addresses, netip.MustParsePrefix(p))
			}
		}
	}
	v4, v6 := w.key(o, "api_key", "live", list("203.0.113.7/24")), w.key(o, "api_key", "live", list("2001:db8::/32"))
	mapped, nobody := w.key(o, "api_key", "live", list("::ffff:203.0.113.0/120")), w.key(o, "api_key", "live", list())
	ask := func(k key, peer string, forwarded ...string) *cardea.Request {
		r := bearer("GET", "/v1/records", k)
		r.Peer, _ = netip.ParseAddr(peer)
		if forwarded != nil {
			r.Header["X-Forwarded-For"] = forwarded
		}
		return r
	}
	const s, no = cardea.StepAddress, cardea.ReasonAddress
	w.each(t, []asked{
		{"other network", ask(v4, "203.0.114.1"), s, no},
		{"v6 peer", ask(v4, "2001:db8::1"), s, no},
		{"unknown peer", ask(v4, ""), s, no},
		{"stranger's forwarded header", ask(v4, "198.51.100.1", "203.0.113.9"), s, no},
		{"client spoofs through the proxy", ask(v4, "10.0.0.1", "203.0.113.9, 198.51.100.1"), s, no},
		{"proxy itself", ask(v4, "10.0.0.1"), s, no},
		{"list without entries", ask(nobody, "203.0.113.7"), s, no},
		{"proxy writes garbage", ask(v4, "10.0.0.1", "zzz"), cardea.StepRoute, cardea.ReasonBadRequest},
	})
	for _, r := range []*cardea.Request{
		ask(v4, "203.0.113.200"), ask(v4, "::ffff:203.0.113.1"), ask(v6, "2001:db8:1::1"), ask(mapped, "203.0.113.1"),
		ask(v4, "10.0.0.1", "1.1.1.1, 203.0.113.9"),
	} {
		w.allow(r)
	}

	// The organization's list holds for its environment, on top of the key's own.
	w.change(func(tx *store.Tx) error {
		return tx.SetAddressList(t.Context(), store.AddressList{Organization: o.ID, Environment: "live",
			Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}})
	})
	w.allow(ask(v4, "203.0.113.7"))
	w.expect(ask(v4, "203.0.113.8"), s, no)
	w.allow(ask(w.key(o, "api_key", "test"), "192.0.2.1"))
}

// Guarantee: every scope of the route is needed; aliases and implied scopes count.
func TestScopes(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	with := func(scopes ...string) key {
		return w.key(o, "api_key", "live", func(c *store.Credential) { c.Scopes = scopes })
	}
	none, read, write, alias, admin, lost := with(), with("read"), with("write"), with("records:read"), with("admin"), with("no-such-scope")
	const s, no = cardea.StepScope, cardea.ReasonScope
	w.each(t, []asked{
		{"none", bearer("GET", "/v1/records", none), s, no},
		{"read cannot write", bearer("POST", "/v1/records", read), s, no},
		{"write cannot delete", bearer("DELETE", "/v1/records/1", write), s, no},
		{"scope the contract lost", bearer("GET", "/v1/records", lost), s, no},
	})
	w.allow(bearer("GET", "/v1/me", none))
	w.allow(bearer("HEAD", "/v1/records", read))
	w.allow(bearer("GET", "/v1/records", write))
	w.allow(bearer("GET", "/v1/records", alias))
	w.allow(bearer("DELETE", "/v1/records/1", admin))
	d := w.ask(bearer("POST", "/v1/records", read))
	if x := d.Explain(); !strings.Contains(x.Detail, "write") || x.Line == 0 {
		t.Errorf("explanation %+v", x)
	}
}

// Guarantee: public routes and preflights look at no credential and charge nobody.
func TestOpenRoutes(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	const s, ok = cardea.StepRoute, cardea.ReasonAllowed
	preflight := request("OPTIONS", "/v1/shared", "Origin", "https://app.acme.test", "Access-Control-Request-Method", "PUT")
	w.each(t, []asked{
		{"no credential", request("GET", "/v1/public"), s, ok},
		{"garbage", request("GET", "/v1/public", "Authorization", "garbage", "Authorization", "more"), s, ok},
		{"preflight", preflight, s, ok},
		{"preflight of a route without CORS", request("OPTIONS", "/v1/records", "Origin", "x", "Access-Control-Request-Method", "GET"), s, cardea.ReasonMethodNotAllowed},
		{"plain OPTIONS", request("OPTIONS", "/v1/shared", "Origin", "x"), s, cardea.ReasonMethodNotAllowed},
	})
	d := w.ask(bearer("GET", "/v1/public", k))
	if d.Identified() || d.Limit != (cardea.Limit{}) || d.Upstream() != "http://127.0.0.1:9000" {
		t.Errorf("public: %+v at %q", d.Decision, d.Upstream())
	}
	if d := w.ask(request("GET", "/v1/open/a/b")); d.Upstream() != "http://127.0.0.1:9001" || d.Environment != "test" {
		t.Errorf("public in one environment: %s at %s", d.Environment, d.Upstream())
	}
	if d := w.ask(preflight); !d.Preflight || d.Route.Pattern != "PUT /v1/shared" {
		t.Errorf("preflight: %+v", d)
	}
}

// Guarantee: limits are counted as the plan says, apart for each environment, and
// described on every answer to a known caller.
func TestLimits(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	live, second, test := w.key(o, "api_key", "live"), w.key(o, "api_key", "live"), w.key(o, "api_key", "test")
	want := cardea.Limit{Limit: 300, Remaining: 299, Reset: start.Unix() + 60, Window: "minute"}
	if d := w.allow(bearer("GET", "/v1/records", live)); d.Limit != want {
		t.Errorf("first: %+v", d.Limit)
	}
	for range 49 {
		w.allow(bearer("GET", "/v1/records", second)) // the organization's other key
	}
	d := w.expect(bearer("GET", "/v1/records", live), cardea.StepLimit, cardea.ReasonRateLimited)
	if d.Limit.RetryAfter != 1 || d.Denial.Header.Get("Retry-After") != "1" {
		t.Errorf("51st at once: %+v, %v", d.Limit, d.Denial.Header)
	}
	if d := w.allow(bearer("GET", "/v1/records", test)); d.Limit.Remaining != 299 {
		t.Errorf("a live key's use must not count against test: %+v", d.Limit)
	}
	// Denials describe the limits and cost nothing.
	want = cardea.Limit{Limit: 300, Remaining: 299, Reset: start.Unix() + 60, Window: "minute"}
	for _, r := range []*cardea.Request{
		bearer("POST", "/v1/records", test), bearer("GET", "/v1/nothing", test), bearer("PATCH", "/v1/records", test),
		bearer("GET", "/live/data", test), bearer("GET", "/v1/records/%2F", test),
	} {
		if d := w.ask(r); d.Allowed || d.Limit != want {
			t.Errorf("%s %s: %v %+v", r.Method, r.Target, d.Reason, d.Limit)
		}
	}
	if d := w.ask(request("GET", "/v1/nothing", "Authorization", "Bearer nobody")); d.Limit != (cardea.Limit{}) {
		t.Errorf("a stranger has no limits: %+v", d.Limit)
	}
}

func TestDayQuotaAndLimitsOfTheirOwn(t *testing.T) {
	w := newWorld(t, nil)
	small := w.organization("small")
	k := w.key(small, "api_key", "live")
	for range 2 {
		for range 50 {
			w.allow(bearer("GET", "/v1/records", k))
		}
		w.advance(time.Minute)
	}
	d := w.expect(bearer("GET", "/v1/records", k), cardea.StepLimit, cardea.ReasonQuota)
	if d.Limit.Limit != 100 || d.Limit.RetryAfter != 12*3600-120 {
		t.Errorf("quota: %+v", d.Limit)
	}

	custom := w.organization("custom")
	custom.Limits = &store.Limits{PerMinute: 1000}
	w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), custom) })
	own := w.key(custom, "api_key", "live", func(c *store.Credential) { c.Limits = &store.Limits{PerMinute: 2} })
	for range 2 {
		w.allow(bearer("GET", "/v1/records", own))
	}
	if d := w.expect(bearer("GET", "/v1/records", own), cardea.StepLimit, cardea.ReasonRateLimited); d.Limit.Limit != 2 {
		t.Errorf("the key's own limit refuses: %+v", d.Limit)
	}
	if d := w.allow(bearer("GET", "/v1/records", w.key(custom, "api_key", "live"))); d.Limit.Limit != 1000 || d.Limit.Remaining != 997 {
		t.Errorf("the organization's own limit: %+v", d.Limit)
	}
	// A custom plan that nobody gave figures is no way around limits.
	if d := w.allow(bearer("GET", "/v1/records", w.key(w.organization("custom"), "api_key", "live"))); d.Limit.Limit != 300 {
		t.Errorf("custom without figures: %+v", d.Limit)
	}
}

// Guarantee: a contract may count each credential for itself; its own limits then make
// the plan's stricter and never looser.
func TestLimitsPerCredential(t *testing.T) {
	w := newWorld(t, nil)
	w.contract.Store(load(t, strings.Replace(acme, "default_plan:", "limits: {per: credential}\ndefault_plan:", 1)))
	o := w.organization("standard")
	first, second := w.key(o, "api_key", "live"), w.key(o, "api_key", "live", own(5, 0))
	for range 2 {
		w.allow(bearer("GET", "/v1/records", first))
	}
	if d := w.allow(bearer("GET", "/v1/records", second)); d.Limit.Limit != 5 || d.Limit.Remaining != 4 {
		t.Errorf("its own limit: %+v", d.Limit)
	}
	if d := w.allow(bearer("GET", "/v1/records", first)); d.Limit.Limit != 300 || d.Limit.Remaining != 297 {
		t.Errorf("the plan's limit: %+v", d.Limit)
	}
	loose := w.key(o, "api_key", "live", own(100_000, 0))
	if d := w.allow(bearer("GET", "/v1/records", loose)); d.Limit.Limit != 300 {
		t.Errorf("looser than the plan: %+v", d.Limit)
	}
}

// Guarantee: guessing from one address is answered 429 and a valid credential from
// the same address works all the while.
func TestRefusedAttemptsAreThrottled(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.RefusedPerMinute = 20 })
	k := w.key(w.organization("standard"), "api_key", "live")
	guess := func(peer string) *cardea.Request {
		r := request("GET", "/v1/me", "Authorization", "Bearer "+secret.New(secret.ShapePrefix, "ck_live_").Reveal())
		r.Peer = netip.MustParseAddr(peer)
		return r
	}
	for range 20 {
		w.expect(guess("2001:db8::1"), cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
	d := w.expect(guess("2001:db8::ffff"), cardea.StepVerify, cardea.ReasonRateLimited) // the same /64
	if d.Denial.Header.Get("Retry-After") != "60" || d.Limit != (cardea.Limit{}) {
		t.Errorf("throttled: %v %+v", d.Denial.Header, d.Limit)
	}
	w.expect(guess("2001:db8:0:1::1"), cardea.StepVerify, cardea.ReasonInvalidCredential)
	valid := bearer("GET", "/v1/me", k)
	valid.Peer = netip.MustParseAddr("2001:db8::1")
	w.allow(valid) // not in the cache yet
	w.allow(valid)
	// Look-ups for such an address have turns of their own, and none left is a 429.
	w.queueTime = time.Millisecond
	for range cap(w.slow) {
		w.slow <- struct{}{}
	}
	w.expect(guess("2001:db8::1"), cardea.StepVerify, cardea.ReasonRateLimited)
	w.allow(valid)
	for range cap(w.slow) {
		<-w.slow
	}
	w.advance(time.Minute)
	w.expect(guess("2001:db8::1"), cardea.StepVerify, cardea.ReasonInvalidCredential)
	// A flood from elsewhere resets nobody's count.
	for range 20 {
		w.ask(guess("192.0.2.1"))
	}
	for i := range 20_000 {
		w.refused.add(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), w.now())
	}
	w.expect(guess("192.0.2.1"), cardea.StepVerify, cardea.ReasonRateLimited)
}

// Guarantee: the principal says who calls, in the contract's words.
func TestPrincipal(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("small")
	member := store.Member{ID: secret.NewID("usr_"), Organization: o.ID, Email: "a@acme.test", Role: cardea.RoleDeveloper}
	w.change(func(tx *store.Tx) error { return tx.InsertMember(t.Context(), member) })
	k := w.key(o, "personal", "live", func(c *store.Credential) { c.Member, c.Scopes = member.ID, []string{"write"} })
	d := w.allow(bearer("GET", "/v1/me", k))
	got, ok := d.Principal()
	want := cardea.Principal{Organization: o.ID, Subject: member.ID, Credential: k.ID, Kind: "personal",
		Environment: "live", Scopes: []string{"read", "write"}, Plan: "small"}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(diff)
	}
	if d.SecretHash() != k.Hash() || d.Organization() != o.ID || d.Client != client {
		t.Errorf("%+v", d)
	}
}
