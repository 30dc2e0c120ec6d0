package pages

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// A Page is one answer to a browser.
type Page struct {
	// Product is the product's name, from the contract.
	Product string

	// Person is who is signed in, nil when nobody is.
	Person *Person

	// Content is what the page is about, by value: [SignIn], [Organization], [Leave],
	// [Consent], [Device], [NewPassword], [SetUp], [Account], [Message] or [Error].
	Content any

	// RedirectsTo is where the answer to the page's form may send the browser besides
	// this host: the redirect URI of a proved request. Browsers hold redirects after a
	// form to the policy of the page that had the form. "" for nowhere.
	RedirectsTo string
}

// A Person is who is signed in, as the head of a page shows it.
type Person struct {
	Name         string // or the address when there is no name
	Email        string
	Organization string // its name
}

// A Field is a hidden member of a form.
type Field struct{ Name, Value string }

//go:embed templates/*.html
var templateFiles embed.FS

// templates holds every content's template by name, each with the frame around it.
var templates = func() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"style":  func() string { return StylePath },
		"script": func() string { return ScriptPath },
		"icon":   func() string { return IconPath },
		"first":  first,
		"away":   away,
		"logo":   isPicture,
		"web":    func(address string) bool { return strings.HasPrefix(address, "https://") },
	}).ParseFS(templateFiles, "templates/frame.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"signin", "organization", "leave", "consent", "device", "newpassword", "setup", "account", "message", "error"} {
		t := template.Must(frame.Clone())
		all[name] = template.Must(t.ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return all
}()

// first returns the first letter of a name, for its emblem.
func first(name string) string {
	for _, r := range name {
		return string(r)
	}
	return ""
}

// away lets a page lead to an address that [Render] has found to be one that may be led
// to: html/template knows no schemes of applications.
func away(address string) template.URL {
	if formSource(address) == "" {
		return ""
	}
	return template.URL(address)
}

// A look is what the frame needs to know of a content.
type look struct {
	template string
	title    string
	wide     bool   // more than a card in the middle
	script   bool   // there is something that only JavaScript can do
	picture  string // the address of one that is not ours, or ""
}

// lookOf returns the look of a content; ok is false for a type that is none.
func lookOf(content any, product string) (look, bool) {
	switch c := content.(type) {
	case SignIn:
		return look{template: "signin", title: orSignIn(c.Title, product), script: c.Passkey}, true
	case Organization:
		return look{template: "organization", title: orSignIn(c.Title, product)}, true
	case Leave:
		return look{template: "leave", title: "Continue to " + c.Host}, formSource(c.URL) != ""
	case Consent:
		return look{template: "consent", title: "Allow access to your account", picture: c.Client.LogoURL}, true
	case Device:
		return look{template: "device", title: "Connect a device"}, true
	case NewPassword:
		return look{template: "newpassword", title: c.Heading}, true
	case SetUp:
		return look{template: "setup", title: "Set up " + product}, true
	case Account:
		return look{template: "account", title: "Your account", wide: true, script: c.MayAddPasskey}, true
	case Message:
		return look{template: "message", title: c.Heading}, true
	case Error:
		return look{template: "error", title: c.Heading}, true
	}
	return look{}, false
}

// orSignIn returns a title, or the one that asks to sign in.
func orSignIn(title, product string) string {
	if title == "" {
		return "Sign in to " + product
	}
	return title
}

// frame is what the outermost template gets.
type frame struct {
	Page
	Title        string
	Wide, Script bool
}

// Render answers with a page. It sets the headers that every page of Cardea has; those
// that only some answers have, such as Retry-After and cookies, are the caller's to set
// before. A content that is none of this package's is a defect and answered with 500.
func Render(w http.ResponseWriter, status int, p Page) {
	var body bytes.Buffer
	l, ok := lookOf(p.Content, p.Product)
	if ok {
		err := templates[l.template].Execute(&body, frame{p, l.title, l.wide, l.script})
		ok = err == nil
	}
	SetHeaders(w.Header(), policy(l.script, p.RedirectsTo, l.picture))
	if !ok {
		http.Error(w, "this page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser is gone, or it is not
}
