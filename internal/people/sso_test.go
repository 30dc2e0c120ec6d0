package people_test

import (
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// company makes an organization with a member and a provider of its own.
func (w *world) company() *provider {
	w.t.Helper()
	w.ada()
	p := newProvider(w.t, w.clock)
	w.connect(store.Connection{Organization: "org_one", Issuer: p.URL, Insecure: true})
	return p
}

// connect stores a connection with the test's client.
func (w *world) connect(c store.Connection) {
	w.t.Helper()
	c.ClientID = "cardea"
	c.SecretSealed = w.sealer.Seal(secret.AAD("sso_connection", c.Organization, 1), []byte("s3cret"))
	w.change(func(tx *store.Tx) error { return tx.SaveConnection(w.ctx, c) })
}

// depart begins a sign-in at the company's provider.
func (w *world) depart() people.Departure {
	w.t.Helper()
	d, err := w.StartSSO(w.ctx, "one corp", appOrigin, "/oauth/authorize?client_id=x", false, home)
	w.must(err)
	return d
}

// arrive ends it with what the provider sent.
func (w *world) arrive(d people.Departure, query url.Values) (string, people.Session, string, error) {
	w.t.Helper()
	token, s, on, err := w.FinishSSO(w.ctx, appOrigin, d.Ticket, query, home)
	return token.Reveal(), s, on, err
}

func TestCompanysProviderSignsAMemberIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.company()
		d := w.depart()
		if !strings.HasPrefix(d.URL, p.URL+"/authorize?") || "http://"+d.Host != p.URL {
			t.Errorf("departure %+v", d)
		}
		token, s, on, err := w.arrive(d, p.authorize(d.URL))
		if err != nil || s.Member.ID != "usr_ada" || s.Method != people.MethodSSO || on != "/oauth/authorize?client_id=x" || !w.works(token) {
			t.Fatalf("session %+v, on to %q, %v", s, on, err)
		}
		if p.fetched != 1 {
			t.Errorf("%d discovery documents fetched for one sign-in", p.fetched)
		}
	})
}

// Guarantee: what does not match what was asked for, or is not what the provider may
// say, gets nobody in, with one and the same error (RFC 9700 §4.4, §4.5, §4.7; OpenID
// Connect Core §3.1.3.7).
func TestStrangeAnswersOfProvidersAreRefused(t *testing.T) {
	w := sqlite(t)
	p := w.company()
	w.member("org_one", "usr_off", "off@one.test", "")
	w.organization("org_two", "Two Corp")
	w.member("org_two", "usr_eve", "eve@two.test", "")
	w.member("org_one", "usr_kik", "kik@one.test", "")
	off, err := w.store.Member(w.ctx, "usr_off")
	w.must(err)
	off.DisabledAt = w.clock()
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(w.ctx, off) })
	var first error
	refused := func(name string, d people.Departure, query url.Values) {
		t.Helper()
		_, _, _, err := w.arrive(d, query)
		switch {
		case err == nil || cardea.KindOf(err) != cardea.KindUnauthorized:
			t.Errorf("%s: %v", name, err)
		case first == nil:
			first = err
		case err.Error() != first.Error():
			t.Errorf("%s: %q, others %q", name, err, first)
		}
	}
	for name, claims := range map[string]map[string]any{
		"another audience":        {"aud": "somebody else"},
		"two audiences":           {"aud": []string{"cardea", "evil"}},
		"issued to another":       {"azp": "somebody else"},
		"another issuer":          {"iss": "https://accounts.evil.example"},
		"another nonce":           {"nonce": "x"},
		"no nonce":                {"nonce": nil},
		"expired":                 {"exp": w.clock().Add(-time.Minute).Unix()},
		"no expiry":               {"exp": nil},
		"address not verified":    {"email_verified": false},
		"verified by a word":      {"email_verified": "true"},
		"verification not said":   {"email_verified": nil},
		"no address":              {"email": nil},
		"unknown member":          {"email": "nobody@one.test"},
		"of another organization": {"email": "eve@two.test"},
		"disabled member":         {"email": "off@one.test"},
		"address with NUL":        {"email": "ada@one.test\x00"},
		"Kelvin for a k":          {"email": "\u212aik@one.test"}, // its small letter is k, and it is another mailbox
		"dotted I for an i":       {"email": "k\u0130k@one.test"},
	} {
		p.lie(claims)
		d := w.depart()
		refused(name, d, p.authorize(d.URL))
	}
	p.lie(nil)
	for name, sign := range map[string]func([]byte) string{
		"no signature": func(payload []byte) string {
			return b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b64.EncodeToString(payload) + "."
		},
		"signed with the client's secret": func(payload []byte) string {
			return p.signed(jose.HS256, []byte("s3crets3crets3crets3crets3crets3"), payload)
		},
		"another key": func(payload []byte) string { return newProvider(t, w.clock).rs256(payload) },
		"duplicated": func(payload []byte) string {
			return p.rs256([]byte(strings.Replace(string(payload), `"email":`, `"email":"eve@two.test","email":`, 1)))
		},
		"other spelling": func(payload []byte) string {
			return p.rs256([]byte(strings.Replace(string(payload), `"email_verified":`, `"Email_Verified":`, 1)))
		},
		"not a token": func([]byte) string { return "x" },
	} {
		p.sign = sign
		d := w.depart()
		refused(name, d, p.authorize(d.URL))
	}
	p.sign = p.rs256

	d := w.depart()
	answer := p.authorize(d.URL)
	for name, change := range map[string]func(url.Values){
		"another state": func(q url.Values) { q.Set("state", "x") },
		"no state":      func(q url.Values) { q.Del("state") },
		"two states":    func(q url.Values) { q.Add("state", "x") },
		"two codes":     func(q url.Values) { q.Add("code", "x") },
		"an error":      func(q url.Values) { q.Set("error", "access_denied") },
		"mixed up":      func(q url.Values) { q.Set("iss", "https://evil.example") },
		"no code":       func(q url.Values) { q.Del("code") },
	} {
		query := url.Values{}
		for k, v := range answer {
			query[k] = append([]string(nil), v...)
		}
		change(query)
		refused(name, d, query)
	}
	refused("another browser", people.Departure{}, answer)
	refused("a departure of another kind", people.Departure{Ticket: func() string {
		c, err := w.BeginLogin(appOrigin)
		w.must(err)
		return c.Ticket
	}()}, answer)
	if _, _, _, err := w.FinishSSO(w.ctx, "https://auth.acme.test", d.Ticket, answer, home); err == nil {
		t.Error("an answer to another host was taken")
	}
	if p.redeemed == 0 {
		t.Fatal("no code was redeemed: the lies were never looked at")
	}
	if _, _, _, err := w.arrive(d, answer); err != nil {
		t.Errorf("the honest answer: %v", err)
	}
	refused("the answer again", d, answer)
	late := w.depart()
	query := p.authorize(late.URL)
	w.advance(15 * time.Minute)
	refused("a late answer", late, query)
}

