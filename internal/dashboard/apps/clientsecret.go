package apps

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A secretItem is one value on the page that shows a secret.
type secretItem struct {
	ID, Label, Text string
	Secret          bool
}

// A secretPage shows a secret, as the answer to the request that made it or asked for it.
type secretPage struct {
	Lead    string // what has happened, and whether it can be seen again
	Again   bool   // it can be seen again
	Items   []secretItem
	Env     string // lines of a file of environment variables
	Command string // the curl line that uses it
	Call    string // what to do with what that returns
	Next    string // path below the base
	Done    string // on the link to it
}

// showPair answers with a client and its secret.
func showPair(v *web.Visit, title string, made *manage.ClientSecret) {
	words, client := wordsOf(v), &made.Client
	page := secretPage{
		Again: client.Revealable, Next: backTo(words, client), Done: "I have stored it",
		Items: []secretItem{
			{ID: "client-id", Label: words.ID, Text: client.ID},
			{ID: "client-secret", Label: words.Secret, Text: made.Secret.Reveal(), Secret: true},
		},
		Env: envName(v.Contract, words.ID) + "=" + client.ID + "\n" + envName(v.Contract, words.Secret) + "=" + made.Secret.Reveal(),
	}
	page.Lead = "Copy both now: the secret is shown once, and only here. " + v.Contract.Product() + " keeps no copy."
	if page.Again {
		page.Lead = "Copy both to where your program finds them. You can see the secret again on the page before."
		page.Done = "Done"
	}
	if client.Rotation != nil {
		page.Lead += " The old secret works until " + client.Rotation.EndsAt.UTC().Format("2 Jan 2006, 15:04 UTC") + "."
	}
	if has(client, contract.GrantClientCredentials) {
		page.Command = tokenCommand(v, client, contract.GrantClientCredentials, made.Secret.Reveal())
		page.Call = apiCommand(v, client.Environment, client.Scopes)
	}
	v.Render(http.StatusOK, web.View{Title: title, Template: "secret", Data: page, Secret: true})
}

// backTo returns the page of a client: its own, or that of credentials where it is one of
// them.
func backTo(words clientWords, client *manage.Client) string {
	if words.Path == "/credentials" {
		return words.Path
	}
	return "/applications/" + client.ID
}

// clientCrumbs lead back from a page about a client.
func clientCrumbs(words clientWords, client *manage.Client) []web.Crumb {
	return []web.Crumb{{Text: words.Title, Path: words.Path}, {Text: client.Name, Path: "/applications/" + client.ID}}
}

// A rotatePage is the form that gives a client another secret beside the one it has.
type rotatePage struct {
	Action, Cancel string
	Words          clientWords
	Hint           string
	Overlaps       []web.Option
	Overlap        string
	Problems       problems
	Expires        string // the client's end, as a date
	FirstDay       string
	Rotating       bool
	Ends           bool // the client has an end, which may be put off
}

// overlaps are how long an old secret may go on working.
var overlaps = []struct {
	length time.Duration
	text   string
}{
	{0, "Not at all: it ends now"}, {time.Hour, "1 hour"}, {24 * time.Hour, "1 day"}, {7 * 24 * time.Hour, "7 days"},
	{30 * 24 * time.Hour, "30 days"}, {90 * 24 * time.Hour, "90 days"},
}

func askRotate(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	showRotate(v, http.StatusOK, &client, "86400", "", problems{})
}

func showRotate(v *web.Visit, status int, client *manage.Client, overlap, expires string, p problems) {
	page := rotatePage{
		Action: v.Base + "/applications/" + client.ID + "/rotate", Cancel: v.Base + "/applications/" + client.ID,
		Words: wordsOf(v), Hint: client.Hint, Overlap: overlap, Expires: expires, Problems: p,
		FirstDay: v.Now().UTC().Format(time.DateOnly), Rotating: client.Rotation != nil, Ends: !client.ExpiresAt.IsZero(),
	}
	for _, o := range overlaps {
		page.Overlaps = append(page.Overlaps, web.Option{Value: strconv.FormatInt(int64(o.length/time.Second), 10), Text: o.text})
	}
	v.Render(status, web.View{
		Title: "New secret for " + client.Name, Template: "rotate", Data: page, Block: "ask", Crumbs: clientCrumbs(page.Words, client),
	})
}

