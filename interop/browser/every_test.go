package browser

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// identifier is a part of a path that names one thing.
var identifier = regexp.MustCompile(`/[a-z]+[_-][0-9A-Za-z]{18,}|/[a-z]+_[0-9A-Za-z]{8,}|/[0-9a-f-]{24,}|/[0-9]+`)

// shape returns the path of a page without what names single things, nor parameters.
func shape(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return identifier.ReplaceAllString(path, "/…")
}

// links are the addresses of the dashboard that a page leads to: by a link, or by a form
// that asks about what was ticked.
const links = `[...new Set([
	...[...document.querySelectorAll("a[href]:not([download])")].map(a => new URL(a.href)),
	...[...document.forms].filter(f => f.method == "get" && f.role != "search").map(f => {
		const boxes = [...f.elements].filter(e => e.type == "checkbox" && e.value)
		boxes.forEach(e => e.checked = true)
		const u = new URL(f.action)
		u.search = new URLSearchParams(new FormData(f))
		boxes.forEach(e => e.checked = false)
		return u
	}),
].filter(u => u.origin == location.origin && u.pathname.startsWith("/dashboard")).map(u => u.pathname + u.search))]`

// crawl opens every page of the dashboard that can be reached from one, once for each
// shape of path, and calls a function on each.
func (b *tab) crawl(from string, within func(path string) bool, each func(shape string)) []string {
	b.t.Helper()
	queue, known := []string{from}, map[string]bool{shape(from): true}
	var shapes []string
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if status := b.visit(path); status != 200 {
			b.t.Errorf("%s: a page leads to %s, which answers %d", b.world.name, path, status)
			continue
		}
		shapes = append(shapes, shape(path))
		each(shape(path))
		next := eval[[]string](b, links)
		slices.SortStableFunc(next, func(a, b string) int { return len(a) - len(b) }) // without parameters first
		for _, path := range next {
			if s := shape(path); !known[s] && within(path) && !strings.Contains(path, "export") {
				known[s] = true
				queue = append(queue, path)
			}
		}
	}
	return shapes
}

// portal tells the pages of members from others.
func portal(path string) bool {
	return !strings.HasPrefix(path, "/dashboard/console") && !strings.HasPrefix(path, "/dashboard/as/")
}

// Every page of the portal that an owner can reach, with every product's labels, is
// accessible in light and dark, fits on a phone, and keeps to its policy.
func TestEveryPageOfThePortal(t *testing.T) {
	for _, name := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, name)
			w.bustle(t)
			b := enter(t, w, w.user(t, "owner"))
			shapes := b.crawl("/dashboard", portal, func(shape string) {
				b.portray(shape)
				b.inspect()
			})
			t.Logf("%s: %d pages: %s", name, len(shapes), strings.Join(shapes, " "))
			if len(shapes) < 8 {
				t.Errorf("%s: only these pages can be reached: %v", name, shapes)
			}
		})
	}
}

// Every page of the operator's console, and an operator's view of a customer's pages, is
// held to the same.
func TestEveryPageOfTheConsole(t *testing.T) {
	w := open(t, "cohera-sdk")
	w.bustle(t)
	b := enter(t, w, w.Staff)
	shapes := b.crawl("/dashboard/console", func(path string) bool { return strings.HasPrefix(path, "/dashboard/console") }, func(shape string) {
		b.portray(shape)
		b.inspect()
	})
	t.Logf("%d pages: %s", len(shapes), strings.Join(shapes, " "))
	if len(shapes) < 8 {
		t.Errorf("only these pages can be reached: %v", shapes)
	}
}
