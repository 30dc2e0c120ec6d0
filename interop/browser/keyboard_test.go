package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused tells what has the focus, and whether a person can see that.
const focused = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect()
	if (!window.met) window.met = new Set()
	// A date is one element with several stops; after the last element comes the first.
	const last = window.last, again = met.has(e) && e != last && e != document.body
	window.last = e
	met.add(e)
	return {
		what: e.outerHTML.slice(0, 100), again,
		seen: e == document.body || e == last || r.width > 0 && r.height > 0 && (s.outlineStyle != "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow != "none"),
	}
})()`

// reachable counts what can be used on the page, and tells what Tab did not come to. Of
// radio buttons with one name only one is a stop.
const unreached = `(() => {
	const groups = new Set()
	return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter(e => {
		if (!e.checkVisibility({visibilityProperty: true}) || e.disabled || e.tabIndex < 0 || met.has(e)) return false
		return !(e.type == "radio" && [...met].some(m => m.type == "radio" && m.name == e.name && m.form == e.form))
	}).map(e => e.outerHTML.slice(0, 100))
})()`

// tabThrough presses Tab until the focus has been everywhere, and fails for what it does
// not come to and for focus that nobody sees.
func (b *tab) tabThrough() {
	b.t.Helper()
	for range 200 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := eval[struct {
			What        string
			Again, Seen bool
		}](b, focused)
		if at.Again {
			break
		}
		if !at.Seen {
			b.t.Errorf("%s %s: nobody sees the focus on %s", b.world.name, b.path(), at.What)
		}
	}
	for _, e := range eval[[]string](b, unreached) {
		b.t.Errorf("%s %s: Tab does not come to %s", b.world.name, b.path(), e)
	}
}

// Everything on a page is reached with the keyboard, in sight, and the first stop leads
// past the menu.
func TestKeyboardReachesEverything(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-api")
	b := enter(t, w, w.user(t, "owner"))
	for _, path := range []string{"/dashboard/keys", "/dashboard/keys/new", "/dashboard/applications", "/dashboard/applications/new", "/dashboard/errors", "/dashboard/audit", "/dashboard/members", "/account"} {
		if status := b.visit(path); status != 200 {
			t.Errorf("%s: %d", path, status)
			continue
		}
		b.tabThrough()
	}
	b.visit("/dashboard/keys")
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if !eval[bool](b, `document.querySelector("main").contains(document.activeElement)`) {
		t.Errorf("the first stop does not lead to the content: %s", eval[string](b, "document.activeElement.outerHTML.slice(0, 200)"))
	}
}
