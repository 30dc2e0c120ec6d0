package oauth

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/target"
)

// FuzzAuthorizeQuery holds that whatever a browser brings, it is sent to the sign-in page
// of this host or to the registered address, or nowhere; and that a query survives the
// way through the sign-in page.
func FuzzAuthorizeQuery(f *testing.F) {
	w := full(f)
	c := w.register(func(c *store.Client) { c.RedirectURIs = []string{callback, "http://127.0.0.1/cb"} })
	id := c.id()
	_, good, _ := strings.Cut(authorizeURL(c), "?")
	good = strings.Replace(good, id, "CLIENT", 1)
	for _, seed := range []string{
		good, good + "&redirect_uri=https://evil.example", good + "&prompt=none", good + "&max_age=1&prompt=login", "client_id=CLIENT",
		"client_id=CLIENT&redirect_uri=http://127.0.0.1:1@evil.example/cb", "client_id=CLIENT&request_uri=urn:ietf:params:oauth:request_uri:x",
		"client_id=https://evil.example/x&prompt=none", "client_id=CLIENT&redirect_uri=" + callback + "&state=%0d%0aX:y", "&&=&%", good + "&resource=x&resource=y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/oauth/authorize", http.NoBody)
		r.URL.RawQuery = strings.ReplaceAll(raw, "CLIENT", id)
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, r)
		location := answer.Header().Get("Location")
		switch answer.Code {
		case http.StatusSeeOther:
			registered := strings.HasPrefix(location, callback+"?")
			if uri, _, found := strings.Cut(location, "?"); found {
				registered = registered || target.MatchRedirectURI("http://127.0.0.1/cb", uri)
			}
			if !registered && !strings.HasPrefix(location, "/signin?continue=%2Foauth%2Fauthorize") || strings.ContainsAny(location, "\r\n\x00 ") {
				t.Fatalf("%q goes to %q", raw, location)
			}
			if registered && strings.Contains(location, "code=") && !strings.Contains(location, "error=") {
				t.Fatalf("%q brings a code to nobody", raw)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if location != "" {
				t.Fatalf("%q: an error page leads to %q", raw, location)
			}
		default:
			t.Fatalf("%q is answered %d", raw, answer.Code)
		}
		q, err := parseQuery(raw)
		if err != nil || len(q.repeated) > 0 {
			return
		}
		again, err := parseQuery(q.encode())
		if err != nil || !slices.Equal(slices.DeleteFunc(q.list, func(p param) bool { return p.name == againParameter }), again.list) {
			t.Fatalf("%q comes back as %q, %v", raw, q.encode(), err)
		}
	})
}

// FuzzUserCode holds that a code has one form, however it is typed.
func FuzzUserCode(f *testing.F) {
	f.Add("BCDF-GHJK")
	f.Add("bcdf ghjſ")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := readUserCode(typed)
		if !ok {
			return
		}
		if again, ok := readUserCode(showUserCode(code)); !ok || again != code || strings.Trim(code, userCodeAlphabet) != "" {
			t.Fatalf("%q is read as %q", typed, code)
		}
	})
}
