package contract

// A document mirrors the file: every setting as it was written, with its place. The
// tags are the contract's description: the decoder, the JSON Schema and the messages
// all read them.
type document struct {
	spot
	Version      number                    `yaml:"cardea,required" doc:"Version of the contract's format: 1."`
	Product      text                      `yaml:"product,required" doc:"The product's name, as its page prints it."`
	Hosts        hostsDoc                  `yaml:"hosts" doc:"The product's host names, without scheme and port."`
	Issuer       text                      `yaml:"issuer" doc:"The iss claim of issued tokens: a URL, or a bare name."`
	Audience     text                      `yaml:"audience" doc:"The aud claim of issued tokens, as one string."`
	Environments mapping[environmentDoc]   `yaml:"environments,required" doc:"Worlds of their own, such as live and test. A credential of one never works in another."`
	IDs          idsDoc                    `yaml:"ids" doc:"Prefixes of the ids that callers see."`
	RequestID    requestIDDoc              `yaml:"request_id" doc:"The form of request ids and the response header that carries them."`
	Scopes       mapping[scopeDoc]         `yaml:"scopes" doc:"The scopes, as name: description, in the order of the page."`
	Permissions  mapping[permissionDoc]    `yaml:"permissions" doc:"How a key's scopes are shown to people."`
	Plans        mapping[planDoc]          `yaml:"plans" doc:"Sets of limits."`
	DefaultPlan  text                      `yaml:"default_plan" doc:"The plan of organizations that have not been given one; the first plan unless told."`
	Limits       limitsDoc                 `yaml:"limits" doc:"How plans are applied."`
	Keys         mapping[keyDoc]           `yaml:"keys" doc:"Kinds of opaque secret: API keys, personal tokens, admin tokens."`
	Clients      *clientsDoc               `yaml:"clients" doc:"OAuth 2.0 clients."`
	Accounts     *accountsDoc              `yaml:"service_accounts" doc:"Holders of key pairs who sign short tokens themselves."`
	Tokens       tokensDoc                 `yaml:"tokens" doc:"Tokens issued at the token endpoint."`
	Endpoints    endpointsDoc              `yaml:"endpoints" doc:"OAuth 2.0 endpoints."`
	Issuers      mapping[trustedIssuerDoc] `yaml:"trusted_issuers" doc:"Other identity providers whose tokens are accepted."`
	OwnIssuers   *organizationIssuersDoc   `yaml:"organization_issuers" doc:"Lets organizations name an identity provider of their own."`
	SignIn       signInDoc                 `yaml:"sign_in" doc:"How people sign in: for consent, device codes and the dashboard."`
	Hooks        list[hookDoc]             `yaml:"hooks" doc:"Questions asked before a request goes on."`
	IPLists      ipListsDoc                `yaml:"ip_lists" doc:"Lists of the addresses requests may come from."`
	LimitHeaders limitHeadersDoc           `yaml:"rate_limit_headers" doc:"Names of the rate-limit headers, in the exact case they are sent in."`
	Errors       errorsDoc                 `yaml:"errors" doc:"The refusals: status, code, message and body for each reason."`
	Forwarding   forwardingDoc             `yaml:"forwarding" doc:"Which header tells the upstream what. Headers of these names that a client sends are removed."`
	CORS         *corsDoc                  `yaml:"cors" doc:"How routes treat browsers, unless they say otherwise."`
	Upstream     perEnvironment            `yaml:"upstream" doc:"Base URL of the API: one for all environments or one for each."`
	Insecure     flag                      `yaml:"insecure_http_upstream" doc:"Allow http:// upstreams that are neither loopback nor private."`
	MaxBody      size                      `yaml:"max_body" doc:"Largest request body, unless a route says otherwise."`
	Timeout      length                    `yaml:"timeout" doc:"How long the upstream may take until its response header."`
	Routes       list[routeDoc]            `yaml:"routes,required" doc:"What may be called and what it takes. What no route matches is refused."`
	Pages        mapping[pageDoc]          `yaml:"pages" doc:"Menu paths and labels of the dashboard."`
	CLI          *cliDoc                   `yaml:"cli" doc:"The product's command line."`
	Docs         docsDoc                   `yaml:"docs" doc:"The published Authentication page."`
}

// hostsDoc: where the product is reached.
type hostsDoc struct {
	spot
	API  text `yaml:"api" doc:"The API's host."`
	Auth text `yaml:"auth" doc:"Host of the token endpoint and the key set; the API's unless told."`
	App  text `yaml:"app" doc:"Host of the dashboard and the authorization page; the API's unless told."`
}

