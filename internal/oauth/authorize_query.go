package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/target"
)

// A query is the parameters of an authorization request.
type query struct {
	params
	repeated []string    // names that came more than once; the first value is kept
	pushed   secret.Hash // of the request_uri they were pushed under
	isPushed bool
	sent     []param // what came instead of pushed ones
}

// readQuery reads the parameters of an authorization request: from the URL of a GET and
// the form of a POST (OpenID Connect Core §3.1.2.1), never from both.
func (r *request) readQuery() (query, error) {
	if r.Method == http.MethodPost {
		p, err := readParams(r.Request, false)
		return query{params: p}, err
	}
	if len(r.URL.RawQuery) > maxBody {
		return query{}, errTooLarge
	}
	return parseQuery(r.URL.RawQuery)
}

// parseQuery parses a query string. Unlike a form's, its repeated parameters are kept
// once and reported, so that a proved client hears of them.
func parseQuery(text string) (query, error) {
	var q query
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return query{}, errParameters
		}
		if value, err = unescape(value); err != nil {
			return query{}, errParameters
		}
		switch err := q.add(name, value); {
		case errors.Is(err, errRepeated):
			q.repeated = append(q.repeated, name)
		case err != nil:
			return query{}, err
		}
	}
	return q, nil
}

// encode returns the parameters, as they were sent, as a query string, without those of
// Cardea's own.
func (q *query) encode() string {
	list := q.list
	if q.isPushed {
		list = q.sent
	}
	var b strings.Builder
	for _, p := range list {
		if p.name == againParameter {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value))
	}
	for _, name := range q.repeated {
		b.WriteString("&" + url.QueryEscape(name) + "=") // still repeated when it comes back
	}
	return b.String()
}

// An asked is an authorization request (RFC 6749 §4.1.1) whose client and redirect URI
// are proved.
type asked struct {
	client   *client
	redirect string // where the answer goes
	named    bool   // redirect_uri was sent, and the token endpoint must hear it again
	state    string

	scopes    grantedScopes
	challenge string
	nonce     string
	resource  string
	dpop      string // thumbprint of the key that the code is bound to
	prompt    prompts
	maxAge    time.Duration // since the person proved who they are; negative: any

	pushed   secret.Hash
	isPushed bool
}

// prompts are the values of the parameter prompt: OpenID Connect Core §3.1.2.1.
type prompts struct{ none, login, consent bool }

// Errors of authorization requests, with the codes of RFC 6749 §4.1.2.1, OpenID Connect
// Core §3.1.2.6 and RFC 9101 §6.
var (
	errUnknownClient   = refuse(codeInvalidRequest, "the application is not known here")
	errRedirect        = refuse(codeInvalidRequest, "the redirect URI is not one that the application registered")
	errNoRedirect      = refuse(codeInvalidRequest, "redirect_uri is missing")
	errNoResponseType  = refuse(codeInvalidRequest, "response_type is missing")
	errResponseType    = refuse(codeUnsupportedResponseType, "response_type must be code")
	errResponseMode    = refuse(codeInvalidRequest, "response_mode must be query")
	errRequestObject   = refuse("request_not_supported", "request objects are not supported")
	errRequestURI      = refuse("invalid_request_uri", "the request_uri is unknown, used or expired")
	errOtherRequestURI = refuse("request_uri_not_supported", "request_uri must come from the pushed authorization request endpoint")
	errMustPush        = refuse(codeInvalidRequest, "the application must push its authorization requests")
	errNotForClient    = refuse(codeUnauthorizedClient, "the application may not use this grant")
	errNoChallenge     = refuse(codeInvalidRequest, "code_challenge is missing")
	errChallengeMethod = refuse(codeInvalidRequest, "code_challenge_method must be S256")
	errChallenge       = refuse(codeInvalidRequest, "code_challenge is not one of S256")
	errPrompt          = refuse(codeInvalidRequest, "prompt=none excludes every other prompt")
	errMaxAge          = refuse(codeInvalidRequest, "max_age must be a number of seconds")
	errThumbprint      = refuse(codeInvalidRequest, "dpop_jkt is not a thumbprint of a key")
	errLoginRequired   = refuse("login_required", "nobody is signed in, or they have to sign in again")
	errConsentRequired = refuse("consent_required", "the person has not agreed to this")
	errDenied          = refuse(codeAccessDenied, "the person said no")
	errMayNotGrant     = refuse(codeAccessDenied, "the person may not grant this")
)

