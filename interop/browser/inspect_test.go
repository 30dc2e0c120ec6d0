package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// axe is the source of axe-core, as npm installed it.
var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("../js/node_modules/axe-core/axe.min.js")
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("axe-core is not installed: run scripts/interop, or npm ci in interop/js")
	}
	return string(text), err
})

// standards are the tags of axe-core's rules that pages are held to: WCAG 2.2 A and AA,
// and its good practices.
var standards = []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"}

// A finding is one rule that axe-core sees broken.
type finding struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

// findings runs axe-core on the page as it is now. rules names single rules to run; none:
// every rule of the standards.
func (b *tab) findings(rules ...string) []finding {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	only := map[string]any{"type": "tag", "values": standards}
	if len(rules) > 0 {
		only = map[string]any{"type": "rule", "values": rules}
	}
	options, err := json.Marshal(map[string]any{"runOnly": only, "resultTypes": []string{"violations"}, "rules": map[string]any{"target-size": map[string]bool{"enabled": true}}})
	if err != nil {
		b.t.Fatal(err)
	}
	if !eval[bool](b, `typeof axe == "object"`) {
		eval[any](b, source+"\n;0")
	}
	return eval[[]finding](b, fmt.Sprintf(`axe.run(document, %s).then(r => r.violations.map(v => (
		{id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + " " + (n.any[0] ?? n.all[0] ?? n.none[0])?.message)})))`, options))
}

// accessible fails for what axe-core finds: everything in the light scheme, and in the dark
// one what depends on colours.
func (b *tab) accessible() {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		var rules []string
		if scheme == "dark" {
			rules = []string{"color-contrast", "link-in-text-block"}
		}
		for _, f := range b.findings(rules...) {
			b.t.Errorf("%s %s in %s: axe %s (%s):\n  %s", b.world.name, b.path(), scheme, f.ID, f.Help, strings.Join(f.Nodes, "\n  "))
		}
	}
	b.scheme("light")
}

// overflow tells what stands out of the page to the side. A part that scrolls by itself
// may hold more than is seen of it.
const overflow = `(() => {
	const width = document.documentElement.clientWidth
	if (document.documentElement.scrollWidth <= width) return []
	const scrolls = e => { for (e = e.parentElement; e; e = e.parentElement)
		if (e !== document.body && e !== document.documentElement && getComputedStyle(e).overflowX != "visible") return true }
	const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e))
	return ["the page is " + document.documentElement.scrollWidth + " wide"].concat(out.slice(0, 5).map(e => e.outerHTML.slice(0, 120)))
})()`

// fits fails when the page has to be scrolled sideways on a small phone.
func (b *tab) fits() {
	b.t.Helper()
	b.size(360, 740)
	out := eval[[]string](b, overflow)
	for range 40 { // a chart is drawn again a moment after its page has changed
		if len(out) == 0 {
			break
		}
		time.Sleep(25 * time.Millisecond)
		out = eval[[]string](b, overflow)
	}
	if len(out) > 0 {
		b.t.Errorf("%s %s does not fit into 360 px: %s", b.world.name, b.path(), strings.Join(out, "\n  "))
	}
	b.size(1280, 900)
}

// inspect holds a page to everything that every page is held to. Without JavaScript
// axe-core does not run either.
func (b *tab) inspect() {
	b.t.Helper()
	if b.scripted {
		b.accessible()
	}
	b.fits()
	b.verdict()
}
