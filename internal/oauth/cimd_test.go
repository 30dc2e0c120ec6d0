package oauth

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/clientdoc"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/store"
)

// A site is somebody's web site with a metadata document.
type site struct {
	*httptest.Server
	fetched atomic.Int32
	serve   atomic.Pointer[http.HandlerFunc]
}

// newSite opens a site on this machine, and lets the world reach it.
func newSite(t *testing.T, w *world) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(hw http.ResponseWriter, r *http.Request) {
		s.fetched.Add(1)
		(*s.serve.Load())(hw, r)
	}))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	w.documentsFrom(fetch.New(fetch.Config{AllowPrivate: true, Roots: roots}))
	return s
}

// documentsFrom lets the world fetch documents.
func (w *world) documentsFrom(f *fetch.Client) {
	w.Server.documents = clientdoc.New(clientdoc.Config{Fetch: f, Now: w.now, Algorithms: assertionAlgorithms})
}

// id is the client id of the site's document.
func (s *site) id() string { return s.URL + "/client.json" }

// answers makes the site answer with a text.
func (s *site) answers(text string, header ...string) {
	f := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write([]byte(text))
	})
	s.serve.Store(&f)
}

// good is a document of an agent on the person's device.
func (s *site) good(more ...string) string {
	return fmt.Sprintf(`{"client_id":%q,"client_name":"Example Agent","redirect_uris":["http://127.0.0.1/cb",%q]%s}`,
		s.id(), callback, strings.Join(more, ""))
}

// asked returns the address of an authorization request of the site's client.
func (s *site) asked(pairs ...string) string {
	return authorizeURL(registered{Client: store.Client{Credential: store.Credential{ID: s.id()}}}, pairs...)
}

