package contract

// clientsDoc: one section for all clients, since a page describes one sort.
type clientsDoc struct {
	spot
	Label          text       `yaml:"label" doc:"Their name on pages: OAuth application."`
	Plural         text       `yaml:"label_plural" doc:"The name of several."`
	Grants         list[text] `yaml:"grants,required" enum:"authorization_code|refresh_token|client_credentials|device_code|token_exchange" doc:"The grants a client may use."`
	Authentication list[text] `yaml:"authentication" enum:"client_secret_post|client_secret_basic|private_key_jwt|none" doc:"How clients authenticate; by secret, in the form or by Basic, unless told."`
	Public         flag       `yaml:"public" doc:"Clients without a secret may exist."`
	PKCE           text       `yaml:"pkce" enum:"required|public_only|optional" doc:"Who must send a code challenge. One that was sent is always enforced."`
	Secret         secretDoc  `yaml:"secret" doc:"The client secret."`
	Scopes         list[text] `yaml:"scopes" doc:"What a client may be given; all scopes unless told."`
	DefaultScopes  list[text] `yaml:"default_scopes" doc:"What it gets when nothing is asked for; all that it was given unless told."`
	CreatedBy      list[text] `yaml:"created_by" enum:"owner|admin|developer|viewer" doc:"Roles that may create one; owner and admin unless told."`
	MaxPerOwner    number     `yaml:"max_per_owner" doc:"How many an organization may have; no limit unless told."`
	Consent        length     `yaml:"consent_lifetime" doc:"How long what a person granted is remembered; until it is withdrawn unless told."`
	DPoP           text       `yaml:"dpop" enum:"off|optional|required" doc:"Access tokens bound to a key of the client (RFC 9449): off unless told; optional: for clients that send a proof; required: for all."`
	Documents      flag       `yaml:"client_id_metadata" doc:"A client's id may be the https:// URL of its metadata (OAuth Client ID Metadata Document): for agents, whom nobody registers."`
}

// secretDoc: the client secret, which some pages let people view again.
type secretDoc struct {
	spot
	Prefix perEnvironment `yaml:"prefix" doc:"Its prefix; cs_ unless told."`
	Reveal text           `yaml:"reveal" enum:"once|always" doc:"Whether it stays viewable, sealed with the server's master key; once unless told."`
}

// accountsDoc: service accounts.
type accountsDoc struct {
	spot
	Label       text       `yaml:"label" doc:"Their name on pages: Service account."`
	File        text       `yaml:"file" doc:"Name of the key file people download; service-account.json unless told."`
	MaxLifetime length     `yaml:"max_lifetime,required" doc:"The longest a token they sign may live."`
	Issuer      text       `yaml:"issuer" doc:"The iss claim of their tokens, when it is not the contract's."`
	Audience    text       `yaml:"audience" doc:"The aud claim of their tokens, when it is not the contract's."`
	Algorithms  list[text] `yaml:"algorithms" enum:"RS256|ES256|EdDSA" doc:"Algorithms of their key pairs; RS256 unless told."`
	ScopeClaim  text       `yaml:"scope_claim" enum:"scope|scopes" doc:"scope: one string; scopes: an array."`
	Claims      claimsDoc  `yaml:"claims" doc:"Extra claims: {org_id: organization}."`
	Scopes      list[text] `yaml:"scopes" doc:"What an account may be given; all scopes unless told."`
}

// tokensDoc: machine and user hold only what differs from access.
type tokensDoc struct {
	spot
	Access  *tokenDoc   `yaml:"access" doc:"Access tokens."`
	Machine *tokenDoc   `yaml:"machine" doc:"What differs for tokens without a user."`
	User    *tokenDoc   `yaml:"user" doc:"What differs for tokens of a user."`
	Refresh *refreshDoc `yaml:"refresh" doc:"Refresh tokens."`
	ID      *idTokenDoc `yaml:"id" doc:"ID tokens (OpenID Connect), for the scope openid."`
}

