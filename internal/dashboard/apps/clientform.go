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

// A clientForm is the form for a new client, or for a change of one.
type clientForm struct {
	Words    clientWords
	ID       string // "" for a new one
	Called   string // its name before the change
	Action   string
	Problems problems
	Problem  string // what is wrong with the form as a whole

	Sorts        []clientSort // to choose from, when there are several
	Sort         string
	Environments []web.Option

	Name, Environment                     string
	Redirects, Origins, Addresses         string // one a line
	Expires, FirstDay                     string
	LogoURL, HomeURL, PolicyURL, TermsURL string
	Scopes                                scopeChoices
	Grants                                []grantChoice
	FirstParty, DPoP                      bool

	People, AsksAddresses, AsksFirstParty, AsksDPoP, Public bool
	PKCE                                                    string // for those that keep a secret
	Example                                                 string // of a redirect URI
	Described                                               bool   // it describes itself, elsewhere
}

// NameHint says who sees the name.
func (f clientForm) NameHint() string {
	return which(f.People, "People who are asked to allow it see this name.", "For you to tell it from others.")
}

// A grantChoice is a check box for a grant.
type grantChoice struct {
	Value, Text, Hint string
	Chosen            bool
	For               string // the sorts of client that it is offered for
}

// sortsOf returns the sorts of client that a contract has room for, first the one that its
// first grant is for.
func sortsOf(c *contract.Contract) []clientSort {
	clients := c.Clients()
	if clients == nil {
		return nil
	}
	people := slices.Contains(clients.Grants, contract.GrantAuthorizationCode) || slices.Contains(clients.Grants, contract.GrantDeviceCode)
	secret := slices.ContainsFunc(clients.Authentication, func(a contract.ClientAuthentication) bool {
		return a == contract.ClientSecretPost || a == contract.ClientSecretBasic
	})
	var sorts []clientSort
	if people && secret {
		sorts = append(sorts, webSort)
	}
	if people && clients.Public {
		sorts = append(sorts, publicSort)
	}
	if secret && slices.Contains(clients.Grants, contract.GrantClientCredentials) {
		if clients.Grants[0] == contract.GrantClientCredentials {
			return append([]clientSort{machineSort}, sorts...)
		}
		sorts = append(sorts, machineSort)
	}
	return sorts
}

// emptyForm returns what every form for a client needs.
func emptyForm(v *web.Visit) clientForm {
	c := v.Contract
	f := clientForm{
		Words: wordsOf(v), Action: v.Base + "/applications", Sorts: sortsOf(c), Problems: problems{},
		Environments: environmentsOf(c, c.ClientKind()), FirstDay: v.Now().UTC().Format(time.DateOnly),
		AsksAddresses:  c.IPListPer() == contract.IPListPerCredential || c.IPListPer() == contract.IPListPerBoth,
		AsksFirstParty: v.Staff(), Example: c.Docs().RedirectURI,
	}
	for _, s := range f.Sorts {
		f.People = f.People || s != machineSort
	}
	if f.Example == "" {
		f.Example = "https://app.example.com/callback"
	}
	if clients := c.Clients(); clients != nil {
		f.AsksDPoP, f.PKCE = clients.DPoP == contract.DPoPOptional, pkceText(c, false)
	}
	return f
}

// newClient shows the form, filled in from the address: a page that tells people to
// create an application may link to what it takes.
func newClient(v *web.Visit) {
	f := emptyForm(v)
	if len(f.Sorts) == 0 {
		v.Fail(access.NotFound("kind of application in this product"))
		return
	}
	f.Name, f.Environment, f.Redirects = v.Query("name"), v.Query("environment"), v.Query("redirect_uri")
	f.Sort = f.Sorts[0].Name
	for _, s := range f.Sorts {
		if s.Name == v.Query("type") {
			f.Sort = s.Name
		}
	}
	kind := v.Contract.ClientKind()
	f.Scopes = scopeGroups(v.Contract, kind.Scopes, append(v.Contract.ScopeNames(kind.DefaultScopes), strings.Fields(v.Query("scope"))...))
	f.Grants = furtherGrants(v.Contract, nil)
	showNewClient(v, http.StatusOK, f)
}

func showNewClient(v *web.Visit, status int, f clientForm) {
	v.Render(status, web.View{
		Title: f.Words.Create, Template: "client_form", Data: f,
		Crumbs: []web.Crumb{{Text: f.Words.Title, Path: f.Words.Path}},
	})
}