// Guarantee: a session does not claim a fresher proof than the provider has, and a person
// who is asked again is asked there too.
func TestProofIsAsOldAsTheProviderSays(t *testing.T) {
	w := sqlite(t)
	p := w.company()
	for name, c := range map[string]struct {
		said any
		want time.Time
	}{
		"an hour ago": {start.Add(-time.Hour).Unix(), start.Add(-time.Hour).Truncate(time.Second)},
		"not said":    {nil, start},
		"tomorrow":    {start.Add(24 * time.Hour).Unix(), start},
		"in words":    {"yesterday", start},
	} {
		p.lie(map[string]any{"auth_time": c.said})
		d := w.depart()
		if _, s, _, err := w.arrive(d, p.authorize(d.URL)); err != nil || !s.AuthTime.Equal(c.want) {
			t.Errorf("%s: %v, %v, want %v", name, s.AuthTime, err, c.want)
		}
	}
	d, err := w.StartSSO(w.ctx, "org_one", appOrigin, "", true, home)
	if err != nil || !strings.Contains(d.URL, "prompt=login") {
		t.Errorf("%s, %v", d.URL, err)
	}
}

// Guarantee: an answer is good only for the connection it was asked over.
func TestConnectionChangedMeanwhileIsRefused(t *testing.T) {
	w := sqlite(t)
	p := w.company()
	d := w.depart()
	answer := p.authorize(d.URL)
	other := newProvider(t, w.clock)
	other.codes = p.codes // it would redeem it
	w.connect(store.Connection{Organization: "org_one", Issuer: other.URL, Insecure: true})
	_, _, _, err := w.arrive(d, answer)
	wantKind(t, err, cardea.KindUnauthorized)
}

// Guarantee: a departure ends in one session, even when the provider would redeem its
// code again and again.
func TestDepartureIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.company()
		p.again = true
		d := w.depart()
		answer := p.authorize(d.URL)
		_, _, _, err := w.arrive(d, answer)
		w.must(err)
		_, _, _, err = w.arrive(d, answer)
		wantKind(t, err, cardea.KindUnauthorized)
		if p.redeemed != 2 {
			t.Errorf("the code was redeemed %d times: this test proves nothing", p.redeemed)
		}
	})
}

// Guarantee: no connection is opened to this machine or a private network for a
// connection that is not marked insecure.
func TestPrivateAddressesAreNotConnectedTo(t *testing.T) {
	w := sqlite(t)
	w.ada()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	var accepted atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			_ = c.Close()
		}
	}()
	for _, insecure := range []bool{false, true} {
		w.connect(store.Connection{Organization: "org_one", Issuer: "https://" + listener.Addr().String(), Insecure: insecure})
		_, err = w.StartSSO(w.ctx, "org_one", appOrigin, "", false, home)
		wantKind(t, err, cardea.KindUnauthorized)
		if (accepted.Load() > 0) != insecure {
			t.Errorf("insecure %v: %d connections", insecure, accepted.Load())
		}
	}
	_ = listener.Close()
}

