package apps

import (
	"embed"
	"slices"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

var templates = web.Parse(files, "templates")

// The pages, by their names in the contract and in the menu.
const (
	applicationsPage = "applications"
	accountsPage     = "service_accounts"
	credentialsPage  = "credentials"
	authorizedPage   = "authorized"
	sessionsPage     = "sessions"
)

// Area returns the area.
func Area() web.Area {
	return web.Area{
		Name: "apps", Templates: templates,
		Routes: slices.Concat(applicationRoutes(), accountRoutes(), credentialRoutes(), personRoutes()),
	}
}

// applicationRoutes are the pages of OAuth applications.
func applicationRoutes() []web.Route {
	route := on(applicationsPage)
	return []web.Route{
		route("GET /applications", listClients),
		route("POST /applications", createClient),
		route("GET /applications/new", newClient),
		route("GET /applications/try", finishTry),
		route("GET /applications/{client}", showClient),
		route("GET /applications/{client}/edit", editClient),
		route("POST /applications/{client}/edit", updateClient),
		route("GET /applications/{client}/rotate", askRotate),
		route("POST /applications/{client}/rotate", rotateSecret),
		route("GET /applications/{client}/finish", askFinish),
		route("POST /applications/{client}/finish", finishRotation),
		route("GET /applications/{client}/regenerate", askRegenerate),
		route("POST /applications/{client}/regenerate", regenerateSecret),
		route("POST /applications/{client}/reveal", revealSecret),
		route("GET /applications/{client}/disable", askDisableClient),
		route("POST /applications/{client}/disable", disableClient),
		route("POST /applications/{client}/enable", enableClient),
		route("GET /applications/{client}/revoke", askRevokeClient),
		route("POST /applications/{client}/revoke", revokeClient),
		route("GET /applications/{client}/tokens", askEndTokens),
		route("POST /applications/{client}/tokens", endTokens),
		route("GET /applications/{client}/grants/{grant}/revoke", askRevokeGrant),
		route("POST /applications/{client}/grants/{grant}/revoke", revokeGrant),
		route("GET /applications/{client}/consents/{consent}/withdraw", askEndConsent),
		route("POST /applications/{client}/consents/{consent}/withdraw", endConsent),
		route("GET /applications/{client}/try", showTry),
		route("POST /applications/{client}/try", startTry),
		route("POST /applications/{client}/try/address", addTryAddress),
	}
}

// accountRoutes are the pages of service accounts.
func accountRoutes() []web.Route {
	route := on(accountsPage)
	return []web.Route{
		route("GET /service-accounts", listAccounts),
		route("POST /service-accounts", createAccount),
		route("GET /service-accounts/new", newAccount),
		route("GET /service-accounts/{account}", showAccount),
		route("GET /service-accounts/{account}/edit", editAccount),
		route("POST /service-accounts/{account}/edit", updateAccount),
		route("GET /service-accounts/{account}/keys/new", newAccountKey),
		route("POST /service-accounts/{account}/keys", createAccountKey),
		route("GET /service-accounts/{account}/keys/{account_key}/revoke", askRevokeAccountKey),
		route("POST /service-accounts/{account}/keys/{account_key}/revoke", revokeAccountKey),
		route("GET /service-accounts/{account}/disable", askDisableAccount),
		route("POST /service-accounts/{account}/disable", disableAccount),
		route("POST /service-accounts/{account}/enable", enableAccount),
		route("GET /service-accounts/{account}/revoke", askRevokeAccount),
		route("POST /service-accounts/{account}/revoke", revokeAccount),
		route("GET /service-accounts/{account}/tokens", askEndAccountTokens),
		route("POST /service-accounts/{account}/tokens", endAccountTokens),
	}
}

// credentialRoutes are the pages of a person's own credentials, and of the pair that
// stands for their organization.
func credentialRoutes() []web.Route {
	route := on(credentialsPage)
	return []web.Route{
		route("GET /credentials", showCredentials),
		route("POST /credentials", createToken),
		route("GET /credentials/new", newToken),
		route("GET /credentials/{key}/regenerate", askRegenerateToken),
		route("POST /credentials/{key}/regenerate", regenerateToken),
		route("POST /credentials/{key}/reveal", revealToken),
		route("GET /credentials/{key}/revoke", askRevokeToken),
		route("POST /credentials/{key}/revoke", revokeToken),
		route("GET /credentials/system/new", newSystem),
		route("POST /credentials/system", createSystem),
	}
}

// personRoutes are the pages about the person who is signed in.
func personRoutes() []web.Route {
	authorized, sessions := on(authorizedPage), on(sessionsPage)
	return []web.Route{
		authorized("GET /authorized", showAuthorized),
		authorized("GET /authorized/{consent}/withdraw", askWithdraw),
		authorized("POST /authorized/{consent}/withdraw", withdraw),
		sessions("GET /sessions", showSessions),
		sessions("POST /sessions/{session}/end", endSession),
		sessions("GET /sessions/end", askEndOthers),
		sessions("POST /sessions/end", endOthers),
	}
}

// on returns what makes the routes of a page.
func on(page string) func(pattern string, serve func(*web.Visit)) web.Route {
	return func(pattern string, serve func(*web.Visit)) web.Route {
		return web.Route{Pattern: pattern, Page: page, Serve: serve}
	}
}