// tokenDoc: an access token, signed or opaque. Pages print iss as a URL or a bare name,
// and scopes as a string or an array.
type tokenDoc struct {
	spot
	Format     text           `yaml:"format" enum:"jwt|opaque" doc:"jwt: signed, carries its claims; opaque: a secret that is looked up."`
	Prefix     perEnvironment `yaml:"prefix" doc:"Prefix of an opaque token: at_."`
	Lifetime   length         `yaml:"lifetime" doc:"How long it lives."`
	Algorithm  text           `yaml:"algorithm" enum:"RS256|ES256|EdDSA" doc:"Signing algorithm; RS256 unless told."`
	Type       text           `yaml:"typ" enum:"at+jwt|JWT" doc:"Header typ; at+jwt (RFC 9068) unless told."`
	KeyID      flag           `yaml:"kid" doc:"Send the signing key's id in the header; true unless told."`
	Issuer     text           `yaml:"issuer" doc:"The iss claim, when it is not the contract's."`
	Audience   text           `yaml:"audience" doc:"The aud claim, when it is not the contract's."`
	ScopeClaim text           `yaml:"scope_claim" enum:"scope|scopes" doc:"scope: one string (RFC 9068); scopes: an array."`
	Claims     claimsDoc      `yaml:"claims" doc:"Extra claims: {org_id: organization}."`
	IDClaim    text           `yaml:"id_claim" doc:"Claim that carries the token's id, jti unless told; none: the signature stands in for it."`
	ClientID   text           `yaml:"client_id_claim" doc:"Claim that carries the client's id: client_id with typ at+jwt (RFC 9068), unless told; none: no claim."`
}

// idTokenDoc: what a client is told about who signed in. It is never a credential.
type idTokenDoc struct {
	spot
	Lifetime  length `yaml:"lifetime" doc:"How long it is good; 1h unless told."`
	Algorithm text   `yaml:"algorithm" enum:"RS256|ES256|EdDSA" doc:"Signing algorithm; that of the user's access tokens unless told."`
}

// refreshDoc: refresh tokens, which are always opaque.
type refreshDoc struct {
	spot
	Prefix     perEnvironment `yaml:"prefix" doc:"Its prefix; rt_ unless told."`
	Lifetime   length         `yaml:"lifetime,required" doc:"How long one lives that is not used."`
	Max        length         `yaml:"max" doc:"When the last of those that renew each other ends, from the first; twelve lifetimes unless told."`
	Rotate     flag           `yaml:"rotate" doc:"Each use returns a new one; true unless told."`
	ReuseGrace length         `yaml:"reuse_grace" doc:"How long a used one still returns its successor, 0s to 30s; 10s unless told."`
}

// endpointsDoc: what is not named does not exist.
type endpointsDoc struct {
	spot
	Token      list[tokenEndpointDoc] `yaml:"token" doc:"Where tokens are issued."`
	Authorize  *endpointDoc           `yaml:"authorize" doc:"The authorization page."`
	JWKS       *wellKnownDoc          `yaml:"jwks" doc:"The public keys; at /.well-known/jwks.json unless told."`
	Metadata   *wellKnownDoc          `yaml:"metadata" doc:"Authorization server metadata (RFC 8414), at its well-known path unless told."`
	OpenID     *wellKnownDoc          `yaml:"openid" doc:"OpenID Connect discovery, at its well-known path unless told."`
	Resource   *wellKnownDoc          `yaml:"resource" doc:"Metadata of the API as a protected resource (RFC 9728), at its well-known path on the API's host unless told."`
	Revoke     *endpointDoc           `yaml:"revoke" doc:"Token revocation (RFC 7009)."`
	Introspect *endpointDoc           `yaml:"introspect" doc:"Token introspection (RFC 7662)."`
	UserInfo   *endpointDoc           `yaml:"userinfo" doc:"Claims about the user (OpenID Connect)."`
	Device     *endpointDoc           `yaml:"device" doc:"Device authorization (RFC 8628)."`
	DevicePage *wellKnownDoc          `yaml:"device_page" doc:"Where people type a device's code; /device on the host of the authorization page unless told."`
	PAR        *endpointDoc           `yaml:"par" doc:"Pushed authorization requests (RFC 9126)."`
	EndSession *endpointDoc           `yaml:"end_session" doc:"Signing out at a client's request (OpenID Connect RP-Initiated Logout)."`
}

