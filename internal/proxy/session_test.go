package proxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/secret"
)

// TestNoSessionReachesTheUpstream: where API and pages share a host, browsers send the
// session with every request to the API. Whoever has it is the person, so the API behind
// does not get it; its own cookies it does, whatever they are called.
func TestNoSessionReachesTheUpstream(t *testing.T) {
	session := secret.New(secret.ShapePrefix, "cst_").Reveal()
	for name, standard := range map[string]bool{"fast": false, "standard": true} {
		t.Run(name, func(t *testing.T) {
			var got []string
			upstream, _ := rawUpstream(t, func(_, _ int, r *http.Request) string {
				got = r.Header["Cookie"]
				return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
			})
			fr := newFront(t, upstream, standard, nil)
			for sent, want := range map[string][]string{
				"__Host-session=" + session:                                nil,
				"session=" + session:                                       nil,
				"theme=dark; __Host-session=" + session + "; lang=en":      {"theme=dark; lang=en"},
				"__Host-session=\"" + session + "\";theme=dark":            {"theme=dark"},
				"copy=" + strings.ToLower("X") + session + "; session=abc": {"session=abc"},
				"session=theirs; theme=dark":                               {"session=theirs; theme=dark"},
			} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fr.URL+"/v1/things", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header["Cookie"] = []string{sent}
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", strings.ReplaceAll(sent, session, "…"), strings.ReplaceAll(diff, session, "…"))
				}
			}
		})
	}
}
