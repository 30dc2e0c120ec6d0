package apps

import (
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// seconds returns a span of time as a whole number of seconds.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// accountCrumbs lead back from a page about a service account.
func accountCrumbs(v *web.Visit, account *manage.ServiceAccount) []web.Crumb {
	return []web.Crumb{{Text: accountTitle(v), Path: "/service-accounts"}, {Text: account.Name, Path: "/service-accounts/" + account.ID}}
}

// An accountKeyForm is the form for a key, whose answer is the key file.
type accountKeyForm struct {
	Action, Back       string
	Name, File, Format string
	Algorithms         []web.Option
	Algorithm          string
	Expires, FirstDay  string
	Problems           problems
	Problem            string
	Snippet, Lifetime  string
}

func newAccountKey(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	showAccountKeyForm(v, http.StatusOK, &account, accountKeyForm{Problems: problems{}})
}

func showAccountKeyForm(v *web.Visit, status int, account *manage.ServiceAccount, f accountKeyForm) {
	terms := v.Contract.ServiceAccounts()
	if terms == nil {
		v.Fail(access.NotFound("service account in this product"))
		return
	}
	f.Action, f.Back = v.Base+"/service-accounts/"+account.ID+"/keys", v.Base+"/service-accounts/"+account.ID
	f.Name, f.File, f.FirstDay, f.Snippet = account.Name, terms.File, v.Now().UTC().Format(time.DateOnly), accountSnippet(v, account.Scopes)
	f.Lifetime = length(terms.MaxLifetime)
	if len(terms.Algorithms) > 1 {
		for _, a := range terms.Algorithms {
			f.Algorithms = append(f.Algorithms, web.Option{Value: a, Text: a})
		}
	}
	v.Render(status, web.View{Title: "Create a key", Template: "account_key", Data: f, Crumbs: accountCrumbs(v, account)})
}

// createAccountKey makes a key and answers with its file, the only time it leaves: as an
// attachment that nothing between here and the disk may keep.
func createAccountKey(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	f := accountKeyForm{Algorithm: v.Value("algorithm"), Expires: v.Value("expires_at"), Problems: problems{}}
	expires, dated := dayEnd(f.Expires)
	if !dated {
		f.Problems["expires_at"] = "This is not a date: write it as 2027-03-31."
		showAccountKeyForm(v, http.StatusUnprocessableEntity, &account, f)
		return
	}
	made, err := v.Manage.CreateServiceAccountKey(v.R.Context(), v.Actor, manage.CreateServiceAccountKey{
		ServiceAccount: account.ID, Algorithm: f.Algorithm, ExpiresAt: expires,
	})
	if err != nil {
		if p, ok := refused(v, err); ok {
			f.Problems, f.Problem = p, p.other("algorithm", "expires_at")
			showAccountKeyForm(v, http.StatusUnprocessableEntity, &account, f)
		}
		return
	}
	content, err := made.File.Reveal()
	if err != nil {
		v.Fail(err)
		return
	}
	h := v.W.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": made.Name}))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	v.W.WriteHeader(http.StatusOK)
	_, _ = v.W.Write(content) // the browser is gone, or it is not
}

// accountKeyOf returns the key that the path names, which must be the account's.
func accountKeyOf(v *web.Visit, account string) (manage.ServiceAccountKey, bool) {
	keys, err := v.Manage.ServiceAccountKeys(v.R.Context(), v.Actor, manage.ServiceAccountKeyFilter{ServiceAccount: account})
	return pick(v, keys.Items, err, "key of the service account", func(k manage.ServiceAccountKey) bool { return k.ID == v.Path("account_key") })
}

func askRevokeAccountKey(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	key, ok := accountKeyOf(v, account.ID)
	if !ok {
		return
	}
	q := question{
		Action: v.Base + "/service-accounts/" + account.ID + "/keys/" + key.ID + "/revoke", Cancel: v.Base + "/service-accounts/" + account.ID,
		Button: "Revoke key", Danger: true,
		Texts: []string{"Every token that was signed with " + key.ID + " is refused from the moment you do this. The other keys of " + account.Name + " go on."},
	}
	if !key.LastUsedAt.IsZero() {
		q.Texts = append(q.Texts, "It was last used on "+key.LastUsedAt.UTC().Format("2 Jan 2006, 15:04 UTC")+".")
	}
	ask(v, http.StatusOK, "Revoke this key?", q, accountCrumbs(v, &account))
}

func revokeAccountKey(v *web.Visit) {
	doAccount(v, "That key is revoked. What it signed is refused.", func(account *manage.ServiceAccount) error {
		in := manage.ServiceAccountKeyID{ServiceAccount: account.ID, ID: v.Path("account_key")}
		_, err := v.Manage.RevokeServiceAccountKey(v.R.Context(), v.Actor, in)
		return err
	})
}

// askAccount shows a question about a service account.
func askAccount(v *web.Visit, what string, fill func(account *manage.ServiceAccount) (title string, q question)) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	title, q := fill(&account)
	q.Action, q.Cancel = v.Base+"/service-accounts/"+account.ID+what, v.Base+"/service-accounts/"+account.ID
	ask(v, http.StatusOK, title, q, accountCrumbs(v, &account))
}

