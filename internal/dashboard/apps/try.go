package apps

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/web"
)

// tryPath is where the answer to a try comes back: a redirect URI of the dashboard's own.
const tryPath = "/applications/try"

// tryAddress returns the redirect URI of a try: one address for every application, always
// below the members' own pages.
func tryAddress(v *web.Visit) string { return v.Origin() + web.Prefix + tryPath }

// A tryPage lets somebody run the flows of a client.
type tryPage struct {
	clientRow
	Words  clientWords
	Works  bool // it may get tokens now
	People bool // it has the authorization code grant

	Address    string // the dashboard's redirect URI
	AddressErr string // why it cannot be one
	Registered bool
	MayChange  bool
	Member     bool // the visitor is a member, who can be asked
	Scopes     scopeChoices

	Machine string // curl line for a token without a person
	Call    string
	Device  string // curl line that begins a device's flow
}

func showTry(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: "Try " + client.Name, Template: "try", Data: tryPageOf(v, &client), Crumbs: clientCrumbs(wordsOf(v), &client),
	})
}

func tryPageOf(v *web.Visit, client *manage.Client) tryPage {
	page := tryPage{
		clientRow: rowOf(v, client), Words: wordsOf(v), People: has(client, contract.GrantAuthorizationCode) && v.Contract.Endpoints().Authorize != nil,
		Works: client.Status == manage.StatusActive || client.Status == manage.StatusExpiring, Address: tryAddress(v),
		MayChange: mayClients(v, access.Keys) && client.MetadataURL == "", Member: !v.Staff(),
	}
	page.Registered = slices.Contains(client.RedirectURIs, page.Address)
	if err := target.CheckRedirectURI(page.Address); err != nil {
		page.AddressErr = asSentence(err.Error(), true)
	}
	set, _ := v.Contract.ScopeSet(client.Scopes...)
	page.Scopes = scopeGroups(v.Contract, set, client.Scopes)
	if has(client, contract.GrantClientCredentials) {
		var scope []parameter
		if len(client.Scopes) > 0 {
			scope = append(scope, parameter{Name: "scope", Value: strings.Join(client.Scopes, " ")})
		}
		page.Machine = tokenCommand(v, client, contract.GrantClientCredentials, "$CLIENT_SECRET", scope...)
		page.Call = apiCommand(v, client.Environment, client.Scopes)
	}
	if e := v.Contract.Endpoints().Device; e != nil && has(client, contract.GrantDeviceCode) {
		page.Device = "curl -X POST " + quoted(v.Contract.EndpointURL(e, v.Origin())) + " \\\n  --data-urlencode " + quoted("client_id="+client.ID)
	}
	return page
}

// addTryAddress registers the dashboard's own address with a client.
func addTryAddress(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	uris := client.RedirectURIs
	if !slices.Contains(uris, tryAddress(v)) {
		uris = append(slices.Clone(uris), tryAddress(v))
	}
	if _, err := v.Manage.UpdateClient(v.R.Context(), v.Actor, manage.UpdateClient{ID: client.ID, RedirectURIs: uris}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/applications/"+client.ID+"/try", "The address is registered. Remove it again when you are done: edit the application.")
}

// A startedTry is the page that leads to the consent screen.
type startedTry struct {
	Name, URL string
	Host      string // of the consent screen
	Params    []parameter
	Cancel    string
}

// startTry prepares an authorization request: a state that this browser and session alone
// know, and a PKCE challenge. It answers with a link and not with a redirect: browsers
// hold redirects after a form to the policy of its page, which names this host alone.
func startTry(v *web.Visit) {
	client, ok := clientOf(v)
	if !ok {
		return
	}
	page := tryPageOf(v, &client)
	if !page.People || !page.Registered || !page.Works || !page.Member {
		v.Render(http.StatusConflict, web.View{
			Title: "Try " + client.Name, Template: "try", Data: page, Crumbs: clientCrumbs(page.Words, &client),
		})
		return
	}
	attempt := newAttempt(v, client.ID)
	if !attempt.keep(v) {
		v.Fail(access.NotFound("way to remember the attempt"))
		return
	}
	challenge := sha256.Sum256([]byte(attempt.Verifier))
	params := []parameter{
		{Name: "response_type", Value: "code"}, {Name: "client_id", Value: client.ID}, {Name: "redirect_uri", Value: page.Address},
		{Name: "scope", Value: strings.Join(known(client.Scopes, v.Form["scopes"]), " ")}, {Name: "state", Value: attempt.State},
		{Name: "code_challenge", Value: base64.RawURLEncoding.EncodeToString(challenge[:])}, {Name: "code_challenge_method", Value: "S256"},
	}
	endpoint := v.Contract.EndpointURL(v.Contract.Endpoints().Authorize, v.Origin())
	query := url.Values{}
	for _, p := range params {
		if p.Value != "" {
			query.Set(p.Name, p.Value)
		}
	}
	started := startedTry{Name: client.Name, URL: endpoint + "?" + query.Encode(), Params: params, Cancel: v.Base + "/applications/" + client.ID + "/try"}
	if u, err := url.Parse(endpoint); err == nil {
		started.Host = u.Host
	}
	v.Render(http.StatusOK, web.View{Title: "Ready to ask", Template: "try_started", Data: started, Crumbs: clientCrumbs(page.Words, &client)})
}

// known returns those of the chosen scopes that the client has, all of them when none was
// chosen.
func known(scopes, chosen []string) []string {
	kept := slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !slices.Contains(chosen, s) })
	if len(kept) == 0 {
		return scopes
	}
	return kept
}