// TestAnAgentNobodyRegistered walks what the MCP authorization specification (2026-07-28)
// expects: a client whose id is the address of its document gets a code, tokens and a
// refresh token, after the person was told which host vouches for it.
func TestAnAgentNobodyRegistered(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	m := w.member()
	b := w.signedIn(m)
	p := b.get(s.asked("redirect_uri", "http://127.0.0.1:50123/cb", "resource", "https://api.example.test/")).asks()
	host := strings.TrimPrefix(s.URL, "https://")
	for _, want := range []string{"Example Agent", host, "has not checked", "127.0.0.1:50123"} {
		if !strings.Contains(p.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	q := b.allow(p).goesTo("http://127.0.0.1:50123/cb")
	exchange := func(pairs ...string) answered {
		return w.post("/oauth/token", append([]string{"client_id", s.id()}, pairs...)...)
	}
	got := exchange("grant_type", "authorization_code", "code", q.Get("code"), "redirect_uri", "http://127.0.0.1:50123/cb", "code_verifier", verifier).want(200, "")
	row, err := w.db.ClientByMetadata(t.Context(), s.id(), m.Organization, "live")
	if err != nil || row.Credential.Name != "Example Agent" || row.Credential.Organization != m.Organization {
		t.Fatalf("the organization has %v, %v", row, err)
	}
	if claims := parseObject(t, part(t, got.text("access_token"), 1)); claims["client_id"] != row.Credential.ID || claims["sub"] != m.ID {
		t.Errorf("the token says %v", claims)
	}
	exchange("grant_type", "refresh_token", "refresh_token", got.text("refresh_token")).want(200, "")
	if w.events("client.discover") != 1 {
		t.Error("the audit log does not tell of the new client")
	}
	// A second member of the organization makes no second row.
	b2 := w.signedIn(w.member())
	b2.allow(b2.get(s.asked())).goesTo(callback)
	if w.events("client.discover") != 1 {
		t.Error("a second row")
	}
	// The row's id is no client id on the wire.
	b.get(authorizeURL(registered{Client: row})).refuses(400)
	w.post("/oauth/token", "client_id", row.Credential.ID, "grant_type", "refresh_token", "refresh_token", got.text("refresh_token")).want(401, "invalid_client")
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("the document was fetched %d times", n)
	}
}

// TestAnAdministratorTurnsAnAgentOff holds that the organization has the last word.
func TestAnAdministratorTurnsAnAgentOff(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	m := w.member()
	b := w.signedIn(m)
	code := b.allow(b.get(s.asked())).goesTo(callback).Get("code")
	exchange := func(pairs ...string) answered {
		return w.post("/oauth/token", append([]string{"client_id", s.id()}, pairs...)...)
	}
	got := exchange("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	pending := b.get(s.asked("prompt", "consent")).asks()
	row, err := w.db.ClientByMetadata(t.Context(), s.id(), m.Organization, "live")
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(tx *store.Tx) error {
		row.Credential.DisabledAt = w.now()
		return tx.UpdateClient(t.Context(), row)
	})
	b.get(s.asked()).errs("access_denied")
	b.allow(pending).refuses(400)
	exchange("grant_type", "refresh_token", "refresh_token", got.text("refresh_token")).want(400, "invalid_grant")
}

// TestOnlyPeopleMakeUsFetch holds that a stranger cannot make Cardea reach out: the
// document is fetched for somebody who is signed in.
func TestOnlyPeopleMakeUsFetch(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	b := w.stranger()
	back := b.get(s.asked()).back()
	b.get(s.asked("prompt", "none")).refuses(400)
	b.get(s.asked() + "&redirect_uri=https://evil.example/").refuses(400)
	if n := s.fetched.Load(); n != 0 {
		t.Errorf("fetched %d times for a stranger", n)
	}
	b.signIn(w.member())
	b.get(back).asks()
	off := full(t, "client_id_metadata: true", "client_id_metadata: false")
	newSite(t, off)
	off.signedIn(off.member()).get(s.asked()).refuses(400)
	off.stranger().get(s.asked()).refuses(400)
}

// TestWhatASiteAnswers holds how a document is fetched: only a JSON answer of its own
// counts, redirects are not followed, private addresses are not reached, and nothing that
// went wrong is remembered.
func TestWhatASiteAnswers(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	b := w.signedIn(w.member())
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(hw http.ResponseWriter, _ *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer elsewhere.Close()
	answer := func(f http.HandlerFunc) { s.serve.Store(&f) }
	for name, f := range map[string]http.HandlerFunc{
		"404": func(hw http.ResponseWriter, _ *http.Request) { http.NotFound(hw, nil) },
		"500": func(hw http.ResponseWriter, _ *http.Request) { hw.WriteHeader(500) },
		"201": func(hw http.ResponseWriter, _ *http.Request) {
			hw.Header().Set("Content-Type", "application/json")
			hw.WriteHeader(201)
			_, _ = hw.Write([]byte(s.good()))
		},
		"HTML": func(hw http.ResponseWriter, _ *http.Request) {
			hw.Header().Set("Content-Type", "text/html")
			_, _ = hw.Write([]byte(s.good()))
		},
		"redirect": func(hw http.ResponseWriter, r *http.Request) {
			http.Redirect(hw, r, elsewhere.URL, http.StatusFound)
		},
		"endless": func(hw http.ResponseWriter, _ *http.Request) {
			hw.Header().Set("Content-Type", "application/json")
			for range 100 {
				if _, err := hw.Write(bytes.Repeat([]byte(" "), 4096)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer(f)
			before := s.fetched.Load()
			b.get(s.asked()).refuses(400)
			b.get(s.asked()).refuses(400)
			if n := s.fetched.Load() - before; n != 2 {
				t.Errorf("fetched %d times: what went wrong is remembered", n)
			}
		})
	}
	s.answers(s.good(), "Content-Type", "application/vnd.client+json; charset=utf-8")
	b.get(s.asked()).asks()

	// The fetch of a server that is not for development: this machine is out of reach.
	other := full(t)
	site := newSite(t, other)
	site.answers(site.good())
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	other.documentsFrom(fetch.New(fetch.Config{Roots: roots}))
	other.signedIn(other.member()).get(site.asked()).refuses(400)
	if site.fetched.Load() != 0 {
		t.Error("a private address was reached")
	}
}

// TestDocumentsAreKeptForAWhile holds §5.2 of the draft: as long as the document says,
// five minutes at least and a day at most; fetched once for many; and an address whose
// host is down for a while keeps working.
func TestDocumentsAreKeptForAWhile(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good(), "Cache-Control", "max-age=3600")
	m := w.member()
	b := w.signedIn(m)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { b.get(s.asked()).asks() })
	}
	group.Wait()
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("fetched %d times at once", n)
	}
	w.advance(time.Hour)
	s.answers(strings.Replace(s.good(), "Example Agent", "Other Name", 1))
	if p := b.get(s.asked()).asks(); !strings.Contains(p.body, "Other Name") {
		t.Error("the document has changed, the page has not")
	}
	w.advance(time.Hour)
	down := http.HandlerFunc(func(hw http.ResponseWriter, _ *http.Request) { hw.WriteHeader(http.StatusServiceUnavailable) })
	s.serve.Store(&down)
	b.get(s.asked()).asks()
	gone := http.HandlerFunc(http.NotFound)
	s.serve.Store(&gone)
	b.get(s.asked()).refuses(400)
	s.serve.Store(&down)
	b.get(s.asked()).refuses(400) // it was taken down in between
	s.answers(s.good())
	b.get(s.asked()).asks()
	w.advance(25 * time.Hour)
	b.signIn(m)
	s.serve.Store(&down)
	b.get(s.asked()).refuses(400)
}

