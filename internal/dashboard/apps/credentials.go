package apps

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/web"
)

// A tokenRow is a key of a person.
type tokenRow struct {
	manage.Key
	Environment string
	Status      badge
	Person      string
	Ended       bool
	Words       tokenWords
}

// tokenWords are what the contract calls keys of a kind that belong to persons.
type tokenWords struct {
	Kind               string
	One, Many          string // "Personal Token", in the contract's spelling
	Label              string // of the secret: "PERSONAL_TOKEN"
	Create, Regenerate string
	Lives, Idle        string // "3 months", "30 days"; "" for no such end
	Exchange           bool   // it is good for an access token, and for nothing else
}

// RegenerateInside returns the button's text inside a sentence.
func (w tokenWords) RegenerateInside() string { return lower(w.Regenerate) }

// ExpiryHint says how long one lasts unless a day is chosen.
func (w tokenWords) ExpiryHint() string {
	switch {
	case w.Lives != "" && w.Idle != "":
		return "At most " + w.Lives + " from now, which is also what an empty field means. It ends earlier when it is not used for " + w.Idle + "."
	case w.Lives != "":
		return "At most " + w.Lives + " from now, which is also what an empty field means."
	case w.Idle != "":
		return "It ends earlier when it is not used for " + w.Idle + "."
	}
	return "Empty: never."
}

// A tokenKind is one kind of key that people have, with the visitor's own.
type tokenKind struct {
	Words     tokenWords
	Tokens    []tokenRow
	MayCreate bool
	Most      int64 // how many there may be; 0: as many as people like
}

// A credentialPage shows what a person can sign in to the API with.
type credentialPage struct {
	Kinds  []tokenKind
	Others []tokenRow // of other members, for those who may end them
	System *systemSection
	Person bool // the visitor is a member, who can have some
}

// personalKinds returns the kinds of key that belong to persons.
func personalKinds(c *contract.Contract) []*contract.KeyKind {
	return slices.DeleteFunc(slices.Clone(c.Kinds()), func(k *contract.KeyKind) bool { return k.Owner != contract.OwnerMember })
}

// tokenWordsOf returns the words for a kind. The page's labels are about the first one.
func tokenWordsOf(v *web.Visit, kind *contract.KeyKind) tokenWords {
	w := tokenWords{
		Kind: kind.Name, One: kind.Label, Many: kind.Plural, Label: kind.Label, Create: "Create " + lower(kind.Label),
		Regenerate: "Regenerate", Exchange: kind.ExchangeOnly,
	}
	if kinds := personalKinds(v.Contract); kinds[0] == kind {
		w.Label = v.Label(credentialsPage, "secret", w.Label)
		w.Create = v.Label(credentialsPage, "create", w.Create)
		w.Regenerate = v.Label(credentialsPage, "regenerate", w.Regenerate)
	}
	if !kind.MaxLifetime.IsZero() {
		w.Lives = rules.Words(kind.MaxLifetime)
	}
	if kind.Idle > 0 {
		w.Idle = length(kind.Idle)
	}
	return w
}

// isPersonal reports whether a kind's name is one of those that belong to persons.
func isPersonal(c *contract.Contract, name string) (*contract.KeyKind, bool) {
	kind := c.Kind(name)
	return kind, kind != nil && kind.Owner == contract.OwnerMember
}

func showCredentials(v *web.Visit) {
	page := credentialPage{Person: !v.Staff()}
	fill := []func(*web.Visit, *credentialPage) error{ownTokens, othersTokens, systemCredentials}
	for _, f := range fill {
		if err := f(v, &page); err != nil {
			v.Fail(err)
			return
		}
	}
	v.Render(http.StatusOK, web.View{Title: v.PageTitle(credentialsPage, "Credentials"), Template: "credentials", Data: page})
}

// ownTokens fills in what is the visitor's own. Staff have none in a customer's
// organization.
func ownTokens(v *web.Visit, page *credentialPage) error {
	if v.Staff() {
		return nil
	}
	for _, kind := range personalKinds(v.Contract) {
		list, err := v.Manage.Keys(v.R.Context(), v.Actor, manage.KeyFilter{
			Organization: v.Organization.ID, Member: v.Session.Member.ID, Kind: kind.Name, Page: manage.Page{Limit: access.MaxLimit},
		})
		if err != nil {
			return err
		}
		k := tokenKind{Words: tokenWordsOf(v, kind), Most: kind.MaxPerOwner}
		var alive int64
		for i := range list.Items {
			row := tokenRowOf(v, &list.Items[i], "You")
			if row.Words = k.Words; list.Items[i].Status != manage.StatusRevoked {
				alive++
			}
			k.Tokens = append(k.Tokens, row)
		}
		slices.SortStableFunc(k.Tokens, func(a, b tokenRow) int { return order(a.Ended) - order(b.Ended) })
		k.MayCreate = v.May(access.Roles(kind.CreatedBy)) && (k.Most == 0 || alive < k.Most)
		page.Kinds = append(page.Kinds, k)
	}
	return nil
}

