package apps

import (
	"net/http"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// doClient does something with the client that the path names.
func doClient(v *web.Visit, notice string, do func(client *manage.Client) error) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	if err := do(&client); err != nil {
		v.Fail(err)
		return
	}
	v.See("/applications/"+client.ID, notice)
}

func askDisableClient(v *web.Visit) {
	askAbout(v, "/disable", func(client *manage.Client, _ clientWords) (string, question) {
		return "Disable " + client.Name + "?", question{
			Button: "Disable", Danger: true,
			Texts: []string{"It gets no tokens, and those it has are refused, until you enable it again. What people have allowed it stays."},
		}
	})
}

func disableClient(v *web.Visit) {
	doClient(v, "Disabled: it is refused until you enable it.", func(client *manage.Client) error {
		_, err := v.Manage.DisableClient(v.R.Context(), v.Actor, manage.ID{ID: client.ID})
		return err
	})
}

func enableClient(v *web.Visit) {
	doClient(v, "Enabled: it may ask for tokens again.", func(client *manage.Client) error {
		_, err := v.Manage.EnableClient(v.R.Context(), v.Actor, manage.ID{ID: client.ID})
		return err
	})
}

func askRevokeClient(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	askRevoke(v, http.StatusOK, &client, "")
}

// askRevoke asks before a client is ended for good.
func askRevoke(v *web.Visit, status int, client *manage.Client, problem string) {
	words := wordsOf(v)
	ask(v, status, words.Revoke+" "+client.Name+"?", question{
		Action: v.Base + "/applications/" + client.ID + "/revoke", Cancel: v.Base + backTo(words, client),
		Button: words.Revoke, Danger: true, Expect: client.Name, Problem: problem, Reason: true,
		Texts: []string{
			"It ends for good: its secret, every token it has, and what people have allowed it are refused from the moment you do this.",
			"To stop it for a while, disable it instead.",
		},
	}, clientCrumbs(words, client))
}

// typedWrong is said when the name that was typed is another.
const typedWrong = "That is not the name. Type it as it is written above."

func revokeClient(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	if v.Value("confirm") != client.Name {
		askRevoke(v, http.StatusUnprocessableEntity, &client, typedWrong)
		return
	}
	if _, err := v.Manage.RevokeClient(v.R.Context(), v.Actor, manage.RevokeKey{ID: client.ID, Reason: v.Value("reason")}); err != nil {
		v.Fail(err)
		return
	}
	v.See(backTo(wordsOf(v), &client), "Revoked. Nothing that it had is accepted any more.")
}

func askEndTokens(v *web.Visit) {
	askAbout(v, "/tokens", func(client *manage.Client, _ clientWords) (string, question) {
		return "End all tokens of " + client.Name + "?", question{
			Button: "End all tokens", Danger: true,
			Texts: []string{"Every access token and refresh token that it has is refused from the moment you do this, in every organization. The application itself stays, and may ask again; people have to sign in to it again."},
		}
	})
}

func endTokens(v *web.Visit) {
	doClient(v, "All its tokens have ended.", func(client *manage.Client) error {
		_, err := v.Manage.RevokeTokens(v.R.Context(), v.Actor, manage.RevokeTokens{Credential: client.ID})
		return err
	})
}

// allowanceOf returns the client that the path names and the consent, which must be about
// it.
func allowanceOf(v *web.Visit) (client manage.Client, consent allowance, ok bool) {
	if client, ok = clientOf(v); !ok {
		return client, consent, false
	}
	names, err := v.Names()
	var list []allowance
	if err == nil {
		list, _, err = allowancesOf(v, client.ID, names)
	}
	consent, ok = pick(v, list, err, "consent", func(a allowance) bool { return a.ID == v.Path("consent") })
	return client, consent, ok
}

func askEndConsent(v *web.Visit) {
	client, consent, ok := allowanceOf(v)
	if !ok {
		return
	}
	words := wordsOf(v)
	ask(v, http.StatusOK, "Withdraw this consent?", question{
		Action: v.Base + "/applications/" + client.ID + "/consents/" + consent.ID + "/withdraw", Cancel: v.Base + "/applications/" + client.ID,
		Button: "Withdraw", Danger: true,
		Texts: []string{client.Name + " can no longer act for “" + consent.Person + "” from the moment you do this: its tokens for them are refused. It may ask them again."},
	}, clientCrumbs(words, &client))
}

func endConsent(v *web.Visit) {
	client, consent, ok := allowanceOf(v)
	if !ok {
		return
	}
	if _, err := v.Manage.WithdrawConsent(v.R.Context(), v.Actor, manage.ID{ID: consent.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/applications/"+client.ID, "Withdrawn: it can no longer act for "+consent.Person+".")
}

// grantOf returns the client that the path names and the authorization, which must be
// its.
func grantOf(v *web.Visit) (client manage.Client, grant connection, ok bool) {
	if client, ok = clientOf(v); !ok {
		return client, grant, false
	}
	names, err := v.Names()
	var list []connection
	if err == nil {
		list, _, err = connectionsOf(v, client.ID, names)
	}
	grant, ok = pick(v, list, err, "connection", func(c connection) bool { return c.ID == v.Path("grant") })
	return client, grant, ok
}

func askRevokeGrant(v *web.Visit) {
	client, grant, ok := grantOf(v)
	if !ok {
		return
	}
	words := wordsOf(v)
	ask(v, http.StatusOK, "End this connection?", question{
		Action: v.Base + "/applications/" + client.ID + "/grants/" + grant.ID + "/revoke", Cancel: v.Base + "/applications/" + client.ID,
		Button: "End the connection", Danger: true,
		Texts: []string{"What " + client.Name + " may do for “" + grant.Person + "” by this authorization ends now. It may ask them again."},
	}, clientCrumbs(words, &client))
}

func revokeGrant(v *web.Visit) {
	client, grant, ok := grantOf(v)
	if !ok {
		return
	}
	if _, err := v.Manage.RevokeGrant(v.R.Context(), v.Actor, manage.RevokeKey{ID: grant.ID, Reason: "ended in the dashboard"}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/applications/"+client.ID, "That connection has ended.")
}