// TestAnAgentIsHeldToItsDocument holds that the document limits what its client may do,
// and that devices, pushed requests and secrets are for registered clients.
func TestAnAgentIsHeldToItsDocument(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good(`,"scope":"read openid unknown"`))
	b := w.signedIn(w.member())
	b.get(s.asked("scope", "read")).asks()
	b.get(s.asked("scope", "write")).errs("invalid_scope")
	b.get(s.asked("code_challenge", "", "code_challenge_method", "")).errs("invalid_request")
	b.get(s.asked("redirect_uri", "https://evil.example/")).refuses(400)
	w.post("/oauth/device", "client_id", s.id(), "scope", "read").want(400, "unauthorized_client")
	w.post("/oauth/par", append([]string{"client_id", s.id()}, goodPush...)...).want(400, "unauthorized_client")
	w.post("/oauth/token", "client_id", s.id(), "client_secret", "x", "grant_type", "client_credentials").want(401, "invalid_client")
	w.post("/oauth/token", "client_id", s.id(), "grant_type", "client_credentials").want(400, "unauthorized_client")
	w.advance(time.Hour)
	s.answers(s.good(`,"grant_types":["client_credentials"]`))
	b.get(s.asked()).refuses(400)
}

// TestAgentsDoNotMix holds that a code or a refresh token of one document's client is
// nothing to another's, nor to a registered client.
func TestAgentsDoNotMix(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	second := s.URL + "/second.json"
	both := http.HandlerFunc(func(hw http.ResponseWriter, r *http.Request) {
		hw.Header().Set("Content-Type", "application/json")
		text := s.good()
		if r.URL.Path == "/second.json" {
			text = strings.Replace(text, s.id(), second, 1)
		}
		_, _ = hw.Write([]byte(text))
	})
	s.serve.Store(&both)
	b := w.signedIn(w.member())
	if _, err := w.documents.Get(t.Context(), second); err != nil { // somebody was asked for it
		t.Fatal(err)
	}
	code := b.allow(b.get(s.asked())).goesTo(callback).Get("code")
	parts := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}
	w.post("/oauth/token", append(parts, "client_id", second)...).want(400, "invalid_grant")
	w.as(w.register(public), parts...).want(400, "invalid_grant")
	got := w.post("/oauth/token", append(parts, "client_id", s.id())...).want(200, "")
	w.post("/oauth/token", "grant_type", "refresh_token", "refresh_token", got.text("refresh_token"), "client_id", second).want(400, "invalid_grant")
}

// TestAnAgentWithKeys holds §8.2 of the draft: a client whose document has keys proves who
// it is by an assertion about its address, and nobody else passes for it.
func TestAnAgentWithKeys(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	own, stranger := newSigner(t), newSigner(t)
	s.answers(s.good(`,"token_endpoint_auth_method":"private_key_jwt","jwks":` + string(own.jwks)))
	b := w.signedIn(w.member())
	code := b.allow(b.get(s.asked("scope", "openid"))).goesTo(callback).Get("code")
	exchange := func(pairs ...string) answered {
		return w.post("/oauth/token", append([]string{
			"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier,
		}, pairs...)...)
	}
	signed := func(by signer, about string) []string {
		return []string{"client_assertion_type", assertionType, "client_assertion", by.sign(t, "JWT", assertionClaims(w, about)...)}
	}
	exchange("client_id", s.id()).want(401, "invalid_client")
	exchange(signed(stranger, s.id())...).want(401, "invalid_client")
	exchange(signed(own, s.id()+"x")...).want(401, "invalid_client")
	got := exchange(signed(own, s.id())...).want(200, "")
	if claims := parseObject(t, part(t, got.text("id_token"), 1)); claims["aud"] != s.id() {
		t.Errorf("the ID token is for %v", claims["aud"])
	}
	end := append(signed(own, s.id()), "token", got.text("refresh_token"))
	w.post("/oauth/revoke", end...).want(200, "")
	again := append(signed(own, s.id()), "grant_type", "refresh_token", "refresh_token", got.text("refresh_token"))
	w.post("/oauth/token", again...).want(400, "invalid_grant")
}