func tokenRowOf(v *web.Visit, key *manage.Key, person string) tokenRow {
	row := tokenRow{
		Key: *key, Environment: environmentLabel(v.Contract, key.Environment), Status: statuses[key.Status],
		Person: person, Ended: key.Status == manage.StatusRevoked,
	}
	if kind, ok := isPersonal(v.Contract, key.Kind); ok {
		row.Words = tokenWordsOf(v, kind)
	}
	return row
}

// othersTokens fills in the tokens of other members, for those who may end them.
func othersTokens(v *web.Visit, page *credentialPage) error {
	if !v.May(access.ReadAdmin) {
		return nil
	}
	names, err := v.Names()
	if err != nil {
		return err
	}
	for _, kind := range personalKinds(v.Contract) {
		list, err := v.Manage.Keys(v.R.Context(), v.Actor, manage.KeyFilter{
			Organization: v.Organization.ID, Kind: kind.Name, Page: manage.Page{Limit: access.MaxLimit},
			Narrow: manage.Narrow{Status: manage.StatusActive},
		})
		if err != nil {
			return err
		}
		for i := range list.Items {
			if key := &list.Items[i]; key.Member != v.Session.Member.ID {
				page.Others = append(page.Others, tokenRowOf(v, key, names.Of(key.Member)))
			}
		}
	}
	return nil
}

// A tokenForm is the form for a new key of a person.
type tokenForm struct {
	Words                      tokenWords
	Action, Cancel             string
	Name, Environment, Expires string
	FirstDay, LastDay          string
	ExpiryRequired             bool
	Environments               []web.Option
	Scopes                     scopeChoices // none where there is nothing to choose
	Problems                   problems
	Problem                    string
}

// tokenFormOf returns the form for a kind, or answers when people can have none of it.
func tokenFormOf(v *web.Visit, name string) (tokenForm, *contract.KeyKind, bool) {
	kinds := personalKinds(v.Contract)
	if name == "" && len(kinds) == 1 {
		name = kinds[0].Name
	}
	kind, ok := isPersonal(v.Contract, name)
	if !ok || v.Staff() {
		v.Fail(access.NotFound("kind of credential for you"))
		return tokenForm{}, nil, false
	}
	f := tokenForm{
		Words: tokenWordsOf(v, kind), Action: v.Base + "/credentials", Cancel: v.Base + "/credentials", Problems: problems{},
		FirstDay: v.Now().UTC().Format(time.DateOnly), ExpiryRequired: kind.ExpiryRequired, Environments: environmentsOf(v.Contract, kind),
	}
	if !kind.MaxLifetime.IsZero() {
		f.LastDay = kind.MaxLifetime.After(v.Now().UTC()).Add(-24 * time.Hour).Format(time.DateOnly)
	}
	return f, kind, true
}

func newToken(v *web.Visit) {
	f, kind, ok := tokenFormOf(v, v.Query("kind"))
	if !ok {
		return
	}
	f.Name, f.Environment = v.Query("name"), v.Query("environment")
	if f.Name == "" {
		f.Name = f.Words.One
	}
	if kind.Scopes.Len() > 1 {
		f.Scopes = scopeGroups(v.Contract, kind.Scopes, v.Contract.ScopeNames(kind.DefaultScopes))
	}
	showTokenForm(v, http.StatusOK, f)
}

func showTokenForm(v *web.Visit, status int, f tokenForm) {
	v.Render(status, web.View{Title: f.Words.Create, Template: "token_form", Data: f, Crumbs: credentialCrumbs(v)})
}

func credentialCrumbs(v *web.Visit) []web.Crumb {
	return []web.Crumb{{Text: v.PageTitle(credentialsPage, "Credentials"), Path: "/credentials"}}
}

// createToken makes a key for the visitor and answers with its secret, once.
func createToken(v *web.Visit) {
	f, kind, ok := tokenFormOf(v, v.Value("kind"))
	if !ok {
		return
	}
	f.Name, f.Environment, f.Expires = v.Value("name"), v.Value("environment"), v.Value("expires_at")
	in := manage.CreateKey{
		Kind: kind.Name, Organization: v.Organization.ID, Member: v.Session.Member.ID, Name: f.Name, Environment: f.Environment,
	}
	if kind.Scopes.Len() > 1 {
		f.Scopes = scopeGroups(v.Contract, kind.Scopes, v.Form["scopes"])
		in.Scopes = chosen(v, "scopes")
	}
	if in.ExpiresAt, ok = dayEnd(f.Expires); !ok {
		f.Problems["expires_at"] = "This is not a date: write it as 2027-03-31."
		showTokenForm(v, http.StatusUnprocessableEntity, f)
		return
	}
	made, err := v.Manage.CreateKey(v.R.Context(), v.Actor, in)
	if err != nil {
		if p, ok := refused(v, err); ok {
			f.Problems, f.Problem = p, p.other("name", "environment", "expires_at", "scopes")
			showTokenForm(v, http.StatusUnprocessableEntity, f)
		}
		return
	}
	showToken(v, f.Words.One+" created", f.Words, &made)
}

