package browser

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The tests of the tests: what a tab watches for, it sees.

// badPage breaks what every page is held to, once each.
const badPage = `<!doctype html><html><head><title>Bad</title><meta name="viewport" content="width=device-width"></head>
<body style="color: red"><img src="/x.png"><p class="wide">wide</p><button></button>
<script src="/bad.js"></script><script>alert("inline")</script></body></html>`

const badScript = `try { document.body.innerHTML = "<p>replaced</p>" } catch {}
console.error("oh"); alert("hello"); throw new Error("thrown")`

// strangePages serves the bad page under a strict policy.
func strangePages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'")
		_, _ = w.Write([]byte(badPage))
	})
	mux.HandleFunc("GET /bad.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(badScript))
	})
	return mux
}

// Whatever a page does wrong is a fault of its tab, and axe-core works under the policy of
// the pages and finds what is wrong.
func TestATabSeesWhatGoesWrong(t *testing.T) {
	w := open(t, "cohera-api")
	w.proxy.mu.Lock()
	w.proxy.strange = strangePages()
	w.proxy.mu.Unlock()
	b := newTab(t, w)
	b.visit("http://" + strange + "/")
	faults := b.unexpected()
	for _, part := range []string{
		"ContentSecurityPolicyIssue", "policy violated: style-src", "policy violated: script-src", "policy violated: img-src",
		"require-trusted-types-for", "exception: Uncaught Error: thrown", "console.error", `says "hello"`,
	} {
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, part) }) {
			t.Errorf("nobody saw %q", part)
		}
	}
	if t.Failed() {
		t.Logf("%s", strings.Join(faults, "\n"))
	}
	var rules []string
	for _, f := range b.findings() {
		rules = append(rules, f.ID)
	}
	for _, rule := range []string{"image-alt", "button-name", "html-has-lang"} {
		if !slices.Contains(rules, rule) {
			t.Errorf("axe-core found %v and not %s", rules, rule)
		}
	}
	eval[any](b, `document.querySelector(".wide").style.width = "2000px"`)
	if out := eval[[]string](b, overflow); len(out) == 0 {
		t.Error("nobody saw that the page is too wide")
	}
	b.unexpected()
}
