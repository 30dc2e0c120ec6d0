package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/pages"
)

// A View is what a page shows.
type View struct {
	Title    string // of the page, and its heading
	Template string // the file in the area's templates, without ".html"
	Data     any    // .Data in the template

	// Block is the name of the template's block that htmx gets instead of the page; ""
	// means the page.
	Block string

	// Crumbs lead back, outermost first.
	Crumbs []Crumb

	// Secret says that a secret is on the page: it stands alone, without menu or
	// compression, and the browser asks before leaving it.
	Secret bool

	// Chart says that there is something to draw.
	Chart bool

	// Wide says that the page is a table that takes all the room there is.
	Wide bool
}

// A Crumb is a link back; its path is below [Visit.Base].
type Crumb struct{ Text, Path string }

//go:embed templates/*.html
var frameFiles embed.FS

// Templates are the templates of an area, each over the frame. They are parsed when the
// first of them is needed: a program that serves no page does not pay for them.
type Templates struct {
	byName func() map[string]*template.Template
}

// base holds the frame's own pages.
var base = Parse(frameFiles, "templates", "refusal")

// frameNames are the files of every page: its frame, and the parts that pages are made of.
var frameNames = []string{"templates/frame.html", "templates/parts.html"}

// Parse returns the templates in a directory of embedded files, each over the frame. Only
// those named are parsed, all when none is. A template defines "content", and blocks for
// htmx. A wrong template is a defect of the program, and a panic at the first page.
func Parse(files fs.FS, dir string, names ...string) *Templates {
	return &Templates{byName: sync.OnceValue(func() map[string]*template.Template { return parse(files, dir, names) })}
}

func parse(files fs.FS, dir string, names []string) map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(functions).ParseFS(frameFiles, frameNames...))
	inner := sub(files, dir)
	if len(names) == 0 {
		entries, err := fs.ReadDir(inner, ".")
		if err != nil {
			panic(err)
		}
		for _, entry := range entries {
			names = append(names, strings.TrimSuffix(entry.Name(), ".html"))
		}
	}
	// Files that begin with "_" are parts that the area's pages share.
	var shared []string
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			shared = append(shared, name+".html")
		}
	}
	byName := map[string]*template.Template{}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		one := template.Must(frame.Clone())
		if len(shared) > 0 {
			template.Must(one.ParseFS(inner, shared...))
		}
		byName[name] = template.Must(one.ParseFS(inner, name+".html"))
	}
	return byName
}

// A Frame is the dot of every template: the page's data and what surrounds it.
type Frame struct {
	View
	*Visit
}

// Product returns the product's name.
func (f Frame) Product() string { return f.Contract.Product() }

// HX returns the attribute that lets htmx obey an element.
func (f Frame) HX() template.HTMLAttr { return template.HTMLAttr(`hx-nonce="` + f.Nonce + `"`) }

// Notice returns the sentence that the page before left.
func (f Frame) Notice() string { return f.notice }

// Menu returns the menu.
func (f Frame) Menu() []Group { return f.menu() }

// AccountMenu returns what the menu below the person's name leads to.
func (f Frame) AccountMenu() []Item { return f.accountMenu() }

// Text returns the contract's text for an action or a field of the current page, or the
// given one where it has none.
func (f Frame) Text(label, otherwise string) string { return f.Label(f.route.Page, label, otherwise) }

// PageTitle returns the title of the page's menu entry: the contract's word for it.
func (v *Visit) PageTitle(page, otherwise string) string {
	p := v.Contract.Page(page)
	switch {
	case p.Title != "":
		return p.Title
	case len(p.Path) > 0:
		return p.Path[len(p.Path)-1]
	}
	return otherwise
}

// Label returns the contract's text for an action or a field of a page, or the given one
// where it has none.
func (v *Visit) Label(page, label, otherwise string) string {
	if text := v.Contract.Page(page).Labels[contract.PageLabel(label)]; text != "" {
		return text
	}
	return otherwise
}

// The rights that templates ask for.

// MayKeys reports whether the visitor may manage credentials.
func (f Frame) MayKeys() bool { return f.May(access.Keys) }

// MayAdmin reports whether the visitor may manage the organization.
func (f Frame) MayAdmin() bool { return f.May(access.Admin) }

// MaySecrets reports whether the visitor may see secrets again.
func (f Frame) MaySecrets() bool { return f.May(access.Secrets) }

// Now returns the present, for templates that compare times.
func (v *Visit) Now() time.Time { return v.portal.cfg.Now() }

// Render answers with a page, or with the block that htmx asked for.
func (v *Visit) Render(status int, view View) {
	var body bytes.Buffer
	block := "frame.html"
	if v.Partial() && view.Block != "" {
		block = view.Block
	}
	setHeaders(v.W.Header(), v.Nonce)
	t, ok := v.area.Templates.byName()[view.Template]
	err := errors.New("there is no such template")
	if ok {
		err = t.ExecuteTemplate(&body, block, Frame{View: view, Visit: v})
	}
	if err != nil {
		v.logTemplate(view.Template, err)
		http.Error(v.W, "this page cannot be shown", http.StatusInternalServerError)
		return
	}
	if mark := v.mark(); view.Secret && mark != "" {
		v.portal.sent.add(mark)
	}
	v.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	out := body.Bytes()
	if !view.Secret && strings.Contains(v.R.Header.Get("Accept-Encoding"), "gzip") {
		out = compress(out)
		v.W.Header().Set("Content-Encoding", "gzip")
	}
	v.W.Header().Set("Content-Length", strconv.Itoa(len(out)))
	v.W.WriteHeader(status)
	_, _ = v.W.Write(out) // the browser is gone, or it is not
}

// logTemplate logs a page that could not be made: a defect of its template.
func (v *Visit) logTemplate(name string, err error) {
	v.portal.cfg.Logger.LogAttrs(v.R.Context(), slog.LevelError, "a template failed",
		slog.String("request_id", v.id), slog.String("template", v.area.Name+"/"+name), slog.String("error", err.Error()))
}

// compress returns data in gzip's form (RFC 1952).
func compress(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// Assets that templates name.
var functions = template.FuncMap{
	"tokens": func() string { return pages.StylePath },
	"asset":  assetPath,
	"icon":   icon,
	"emblem": emblem,
	"when":   when,
	"day":    day,
	"count":  count,
	"since":  since,
	"size":   size,
	"spark":  spark,
	"dict":   dict,
	"list":   func(items ...any) []any { return items },
	"plural": plural,
	"wrong":  wrong,
	"join":   strings.Join,
	"json":   toJSON,
}
