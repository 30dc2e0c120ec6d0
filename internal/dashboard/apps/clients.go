package apps

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/web"
)

// clientOf returns the client that the path names, or answers.
func clientOf(v *web.Visit) (manage.Client, bool) { return clientByID(v, v.Path("client")) }

func clientByID(v *web.Visit, id string) (manage.Client, bool) {
	client, err := v.Manage.Client(v.R.Context(), v.Actor, manage.ID{ID: id})
	return here(v, client, client.Organization, "application", err)
}

// mayClients reports whether the visitor may make and change clients.
func mayClients(v *web.Visit, need access.Right) bool {
	c := v.Contract.Clients()
	return c != nil && v.May(need.For(access.Roles(c.CreatedBy)))
}

// A clientSort is what people take a client for.
type clientSort struct{ Name, Text, Hint string }

// The sorts of client.
var (
	webSort     = clientSort{"web", "Web application", "Runs on a server and keeps a secret. People sign in and allow it to act for them."}
	publicSort  = clientSort{"public", "Browser, mobile or desktop app", "Runs on people’s devices, where no secret is safe. It proves itself with PKCE instead."}
	machineSort = clientSort{"machine", "Machine", "A program that acts as itself, without a person: servers, jobs, scripts."}
)

// sortOf returns what a client is.
func sortOf(client *manage.Client) clientSort {
	switch {
	case client.Public:
		return publicSort
	case slices.Equal(client.Grants, []string{string(contract.GrantClientCredentials)}):
		return machineSort
	}
	return webSort
}

// has reports whether a client may use a grant.
func has(client *manage.Client, grant contract.Grant) bool {
	return slices.Contains(client.Grants, string(grant))
}

// A clientRow is a client in the list.
type clientRow struct {
	manage.Client
	Sort        clientSort
	Environment string
	Status      badge
	Grants      []string
}

// A clientList is the page of all clients.
type clientList struct {
	Words        clientWords
	Rows         []clientRow
	Next         string
	Search       string
	Environment  string
	Status       string
	Environments []web.Option
	Statuses     []web.Option
	Narrowed     bool
	MayCreate    bool
	Creators     string // who may: "owners and admins"
	Missing      bool   // the contract has none
}

// statusOptions are what a list may be narrowed to.
var statusOptions = []web.Option{
	{Value: "", Text: "Any status"}, {Value: string(manage.StatusActive), Text: "Active"}, {Value: string(manage.StatusExpiring), Text: "Expiring"},
	{Value: string(manage.StatusDisabled), Text: "Disabled"}, {Value: string(manage.StatusExpired), Text: "Expired"}, {Value: string(manage.StatusRevoked), Text: "Revoked"},
}

// narrowed returns what the address narrows a list of credentials to. What is none of the
// choices is taken for no choice.
func narrowed(v *web.Visit, environments []web.Option) manage.ClientFilter {
	f := manage.ClientFilter{Organization: v.Organization.ID, Page: manage.Page{Cursor: v.Query("cursor")}}
	f.Search = v.Query("q")
	for _, o := range environments {
		if o.Value == v.Query("environment") {
			f.Environment = o.Value
		}
	}
	for _, o := range statusOptions {
		if o.Value == v.Query("status") {
			f.Status = manage.Status(o.Value)
		}
	}
	return f
}

// nextPage returns the address of the next page of a list, "" on the last.
func nextPage(v *web.Visit, path, next string) string {
	if next == "" {
		return ""
	}
	q := url.Values{"cursor": {next}}
	for _, name := range []string{"q", "environment", "status"} {
		if value := v.Query(name); value != "" {
			q.Set(name, value)
		}
	}
	return v.Base + path + "?" + q.Encode()
}