// rotateSecret gives a client another secret; the one it has goes on for a while.
func rotateSecret(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	expires, dated := dayEnd(v.Value("expires_at"))
	overlap, err := strconv.ParseInt(v.Value("overlap_seconds"), 10, 64)
	p := problems{}
	if err != nil {
		p["overlap_seconds"] = "Choose how long the old secret goes on."
	}
	if !dated {
		p["expires_at"] = "This is not a date: write it as 2027-03-31."
	}
	if len(p) > 0 {
		showRotate(v, http.StatusUnprocessableEntity, &client, v.Value("overlap_seconds"), v.Value("expires_at"), p)
		return
	}
	made, err := v.Manage.RotateClientSecret(v.R.Context(), v.Actor, manage.RotateKey{ID: client.ID, OverlapSeconds: &overlap, ExpiresAt: expires})
	if err != nil {
		if p, ok := refused(v, err); ok {
			p[""] = p.other("overlap_seconds", "expires_at")
			showRotate(v, http.StatusUnprocessableEntity, &client, v.Value("overlap_seconds"), v.Value("expires_at"), p)
		}
		return
	}
	showPair(v, "New secret", &made)
}

// A question asks before something is done, and may ask to type a name.
type question struct {
	Action, Cancel string
	Texts          []string
	Button         string
	Danger         bool
	Expect         string // what must be typed; "" for nothing
	Problem        string
	Reason         bool // a reason may be given
}

// ask shows a question; without JavaScript as a page of its own.
func ask(v *web.Visit, status int, title string, q question, crumbs []web.Crumb) {
	v.Render(status, web.View{Title: title, Template: "ask", Data: q, Block: "ask", Crumbs: crumbs})
}

// askAbout shows a question about a client.
func askAbout(v *web.Visit, what string, fill func(client *manage.Client, words clientWords) (title string, q question)) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	words := wordsOf(v)
	title, q := fill(&client, words)
	q.Action, q.Cancel = v.Base+"/applications/"+client.ID+what, v.Base+backTo(words, &client)
	ask(v, http.StatusOK, title, q, clientCrumbs(words, &client))
}

func askFinish(v *web.Visit) {
	askAbout(v, "/finish", func(client *manage.Client, _ clientWords) (string, question) {
		q := question{Button: "End the old secret now", Danger: true}
		if r := client.Rotation; r != nil {
			q.Texts = append(q.Texts, "The old secret, "+r.OldHint+", stops working now instead of on "+r.EndsAt.UTC().Format("2 Jan 2006, 15:04 UTC")+".")
			if !r.OldLastUsedAt.IsZero() {
				q.Texts = append(q.Texts, "It was last used on "+r.OldLastUsedAt.UTC().Format("2 Jan 2006, 15:04 UTC")+": something may still have it.")
			}
		}
		return "End the old secret?", q
	})
}

func finishRotation(v *web.Visit) {
	doClient(v, "Only the new secret works now.", func(client *manage.Client) error {
		_, err := v.Manage.FinishClientRotation(v.R.Context(), v.Actor, manage.ID{ID: client.ID})
		return err
	})
}

func askRegenerate(v *web.Visit) {
	askAbout(v, "/regenerate", func(client *manage.Client, words clientWords) (string, question) {
		return words.Regenerate + " the secret of " + client.Name + "?", question{
			Button: words.Regenerate, Danger: true,
			Texts: []string{
				"The secret in use, " + client.Hint + ", and every access token that was got with it are refused from the moment you do this. It is the right thing when the secret may have leaked.",
				"To change it without an interruption, go back and choose a new secret with an overlap.",
			},
		}
	})
}

func regenerateSecret(v *web.Visit) {
	answerPair(v, "New secret", v.Manage.RegenerateClientSecret)
}

// revealSecret shows the secret again, where the contract keeps it viewable.
func revealSecret(v *web.Visit) {
	answerPair(v, wordsOf(v).Secret, v.Manage.RevealClientSecret)
}

// answerPair answers with the secret of the client that the path names, as a use case
// gives it.
func answerPair(v *web.Visit, title string, get func(context.Context, cardea.Actor, manage.ID) (manage.ClientSecret, error)) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	made, err := get(v.R.Context(), v.Actor, manage.ID{ID: client.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	showPair(v, title, &made)
}
