package oauth

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A page is what a browser got.
type page struct {
	answered
	at *url.URL // the target of a redirect, nil for none
}

// A browserOf is somebody's browser: it has a session or none, follows no redirect by
// itself, and runs no script.
type browserOf struct {
	w      *world
	cookie string
	header http.Header // sent with every request
}

// people gives the world sessions.
func (w *world) withPeople() {
	if w.Server.people == nil {
		w.Server.people = people.New(people.Config{Store: w.db, Contract: w.contract.Load, Sealer: w.sealer, Now: w.now, Apply: w.apply})
	}
}

// stranger returns the browser of somebody who is not signed in.
func (w *world) stranger() *browserOf {
	w.withPeople()
	return &browserOf{w: w, header: http.Header{}}
}

// signedIn returns the browser of a member who has just signed in.
func (w *world) signedIn(m store.Member) *browserOf {
	w.t.Helper()
	b := w.stranger()
	b.signIn(m)
	return b
}

// signIn gives the browser a new session.
func (b *browserOf) signIn(m store.Member) {
	b.w.t.Helper()
	text := secret.New(secret.ShapePrefix, "cst_")
	now := b.w.now()
	b.w.change(func(tx *store.Tx) error {
		return tx.InsertSession(b.w.t.Context(), store.Session{
			Hash: text.Hash(), ID: secret.NewID("ses_"), Member: m.ID, Organization: m.Organization, Method: "password",
			AuthTime: now, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(7 * 24 * 60 * 60 * 1e9),
		})
	})
	b.cookie = text.Reveal()
}

// noRedirects is an HTTP client that hands redirects to its caller.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send sends a request with the browser's cookie.
func (b *browserOf) send(r *http.Request) page {
	b.w.t.Helper()
	for name, values := range b.header {
		r.Header[name] = values
	}
	if name := "session"; b.cookie != "" {
		if r.Header.Get("X-Forwarded-Proto") == "https" {
			name = "__Host-session"
		}
		r.AddCookie(&http.Cookie{Name: name, Value: b.cookie})
	}
	response, err := noRedirects.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	p := page{answered: answered{t: b.w.t, status: response.StatusCode, header: response.Header, body: string(body)}}
	_ = json.Unmarshal(body, &p.json) // pages are no JSON
	if location := response.Header.Get("Location"); location != "" {
		if p.at, err = url.Parse(location); err != nil {
			b.w.t.Fatalf("Location %q: %v", location, err)
		}
	}
	return p
}

// get opens an address: a path with or without a query.
func (b *browserOf) get(path string) page {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.http.URL+path, http.NoBody)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.send(r)
}

// submit sends a form as a page of this site would.
func (b *browserOf) submit(path string, pairs ...string) page {
	b.w.t.Helper()
	r := b.w.form(path, pairs...)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", b.w.http.URL)
	return b.send(r)
}

// authorizeURL returns the address of an authorization request: pairs override, and ""
// removes, what a good one of the client has.
func authorizeURL(c registered, pairs ...string) string {
	values := url.Values{
		"client_id": {c.id()}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"},
		"state": {"xyz"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if values.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			values.Del(pairs[i])
		}
	}
	return "/oauth/authorize?" + values.Encode()
}

// hidden finds the hidden member of a form.
var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// field returns the value of a hidden member of the page's form.
func (p page) field(name string) string {
	p.t.Helper()
	for _, m := range hidden.FindAllStringSubmatch(p.body, -1) {
		if m[1] == name {
			return html.UnescapeString(m[2])
		}
	}
	p.t.Fatalf("the page has no hidden %s:\n%s", name, p.body)
	return ""
}

// asks checks that the page asks for consent.
func (p page) asks() page {
	p.t.Helper()
	if p.status != http.StatusOK || !strings.Contains(p.body, `name="decision" value="allow"`) {
		p.t.Fatalf("no consent page: %d to %v\n%s", p.status, p.at, p.body)
	}
	return p
}

// refuses checks that the page is an error page that leads nowhere.
func (p page) refuses(status int) page {
	p.t.Helper()
	if p.status != status || p.at != nil || !strings.Contains(p.body, `role="alert"`) || strings.Contains(p.body, "refresh") {
		p.t.Errorf("answered %d to %v, want an error page with %d\n%s", p.status, p.at, status, p.body)
	}
	return p
}

// goesTo checks that the answer is a redirect to an address, whatever its query.
func (p page) goesTo(address string) url.Values {
	p.t.Helper()
	if p.status != http.StatusSeeOther || p.at == nil {
		p.t.Fatalf("answered %d, want a redirect to %s\n%s", p.status, address, p.body)
	}
	at := *p.at
	at.RawQuery = ""
	if at.String() != address {
		p.t.Fatalf("goes to %s, want %s", at.String(), address)
	}
	return p.at.Query()
}

// errs checks that the answer tells the client of an error.
func (p page) errs(code string) url.Values {
	p.t.Helper()
	q := p.goesTo(callback)
	if q.Get("error") != code || q.Has("code") {
		p.t.Errorf("the client is told %v, want %s", q, code)
	}
	return q
}

// allow answers a consent page.
func (b *browserOf) allow(p page) page {
	b.w.t.Helper()
	return b.submit("/oauth/authorize/decision", "request", p.asks().field("request"), "decision", "allow")
}

// code goes through a whole authorization and returns the code.
func (b *browserOf) code(c registered, pairs ...string) string {
	b.w.t.Helper()
	p := b.get(authorizeURL(c, pairs...))
	if p.status == http.StatusOK {
		p = b.allow(p)
	}
	code := p.goesTo(callback).Get("code")
	if code == "" {
		b.w.t.Fatalf("no code in %s", p.at)
	}
	return code
}

// full is the contract with everything on.
func full(t testing.TB, changes ...string) *world {
	t.Helper()
	return newWorld(t, acme(t, changes...))
}
