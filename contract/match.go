package contract

import (
	"slices"
	"strings"
)

// A Match is what [Contract.Match] found.
type Match struct {
	Route *Route

	// Environment is the environment the target itself names, through a path wildcard
	// called {environment}; nil when it names none.
	Environment *Environment

	// Allow lists the methods of the routes that match the path, sorted, when Route is
	// nil because none has the method. Empty: no route at all.
	Allow []string
}

// Match finds the route for a method and a canonical path, which begins with "/" and
// has no query. Bytes are compared as they are: the caller has refused paths that are
// not canonical. The most specific pattern wins, as in [net/http.ServeMux]; HEAD counts
// as GET; a path is never cleaned, completed or redirected. It does not allocate when a
// route is found.
func (c *Contract) Match(method, path string) Match {
	if len(path) == 0 || path[0] != '/' {
		return Match{}
	}
	route := c.table.match(method, path)
	if route == nil {
		return Match{Allow: c.table.allow(path)}
	}
	if route.environmentSegment < 0 {
		return Match{Route: route}
	}
	env := c.Environment(nthSegment(path, route.environmentSegment))
	if env == nil {
		return Match{} // there is no such world
	}
	return Match{Route: route, Environment: env}
}

// nthSegment returns a segment of a path that is known to have it.
func nthSegment(path string, n int) string {
	for {
		segment, rest, _ := strings.Cut(path[1:], "/")
		if n == 0 {
			return segment
		}
		path = path[len(path)-len(rest)-1:]
		n--
	}
}

// A routeTable holds one tree of patterns for each method, "" being any method.
type routeTable struct {
	byMethod map[string]*branch
	any      *branch
}

// A branch is what may follow a certain path. Its leaves are routes.
type branch struct {
	literals []literal          // looked through in turn while they are few
	index    map[string]*branch // of literals, once they are many
	wild     *branch
	leaf     *Route // the path ends here
	end      *Route // a slash and nothing more
	multi    *Route // a slash and anything
}

// A literal is a segment's text and what follows it.
type literal struct {
	text string
	next *branch
}

// few is how many literals are found faster by looking at each than by hashing.
const few = 8

// after returns the branch after a literal, nil when there is none.
func (b *branch) after(text string) *branch {
	if b.index != nil {
		return b.index[text]
	}
	for i := range b.literals {
		if b.literals[i].text == text {
			return b.literals[i].next
		}
	}
	return nil
}

// grow adds a literal that is not there yet.
func (b *branch) grow(text string, next *branch) {
	b.literals = append(b.literals, literal{text, next})
	switch {
	case b.index != nil:
		b.index[text] = next
	case len(b.literals) > few:
		b.index = make(map[string]*branch, 2*few)
		for _, l := range b.literals {
			b.index[l.text] = l.next
		}
	}
}

// add grows the tree of the pattern's method. Patterns were compared before: no leaf is
// taken twice.
func (t *routeTable) add(p pattern, route *Route) {
	root := &t.any
	tree := t.any
	if p.method != "" {
		if t.byMethod == nil {
			t.byMethod = map[string]*branch{}
		}
		tree, root = t.byMethod[p.method], nil
	}
	if tree == nil {
		tree = &branch{}
		if root != nil {
			*root = tree
		} else {
			t.byMethod[p.method] = tree
		}
	}
	for _, s := range p.segments {
		switch {
		case s.end:
			tree.end = route
			return
		case s.multi:
			tree.multi = route
			return
		}
		tree = tree.step(s)
	}
	tree.leaf = route
}

// step returns the branch after a segment, growing it if need be.
func (b *branch) step(s segment) *branch {
	if s.wild {
		if b.wild == nil {
			b.wild = &branch{}
		}
		return b.wild
	}
	next := b.after(s.text)
	if next == nil {
		next = &branch{}
		b.grow(s.text, next)
	}
	return next
}

// match finds the route. A tree of the method itself is more specific than GET's for
// HEAD, and that more than one of any method; conflicts were refused at load, so the
// first match is the most specific one.
func (t *routeTable) match(method, path string) *Route {
	if route := t.byMethod[method].find(path); route != nil {
		return route
	}
	if method == "HEAD" {
		if route := t.byMethod["GET"].find(path); route != nil {
			return route
		}
	}
	if method == "CONNECT" || method == "TRACE" {
		return nil
	}
	return t.any.find(path)
}

// find walks down the path: literals first, then a wildcard, then what matches all
// the rest. path begins with "/" or is empty.
func (b *branch) find(path string) *Route {
	if b == nil {
		return nil
	}
	if path == "" {
		return b.leaf
	}
	if path == "/" {
		if b.end != nil {
			return b.end
		}
		return b.multi
	}
	segment, rest := path[1:], ""
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		segment, rest = segment[:i], segment[i:]
	}
	if next := b.after(segment); next != nil {
		if route := next.find(rest); route != nil {
			return route
		}
	}
	if segment != "" && b.wild != nil {
		if route := b.wild.find(rest); route != nil {
			return route
		}
	}
	return b.multi
}

// allow returns the methods with which the path would match, sorted.
func (t *routeTable) allow(path string) []string {
	var methods []string
	for method, tree := range t.byMethod {
		if tree.find(path) == nil {
			continue
		}
		methods = append(methods, method)
		if method == "GET" {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}

// moved returns a copy of the table that leads to other routes.
func (t *routeTable) moved(to map[*Route]*Route) routeTable {
	out := routeTable{any: t.any.moved(to), byMethod: make(map[string]*branch, len(t.byMethod))}
	for method, tree := range t.byMethod {
		out.byMethod[method] = tree.moved(to)
	}
	return out
}

// moved copies a branch and all below it.
func (b *branch) moved(to map[*Route]*Route) *branch {
	if b == nil {
		return nil
	}
	out := &branch{wild: b.wild.moved(to), leaf: to[b.leaf], end: to[b.end], multi: to[b.multi]}
	for _, l := range b.literals {
		out.grow(l.text, l.next.moved(to))
	}
	return out
}