// doAccount does something with the service account that the path names.
func doAccount(v *web.Visit, notice string, do func(account *manage.ServiceAccount) error) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	if err := do(&account); err != nil {
		v.Fail(err)
		return
	}
	v.See("/service-accounts/"+account.ID, notice)
}

func askDisableAccount(v *web.Visit) {
	askAccount(v, "/disable", func(account *manage.ServiceAccount) (string, question) {
		return "Disable " + account.Name + "?", question{Button: "Disable", Danger: true, Texts: []string{
			"Every token of it is refused, those that its keys have signed included, until you enable it again. Its keys stay.",
		}}
	})
}

func disableAccount(v *web.Visit) {
	doAccount(v, "Disabled: its tokens are refused until you enable it.", func(account *manage.ServiceAccount) error {
		_, err := v.Manage.DisableServiceAccount(v.R.Context(), v.Actor, manage.ID{ID: account.ID})
		return err
	})
}

func enableAccount(v *web.Visit) {
	doAccount(v, "Enabled: its tokens are accepted again.", func(account *manage.ServiceAccount) error {
		_, err := v.Manage.EnableServiceAccount(v.R.Context(), v.Actor, manage.ID{ID: account.ID})
		return err
	})
}

func askEndAccountTokens(v *web.Visit) {
	askAccount(v, "/tokens", func(account *manage.ServiceAccount) (string, question) {
		return "End all tokens of " + account.Name + "?", question{Button: "End all tokens", Danger: true, Texts: []string{
			"Every token that its keys have signed until now, and every access token that they were exchanged for, is refused. Its keys can sign new ones at once.",
		}}
	})
}

func endAccountTokens(v *web.Visit) {
	doAccount(v, "All tokens up to now have ended.", func(account *manage.ServiceAccount) error {
		_, err := v.Manage.RevokeTokens(v.R.Context(), v.Actor, manage.RevokeTokens{Credential: account.ID})
		return err
	})
}

func askRevokeAccount(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	askEndAccount(v, http.StatusOK, &account, "")
}

func askEndAccount(v *web.Visit, status int, account *manage.ServiceAccount, problem string) {
	ask(v, status, "Revoke "+account.Name+"?", question{
		Action: v.Base + "/service-accounts/" + account.ID + "/revoke", Cancel: v.Base + "/service-accounts/" + account.ID,
		Button: "Revoke", Danger: true, Expect: account.Name, Problem: problem, Reason: true,
		Texts: []string{
			"It ends for good, with all its keys: every token that they signed is refused from the moment you do this.",
			"To stop it for a while, disable it instead.",
		},
	}, accountCrumbs(v, account))
}

func revokeAccount(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	if v.Value("confirm") != account.Name {
		askEndAccount(v, http.StatusUnprocessableEntity, &account, typedWrong)
		return
	}
	doAccount(v, "Revoked. Nothing that it signed is accepted any more.", func(account *manage.ServiceAccount) error {
		_, err := v.Manage.RevokeServiceAccount(v.R.Context(), v.Actor, manage.RevokeKey{ID: account.ID, Reason: v.Value("reason")})
		return err
	})
}
