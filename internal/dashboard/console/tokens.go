package console

import (
	"net/http"
	"time"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var tokenRoutes = []web.Route{
	{Pattern: "GET /tokens", Page: "staff", Console: true, Serve: tokens},
	{Pattern: "POST /tokens", Page: "staff", Console: true, Serve: createToken},
	{Pattern: "GET /tokens/{token}/revoke", Page: "staff", Console: true, Serve: askRevokeToken},
	{Pattern: "POST /tokens/{token}/revoke", Page: "staff", Console: true, Serve: revokeToken},
}

// tokensPage is the data of the page of management tokens.
type tokensPage struct {
	Path     string
	Tokens   []manage.ManagementToken
	Next     string
	Name     string
	Expires  string
	Today    string
	Problems map[string]string
	Token    manage.ManagementToken // that is to be revoked
}

// tokens lists the management tokens.
func tokens(v *web.Visit) { showTokens(v, http.StatusOK, tokensPage{}) }

func showTokens(v *web.Visit, status int, p tokensPage) {
	found, err := v.Manage.ManagementTokens(v.R.Context(), v.Actor, manage.Page{Cursor: v.Query("cursor")})
	if err != nil {
		v.Fail(err)
		return
	}
	p.Path, p.Tokens, p.Next, p.Today = v.Base+"/tokens", found.Items, nextPage(v, found.Next), v.Now().AddDate(0, 0, 1).UTC().Format(time.DateOnly)
	v.Render(status, web.View{Title: "Management tokens", Template: "tokens", Data: p})
}

// Standing says whether a token works.
func (p tokensPage) Standing(t manage.ManagementToken, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return "expired"
	}
	return "active"
}

// createToken creates a management token and shows its secret: in this answer, and never
// again.
func createToken(v *web.Visit) {
	p := tokensPage{Name: v.Value("name"), Expires: v.Value("expires")}
	in := manage.CreateManagementToken{Name: p.Name}
	if p.Expires != "" {
		day, err := time.Parse(time.DateOnly, p.Expires)
		if err != nil {
			p.Problems = map[string]string{"expires_at": "must be a day, such as 2030-01-31"}
			showTokens(v, http.StatusUnprocessableEntity, p)
			return
		}
		in.ExpiresAt = day.AddDate(0, 0, 1) // the day included, in UTC
	}
	made, err := v.Manage.CreateManagementToken(v.R.Context(), v.Actor, in)
	var ok bool
	if p.Problems, ok = v.Problems(err); ok {
		showTokens(v, http.StatusUnprocessableEntity, p)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Management token " + made.Token.Name, Template: "secret", Secret: true, Data: secretPage{
		Back: v.Base + "/tokens", Secret: made.Secret.Reveal(), Once: true,
		Text: "It may do everything that an operator may, through the management API and the command line. Keep it in a secret manager.",
	}})
}

// askRevokeToken asks whether a token is to end.
func askRevokeToken(v *web.Visit) {
	if !mayChange(v) {
		return
	}
	page := manage.Page{Limit: access.MaxLimit}
	for {
		found, err := v.Manage.ManagementTokens(v.R.Context(), v.Actor, page)
		if err != nil {
			v.Fail(err)
			return
		}
		for _, t := range found.Items {
			if t.ID == v.Path("token") {
				v.Render(http.StatusOK, web.View{
					Title: "Revoke " + t.Name, Template: "revoke-token", Block: "confirm", Data: tokensPage{Path: v.Base + "/tokens", Token: t},
					Crumbs: []web.Crumb{{Text: "Staff", Path: "/staff"}, {Text: "Management tokens", Path: "/tokens"}},
				})
				return
			}
		}
		if page.Cursor = found.Next; page.Cursor == "" {
			v.Fail(access.NotFound("management token"))
			return
		}
	}
}

// revokeToken ends a token.
func revokeToken(v *web.Visit) {
	_, err := v.Manage.RevokeManagementToken(v.R.Context(), v.Actor, manage.ID{ID: v.Path("token")})
	done(v, "/tokens", "The token is revoked: it is refused from now on.", err)
}