// environmentDoc: one world with its own credentials.
type environmentDoc struct {
	spot
	Label    text `yaml:"label" doc:"Its name on pages: Production."`
	Upstream text `yaml:"upstream" doc:"Base URL of the API in this environment."`
	Host     text `yaml:"host" doc:"Host name that belongs to this environment alone."`
	Test     flag `yaml:"test_credentials" doc:"For test environments: <key>_expired, _revoked, _rate_limited and the like behave as they say."`
}

// idsDoc: what ids look like to callers. Pages print user_ or usr_, and support greps for
// them.
type idsDoc struct {
	spot
	Request        text `yaml:"request" doc:"Request ids: req_."`
	Organization   text `yaml:"organization" doc:"Organizations: org_."`
	Member         text `yaml:"member" doc:"Members: usr_ or user_."`
	ServiceAccount text `yaml:"service_account" doc:"Service accounts: sa_."`
	Client         text `yaml:"client" doc:"OAuth clients: client_."`
	Key            text `yaml:"key" doc:"Keys (not their secrets): key_."`
	SigningKey     text `yaml:"signing_key" doc:"Key ids in token headers: key-."`
}

// requestIDDoc: some pages print req_…, others 32 hexadecimal digits.
type requestIDDoc struct {
	spot
	Form   text `yaml:"form" enum:"prefixed|hex-32" doc:"prefixed: the prefix of ids.request and 22 letters and digits; hex-32: 32 hexadecimal digits."`
	Header text `yaml:"header" doc:"Response header that carries the request id; X-Request-Id unless told."`
}

// scopeDoc: a description alone, or a mapping: see its decode.
type scopeDoc struct {
	spot
	Description prose      `yaml:"description" doc:"What it allows, in the page's words."`
	Aliases     list[text] `yaml:"aliases" doc:"Other spellings that mean this scope."`
	GrantedBy   list[text] `yaml:"granted_by" enum:"owner|admin|developer|viewer" doc:"Roles that may grant it to a client: everybody unless told; owner and admin if it implies \"*\"."`
	Implies     list[text] `yaml:"implies" doc:"Scopes that come with it; \"*\" for all."`
}

// permissionDoc: a page may speak of Read and Write where requests speak of scopes.
type permissionDoc struct {
	spot
	Description prose      `yaml:"description" doc:"What it allows, in the page's words."`
	Scopes      list[text] `yaml:"scopes,required" doc:"The scopes it stands for."`
}

// planDoc: three limiters, each optional.
type planDoc struct {
	spot
	Label     text   `yaml:"label" doc:"Its name on pages."`
	PerMinute number `yaml:"per_minute" doc:"Requests in a minute."`
	Burst     number `yaml:"burst" doc:"Requests at once."`
	PerDay    number `yaml:"per_day" doc:"Requests in a day (UTC)."`
	Custom    flag   `yaml:"custom" doc:"Its limits are agreed with each organization."`
	Note      prose  `yaml:"note" doc:"Shown instead of figures: Contact sales."`
}

// limitsDoc: how limits are counted.
type limitsDoc struct {
	spot
	Per text `yaml:"per" enum:"organization|credential" doc:"Whose requests are counted together; organization unless told."`
}

// keyDoc: one kind of key.
type keyDoc struct {
	spot
	Label          text             `yaml:"label" doc:"Its name on pages: API key."`
	Plural         text             `yaml:"label_plural" doc:"The name of several."`
	Owner          text             `yaml:"owner" enum:"organization|member|environment" doc:"Whom a key belongs to; organization unless told."`
	Format         formatDoc        `yaml:"format,required" doc:"The form of the secret."`
	Present        list[presentDoc] `yaml:"present,required" doc:"The ways to send it."`
	Reveal         text             `yaml:"reveal" enum:"once|always" doc:"Whether the secret stays viewable; once unless told."`
	Expiry         expiryDoc        `yaml:"expiry" doc:"How long a key lives."`
	Overlap        length           `yaml:"overlap" doc:"How long the old secret works after a rotation; it stops at once unless told."`
	Scopes         list[text]       `yaml:"scopes" doc:"What a key may be given; all scopes unless told."`
	DefaultScopes  list[text]       `yaml:"default_scopes" doc:"What it gets when nothing is asked for; nothing unless told."`
	ExchangeOnly   flag             `yaml:"exchange_only" doc:"Good at a token endpoint and refused on routes."`
	RefuseBrowsers flag             `yaml:"refuse_browsers" doc:"Refused when the request comes from a web page."`
	CreatedBy      list[text]       `yaml:"created_by" enum:"owner|admin|developer|viewer" doc:"Roles that may create one; owner, admin and developer unless told."`
	MaxPerOwner    number           `yaml:"max_per_owner" doc:"How many an owner may have; no limit unless told."`
	Environments   list[text]       `yaml:"environments" doc:"Where the kind exists; everywhere unless told."`
}

