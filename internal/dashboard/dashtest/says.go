package dashtest

import (
	"html"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
)

// Example returns the file of an example contract, from the directory of an area.
func Example(name string) string { return "../../../examples/" + name + "/cardea.yaml" }

// Says fails the test unless a page is answered with a status and says some texts, in
// this order, markup and the frame included.
func Says(t testing.TB, a Answer, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Words())
	}
	rest := html.UnescapeString(a.Body)
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("the page does not say %q (or not in this place):\n%s", text, a.Words())
			return
		}
		rest = after
	}
}

// SaysNot fails the test when a page says one of some texts anywhere but in its frame.
func SaysNot(t testing.TB, a Answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(a.Main()), text) {
			t.Errorf("the page says %q", text)
		}
	}
}

// Main returns a page without its frame; a part of a page is all of it.
func (a Answer) Main() string {
	if _, inner, ok := strings.Cut(a.Body, "<main"); ok {
		inner, _, _ = strings.Cut(inner, "</main>")
		return inner
	}
	return a.Body
}

// Words returns what a page says without its markup, for people who read failures.
func (a Answer) Words() string {
	var out strings.Builder
	for _, element := range strings.Split(a.Main(), "<") {
		_, text, _ := strings.Cut(element, ">")
		if text = strings.TrimSpace(text); text != "" {
			out.WriteString(html.UnescapeString(text) + " | ")
		}
	}
	return out.String()
}

// Events returns the number of the latest audit event: nothing changes without one.
func (w *World) Events() int64 {
	w.t.Helper()
	list, _, err := w.Store.AuditEvents(w.t.Context(), store.AuditFilter{}, store.Page{Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(list) == 0 {
		return 0
	}
	return list[0].Seq
}
