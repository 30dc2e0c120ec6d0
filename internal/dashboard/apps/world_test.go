package apps_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
)

// examples are the contracts of the five pages, and the one that a new product begins
// with.
var examples = []string{"cohera-api", "cohera-sdk", "coherence", "codehooks", "coactive", "cohera"}

func example(t testing.TB, name string) *dashtest.World {
	t.Helper()
	return dashtest.New(t, "../../../examples/"+name+"/cardea.yaml", apps.Area())
}

// text returns what people read of a page: without markup, with single spaces.
func text(a dashtest.Answer) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(a.Body, " "))), " ")
}

var tags = regexp.MustCompile(`(?s)<script.*?</script>|<[^>]*>`)

// want holds that an answer has a status and says all of these.
func want(t testing.TB, a dashtest.Answer, status int, says ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, text(a))
	}
	read := text(a)
	for _, s := range says {
		if !strings.Contains(read, s) && !strings.Contains(a.Body, s) {
			t.Errorf("the page does not say %q:\n%s", s, read)
		}
	}
}

// not holds that an answer says none of these.
func not(t testing.TB, a dashtest.Answer, says ...string) {
	t.Helper()
	read := text(a)
	for _, s := range says {
		if strings.Contains(read, s) || strings.Contains(a.Body, s) {
			t.Errorf("the page says %q:\n%s", s, read)
		}
	}
}

// form returns the members of a form: name, value, name, value.
func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

// value returns the text of the element with an id.
func value(t testing.TB, a dashtest.Answer, id string) string {
	t.Helper()
	m := regexp.MustCompile(`id="` + id + `"[^>]*>([^<]*)<`).FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("there is no element %q:\n%s", id, text(a))
	}
	return html.UnescapeString(m[1])
}

// with sends a GET with cookies of its own beside the browser's session.
func with(b *dashtest.Browser, path string, cookies ...*http.Cookie) dashtest.Answer {
	r := httptest.NewRequest(http.MethodGet, "https://app.example.com"+path, nil)
	b.Sign(r)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return b.Do(r)
}