// TestStrangersDoNotMakeUsFetchElsewhere holds the same at the endpoints that programs
// call: an address that nobody here has ever agreed to is not fetched, whichever way a
// request names it, and one that somebody has agreed to is.
func TestStrangersDoNotMakeUsFetchElsewhere(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	encoded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	assertion := encoded(`{"alg":"ES256","kid":"k"}`) + "." + encoded(fmt.Sprintf(`{"iss":%q,"sub":%q}`, s.id(), s.id())) + ".AAAA"
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par", "/oauth/device"} {
		common := []string{"grant_type", "refresh_token", "refresh_token", "x", "token", "x"}
		w.post(path, append(common, "client_id", s.id())...).want(401, "invalid_client")
		w.post(path, append(common, "client_assertion_type", assertionType, "client_assertion", assertion)...).want(401, "invalid_client")
	}
	if n := s.fetched.Load(); n != 0 {
		t.Errorf("fetched %d times for a stranger", n)
	}
	b := w.signedIn(w.member())
	code := b.allow(b.get(s.asked())).goesTo(callback).Get("code")
	got := w.post("/oauth/token", "client_id", s.id(), "grant_type", "authorization_code", "code", code, "redirect_uri", callback,
		"code_verifier", verifier).want(200, "")
	w.advance(time.Hour) // the document is not kept any more
	w.post("/oauth/token", "client_id", s.id(), "grant_type", "refresh_token", "refresh_token", got.text("refresh_token")).want(200, "")
	if n := s.fetched.Load(); n != 2 {
		t.Errorf("fetched %d times, want twice", n)
	}
}

// TestAnAgentIsNamedLikeEverybody holds that the name in a document keeps to the rules for
// names: one that turns the text around it, or that a terminal obeys, would speak for Cardea
// on the consent page and in administrators' lists.
func TestAnAgentIsNamedLikeEverybody(t *testing.T) {
	for name, insert := range map[string]string{"turned around": "\u202e", "isolated": "\u2066", "for terminals": "\u009b31m", "two lines": "\u2028"} {
		t.Run(name, func(t *testing.T) {
			w := full(t)
			s := newSite(t, w)
			s.answers(strings.Replace(s.good(), "Example Agent", "Example "+insert+"Agent", 1))
			w.signedIn(w.member()).get(s.asked()).refuses(400)
		})
	}
}

// TestAnAgentIsHeldToTheOrganizationsAddresses holds that the list of addresses of the
// organization whose row it is counts for an agent as it does for a registered client.
func TestAnAgentIsHeldToTheOrganizationsAddresses(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	m := w.member()
	b := w.signedIn(m)
	code := b.allow(b.get(s.asked())).goesTo(callback).Get("code")
	exchange := func(pairs ...string) answered {
		return w.post("/oauth/token", append([]string{"client_id", s.id()}, pairs...)...)
	}
	got := exchange("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	w.change(func(tx *store.Tx) error {
		return tx.SetAddressList(t.Context(), store.AddressList{
			Organization: m.Organization, Environment: "live", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		})
	})
	exchange("grant_type", "refresh_token", "refresh_token", got.text("refresh_token")).want(400, "invalid_grant")
}

// TestOnePersonDoesNotMakeUsFetchAllDay holds that few documents are fetched for one person
// in a minute: a handful of slow addresses would otherwise use up the fetches there are, and
// shut out everybody else's agents. Documents that are kept cost nothing.
func TestOnePersonDoesNotMakeUsFetchAllDay(t *testing.T) {
	w := full(t)
	s := newSite(t, w)
	s.answers(s.good())
	b := w.signedIn(w.member())
	known := s.asked()
	b.get(known).asks()
	for i := range fetchesPerPerson + 5 {
		other := authorizeURL(registered{Client: store.Client{Credential: store.Credential{ID: fmt.Sprintf("%s/other/%d.json", s.URL, i)}}})
		want := http.StatusBadRequest
		if i >= fetchesPerPerson-1 {
			want = http.StatusTooManyRequests
		}
		b.get(other).refuses(want)
	}
	if n := s.fetched.Load(); n != fetchesPerPerson {
		t.Errorf("fetched %d times, want %d", n, fetchesPerPerson)
	}
	b.get(known).asks()
	w.signedIn(w.member()).get(s.asked("client_id", s.URL+"/third.json")).refuses(http.StatusBadRequest)
	if n := s.fetched.Load(); n != fetchesPerPerson+1 {
		t.Error("somebody else has to pay for it")
	}
	w.advance(time.Minute)
	b.get(s.asked("client_id", s.URL+"/fourth.json")).refuses(http.StatusBadRequest)
}
