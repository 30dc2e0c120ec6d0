package keys

import (
	"net/http"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A reason is why a secret is on a page.
type reason int

const (
	reasonCreated reason = iota
	reasonRotated
	reasonRevealed
)

// A disclosure is the data of the page that shows a secret.
type disclosure struct {
	Key         manage.Key
	KindLabel   string
	Environment *contract.Environment // nil when the contract no longer has it
	Secret      string
	Line        string // of a file of settings
	Curl        string // "" when no request can be shown
	CurlPattern string
	CurlMade    bool
	Once        bool // it is not shown again
	Rotated     bool
	Start       *quickStart
	Place       string // what the environment is called here
}

// showSecret answers with a secret. It is called with the answer of the use case that
// made it and nowhere else: no address shows it.
func showSecret(v *web.Visit, made manage.KeySecret, why reason) {
	k, text := made.Key, made.Secret.Reveal()
	d := disclosure{
		Key: k, KindLabel: kindLabel(v.Contract, k.Kind), Environment: v.Contract.Environment(k.Environment), Secret: text,
		Line: variable(v.Contract, k.Kind) + "=" + text, Once: !k.Revealable, Rotated: why == reasonRotated, Place: environmentWord(v),
	}
	if c, ok := callOf(v, &k); ok {
		d.Curl, d.CurlPattern, d.CurlMade = c.curl(text, " "), c.Pattern, c.Made
		d.Start = newQuickStart(v, &k, text)
	}
	title := "Copy your new " + lower(d.KindLabel)
	switch why {
	case reasonRotated:
		title = "Copy the new secret"
	case reasonRevealed:
		title = "The secret of " + k.Name
	}
	v.Render(http.StatusOK, web.View{Title: title, Template: "secret", Data: d, Secret: true})
}

// reveal shows the secret of a key whose kind keeps secrets viewable.
func reveal(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	made, err := v.Manage.RevealKey(v.R.Context(), v.Actor, manage.ID{ID: s.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	showSecret(v, made, reasonRevealed)
}
