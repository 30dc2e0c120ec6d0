package oauth

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// parseObject parses a JSON object.
func parseObject(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// goodPush are the parameters of a request that may be pushed.
var goodPush = []string{
	"redirect_uri", callback, "response_type", "code", "scope", "read", "state", "pushed", "code_challenge", challenge,
	"code_challenge_method", "S256",
}

// push pushes a request as a client: pairs follow the good ones and override them.
func (w *world) pushAs(c registered, pairs ...string) answered {
	w.t.Helper()
	values := map[string]string{"client_id": c.id()}
	if !c.Public {
		values["client_secret"] = c.secret.Reveal()
	}
	for _, list := range [][]string{goodPush, pairs} {
		for i := 0; i+1 < len(list); i += 2 {
			values[list[i]] = list[i+1]
		}
	}
	var all []string
	for name, value := range values {
		all = append(all, name, value)
	}
	return w.post("/oauth/par", all...)
}

// pushedURL returns the address that a browser brings a pushed request with.
func pushedURL(c registered, uri string) string {
	return "/oauth/authorize?client_id=" + c.id() + "&request_uri=" + uri
}

// TestPushedRequests walks RFC 9126: pushed, brought by a browser, used once. What the
// browser adds counts for nothing.
func TestPushedRequests(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), cfg)
		c := w.register()
		b := w.signedIn(w.member())
		got := w.pushAs(c).want(http.StatusCreated, "")
		uri := got.text("request_uri")
		if !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || len(uri) < 60 || got.json["expires_in"] != 90.0 {
			t.Fatalf("answered %s", got.body)
		}
		p := b.get(pushedURL(c, uri) + "&scope=delete&state=other&redirect_uri=https://evil.example/&prompt=none&nonce=x").asks()
		q := b.allow(p).goesTo(callback)
		if q.Get("state") != "pushed" || q.Get("code") == "" {
			t.Errorf("the client is told %v", q)
		}
		answer := w.as(c, "grant_type", "authorization_code", "code", q.Get("code"), "redirect_uri", callback, "code_verifier", verifier)
		if answer.want(200, "").text("scope") != "read" {
			t.Errorf("granted %s", answer.body)
		}
		b.get(pushedURL(c, uri)).refuses(http.StatusBadRequest) // once
	})
}

// TestPushedRequestsAreCheckedAtOnce holds RFC 9126 §2.1: what a browser could not bring
// cannot be pushed, and only by who the client is.
func TestPushedRequestsAreCheckedAtOnce(t *testing.T) {
	w := full(t)
	c, other := w.register(), w.register()
	machine := w.register(func(c *store.Client) { c.Grants = []string{"client_credentials"} })
	w.pushAs(c, "client_secret", "wrong").want(401, "invalid_client")
	w.pushAs(c, "client_id", other.id()).want(401, "invalid_client")
	w.pushAs(c, "client_id", "").want(401, "invalid_client")
	w.pushAs(machine).want(400, "unauthorized_client")
	for name, one := range map[string]struct {
		pairs []string
		code  string
	}{
		"request_uri":    {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"},
		"request":        {[]string{"request", "e30.e30."}, "request_not_supported"},
		"redirect_uri":   {[]string{"redirect_uri", "https://evil.example/"}, "invalid_request"},
		"scope":          {[]string{"scope", "everything"}, "invalid_scope"},
		"response_type":  {[]string{"response_type", "token"}, "unsupported_response_type"},
		"challenge":      {[]string{"code_challenge", "short"}, "invalid_request"},
		"plain":          {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"resource":       {[]string{"resource", "https://evil.example"}, "invalid_target"},
		"nothing at all": {[]string{"response_type", ""}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) { w.pushAs(c, one.pairs...).want(400, one.code) })
	}
	if p := w.stranger().get("/oauth/par?client_id=" + c.id()); p.status != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d", p.status)
	}
	if n := w.events("request.push"); n != 0 {
		t.Errorf("%d were stored", n)
	}
	w.pushAs(w.register(public)).want(http.StatusCreated, "") // a public client names itself
}