func listClients(v *web.Visit) {
	words := wordsOf(v)
	if words.Path != "/applications" { // they have their place on another page
		v.See(words.Path, "")
		return
	}
	data := clientList{Words: words, Statuses: statusOptions, MayCreate: mayClients(v, access.Secrets)}
	data.Environments = environmentsOf(v.Contract, v.Contract.ClientKind())
	filter := narrowed(v, data.Environments)
	data.Search, data.Environment, data.Status = filter.Search, filter.Environment, string(filter.Status)
	data.Narrowed = data.Search+data.Environment+data.Status != ""
	list, err := v.Manage.Clients(v.R.Context(), v.Actor, filter)
	if err != nil {
		v.Fail(err)
		return
	}
	if data.Missing = v.Contract.Clients() == nil; !data.Missing {
		data.Creators = creatorsOf(v.Contract.Clients().CreatedBy)
	}
	data.Next = nextPage(v, "/applications", list.Next)
	for i := range list.Items {
		data.Rows = append(data.Rows, rowOf(v, &list.Items[i]))
	}
	v.Render(http.StatusOK, web.View{Title: words.Title, Template: "clients", Data: data, Block: "list", Wide: true})
}

func rowOf(v *web.Visit, client *manage.Client) clientRow {
	row := clientRow{Client: *client, Sort: sortOf(client), Status: statuses[client.Status], Environment: environmentLabel(v.Contract, client.Environment)}
	for _, grant := range client.Grants {
		row.Grants = append(row.Grants, grantShort(grant))
	}
	return row
}

// A clientPage is the page of one client.
type clientPage struct {
	clientRow
	Words       clientWords
	HasSecret   bool
	Ended       bool // revoked, which is final
	Maker       string
	Scopes      []scopeWord
	PKCE        string
	People      bool // people sign in with it
	Preview     *preview
	Allowed     []allowance
	MoreAllowed bool // more than are shown
	Connections []connection
	More        bool // more than are shown

	MayChange, MaySecrets bool

	// The redirect URI that was asked about, and the answer.
	Asked  string
	Answer *redirectAnswer
}

func showClient(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	names, err := v.Names()
	if err != nil {
		v.Fail(err)
		return
	}
	page := clientPage{
		clientRow: rowOf(v, &client), Words: wordsOf(v), HasSecret: client.Hint != "", Ended: client.Status == manage.StatusRevoked,
		Maker: names.Maker(client.CreatedBy), Scopes: scopeWords(v.Contract, client.Scopes),
		People:    has(&client, contract.GrantAuthorizationCode) || has(&client, contract.GrantDeviceCode),
		MayChange: mayClients(v, access.Keys), MaySecrets: mayClients(v, access.Secrets),
	}
	if page.PKCE = ""; has(&client, contract.GrantAuthorizationCode) {
		page.PKCE = pkceText(v.Contract, client.Public)
	}
	if page.People && !client.FirstParty {
		page.Preview = previewOf(v, &client)
	}
	if page.Asked = v.Query("redirect_uri"); page.Asked != "" {
		page.Answer = askRedirect(client.RedirectURIs, page.Asked)
	}
	if page.Connections, page.More, err = connectionsOf(v, client.ID, names); err == nil {
		page.Allowed, page.MoreAllowed, err = allowancesOf(v, client.ID, names)
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: client.Name, Template: "client", Data: page, Block: "redirect-answer",
		Crumbs: []web.Crumb{{Text: page.Words.Title, Path: page.Words.Path}},
	})
}

// pkceText says who must send a code challenge (RFC 7636), plainly.
func pkceText(c *contract.Contract, public bool) string {
	clients := c.Clients()
	switch {
	case clients == nil:
		return ""
	case public:
		return "Required: without a secret, the challenge (S256) is what proves that the code comes back to the app that asked."
	case clients.PKCE == contract.PKCERequired:
		return "Required for every application: send code_challenge with the method S256."
	}
	return "Optional, and recommended. A challenge (S256) that is sent is always enforced."
}

// A preview is what the consent screen shows of a client.
type preview struct {
	Name                         string
	Account, Organization        string
	Environment                  string
	Scopes                       []scopeWord
	RedirectHost                 string
	Lasts                        string
	HomeURL, PolicyURL, TermsURL string
	LogoURL                      string
}

