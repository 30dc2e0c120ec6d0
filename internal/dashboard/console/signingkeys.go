package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var signingRoutes = []web.Route{
	{Pattern: "GET /signing-keys", Page: "signing_keys", Console: true, Serve: signingKeys},
	{Pattern: "GET /signing-keys/rotate", Page: "signing_keys", Console: true, Serve: askRotate},
	{Pattern: "POST /signing-keys/rotate", Page: "signing_keys", Console: true, Serve: rotate},
	{Pattern: "GET /signing-keys/{signing_key}/revoke", Page: "signing_keys", Console: true, Serve: askRevokeKey},
	{Pattern: "POST /signing-keys/{signing_key}/revoke", Page: "signing_keys", Console: true, Serve: revokeKey},
}

// signingPage is the data of the pages of signing keys.
type signingPage struct {
	Path   string
	Groups []signingGroup
	None   bool // this server signs nothing

	// Of what is asked: the key, or the environment whose keys are replaced ("" and all of
	// them where Everywhere).
	Key                manage.SigningKey
	Environment, Label string
	Everywhere         bool
}

// A signingGroup is the keys of one environment.
type signingGroup struct {
	Environment, Label string
	Keys               []signingKey
}

// A signingKey is a key and how old it is.
type signingKey struct {
	manage.SigningKey
	Age time.Duration
}

// Alive reports whether the key, or what it signed, is good.
func (k signingKey) Alive() bool { return k.State != "gone" && k.State != "revoked" }

// label returns what the contract calls an environment.
func label(v *web.Visit, environment string) string {
	if e := v.Contract.Environment(environment); e != nil {
		return e.Label
	}
	return environment
}

// loadKeys returns the page of signing keys, or answers.
func loadKeys(v *web.Visit) (signingPage, bool) {
	p := signingPage{Path: v.Base + "/signing-keys"}
	found, err := v.Manage.SigningKeys(v.R.Context(), v.Actor, manage.None{})
	if cardea.KindOf(err) == cardea.KindConflict {
		p.None = true
		return p, true
	}
	if err != nil {
		v.Fail(err)
		return p, false
	}
	for _, e := range v.Contract.Environments() {
		p.Groups = append(p.Groups, signingGroup{Environment: e.Name, Label: e.Label})
	}
	for _, k := range found.Items {
		i := slices.IndexFunc(p.Groups, func(g signingGroup) bool { return g.Environment == k.Environment })
		if i < 0 {
			p.Groups, i = append(p.Groups, signingGroup{Environment: k.Environment, Label: label(v, k.Environment)}), len(p.Groups)
		}
		p.Groups[i].Keys = append(p.Groups[i].Keys, signingKey{k, v.Now().Sub(k.CreatedAt)})
	}
	return p, true
}

// signingKeys shows the keys that Cardea signs with.
func signingKeys(v *web.Visit) {
	if p, ok := loadKeys(v); ok {
		v.Render(http.StatusOK, web.View{Title: "Signing keys", Template: "signing-keys", Wide: true, Data: p})
	}
}

// askRotate asks whether the keys of an environment, or all, are to be replaced.
func askRotate(v *web.Visit) {
	p, ok := loadKeys(v)
	if !ok || !mayChange(v) {
		return
	}
	p.Environment = v.Query("environment")
	p.Everywhere = p.Environment == ""
	p.Label = label(v, p.Environment)
	if !p.Everywhere && v.Contract.Environment(p.Environment) == nil {
		v.Fail(access.NotFound("environment"))
		return
	}
	p.ask(v, "rotate", "Rotate signing keys")
}

func (p signingPage) ask(v *web.Visit, template, title string) {
	v.Render(http.StatusOK, web.View{
		Title: title, Template: template, Block: "confirm", Data: p, Crumbs: []web.Crumb{{Text: "Signing keys", Path: "/signing-keys"}},
	})
}

// rotate replaces keys.
func rotate(v *web.Visit) {
	_, err := v.Manage.RotateSigningKeys(v.R.Context(), v.Actor, manage.RotateSigningKeys{
		Environment: v.Value("environment"), Immediate: v.Value("immediate") != "",
	})
	done(v, "/signing-keys", "New keys are published. The old ones verify until their last token has expired.", err)
}

// askRevokeKey asks whether a key is to end, and says what breaks.
func askRevokeKey(v *web.Visit) {
	p, ok := loadKeys(v)
	if !ok || !mayChange(v) {
		return
	}
	for _, g := range p.Groups {
		for _, k := range g.Keys {
			if k.ID == v.Path("signing_key") {
				p.Key, p.Label = k.SigningKey, g.Label
				p.ask(v, "revoke-key", "Revoke a signing key")
				return
			}
		}
	}
	v.Fail(access.NotFound("signing key"))
}

// revokeKey ends a key.
func revokeKey(v *web.Visit) {
	_, err := v.Manage.RevokeSigningKey(v.R.Context(), v.Actor, manage.ID{ID: v.Path("signing_key")})
	done(v, "/signing-keys", "The key is revoked: every token it signed is refused, and another key signs.", err)
}