// TestPushedRequestsAreOfOneClientAndShort holds that a request_uri is bound to who
// pushed it, lives 90 seconds until a browser comes with it, and waits for somebody who
// came in time and has to sign in.
func TestPushedRequestsAreOfOneClientAndShort(t *testing.T) {
	w := full(t)
	c, other, m := w.register(), w.register(), w.member()
	b := w.signedIn(m)
	uri := w.pushAs(c).text("request_uri")
	b.get(pushedURL(other, uri)).refuses(http.StatusBadRequest)
	b.get("/oauth/authorize?request_uri=" + uri).refuses(http.StatusBadRequest)
	b.get(pushedURL(c, uri+"x")).refuses(http.StatusBadRequest)
	b.get(pushedURL(c, uri) + "&request_uri=" + uri).refuses(http.StatusBadRequest)
	w.advance(89 * time.Second)
	b.get(pushedURL(c, uri)).asks()
	w.advance(time.Second)
	b.get(pushedURL(c, uri)).refuses(http.StatusBadRequest)

	uri = w.pushAs(c).text("request_uri")
	slow := w.stranger()
	back := slow.get(pushedURL(c, uri)).back()
	w.advance(5 * time.Minute)
	slow.signIn(m)
	q := slow.allow(slow.get(back)).goesTo(callback)
	if q.Get("state") != "pushed" {
		t.Errorf("the client is told %v", q)
	}
	slow.get(back).refuses(http.StatusBadRequest)

	// The mark of one request does not keep another one alive.
	uri = w.pushAs(c).text("request_uri")
	w.advance(2 * time.Minute)
	late := w.sealAgain(c.id(), w.now())
	b.get(pushedURL(c, uri) + "&" + againParameter + "=" + late).refuses(http.StatusBadRequest)
}

// TestClientsThatMustPush holds RFC 9126 §6: what such a client did not push does not
// count, whoever brings it.
func TestClientsThatMustPush(t *testing.T) {
	w := full(t)
	c := w.register(func(c *store.Client) { c.RequirePushed = true })
	b := w.signedIn(w.member())
	b.get(authorizeURL(c)).errs("invalid_request")
	b.get(authorizeURL(c, "request_uri", "https://evil.example/")).errs("request_uri_not_supported")
	b.allow(b.get(pushedURL(c, w.pushAs(c).text("request_uri")))).goesTo(callback)
}

// TestOnePushedRequestOneCode holds single use under a slow store: sixteen browsers at
// once bring one code.
func TestOnePushedRequestOneCode(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), storetest.Slow(cfg))
		c := w.register(func(c *store.Client) { c.FirstParty = true })
		b := w.signedIn(w.member())
		uri := w.pushAs(c).text("request_uri")
		var group sync.WaitGroup
		answers := make([]page, 16)
		for i := range answers {
			group.Go(func() { answers[i] = b.get(pushedURL(c, uri)) })
		}
		group.Wait()
		codes := 0
		for _, p := range answers {
			if p.at != nil && p.at.Query().Get("code") != "" {
				codes++
			}
		}
		if codes != 1 || w.events("code.issue") != 1 {
			t.Errorf("%d codes, %d in the audit log", codes, w.events("code.issue"))
		}
	})
}

// TestStrangersCannotPushWithoutEnd: whoever knows the id of a public client can push in
// its name, and every push is a row and an audit event; an address is held to so many a
// minute. Clients that authenticate are not.
func TestStrangersCannotPushWithoutEnd(t *testing.T) {
	w := full(t)
	c := w.register(public)
	for range pushesPerAddr {
		w.pushAs(c).want(201, "")
	}
	w.pushAs(c).want(429, "temporarily_unavailable")
	if n := w.events("request.push"); n != pushesPerAddr {
		t.Errorf("%d events, want %d", n, pushesPerAddr)
	}
	w.pushAs(w.register()).want(201, "")
	w.advance(time.Minute)
	w.pushAs(c).want(201, "")
}