// wellKnownDoc: an endpoint that has a path of its own by a standard.
type wellKnownDoc struct {
	spot
	Host text `yaml:"host" enum:"api|auth|app" doc:"Which of the product's hosts."`
	Path text `yaml:"path" doc:"Its path, when it is not the usual one."`
}

// endpointDoc: an endpoint that has nothing but an address.
type endpointDoc struct {
	spot
	Host text `yaml:"host" enum:"api|auth|app" doc:"Which of the product's hosts."`
	Path text `yaml:"path,required" doc:"Its path."`
}

// tokenEndpointDoc: one binding of the token endpoint.
type tokenEndpointDoc struct {
	spot
	Host           text          `yaml:"host" enum:"api|auth|app" doc:"Which of the product's hosts; auth unless told."`
	Path           text          `yaml:"path,required" doc:"Its path: /oauth/token."`
	Body           text          `yaml:"body" enum:"form|json" doc:"How parameters are sent; form (RFC 6749) unless told."`
	Grants         mapping[text] `yaml:"grants,required" doc:"grant_type as it is sent: the grant it means, or the kind of key it exchanges."`
	Authentication list[text]    `yaml:"authentication" enum:"client_secret_post|client_secret_basic|private_key_jwt|bearer|none" doc:"How callers authenticate; as clients do unless told. bearer: a key in the Authorization header."`
	Respond        list[text]    `yaml:"respond" enum:"access_token|refresh_token|token_type|expires_in|scope|id_token" doc:"Members of the answer, in this order."`
}

// trustedIssuerDoc: an issuer that the product's operator trusts.
type trustedIssuerDoc struct {
	spot
	Issuer       text       `yaml:"issuer,required" doc:"The iss claim, compared as it stands."`
	JWKS         text       `yaml:"jwks_url,required" doc:"Where its public keys are: an https:// URL."`
	Audience     text       `yaml:"audience" doc:"The aud claim it must have; the contract's audience unless told."`
	Algorithms   list[text] `yaml:"algorithms" enum:"RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|EdDSA" doc:"Algorithms it may sign with; RS256 unless told."`
	Environments list[text] `yaml:"environments" doc:"Where its tokens work; everywhere unless told."`
	ScopeClaim   text       `yaml:"scope_claim" doc:"The claim that holds scopes, a string or an array; scope unless told."`
	Scopes       list[text] `yaml:"scopes,required" doc:"The most its tokens may do."`
	Default      list[text] `yaml:"default_scopes" doc:"What a token without the scope claim may do; nothing unless told."`
	Claims       claimsDoc  `yaml:"claims" doc:"Where facts are in its tokens: {org_id: organization, sub: subject}."`
	PlanClaim    text       `yaml:"plan_claim" doc:"The claim that names the plan."`
	MaxLifetime  length     `yaml:"max_lifetime" doc:"Tokens that live longer are refused; 24h unless told."`
	Private      flag       `yaml:"insecure_private_jwks" doc:"Allow a key set on a private or loopback address, also over http."`
}

// organizationIssuersDoc: the terms under which organizations name issuers themselves.
type organizationIssuersDoc struct {
	spot
	Per        text       `yaml:"per,required" enum:"organization|environment" doc:"Who names one: an organization, or each of its environments."`
	Algorithms list[text] `yaml:"algorithms" enum:"RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|EdDSA" doc:"Algorithms they may sign with; RS256 unless told."`
	ScopeClaim text       `yaml:"scope_claim" doc:"The claim that holds scopes; scope unless told."`
	Scopes     list[text] `yaml:"scopes,required" doc:"The most their tokens may do."`
	Default    list[text] `yaml:"default_scopes" doc:"What a token without the scope claim may do; nothing unless told."`
}