// furtherGrants returns the grants that a new client may have beside those of its sort.
func furtherGrants(c *contract.Contract, chosen []string) []grantChoice {
	offers := []struct {
		grant contract.Grant
		sorts string
	}{{contract.GrantDeviceCode, "web public"}, {contract.GrantClientCredentials, "web"}}
	var out []grantChoice
	for _, o := range offers {
		if !slices.Contains(c.Clients().Grants, o.grant) || o.grant == contract.GrantDeviceCode && !slices.Contains(c.Clients().Grants, contract.GrantAuthorizationCode) {
			continue
		}
		g := choiceOf(o.grant, chosen)
		g.For = o.sorts
		out = append(out, g)
	}
	return out
}

func choiceOf(grant contract.Grant, chosen []string) grantChoice {
	g := grantChoice{Value: string(grant), Text: string(grant), Chosen: slices.Contains(chosen, string(grant))}
	for _, w := range grantWords {
		if w.Grant == grant {
			g.Text, g.Hint = w.Long, string(grant)
		}
	}
	return g
}

// readForm reads what was sent into a form, and the end that was chosen.
func readForm(v *web.Visit, f *clientForm) (expires time.Time) {
	f.Name, f.Environment, f.Sort = v.Value("name"), v.Value("environment"), v.Value("type")
	f.Redirects, f.Origins, f.Addresses = v.Form.Get("redirect_uris"), v.Form.Get("origins"), v.Form.Get("addresses")
	f.Expires = v.Value("expires_at")
	f.LogoURL, f.HomeURL, f.PolicyURL, f.TermsURL = v.Value("logo_url"), v.Value("home_url"), v.Value("policy_url"), v.Value("terms_url")
	f.FirstParty, f.DPoP = v.Value("first_party") != "", v.Value("dpop_required") != ""
	f.Scopes = scopeGroups(v.Contract, v.Contract.ClientKind().Scopes, v.Form["scopes"])
	expires, ok := dayEnd(f.Expires)
	if !ok {
		f.Problems["expires_at"] = "This is not a date: write it as 2027-03-31."
	}
	return expires
}

// createClient creates a client. One that keeps a secret is answered with it, once.
func createClient(v *web.Visit) {
	f := emptyForm(v)
	in := manage.CreateClient{Organization: v.Organization.ID, ExpiresAt: readForm(v, &f)}
	if v.Contract.Clients() == nil {
		_, err := v.Manage.CreateClient(v.R.Context(), v.Actor, in) // says why not
		v.Fail(err)
		return
	}
	f.Grants = furtherGrants(v.Contract, v.Form["grants"])
	if !slices.ContainsFunc(f.Sorts, func(s clientSort) bool { return s.Name == f.Sort }) {
		f.Sort = f.Sorts[0].Name
	}
	in.Name, in.Environment, in.Public = f.Name, f.Environment, f.Sort == publicSort.Name
	in.FirstParty, in.DPoPRequired, in.Addresses = f.FirstParty, f.DPoP, v.Lines("addresses")
	if in.Scopes = chosen(v, "scopes"); v.Contract.ClientKind().Scopes.Len() < 2 {
		in.Scopes = nil // nothing to choose
	}
	if f.Sort != machineSort.Name {
		in.RedirectURIs, in.Origins = v.Lines("redirect_uris"), v.Lines("origins")
		in.LogoURL, in.HomeURL, in.PolicyURL, in.TermsURL = f.LogoURL, f.HomeURL, f.PolicyURL, f.TermsURL
	}
	in.Grants = grantsOf(v.Contract, f.Sort, v.Form["grants"], len(in.RedirectURIs) > 0)
	if len(f.Problems) > 0 {
		showNewClient(v, http.StatusUnprocessableEntity, f)
		return
	}
	made, err := v.Manage.CreateClient(v.R.Context(), v.Actor, in)
	if err != nil {
		f.refuse(v, err, showNewClient)
		return
	}
	if made.Secret.IsZero() {
		v.See("/applications/"+made.Client.ID, "It is there. Its "+f.Words.ID+" is "+made.Client.ID+"; there is no secret to keep.")
		return
	}
	showPair(v, f.Words.One+" created", &made)
}

// grantsOf returns the grants of a new client: those of its sort that the contract has,
// and the further ones that were chosen.
func grantsOf(c *contract.Contract, sort string, further []string, redirects bool) []string {
	device := slices.Contains(further, string(contract.GrantDeviceCode)) || !slices.Contains(c.Clients().Grants, contract.GrantAuthorizationCode)
	grants := []string{}
	for _, g := range c.Clients().Grants {
		var of bool
		switch g {
		case contract.GrantAuthorizationCode: // a device alone needs no address to return to
			of = sort != machineSort.Name && (redirects || !device)
		case contract.GrantRefreshToken:
			of = sort != machineSort.Name
		case contract.GrantDeviceCode:
			of = sort != machineSort.Name && device
		case contract.GrantClientCredentials:
			of = sort == machineSort.Name || sort == webSort.Name && slices.Contains(further, string(g))
		}
		if of {
			grants = append(grants, string(g))
		}
	}
	return grants
}