// formatDoc: the name of a shape, or a prefix: see its decode.
type formatDoc struct {
	spot
	shape  text
	Prefix perEnvironment `yaml:"prefix,required" doc:"The secret's prefix in each environment; random letters and digits and a checksum follow."`
}

// presentDoc: one way to send a key.
type presentDoc struct {
	spot
	Header text `yaml:"header,required" doc:"The header."`
	Scheme text `yaml:"scheme" doc:"The authentication scheme in Authorization: Bearer."`
}

// expiryDoc: every bound on a key's life; what is not given does not bound it.
type expiryDoc struct {
	spot
	Required flag   `yaml:"required" doc:"An expiry must be chosen when a key is created."`
	Default  length `yaml:"default" doc:"Used when none is chosen."`
	Max      length `yaml:"max" doc:"The longest a key may live."`
	Idle     length `yaml:"idle" doc:"A key not used for this long stops working."`
}

// limitHeadersDoc: names in the exact case in which a page prints them.
type limitHeadersDoc struct {
	spot
	Limit      text `yaml:"limit" doc:"Requests in the window."`
	Remaining  text `yaml:"remaining" doc:"What is left of them."`
	Reset      text `yaml:"reset" doc:"Unix time at which the window ends."`
	RetryAfter text `yaml:"retry_after" doc:"Seconds to wait, on refusals; Retry-After unless told."`
	Standard   flag `yaml:"standard" doc:"Also send RateLimit and RateLimit-Policy (IETF draft)."`
}

// ipListsDoc: a contract without it has no IP lists.
type ipListsDoc struct {
	spot
	Per text `yaml:"per" enum:"credential|environment|both" doc:"What has a list: every credential, every environment of an organization, or both."`
}

// corsDoc: Cardea answers preflights, or passes them on.
type corsDoc struct {
	spot
	Pass        flag       `yaml:"pass" doc:"Send preflights to the upstream and leave its headers alone."`
	Origins     list[text] `yaml:"origins" doc:"Origins that may call, or \"*\"."`
	Headers     list[text] `yaml:"headers" doc:"Request headers they may send."`
	Exposed     list[text] `yaml:"exposed_headers" doc:"Response headers they may read."`
	MaxAge      length     `yaml:"max_age" doc:"How long a preflight's answer holds."`
	Credentials flag       `yaml:"credentials" doc:"Cookies may be sent along; never with \"*\"."`
}

// routeDoc: one route, or one for each of several methods.
type routeDoc struct {
	spot
	Match        text           `yaml:"match,required" doc:"Method and path, as in Go's ServeMux: GET /v1/entities/{id}."`
	Methods      list[text]     `yaml:"methods" doc:"Several methods, when match names none."`
	Scopes       list[text]     `yaml:"scopes" doc:"The scopes it takes, all of them."`
	Public       flag           `yaml:"public" doc:"No credential is needed, and none is looked at."`
	Environments list[text]     `yaml:"environments" doc:"Where the route exists; everywhere unless told."`
	Upstream     perEnvironment `yaml:"upstream" doc:"Base URL of the API behind this route."`
	Answer       raw            `yaml:"answer" doc:"A JSON body that Cardea answers itself; $member.id and the like are filled in."`
	CORS         *corsDoc       `yaml:"cors" doc:"How the route treats browsers."`
	MaxBody      size           `yaml:"max_body" doc:"Largest request body."`
	Timeout      length         `yaml:"timeout" doc:"How long the upstream may take until its response header."`
	EncodedSlash flag           `yaml:"allow_encoded_slash" doc:"Let %2F pass as data of one segment."`
	Summary      prose          `yaml:"summary" doc:"What it does, for the page."`
}

// pageDoc: one page of the dashboard.
type pageDoc struct {
	spot
	Path     list[text]    `yaml:"path" doc:"Where it is in the menu: [Settings, API Keys]."`
	Title    text          `yaml:"title" doc:"Its heading; the last part of the path unless told."`
	Labels   mapping[text] `yaml:"labels" doc:"Buttons and fields by action: {create: Create API Key}."`
	Required list[text]    `yaml:"required" doc:"Fields people must fill in although the API has a default."`
}

// signInDoc: how people prove who they are.
type signInDoc struct {
	spot
	Title        text       `yaml:"title" doc:"The page's heading: Sign in, unless told."`
	Organization flag       `yaml:"organization_first" doc:"Ask for the organization before the account."`
	Methods      list[text] `yaml:"methods" enum:"password|passkey|sso" doc:"The ways to sign in; all of them unless told. sso: the organization's own OpenID provider."`
	Idle         length     `yaml:"idle" doc:"A session that is not used for this long ends; 12h unless told."`
	Max          length     `yaml:"max" doc:"The longest a session may last; 7d unless told."`
}
