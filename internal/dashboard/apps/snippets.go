package apps

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// quoted returns a text as one word of a POSIX shell, whatever is in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// A parameter is one of a request to the token endpoint. With Shell its value is written
// as it is, so that the reader's shell fills it in.
type parameter struct {
	Name, Value string
	Shell       bool
}

// tokenEndpoint returns the first token endpoint that takes a grant and the name it is
// sent under, nil when there is none.
func tokenEndpoint(c *contract.Contract, grant contract.Grant) (*contract.TokenEndpoint, string) {
	for _, e := range c.Endpoints().Token {
		for _, g := range e.Grants {
			if g.Grant == grant {
				return e, g.Sent
			}
		}
	}
	return nil, ""
}

// tokenCommand returns the curl line with which a client asks for a token, "" when the
// contract has no endpoint for it. secret is the client's secret, or a name for the shell
// such as "$CLIENT_SECRET"; it is not looked at for a client without one.
func tokenCommand(v *web.Visit, client *manage.Client, grant contract.Grant, secret string, params ...parameter) string {
	e, sent := tokenEndpoint(v.Contract, grant)
	if e == nil {
		return ""
	}
	lines := []string{"curl -X POST " + quoted(v.Contract.EndpointURL(&e.Endpoint, v.Origin()))}
	all := []parameter{{Name: "grant_type", Value: sent}}
	word := quoted(secret)
	if strings.HasPrefix(secret, "$") {
		word = `"` + secret + `"`
	}
	offers := func(a contract.ClientAuthentication) bool {
		return slices.Contains(client.Authentication, string(a)) && (len(e.Authentication) == 0 || slices.Contains(e.Authentication, a))
	}
	switch {
	case client.Public:
		all = append(all, parameter{Name: "client_id", Value: client.ID})
	case offers(contract.ClientSecretPost):
		all = append(all, parameter{Name: "client_id", Value: client.ID}, parameter{Name: "client_secret", Value: secret, Shell: strings.HasPrefix(secret, "$")})
	case offers(contract.ClientSecretBasic):
		lines = append(lines, "-u "+quoted(client.ID)+":"+word)
	default:
		all = append(all, parameter{Name: "client_assertion_type", Value: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			parameter{Name: "client_assertion", Value: "$CLIENT_ASSERTION", Shell: true})
	}
	all = append(all, params...)
	if e.JSON {
		return strings.Join(append(lines, jsonBody(all)...), " \\\n  ")
	}
	for _, p := range all {
		if p.Shell {
			lines = append(lines, "--data-urlencode "+p.Name+`="`+p.Value+`"`)
			continue
		}
		lines = append(lines, "--data-urlencode "+quoted(p.Name+"="+p.Value))
	}
	return strings.Join(lines, " \\\n  ")
}

// jsonBody returns the words of a curl line that send parameters as a JSON object. What
// the shell fills in stands between two quoted texts.
func jsonBody(params []parameter) []string {
	object := map[string]string{}
	for _, p := range params {
		object[p.Name] = p.Value
	}
	text, _ := json.Marshal(object, json.Deterministic(true), jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true)) // of texts
	word := quoted(string(text))
	for _, p := range params {
		if p.Shell {
			word = strings.Replace(word, p.Value, `'"`+p.Value+`"'`, 1)
		}
	}
	return []string{"-H 'Content-Type: application/json'", "-d " + word}
}

// apiCommand returns the curl line that calls the API with an access token, "" when there
// is no plain GET route that the scopes open.
func apiCommand(v *web.Visit, environment string, scopes []string) string {
	env := v.Contract.Environment(environment)
	if env == nil {
		return ""
	}
	set, _ := v.Contract.ScopeSet(scopes...)
	granted := v.Contract.Expand(set)
	for _, r := range v.Contract.Routes() {
		method, path, found := strings.Cut(r.Pattern, " ")
		if !found || method != "GET" || strings.Contains(strings.ReplaceAll(path, "{environment}", ""), "{") || r.Public || !r.Environments[env.Index] || !granted.Contains(r.Scopes) {
			continue
		}
		path = strings.ReplaceAll(path, "{environment}", env.Name)
		return "curl " + quoted(v.APIOrigin(environment)+path) + " \\\n  -H \"Authorization: Bearer $ACCESS_TOKEN\""
	}
	return ""
}

// envPrefix returns what the product's environment variables begin with: the contract's
// word, else the product's name.
func envPrefix(c *contract.Contract) string {
	if cli := c.CLI(); cli != nil && cli.EnvPrefix != "" {
		return cli.EnvPrefix
	}
	return strings.ToUpper(identifier(c.Product()))
}

// envName returns the name of an environment variable for a label of the contract:
// "Client Secret" becomes CLIENT_SECRET behind the product's prefix. A label that is such
// a name stays what it is, unless the contract has a word for the prefix.
func envName(c *contract.Contract, label string) string {
	name := strings.ToUpper(identifier(label))
	if cli := c.CLI(); name == label && (cli == nil || cli.EnvPrefix == "") {
		return name
	}
	return envPrefix(c) + "_" + name
}

// identifier returns a text as a name that programs may use, "" only for "".
func identifier(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}

// keyCommand returns the curl line that uses a key, and what to do with its answer: the
// API is called with it, or it is exchanged for an access token first.
func keyCommand(v *web.Visit, key *manage.Key, secret string) (command, call string) {
	kind := v.Contract.Kind(key.Kind)
	if kind == nil {
		return "", ""
	}
	if !kind.ExchangeOnly {
		call = apiCommand(v, key.Environment, key.Scopes)
		if len(kind.Present) == 0 || call == "" {
			return "", ""
		}
		p := kind.Present[0]
		header := p.Header + ": " + secret
		if p.Scheme != "" {
			header = p.Header + ": " + p.Scheme + " " + secret
		}
		return strings.Replace(call, `"Authorization: Bearer $ACCESS_TOKEN"`, quoted(header), 1), ""
	}
	for _, e := range v.Contract.Endpoints().Token {
		for _, g := range e.Grants {
			if g.Kind != kind || !slices.Contains(e.Authentication, contract.ClientBearer) {
				continue
			}
			lines := []string{"curl -X POST " + quoted(v.Contract.EndpointURL(&e.Endpoint, v.Origin())), "-H " + quoted("Authorization: Bearer "+secret)}
			if e.JSON {
				lines = append(lines, jsonBody([]parameter{{Name: "grant_type", Value: g.Sent}})...)
			} else {
				lines = append(lines, "--data-urlencode "+quoted("grant_type="+g.Sent))
			}
			return strings.Join(lines, " \\\n  "), apiCommand(v, key.Environment, key.Scopes)
		}
	}
	return "", ""
}