// refuse shows the form again with what is wrong, or answers with the error.
func (f clientForm) refuse(v *web.Visit, err error, show func(*web.Visit, int, clientForm)) {
	p, ok := refused(v, err)
	if !ok {
		return
	}
	f.Problems = p
	f.Problem = p.other("name", "environment", "redirect_uris", "origins", "addresses", "expires_at", "scopes", "grants",
		"logo_url", "home_url", "policy_url", "terms_url")
	show(v, http.StatusUnprocessableEntity, f)
}

// editClient shows the form for a change.
func editClient(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	f := editForm(v, &client)
	f.Name, f.Redirects, f.Origins = client.Name, strings.Join(client.RedirectURIs, "\n"), strings.Join(client.Origins, "\n")
	f.Addresses = strings.Join(client.Addresses, "\n")
	f.LogoURL, f.HomeURL, f.PolicyURL, f.TermsURL = client.LogoURL, client.HomeURL, client.PolicyURL, client.TermsURL
	f.FirstParty, f.DPoP = client.FirstParty, client.DPoPRequired
	if !client.ExpiresAt.IsZero() {
		f.Expires = client.ExpiresAt.UTC().Format(time.DateOnly)
	}
	f.Scopes = scopeGroups(v.Contract, v.Contract.ClientKind().Scopes, client.Scopes)
	f.Grants = allGrants(v.Contract, client.Grants)
	showEditClient(v, http.StatusOK, f)
}

// editForm returns the form for a change of a client, not filled in.
func editForm(v *web.Visit, client *manage.Client) clientForm {
	f := emptyForm(v)
	f.ID, f.Called, f.Action = client.ID, client.Name, v.Base+"/applications/"+client.ID+"/edit"
	f.Public, f.Described = client.Public, client.MetadataURL != ""
	return f
}

// allGrants returns a check box for every grant that the contract gives to clients.
func allGrants(c *contract.Contract, chosen []string) []grantChoice {
	var out []grantChoice
	if c.Clients() == nil {
		return nil
	}
	for _, w := range grantWords {
		if slices.Contains(c.Clients().Grants, w.Grant) {
			out = append(out, choiceOf(w.Grant, chosen))
		}
	}
	return out
}

func showEditClient(v *web.Visit, status int, f clientForm) {
	v.Render(status, web.View{
		Title: "Edit " + lower(f.Words.One), Template: "client_form", Data: f,
		Crumbs: []web.Crumb{{Text: f.Words.Title, Path: f.Words.Path}, {Text: f.Called, Path: "/applications/" + f.ID}},
	})
}

// updateClient changes a client. Fields that the form did not have stay as they are.
func updateClient(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	f := editForm(v, &client)
	expires := readForm(v, &f)
	f.Grants = allGrants(v.Contract, v.Form["grants"])
	in := manage.UpdateClient{ID: client.ID, Name: &f.Name}
	if v.Contract.Clients() != nil && v.Contract.ClientKind().Scopes.Len() > 1 {
		in.Scopes = chosen(v, "scopes")
	}
	if f.AsksAddresses {
		in.Addresses = v.Lines("addresses")
	}
	switch before := editedDay(client.ExpiresAt); {
	case f.Expires == before: // a time of day that the field does not show stays
	case f.Expires == "":
		in.NeverExpires = true
	default:
		in.ExpiresAt = expires
	}
	if !f.Described {
		in.Grants, in.RedirectURIs, in.Origins = chosen(v, "grants"), v.Lines("redirect_uris"), v.Lines("origins")
		in.LogoURL, in.HomeURL, in.PolicyURL, in.TermsURL = &f.LogoURL, &f.HomeURL, &f.PolicyURL, &f.TermsURL
		if f.AsksDPoP {
			in.DPoPRequired = &f.DPoP
		}
		if f.AsksFirstParty {
			in.FirstParty = &f.FirstParty
		}
	}
	if len(f.Problems) > 0 {
		showEditClient(v, http.StatusUnprocessableEntity, f)
		return
	}
	if _, err := v.Manage.UpdateClient(v.R.Context(), v.Actor, in); err != nil {
		f.refuse(v, err, showEditClient)
		return
	}
	v.See("/applications/"+client.ID, "Saved. It counts from now on.")
}

// editedDay returns a time as the date field shows it.
func editedDay(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}