// hookDoc: asked by URL or decided by a condition.
type hookDoc struct {
	spot
	Match   text   `yaml:"match,required" doc:"The requests it is asked about, written like a route."`
	When    text   `yaml:"when" enum:"no_credential|always" doc:"no_credential: as a last resort, when nothing was sent; always unless told."`
	URL     text   `yaml:"url" doc:"Asked by HTTP: an https:// URL, or http:// on loopback."`
	CEL     source `yaml:"cel" doc:"A condition in the Common Expression Language about request, credential and now: true lets the request go on."`
	Timeout length `yaml:"timeout" doc:"How long it may take; 1s unless told. After that the request is refused."`
}

// docsDoc: what the generated page adds.
type docsDoc struct {
	spot
	Title     text          `yaml:"title" doc:"The page's heading; Authentication unless told."`
	Intro     prose         `yaml:"intro" doc:"Its first paragraph."`
	Methods   methodsDoc    `yaml:"methods" doc:"The table of methods at the top."`
	Practices list[prose]   `yaml:"practices" doc:"The best practices at the end."`
	Managers  list[text]    `yaml:"secret_managers" doc:"Secret managers the page recommends."`
	Status    mapping[text] `yaml:"status" doc:"How the error table words a code: {unauthorized: Missing or invalid credentials}."`
	Redirect  text          `yaml:"redirect_uri" doc:"The redirect URI that the page prints in its samples."`
	Support   text          `yaml:"support" doc:"Where to ask for help: a mail address or a URL."`
	LLMs      flag          `yaml:"llms_txt" doc:"Serve /llms.txt and /llms-full.txt."`
	Markdown  flag          `yaml:"markdown" doc:"Serve the page as Markdown under .md as well."`
}

// methodsDoc: a table, because each page has columns of its own.
type methodsDoc struct {
	spot
	Columns list[text]       `yaml:"columns" doc:"Its headings."`
	Rows    list[list[text]] `yaml:"rows" doc:"Its rows, one text for each heading."`
}

// cliDoc: the command line under the product's name.
type cliDoc struct {
	spot
	Name     text                   `yaml:"name,required" doc:"The command's name."`
	Commands mapping[cliCommandDoc] `yaml:"commands" doc:"Its commands."`
	Admin    *cliAdminDoc           `yaml:"admin_token" doc:"A key kind that stands in for signing in."`
	Flags    cliFlagsDoc            `yaml:"flags" doc:"The names of flags that all commands have."`
	EnvPre   text                   `yaml:"env_prefix" doc:"Prefix of its environment variables, and the SDK's: ACME."`
}

// cliFlagsDoc: what a product calls an organization and an environment.
type cliFlagsDoc struct {
	spot
	Organization text `yaml:"organization" doc:"The flag that names an organization; org unless told."`
	Environment  text `yaml:"environment" doc:"The flag that names an environment; env unless told."`
}

// cliCommandDoc: one command.
type cliCommandDoc struct {
	spot
	Does   text                `yaml:"does,required" doc:"The use case: keys.create."`
	Kind   text                `yaml:"kind" doc:"The key kind it is about."`
	Scopes list[text]          `yaml:"scopes" doc:"The scopes it gives."`
	Flags  mapping[cliFlagDoc] `yaml:"flags" doc:"Its own flags."`
	Prompt prose               `yaml:"prompt" doc:"What it asks before it acts."`
	Output prose               `yaml:"output" doc:"What it prints; $secret and the like are filled in."`
	Call   text                `yaml:"call" doc:"For deploy: the route whose right it takes, asked before it runs: POST /admin/{environment}/deploy."`
	Run    list[text]          `yaml:"run" doc:"For deploy: the program that does the work, and its arguments."`
}

// cliFlagDoc: a flag that changes what a command gives.
type cliFlagDoc struct {
	spot
	Scopes list[text] `yaml:"scopes" doc:"The scopes given instead."`
	Help   prose      `yaml:"help" doc:"Its help text."`
}

// cliAdminDoc: a key that stands in for signing in, for scripts.
type cliAdminDoc struct {
	spot
	Kind     text       `yaml:"kind,required" doc:"The key kind."`
	Flag     text       `yaml:"flag" doc:"The flag that takes it; admintoken unless told."`
	Commands list[text] `yaml:"commands,required" doc:"The commands that take it; all others refuse it."`
}
