package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/server"
)

// A flow is one run of `cardea try`.
type flow struct {
	printer
	ctx       context.Context
	http      *http.Client
	contract  *contract.Contract // nil when the endpoints come from metadata
	endpoints endpointURLs

	clientID, secret string
	scope, call      string
	redirect         string
	hint             string // what to do when no server answers
	step             int
	endpoint         *contract.TokenEndpoint
}

// endpointURLs are where the flow goes; "" is what the server does not have.
type endpointURLs struct{ token, authorize, device string }

// flowTimeout bounds one request of a flow.
const flowTimeout = 30 * time.Second

// newQuietFlow returns a flow that shows nothing and follows no redirects: they would
// take secrets along.
func newQuietFlow(c *cobra.Command) *flow {
	return &flow{
		printer: printer{out: c.OutOrStdout(), talk: io.Discard}, ctx: c.Context(),
		http: &http.Client{Timeout: flowTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// newFlow reads a command's flags.
func newFlow(c *cobra.Command) (*flow, error) {
	value := func(name string) string {
		if f := c.Flag(name); f != nil {
			return f.Value.String()
		}
		return ""
	}
	f := newQuietFlow(c)
	f.talk, f.hint = c.OutOrStdout(), "Is the server running? Its address goes into --base, --issuer or --call"
	f.clientID, f.secret = firstOf(value("client-id"), os.Getenv("CARDEA_CLIENT_ID")), os.Getenv("CARDEA_CLIENT_SECRET")
	f.scope, f.call, f.redirect = value("scope"), value("call"), value("redirect-uri")
	if f.clientID == "" {
		return nil, usagef("which client? Name it with --client-id, or in CARDEA_CLIENT_ID\n(cardea clients create makes one; cardea dev shows its own)")
	}
	if issuer := value("issuer"); issuer != "" {
		return f, f.discover(issuer)
	}
	return f, f.fromContract(value("contract"), strings.TrimSuffix(value("base"), "/"))
}

// fromContract takes the endpoints from a contract.
func (f *flow) fromContract(file, base string) (err error) {
	if file == "" {
		if _, err := os.Stat(contract.DefaultName); err == nil {
			file = contract.DefaultName
		}
	}
	if file == "" {
		f.contract = contract.Default()
	} else if f.contract, err = contract.LoadFile(file); err != nil {
		return usagef("%w", err)
	}
	e := f.contract.Endpoints()
	for _, t := range e.Token {
		if f.endpoint == nil && !t.JSON {
			f.endpoint = t
			f.endpoints.token = f.contract.EndpointURL(&t.Endpoint, base)
		}
	}
	f.endpoints.authorize = f.contract.EndpointURL(e.Authorize, base)
	f.endpoints.device = f.contract.EndpointURL(e.Device, base)
	if f.endpoints.token == "" {
		return notFoundf("the contract has no token endpoint that takes forms")
	}
	return nil
}

// discover takes the endpoints from an issuer's metadata (RFC 8414 §3).
func (f *flow) discover(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return usagef("--issuer must be a URL")
	}
	u.Path = "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.Path, "/")
	req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	answer, err := f.exchange("Ask the issuer where its endpoints are", req, nil)
	if err != nil {
		return err
	}
	if answer.text("issuer") != issuer {
		return errors.New("the metadata names another issuer: it is not to be believed (RFC 8414 §3.3)")
	}
	f.endpoints = endpointURLs{
		token: answer.text("token_endpoint"), authorize: answer.text("authorization_endpoint"),
		device: answer.text("device_authorization_endpoint"),
	}
	return nil
}

// sent returns the name under which the contract takes a grant.
func (f *flow) sent(grant contract.Grant, standard string) string {
	if f.endpoint != nil {
		for _, g := range f.endpoint.Grants {
			if g.Grant == grant {
				return g.Sent
			}
		}
	}
	return standard
}

// An oauthRefusal is an error of an OAuth endpoint (RFC 6749 §5.2).
type oauthRefusal struct{ code, description string }

// Error implements error.
func (e *oauthRefusal) Error() string {
	return strings.TrimSuffix("refused: "+e.code+": "+e.description, ": ")
}

// token posts to the token endpoint.
func (f *flow) token(what string, in form) (object, error) {
	return f.post(what, f.endpoints.token, in)
}

// post posts a form as the client: with its secret by Basic, or as a public client.
func (f *flow) post(what, endpoint string, in form) (object, error) {
	if f.secret == "" {
		in = append(in, [2]string{"client_id", f.clientID})
	}
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, endpoint, strings.NewReader(in.encode()))
	if err != nil {
		return object{}, usagef("the server's address is not a URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if f.secret != "" {
		// Both parts are encoded first: RFC 6749 §2.3.1.
		req.SetBasicAuth(url.QueryEscape(f.clientID), url.QueryEscape(f.secret))
	}
	return f.exchange(what, req, in)
}

// errNoObject is about an answer of something that is no OAuth endpoint.
var errNoObject = errors.New("the answer is not a JSON object")

// unanswered adds what to do to an error of a request that got no answer.
func (f *flow) unanswered(err error) error {
	if f.ctx.Err() != nil { // somebody stopped the program, which is no trouble of the server's
		return err
	}
	return fmt.Errorf("%w\n%s", err, f.hint)
}

// userAgent names this program to servers, which show it to the person who is asked.
func userAgent() string {
	version, _ := server.Version()
	return "cardea/" + version + " (" + runtime.GOOS + ")"
}

// exchange sends a request and shows it and its answer.
func (f *flow) exchange(what string, req *http.Request, in form) (object, error) {
	f.step++
	f.say("\n%d. %s\n   %s %s", f.step, what, req.Method, cell(req.URL.String()))
	if name, secret, ok := req.BasicAuth(); ok {
		f.say("   Authorization: Basic (%s:%s)", cell(name), shorten(secret))
	}
	for _, p := range in {
		if p[1] != "" {
			f.say("   %s=%s", p[0], cell(shortenIf(p[0], p[1])))
		}
	}
	req.Header.Set("User-Agent", userAgent())
	resp, err := f.http.Do(req)
	if err != nil {
		return object{}, f.unanswered(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return object{}, err
	}
	f.say("   answer: %s", resp.Status)
	var o object
	if err := o.read(body); err != nil {
		return o, errNoObject
	}
	for _, m := range o.order {
		f.say("   %-14s %s", m, cell(shortenIf(m, o.show(m))))
	}
	if resp.StatusCode/100 != 2 {
		return o, &oauthRefusal{firstOf(o.text("error"), resp.Status), o.text("error_description")}
	}
	return o, nil
}

// get calls the API.
func (f *flow) get(what, address, authorization string) error {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return usagef("--call must be a URL")
	}
	req.Header.Set("Authorization", authorization)
	f.step++
	f.say("\n%d. %s\n   GET %s", f.step, what, cell(address))
	resp, err := f.http.Do(req)
	if err != nil {
		return f.unanswered(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	f.say("   answer: %s\n   %s", resp.Status, short(cell(strings.TrimSpace(string(body)))))
	if resp.StatusCode/100 != 2 {
		return &codedError{code: exitUnknown, err: fmt.Errorf("the API refused the token")}
	}
	return nil
}

// showToken shows what a signed token says. Nothing is verified: this is for people.
func (f *flow) showToken(what, text string) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return
	}
	f.say("\n   The %s says:", what)
	for _, part := range parts[:2] {
		if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			f.say("   %s", cell(string(raw)))
		}
	}
}

// An object is a JSON object in the order it came.
type object struct {
	order   []string
	members map[string]json.RawMessage
}

// read reads an object.
func (o *object) read(text []byte) error {
	if err := json.Unmarshal(text, &o.members); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the brace
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		o.order = append(o.order, fmt.Sprint(name))
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
	}
	return nil
}

// text returns a member that is a string, "" for any other.
func (o *object) text(name string) string {
	var s string
	if json.Unmarshal(o.members[name], &s) != nil {
		return ""
	}
	return s
}

// number returns a member that is a whole number, 0 for any other.
func (o *object) number(name string) int64 {
	var n int64
	if json.Unmarshal(o.members[name], &n) != nil {
		return 0
	}
	return n
}

// show returns a member for people.
func (o *object) show(name string) string {
	if s := o.text(name); s != "" {
		return s
	}
	return string(o.members[name])
}

// shortenIf shortens the values that are secrets.
func shortenIf(name, value string) string {
	switch name {
	case "access_token", "refresh_token", "id_token", "client_secret", "code", "code_verifier", "device_code":
		return shorten(value)
	}
	return value
}

// shorten leaves of a secret what tells it from others.
func shorten(secret string) string {
	if len(secret) <= 12 {
		return "…"
	}
	return secret[:8] + "…"
}