// Guarantee: a provider that says it sends its name is held to it (RFC 9207 §2.4).
func TestProviderThatSendsItsNameIsHeldToIt(t *testing.T) {
	w := sqlite(t)
	w.ada()
	p := newProvider(t, w.clock)
	p.sends = true
	w.connect(store.Connection{Organization: "org_one", Issuer: p.URL, Insecure: true})
	d := w.depart()
	answer := p.authorize(d.URL)
	bare := url.Values{"code": answer["code"], "state": answer["state"]}
	_, _, _, err := w.arrive(d, bare)
	wantKind(t, err, cardea.KindUnauthorized)
	if _, _, _, err := w.arrive(d, answer); err != nil {
		t.Error(err)
	}
}

// Guarantee: whether an organization exists, has no provider, or one that cannot be used,
// is the same answer; and addresses of this network are not asked for anybody.
func TestUnusableProvidersAreAllAlike(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.organization("org_none", "None Corp")
	p := newProvider(t, w.clock)
	liar := newProvider(t, w.clock)
	liar.issuer = "https://accounts.google.com"
	for id, c := range map[string]store.Connection{
		"org_private": {Issuer: p.URL},
		"org_liar":    {Issuer: liar.URL, Insecure: true},
		"org_slash":   {Issuer: p.URL + "/", Insecure: true},
		"org_down":    {Issuer: "http://127.0.0.1:1", Insecure: true},
		"org_file":    {Issuer: "file:///etc/passwd", Insecure: true},
	} {
		w.organization(id, id)
		c.Organization = id
		w.connect(c)
	}
	var first error
	for _, name := range []string{"org_none", "Nowhere", "", "org_private", "org_liar", "org_slash", "org_down", "org_file", "\x00"} {
		_, err := w.StartSSO(w.ctx, name, appOrigin, "", false, home)
		wantKind(t, err, cardea.KindUnauthorized)
		if first == nil {
			first = err
		}
		if err.Error() != first.Error() {
			t.Errorf("%s: %q, others %q", name, err, first)
		}
	}
	if p.fetched != 1 { // by org_slash, whose issuer differs by a byte
		t.Errorf("the provider in this network was asked %d times", p.fetched)
	}
}

// Guarantee: who is vouched for joins when the connection says so, with an address of one
// of its domains, and never as an owner.
func TestJoiningIsForTheConnectionToAllow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		p := newProvider(t, w.clock)
		p.lie(map[string]any{"email": "Grace@One.test", "name": "Grace Hopper"})
		try := func(c store.Connection) (people.Session, error) {
			c.Organization, c.Issuer, c.Insecure = "org_one", p.URL, true
			w.connect(c)
			d := w.depart()
			_, s, _, err := w.arrive(d, p.authorize(d.URL))
			return s, err
		}
		for name, c := range map[string]store.Connection{
			"not allowed":  {Domains: []string{"one.test"}},
			"no domains":   {AutoJoin: true, Role: cardea.RoleDeveloper},
			"other domain": {AutoJoin: true, Role: cardea.RoleDeveloper, Domains: []string{"two.test", "xone.test"}},
		} {
			if _, err := try(c); cardea.KindOf(err) != cardea.KindUnauthorized {
				t.Errorf("%s: %v", name, err)
			}
		}
		s, err := try(store.Connection{AutoJoin: true, Role: cardea.RoleOwner, Domains: []string{"one.test"}})
		if err != nil || s.Member.Role != cardea.RoleViewer || s.Member.Name != "Grace Hopper" || s.Member.Organization != "org_one" {
			t.Fatalf("joined as %+v, %v", s.Member, err)
		}
		again, err := try(store.Connection{AutoJoin: true, Role: cardea.RoleOwner, Domains: []string{"one.test"}})
		if err != nil || again.Member.ID != s.Member.ID {
			t.Errorf("the second time: %+v, %v", again.Member, err)
		}
	})
}

func TestProvidersAreNotAskedWhereTheContractOffersNone(t *testing.T) {
	w := sqlite(t)
	p := w.company()
	d := w.depart()
	answer := p.authorize(d.URL)
	w.with("methods: [password, passkey, sso]", "methods: [password]")
	_, _, _, err := w.arrive(d, answer)
	wantKind(t, err, cardea.KindUnauthorized)
	_, err = w.StartSSO(w.ctx, "org_one", appOrigin, "", false, home)
	wantKind(t, err, cardea.KindUnauthorized)
}

// Guarantee: nothing a browser carries is taken for a ticket unless it was sealed here for
// that purpose, and none panics.
func FuzzTicketsOfStrangersAreNone(f *testing.F) {
	w := sqlite(f)
	c, err := w.BeginLogin(appOrigin)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Ticket)
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		if text == c.Ticket {
			return
		}
		if people.Opens(w.People, text) {
			t.Fatal("opened")
		}
	})
}

// Guarantee: a code typed in any way is the code, and no text panics.
func FuzzUserCodesFold(f *testing.F) {
	f.Add("wdjb-mjht")
	f.Add(" WDJB MJHT\x00é")
	f.Fuzz(func(t *testing.T, typed string) {
		once := people.FoldUserCode(typed)
		if again := people.FoldUserCode(once); again != once {
			t.Fatalf("%q folds to %q and then to %q", typed, once, again)
		}
	})
}