// A triedPage tells what came back.
type triedPage struct {
	Name    string
	Again   string
	Heading string
	Error   string // in words, when it was no code
	Code    string
	Public  bool
	Issuer  string
	Command string
	Call    string
}

// tryErrors are the errors that an authorization endpoint may send back (RFC 6749
// §4.1.2.1), in words. Others are told by none: whatever came, nobody reads a stranger's
// sentence on this page.
var tryErrors = map[string]string{
	"access_denied":             "The answer was no: the person denied it, or may not grant it.",
	"invalid_scope":             "A scope that was asked for is none that the application may have.",
	"unauthorized_client":       "The application may not use this grant.",
	"invalid_request":           "The request was not understood.",
	"unsupported_response_type": "The authorization endpoint gives no codes.",
	"login_required":            "Nobody was signed in.",
	"consent_required":          "The person has not agreed.",
	"temporarily_unavailable":   "The authorization endpoint does not work right now.",
	"server_error":              "The authorization endpoint could not answer.",
}

// finishTry is where the answer comes back. Whoever sent the browser here may be anybody:
// nothing of the address is looked at, let alone shown, before its state is the one that
// this browser got in this session, and nothing leads elsewhere. The code is shown to the
// person whose it is, not redeemed: it is worthless without the verifier, and for
// applications with a secret without that.
func finishTry(v *web.Visit) {
	attempt, ok := takeAttempt(v)
	state := v.Query("state")
	if !ok || subtle.ConstantTimeCompare([]byte(state), []byte(attempt.State)) != 1 {
		v.Render(http.StatusBadRequest, web.View{Title: "This answer belongs to no try", Template: "tried", Data: triedPage{
			Heading: "It did not begin in this browser, it began more than ten minutes ago, or it was looked at already. Nothing was done with it.",
		}})
		return
	}
	client, ok := clientByID(v, attempt.Client)
	if !ok {
		return
	}
	words := wordsOf(v)
	page := triedPage{Name: client.Name, Again: v.Base + "/applications/" + client.ID + "/try", Public: client.Public, Issuer: v.Contract.IssuerURL(v.Origin())}
	status, title := http.StatusOK, "It works: a code came back"
	switch code := v.Query("code"); {
	case v.Query("iss") != page.Issuer:
		status, title = http.StatusBadRequest, "The answer is not from here"
		page.Error = "It names another issuer (RFC 9207), or none."
	case code == "":
		title = "An answer came back, and it is no code"
		page.Error = tryErrors[v.Query("error")]
		if page.Error == "" {
			page.Error = "The answer has neither a code nor an error that is known."
		}
	default:
		page.Code = code
		page.Command = tokenCommand(v, &client, contract.GrantAuthorizationCode, "$CLIENT_SECRET",
			parameter{Name: "code", Value: code}, parameter{Name: "redirect_uri", Value: tryAddress(v)},
			parameter{Name: "code_verifier", Value: attempt.Verifier})
		page.Call = apiCommand(v, client.Environment, client.Scopes)
	}
	v.Render(status, web.View{Title: title, Template: "tried", Data: page, Crumbs: clientCrumbs(words, &client)})
}
