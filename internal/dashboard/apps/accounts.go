package apps

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// accountOf returns the service account that the path names, or answers.
func accountOf(v *web.Visit) (manage.ServiceAccount, bool) {
	account, err := v.Manage.ServiceAccount(v.R.Context(), v.Actor, manage.ID{ID: v.Path("account")})
	return here(v, account, account.Organization, "service account", err)
}

// mayAccounts reports whether the visitor may make and change service accounts: what an
// account may do is the organization's to say.
func mayAccounts(v *web.Visit) bool {
	return v.Contract.ServiceAccounts() != nil && v.May(access.Admin)
}

// accountTitle returns the name of the page of service accounts.
func accountTitle(v *web.Visit) string {
	return v.PageTitle(accountsPage, v.Contract.AccountKind().Plural)
}

// accountOne returns what one of them is called inside a sentence.
func accountOne(v *web.Visit) string { return lower(v.Contract.AccountKind().Label) }

// An accountRow is a service account in the list.
type accountRow struct {
	manage.ServiceAccount
	Environment string
	Status      badge
}

// An accountList is the page of all service accounts.
type accountList struct {
	One, Create  string
	File         string
	Rows         []accountRow
	Next         string
	Search       string
	Environment  string
	Status       string
	Environments []web.Option
	Statuses     []web.Option
	Narrowed     bool
	MayCreate    bool
	Missing      bool
}

func listAccounts(v *web.Visit) {
	data := accountList{One: accountOne(v), Statuses: statusOptions, MayCreate: mayAccounts(v), Missing: v.Contract.ServiceAccounts() == nil}
	data.Create = v.Label(accountsPage, "create", "Create "+data.One)
	data.Environments = environmentsOf(v.Contract, v.Contract.AccountKind())
	if terms := v.Contract.ServiceAccounts(); terms != nil {
		data.File = terms.File
	}
	filter := narrowed(v, data.Environments)
	data.Search, data.Environment, data.Status = filter.Search, filter.Environment, string(filter.Status)
	data.Narrowed = data.Search+data.Environment+data.Status != ""
	list, err := v.Manage.ServiceAccounts(v.R.Context(), v.Actor, filter)
	if err != nil {
		v.Fail(err)
		return
	}
	data.Next = nextPage(v, "/service-accounts", list.Next)
	for _, a := range list.Items {
		data.Rows = append(data.Rows, accountRow{a, environmentLabel(v.Contract, a.Environment), statuses[a.Status]})
	}
	v.Render(http.StatusOK, web.View{Title: accountTitle(v), Template: "accounts", Data: data, Block: "list", Wide: true})
}

// An accountForm is the form for a new service account, or for a change of one.
type accountForm struct {
	ID, Called, Action                    string // Called: its name before the change
	One, Submit                           string
	Name, Environment, Addresses, Expires string
	FirstDay                              string
	Environments                          []web.Option
	Scopes                                scopeChoices
	AsksAddresses                         bool
	Problems                              problems
	Problem                               string
}

func emptyAccount(v *web.Visit) accountForm {
	c := v.Contract
	return accountForm{
		Action: v.Base + "/service-accounts", One: accountOne(v), Submit: v.Label(accountsPage, "create", "Create "+accountOne(v)),
		FirstDay: v.Now().UTC().Format(time.DateOnly), Environments: environmentsOf(c, c.AccountKind()), Problems: problems{},
		AsksAddresses: c.IPListPer() == contract.IPListPerCredential || c.IPListPer() == contract.IPListPerBoth,
	}
}

func newAccount(v *web.Visit) {
	if v.Contract.ServiceAccounts() == nil {
		v.Fail(access.NotFound("service account in this product"))
		return
	}
	f := emptyAccount(v)
	f.Name, f.Environment = v.Query("name"), v.Query("environment")
	f.Scopes = scopeGroups(v.Contract, v.Contract.AccountKind().Scopes, strings.Fields(v.Query("scope")))
	showAccountForm(v, http.StatusOK, f)
}

func showAccountForm(v *web.Visit, status int, f accountForm) {
	crumbs := []web.Crumb{{Text: accountTitle(v), Path: "/service-accounts"}}
	title := f.Submit
	if f.ID != "" {
		crumbs = append(crumbs, web.Crumb{Text: f.Called, Path: "/service-accounts/" + f.ID})
		title = "Edit " + f.One
	}
	v.Render(status, web.View{Title: title, Template: "account_form", Data: f, Crumbs: crumbs})
}

// readAccount reads what was sent into a form, and the end that was chosen.
func readAccount(v *web.Visit, f *accountForm) (expires time.Time) {
	f.Name, f.Environment, f.Addresses, f.Expires = v.Value("name"), v.Value("environment"), v.Form.Get("addresses"), v.Value("expires_at")
	f.Scopes = scopeGroups(v.Contract, v.Contract.AccountKind().Scopes, v.Form["scopes"])
	expires, ok := dayEnd(f.Expires)
	if !ok {
		f.Problems["expires_at"] = "This is not a date: write it as 2027-03-31."
	}
	return expires
}

func (f accountForm) refuse(v *web.Visit, err error) {
	p, ok := refused(v, err)
	if !ok {
		return
	}
	f.Problems, f.Problem = p, p.other("name", "environment", "addresses", "expires_at", "scopes")
	showAccountForm(v, http.StatusUnprocessableEntity, f)
}