// maxTextParameter bounds nonce, in bytes.
const maxTextParameter = 1 << 10

// readTerms reads what says how the request is meant to be answered.
func (a *asked) readTerms(q *query) error {
	switch kind := q.get("response_type"); {
	case len(q.repeated) > 0:
		return errRepeated
	case q.get("request") != "":
		return errRequestObject
	case q.get("request_uri") != "" && !q.isPushed:
		return errOtherRequestURI
	case kind == "":
		return errNoResponseType
	case kind != "code":
		return errResponseType
	case q.get("response_mode") != "" && q.get("response_mode") != "query":
		return errResponseMode
	case !a.client.may(contract.GrantAuthorizationCode):
		return errNotForClient
	case a.client.RequirePushed && !q.isPushed:
		return errMustPush
	case len(q.get("nonce")) > maxTextParameter:
		return errParameters
	}
	a.nonce = q.get("nonce")
	return nil
}

// readChallenge reads the PKCE parameters: RFC 7636 §4.3, with S256 only (RFC 9700
// §2.1.1). A challenge that is sent is always enforced; who must send one is the
// contract's to say, and public clients always must.
func (a *asked) readChallenge(c *contract.Contract, q *query) error {
	challenge, method := q.get("code_challenge"), q.get("code_challenge_method")
	if challenge == "" {
		switch pkce := c.Clients().PKCE; {
		case method != "", a.client.Public, pkce == contract.PKCERequired:
			return errNoChallenge
		}
		return nil
	}
	if method != "S256" {
		return errChallengeMethod // plain is what RFC 7636 §4.3 means by none
	}
	if !isSHA256(challenge) {
		return errChallenge
	}
	a.challenge = challenge
	return nil
}

// isSHA256 reports whether text is a SHA-256 hash in base64url, in its one spelling.
func isSHA256(text string) bool {
	if len(text) != 43 {
		return false
	}
	for i := range len(text) {
		if digit64(text[i]) < 0 {
			return false
		}
	}
	return digit64(text[42])&3 == 0 // 43 digits hold two bits more than a hash
}

// digit64 returns the value of a base64url digit, -1 for any other byte.
func digit64(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '-':
		return 62
	case c == '_':
		return 63
	}
	return -1
}

// readPrompts reads prompt and max_age: OpenID Connect Core §3.1.2.1. Values that are
// not known ask for nothing.
func (a *asked) readPrompts(q *query) error {
	values := strings.Fields(q.get("prompt"))
	a.prompt = prompts{
		none: slices.Contains(values, "none"), login: slices.Contains(values, "login"), consent: slices.Contains(values, "consent"),
	}
	if a.prompt.none && len(values) > 1 {
		return errPrompt
	}
	a.maxAge = -1
	if text := q.get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return errMaxAge
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	return nil
}

// proveRedirect says where the answer goes: RFC 6749 §3.1.2.3 as RFC 9700 §4.1.3
// tightens it. The URI may be left out only when there is no choice.
func (a *asked) proveRedirect(q *query) error {
	given := q.get("redirect_uri")
	if given == "" {
		if len(a.client.RedirectURIs) != 1 || target.CheckRedirectURI(a.client.RedirectURIs[0]) != nil {
			return errNoRedirect
		}
		a.redirect = a.client.RedirectURIs[0]
		return nil
	}
	matches := func(registered string) bool { return target.MatchRedirectURI(registered, given) }
	// What is registered was checked when it was; rules may have become stricter since.
	if !slices.ContainsFunc(a.client.RedirectURIs, matches) || target.CheckRedirectURI(given) != nil {
		return errRedirect
	}
	a.redirect, a.named = given, true
	return nil
}