func previewOf(v *web.Visit, client *manage.Client) *preview {
	p := &preview{
		Name: client.Name, Account: v.Session.Member.Email, Organization: v.Organization.Name,
		Scopes: scopeWords(v.Contract, client.Scopes), Lasts: "until they withdraw it",
		HomeURL: client.HomeURL, PolicyURL: client.PolicyURL, TermsURL: client.TermsURL, LogoURL: client.LogoURL,
	}
	if v.Staff() {
		p.Account = "The person who is asked"
	}
	if len(v.Contract.Environments()) > 1 {
		p.Environment = environmentLabel(v.Contract, client.Environment)
	}
	if len(client.RedirectURIs) > 0 {
		if u, err := url.Parse(client.RedirectURIs[0]); err == nil {
			p.RedirectHost = u.Host
		}
	}
	if clients := v.Contract.Clients(); clients != nil && clients.ConsentLifetime > 0 {
		p.Lasts = "for " + length(clients.ConsentLifetime)
	}
	return p
}

// A connection is an authorization that a client has, with what grew from it.
type connection struct {
	manage.Grant
	Person string
	Scopes []scopeWord
	Ended  bool
	Own    bool
}

// maxConnections is how many connections the page of a client shows.
const maxConnections = 20

// connectionsOf returns the newest authorizations of a client that the visitor may see.
func connectionsOf(v *web.Visit, client string, names web.Names) (out []connection, more bool, err error) {
	list, err := v.Manage.Grants(v.R.Context(), v.Actor, manage.GrantFilter{
		Organization: v.Organization.ID, Client: client, Page: manage.Page{Limit: maxConnections},
	})
	for _, g := range list.Items {
		c := connection{Grant: g, Person: "The application itself", Scopes: scopeWords(v.Contract, g.Scopes), Own: g.Member == v.Session.Member.ID}
		if g.Member != "" {
			c.Person = names.Of(g.Member)
		}
		c.Ended = !g.RevokedAt.IsZero() || passed(v, g.ExpiresAt)
		out = append(out, c)
	}
	return out, list.Next != "", err
}

// An allowance is a person's word that a client may act for them.
type allowance struct {
	manage.Consent
	Person string
	Scopes []scopeWord
	Own    bool
}

// allowancesOf returns who of the newest has allowed a client something that still counts,
// of those that the visitor may see.
func allowancesOf(v *web.Visit, client string, names web.Names) (out []allowance, more bool, err error) {
	list, err := v.Manage.Consents(v.R.Context(), v.Actor, manage.GrantFilter{
		Organization: v.Organization.ID, Client: client, Page: manage.Page{Limit: access.MaxLimit},
	})
	for _, c := range list.Items {
		if !c.WithdrawnAt.IsZero() || passed(v, c.ExpiresAt) {
			continue
		}
		out = append(out, allowance{
			Consent: c, Person: names.Of(c.Member), Scopes: scopeWords(v.Contract, c.Scopes), Own: c.Member == v.Session.Member.ID,
		})
	}
	return out, list.Next != "", err
}

// passed reports whether a time that may be zero has come.
func passed(v *web.Visit, at time.Time) bool { return !at.IsZero() && !v.Now().Before(at) }

// A redirectAnswer says whether a redirect URI would be accepted, and if not, why.
type redirectAnswer struct {
	Matches bool
	Text    string
}

// askRedirect says what the authorization endpoint would say of a redirect URI.
func askRedirect(registered []string, asked string) *redirectAnswer {
	for _, uri := range registered {
		switch {
		case uri == asked:
			return &redirectAnswer{true, "It is registered, character by character."}
		case target.MatchRedirectURI(uri, asked):
			return &redirectAnswer{true, "It is registered; on this device the port may be any."}
		}
	}
	if err := target.CheckRedirectURI(asked); err != nil {
		return &redirectAnswer{false, asSentence(err.Error(), true)}
	}
	for _, uri := range registered {
		if why := redirectDifference(uri, asked); why != "" {
			return &redirectAnswer{false, why}
		}
	}
	return &redirectAnswer{false, "None of the registered addresses is like it."}
}