func createAccount(v *web.Visit) {
	f := emptyAccount(v)
	expires := readAccount(v, &f)
	if len(f.Problems) > 0 {
		showAccountForm(v, http.StatusUnprocessableEntity, f)
		return
	}
	in := manage.CreateServiceAccount{
		Organization: v.Organization.ID, Environment: f.Environment, Name: f.Name, Scopes: v.Form["scopes"],
		Addresses: v.Lines("addresses"), ExpiresAt: expires,
	}
	made, err := v.Manage.CreateServiceAccount(v.R.Context(), v.Actor, in)
	if err != nil {
		f.refuse(v, err)
		return
	}
	v.See("/service-accounts/"+made.ID+"/keys/new", "Created. It can do nothing before it has a key: that is the next step.")
}

func editAccount(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	f := accountFormOf(v, &account)
	f.Name, f.Addresses, f.Expires = account.Name, strings.Join(account.Addresses, "\n"), editedDay(account.ExpiresAt)
	f.Scopes = scopeGroups(v.Contract, v.Contract.AccountKind().Scopes, account.Scopes)
	showAccountForm(v, http.StatusOK, f)
}

func accountFormOf(v *web.Visit, account *manage.ServiceAccount) accountForm {
	f := emptyAccount(v)
	f.ID, f.Called, f.Action, f.Submit = account.ID, account.Name, v.Base+"/service-accounts/"+account.ID+"/edit", "Save"
	return f
}

func updateAccount(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	f := accountFormOf(v, &account)
	expires := readAccount(v, &f)
	if len(f.Problems) > 0 {
		showAccountForm(v, http.StatusUnprocessableEntity, f)
		return
	}
	in := manage.UpdateKey{ID: account.ID, Name: &f.Name}
	if v.Contract.ServiceAccounts() != nil {
		in.Scopes = chosen(v, "scopes")
	}
	if f.AsksAddresses {
		in.Addresses = v.Lines("addresses")
	}
	switch {
	case f.Expires == editedDay(account.ExpiresAt):
	case f.Expires == "":
		in.NeverExpires = true
	default:
		in.ExpiresAt = expires
	}
	if _, err := v.Manage.UpdateServiceAccount(v.R.Context(), v.Actor, in); err != nil {
		f.refuse(v, err)
		return
	}
	v.See("/service-accounts/"+account.ID, "Saved. It counts from now on.")
}

// An accountPage is the page of one service account.
type accountPage struct {
	accountRow
	One       string
	Ended     bool
	Maker     string
	Scopes    []scopeWord
	Keys      []accountKeyRow
	Working   int // keys that work
	MayChange bool
	File      string
	Lifetime  string
	Snippet   string
}

// Kind returns what the contract calls it, at the beginning of a line.
func (p accountPage) Kind() string { return capital(p.One) }

// An accountKeyRow is a key of a service account in its table.
type accountKeyRow struct {
	manage.ServiceAccountKey
	Status badge
	Ended  bool
}

func showAccount(v *web.Visit) {
	account, ok := accountOf(v)
	if !ok {
		return
	}
	names, err := v.Names()
	var keys manage.List[manage.ServiceAccountKey]
	if err == nil {
		keys, err = v.Manage.ServiceAccountKeys(v.R.Context(), v.Actor, manage.ServiceAccountKeyFilter{ServiceAccount: account.ID})
	}
	if err != nil {
		v.Fail(err)
		return
	}
	page := accountPage{
		accountRow: accountRow{account, environmentLabel(v.Contract, account.Environment), statuses[account.Status]},
		One:        accountOne(v), Ended: account.Status == manage.StatusRevoked, Maker: names.Maker(account.CreatedBy),
		Scopes: scopeWords(v.Contract, account.Scopes), MayChange: mayAccounts(v), Snippet: accountSnippet(v, account.Scopes),
	}
	if terms := v.Contract.ServiceAccounts(); terms != nil {
		page.File, page.Lifetime = terms.File, length(terms.MaxLifetime)
	}
	for _, k := range keys.Items {
		row := accountKeyRow{k, statuses[k.Status], k.Status != manage.StatusActive}
		if !row.Ended {
			page.Working++
		}
		page.Keys = append(page.Keys, row)
	}
	slices.SortStableFunc(page.Keys, func(a, b accountKeyRow) int { return order(a.Ended) - order(b.Ended) })
	v.Render(http.StatusOK, web.View{
		Title: account.Name, Template: "account", Data: page, Crumbs: []web.Crumb{{Text: accountTitle(v), Path: "/service-accounts"}},
	})
}

// order puts what has ended last.
func order(ended bool) int {
	if ended {
		return 1
	}
	return 0
}

// accountSnippet returns how a program signs a token with a key file, in the product's own
// words.
func accountSnippet(v *web.Visit, scopes []string) string {
	terms := v.Contract.ServiceAccounts()
	if terms == nil {
		return ""
	}
	module := strings.ToLower(identifier(v.Contract.Product()))
	list := "[]"
	if len(scopes) > 0 {
		list = `["` + scopes[0] + `"]`
	}
	return "from " + module + ".auth import ServiceAccount\n\n" +
		`sa = ServiceAccount.from_file("` + terms.File + "\")\n" +
		"token = sa.generate_token(\n    scopes=" + list + ",\n    expires_in=" + seconds(terms.MaxLifetime) + "  # " + length(terms.MaxLifetime) + "\n)"
}
