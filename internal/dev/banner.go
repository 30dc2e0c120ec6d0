package dev

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// A call is a request that the demo's secrets are good for.
type call struct {
	path   string
	header string // "Authorization: Bearer ak_live_…", "" for a public route

	// wildcards is how many parts of the path had to be made up. A made-up item may not
	// be there; a made-up collection is.
	wildcards int
}

// curl renders the call as a command.
func (c call) curl(base string) string {
	if c.header == "" {
		return "curl " + base + c.path
	}
	return fmt.Sprintf("curl -H '%s' %s%s", c.header, base, c.path)
}

// calls returns requests that should be answered 200, the plainest first: GET routes
// that a demo secret may call, with their wildcards filled in.
func calls(c *contract.Contract, secrets map[string]map[string]string) []call {
	var all []call
	for _, r := range c.Routes() {
		path, ok := examplePath(r.Pattern)
		if !ok {
			continue
		}
		wildcards := strings.Count(r.Pattern, "{") - strings.Count(r.Pattern, "...}") - strings.Count(r.Pattern, "{environment}")
		for _, e := range c.Environments() {
			if !r.Environments[e.Index] {
				continue
			}
			if r.Public {
				all = append(all, call{path: strings.ReplaceAll(path, "{environment}", e.Name), wildcards: wildcards})
			}
			for _, k := range c.Kinds() {
				secret := secrets[k.Name][e.Name]
				if secret == "" || k.ExchangeOnly || len(k.Present) == 0 || !c.Expand(k.Scopes).Contains(r.Scopes) {
					continue
				}
				all = append(all, call{
					path:   strings.ReplaceAll(path, "{environment}", e.Name),
					header: presentation(k.Present[0], secret), wildcards: wildcards,
				})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b call) int { return a.wildcards - b.wildcards })
	return all
}

// presentation renders a secret as the header that carries it.
func presentation(p contract.Presentation, secret string) string {
	if p.Scheme != "" {
		return p.Header + ": " + p.Scheme + " " + secret
	}
	return strings.ToLower(p.Header) + ": " + secret
}

// examplePath returns a path that a GET pattern matches, with {environment} left in.
func examplePath(pattern string) (string, bool) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		path = pattern
	} else if method != http.MethodGet {
		return "", false
	}
	segments := strings.Split(strings.TrimSpace(path), "/")
	for i, s := range segments {
		switch {
		case s == "{environment}":
		case s == "{$}":
			segments[i] = ""
		case strings.HasSuffix(s, "...}"):
			segments[i] = "things"
		case strings.HasPrefix(s, "{"):
			segments[i] = strings.Trim(s, "{}")
		}
	}
	return strings.Join(segments, "/"), true
}

// firstSecret returns a setting of KEY to a secret of the first kind and environment,
// or "".
func firstSecret(c *contract.Contract, secrets map[string]map[string]string) string {
	for _, k := range c.Kinds() {
		for _, e := range c.Environments() {
			if s := secrets[k.Name][e.Name]; s != "" {
				return " KEY=" + s
			}
		}
	}
	return ""
}

// banner says what runs, and shows a command that is answered 200.
func (d *Dev) banner(w io.Writer) {
	r := d.Ready()
	c := d.server.Contract()
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nCardea runs %s for development.\n\n", c.Product())
	if all := calls(c, r.Secrets); len(all) > 0 {
		fmt.Fprintf(&b, "Try it:\n\n  %s\n\n", all[0].curl(r.API))
	} else {
		fmt.Fprintf(&b, "No secret of this contract opens a GET route by itself. Its health:\n\n  curl %s/healthz\n\n", r.Management)
	}
	fmt.Fprintf(&b, "API          %s\n", r.API)
	if r.TLS != "" {
		fmt.Fprintf(&b, "  over TLS   https://%s for %s\n  CA         %s\n", r.TLS, strings.Join(append([]string{"localhost"}, hostNames(c)...), ", "), r.CA)
	}
	fmt.Fprintf(&b, "Management   %s\n\nManage it from another terminal:\n\n", r.Management)
	fmt.Fprintf(&b, "  export CARDEA_URL=%s CARDEA_TOKEN=%s\n", r.Management, r.ManagementToken)
	fmt.Fprintf(&b, "  export API=%s ORG=%s%s\n  cardea keys list\n\n", r.API, r.Organization, firstSecret(c, r.Secrets))
	fmt.Fprintf(&b, "Secrets of the demo organization %s:\n\n", r.Organization)
	for _, k := range c.Kinds() {
		for _, e := range c.Environments() {
			if s := r.Secrets[k.Name][e.Name]; s != "" {
				fmt.Fprintf(&b, "  %s, %s: %s\n", k.Label, e.Label, s)
			}
		}
	}
	fmt.Fprintf(&b, "\nThe dashboard is at %s/dashboard, with the password %q:\n", r.App, r.Users[0].Password)
	fmt.Fprintf(&b, "  %s for a customer's pages (also admin@, developer@, viewer@)\n", r.Users[0].Email)
	if r.Staff != nil {
		fmt.Fprintf(&b, "  %s for the operator's console\n", r.Staff.Email)
	}
	oauth(&b, c, r)
	fmt.Fprint(&b, "\nStop with Ctrl-C.\n\n")
	w.Write(b.Bytes())
}

// oauth shows the clients, and how to try a flow.
func oauth(b *bytes.Buffer, c *contract.Contract, r Ready) {
	if c.Clients() == nil && c.ServiceAccounts() == nil && r.Issuer == "" {
		return
	}
	if u, err := url.Parse(c.Issuer()); err == nil && loopback(u.Host) && c.Issuer() != r.Auth {
		fmt.Fprintf(b, "The contract's issuer is %s: clients that check it refuse to find it at %s.\n", c.Issuer(), r.Auth)
	}
	for _, grant := range slices.Sorted(maps.Keys(r.Clients)) {
		client := r.Clients[grant]
		fmt.Fprintf(b, "\n  %s for %s:\n  export CARDEA_CLIENT_ID=%s", c.Clients().Label, grant, client.ClientID)
		if client.ClientSecret != "" {
			fmt.Fprintf(b, " CARDEA_CLIENT_SECRET=%s", client.ClientSecret)
		}
		fmt.Fprintf(b, "\n  cardea try %s --base %s%s\n", tries[contract.Grant(grant)], r.Auth, contractFlag(c))
	}
	if r.ServiceAccountFile != "" {
		fmt.Fprintf(b, "\n  %s: %s\n", c.ServiceAccounts().Label, r.ServiceAccountFile)
	}
	if r.Issuer != "" {
		fmt.Fprintf(b, "\n  An issuer to trust: %s\n  curl -H 'Content-Type: application/json' -d '{\"sub\":\"jo\"}' %s/token\n", r.Issuer, r.Issuer)
	}
}

// tries are the commands that run a grant's flow.
var tries = map[contract.Grant]string{
	contract.GrantClientCredentials: "client-credentials", contract.GrantAuthorizationCode: "authorization-code", contract.GrantDeviceCode: "device",
}

// contractFlag names the contract's file to a command, where it is not the one that the
// command takes by itself.
func contractFlag(c *contract.Contract) string {
	if c.Source() == contract.DefaultName || strings.HasPrefix(c.Source(), "built-in") {
		return ""
	}
	return " -c " + c.Source()
}
