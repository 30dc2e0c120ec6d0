package main

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/contract"
)

// tryCommand is `cardea try`: OAuth flows, run against a server and shown step by step.
func tryCommand() *cobra.Command {
	c := group("try", "Run an OAuth flow against a server and show each step",
		try("client-credentials", "A program gets a token for itself (RFC 6749 §4.4)", (*flow).clientCredentials),
		try("authorization-code", "A person lets a program act for them (RFC 6749 §4.1, with PKCE)", (*flow).authorizationCode),
		try("device", "A program without a browser asks a person elsewhere (RFC 8628)", (*flow).device),
		try("refresh", "A refresh token, in CARDEA_REFRESH_TOKEN, becomes a new pair of tokens (RFC 6749 §6)", (*flow).refresh),
	)
	c.Long = `Runs an OAuth 2.0 flow as a client would, and shows every request and answer on the way.
Secrets are shortened.

The endpoints come from the issuer's metadata (--issuer), or from a contract (-c, else
cardea.yaml, else the built-in one) at the server that --base names.

The client is named by --client-id or CARDEA_CLIENT_ID; its secret, if it has one, comes
from CARDEA_CLIENT_SECRET, never from an argument: every user of a machine can read those.`
	return c
}

// try returns one flow's command.
func try(name, short string, run func(*flow) error) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	f := c.Flags()
	f.String("base", "http://127.0.0.1:8080", "base `URL` of the server, for endpoints from a contract")
	f.String("issuer", "", "`URL` of an issuer that publishes metadata (RFC 8414)")
	f.StringP("contract", "c", "", "contract `FILE` with the endpoints")
	f.String("client-id", "", "`ID` of the client (CARDEA_CLIENT_ID)")
	f.String("scope", "", "scopes to ask for, separated by spaces (default: those the client gets unasked)")
	f.String("call", "", "`URL` to call with the access token at the end")
	if name == "authorization-code" {
		f.String("redirect-uri", "", "registered redirect `URI` on this machine (default: http://127.0.0.1/callback, at a free port)")
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		fl, err := newFlow(c)
		if err != nil {
			return err
		}
		return run(fl)
	}
	return c
}

// clientCredentials: RFC 6749 §4.4.
func (f *flow) clientCredentials() error {
	answer, err := f.token("Ask for a token in the client's own name", form{{"grant_type", "client_credentials"}, {"scope", f.scope}})
	if err != nil {
		return err
	}
	return f.finish(answer)
}

// refresh: RFC 6749 §6.
func (f *flow) refresh() error {
	token := os.Getenv("CARDEA_REFRESH_TOKEN")
	if token == "" {
		return usagef("there is no refresh token in CARDEA_REFRESH_TOKEN")
	}
	answer, err := f.token("Exchange the refresh token", form{{"grant_type", "refresh_token"}, {"refresh_token", token}, {"scope", f.scope}})
	if err != nil {
		return err
	}
	return f.finish(answer)
}

// device: RFC 8628.
func (f *flow) device() error {
	if f.endpoints.device == "" {
		return notFoundf("the server has no device authorization endpoint")
	}
	answer, err := f.post("Ask for a code that a person can type", f.endpoints.device, form{{"scope", f.scope}})
	if err != nil {
		return err
	}
	f.say("\n   Open %s\n   and type %s", cell(answer.text("verification_uri")), cell(answer.text("user_code")))
	if complete := answer.text("verification_uri_complete"); complete != "" {
		f.say("   (or open %s)", cell(complete))
	}
	got, err := f.poll(answer, f.sent(contract.GrantDeviceCode, "urn:ietf:params:oauth:grant-type:device_code"))
	if err != nil {
		return err
	}
	return f.finish(got)
}

// poll asks for the token of a device code until the person has answered: RFC 8628 §3.4.
func (f *flow) poll(answer object, grant string) (object, error) {
	interval := time.Duration(max(1, answer.number("interval"))) * time.Second
	deadline := time.Now().Add(time.Duration(max(60, answer.number("expires_in"))) * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-f.ctx.Done():
			return object{}, f.ctx.Err()
		case <-time.After(interval):
		}
		got, err := f.token("Ask whether the person has agreed", form{{"grant_type", grant}, {"device_code", answer.text("device_code")}})
		var refused *oauthRefusal
		switch {
		case err == nil:
			return got, nil
		case errors.As(err, &refused) && refused.code == "authorization_pending":
		case errors.As(err, &refused) && refused.code == "slow_down":
			interval += 5 * time.Second
		default:
			return object{}, err
		}
	}
	return object{}, errors.New("nobody answered in time")
}

// finish shows what the answer holds, and calls the API with it where asked to.
func (f *flow) finish(answer object) error {
	access := answer.text("access_token")
	f.showToken("access token", access)
	f.showToken("ID token", answer.text("id_token"))
	if f.call != "" {
		if err := f.get("Call the API with it", f.call, firstOf(answer.text("token_type"), "Bearer")+" "+access); err != nil {
			return err
		}
	}
	return nil
}

// A form is the parameters of a request, in their order. Empty ones are not sent.
type form [][2]string

// values returns the form as it is sent.
func (fm form) encode() string {
	var parts []string
	for _, p := range fm {
		if p[1] != "" {
			parts = append(parts, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
		}
	}
	return strings.Join(parts, "&")
}