// showToken answers with the secret of a person's key.
func showToken(v *web.Visit, title string, words tokenWords, made *manage.KeySecret) {
	text := made.Secret.Reveal()
	page := secretPage{
		Again: made.Key.Revealable, Next: "/credentials", Done: "I have stored it",
		Items: []secretItem{{ID: "secret", Label: words.Label, Text: text, Secret: true}},
		Env:   envName(v.Contract, words.Label) + "=" + text,
		Lead:  "Copy it now: it is shown once, and only here. " + v.Contract.Product() + " keeps no copy. If you lose it, " + lower(words.Regenerate) + " it.",
	}
	if page.Again {
		page.Lead, page.Done = "Copy it to where your program finds it. You can see it again on the page before.", "Done"
	}
	page.Command, page.Call = keyCommand(v, &made.Key, text)
	v.Render(http.StatusOK, web.View{Title: title, Template: "secret", Data: page, Secret: true})
}

// tokenOf returns the key of a person that the path names, or answers.
func tokenOf(v *web.Visit) (manage.Key, tokenWords, bool) {
	key, err := v.Manage.Key(v.R.Context(), v.Actor, manage.ID{ID: v.Path("key")})
	if err == nil && key.Member == "" {
		err = access.NotFound("credential")
	}
	key, ok := here(v, key, key.Organization, "credential", err)
	if !ok {
		return manage.Key{}, tokenWords{}, false
	}
	kind, ok := isPersonal(v.Contract, key.Kind)
	if !ok {
		return key, tokenWords{Kind: key.Kind, One: key.Kind, Label: key.Kind, Regenerate: "Regenerate"}, true
	}
	return key, tokenWordsOf(v, kind), true
}

func askRegenerateToken(v *web.Visit) {
	key, words, ok := tokenOf(v)
	if !ok {
		return
	}
	q := question{
		Action: v.Base + "/credentials/" + key.ID + "/regenerate", Cancel: v.Base + "/credentials", Button: words.Regenerate, Danger: true,
		Texts: []string{"You get a new one. The one in use, " + key.Hint + ", is refused from the moment you do this, and so is every access token that was made from it: programs that have it stop until you give them the new one."},
	}
	if words.Lives != "" {
		q.Texts = append(q.Texts, "The new one lasts "+words.Lives+" from now, at most.")
	}
	ask(v, http.StatusOK, words.Regenerate+" "+words.Label+"?", q, credentialCrumbs(v))
}

func regenerateToken(v *web.Visit) {
	answerToken(v, func(words tokenWords) string { return "New " + words.Label }, v.Manage.RegenerateKey)
}

// revealToken shows a secret again, of a kind that stays viewable.
func revealToken(v *web.Visit) {
	answerToken(v, func(words tokenWords) string { return words.Label }, v.Manage.RevealKey)
}

// answerToken answers with the secret of the key that the path names, as a use case gives
// it.
func answerToken(v *web.Visit, title func(tokenWords) string, get func(context.Context, cardea.Actor, manage.ID) (manage.KeySecret, error)) {
	key, words, ok := tokenOf(v)
	if !ok {
		return
	}
	made, err := get(v.R.Context(), v.Actor, manage.ID{ID: key.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	showToken(v, title(words), words, &made)
}

func askRevokeToken(v *web.Visit) {
	key, words, ok := tokenOf(v)
	if !ok {
		return
	}
	whose := "Your"
	if key.Member != v.Session.Member.ID {
		whose = "This"
	}
	ask(v, http.StatusOK, "Revoke "+words.Label+"?", question{
		Action: v.Base + "/credentials/" + key.ID + "/revoke", Cancel: v.Base + "/credentials", Button: "Revoke", Danger: true,
		Texts: []string{whose + " " + lower(words.One) + " " + key.Hint + " ends for good, with every access token that was made from it."},
	}, credentialCrumbs(v))
}

func revokeToken(v *web.Visit) {
	key, words, ok := tokenOf(v)
	if !ok {
		return
	}
	if _, err := v.Manage.RevokeKey(v.R.Context(), v.Actor, manage.RevokeKey{ID: key.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/credentials", words.One+" revoked. It is refused everywhere.")
}
