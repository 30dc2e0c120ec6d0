package keys

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// placeholder stands for a secret that is not known any more.
const placeholder = "YOUR_KEY"

// A call is a request that a key is good for.
type call struct {
	URL, Header, Scheme string // Scheme with the space behind it, or ""
	Pattern             string

	// Made says that a part of the path had to be made up, so that there may be nothing.
	Made bool
}

// callOf returns the plainest request that a key may make: GET, without parameters in the
// path where there is one. ok is false when there is none.
func callOf(v *web.Visit, k *manage.Key) (c call, ok bool) {
	kind, env := v.Contract.Kind(k.Kind), v.Contract.Environment(k.Environment)
	if kind == nil || env == nil || kind.ExchangeOnly || len(kind.Present) == 0 {
		return call{}, false
	}
	literal, _ := v.Contract.ScopeSet(k.Scopes...)
	granted := v.Contract.Expand(literal)
	best, least := "", 1<<30
	for _, r := range v.Contract.Routes() {
		if r.Public || !r.Environments[env.Index] || !granted.Contains(r.Scopes) {
			continue
		}
		path, made, fits := examplePath(r.Pattern, r.Methods, env.Name)
		if fits && made < least {
			best, least, c.Pattern = path, made, r.Pattern
		}
	}
	if best == "" {
		return call{}, false
	}
	c.URL, c.Made = v.APIOrigin(env.Name)+best, least > 0
	c.Header = strings.ToLower(kind.Present[0].Header) // as people write headers of their own
	if scheme := kind.Present[0].Scheme; scheme != "" {
		c.Header, c.Scheme = kind.Present[0].Header, scheme+" "
	}
	return c, true
}

// examplePath returns a path that a pattern for GET matches and how many of its parts are
// made up. A made-up item may not be there, a made-up collection is more likely to be.
func examplePath(pattern string, methods []string, environment string) (path string, made int, ok bool) {
	if methods != nil && !slices.Contains(methods, http.MethodGet) {
		return "", 0, false
	}
	if _, after, found := strings.Cut(pattern, " "); found {
		pattern = strings.TrimSpace(after)
	}
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		switch {
		case s == "{environment}":
			segments[i] = environment
		case s == "{$}":
			segments[i] = ""
		case strings.HasSuffix(s, "...}"):
			segments[i], made = "things", made+1
		case strings.HasPrefix(s, "{"):
			segments[i], made = strings.Trim(s, "{}"), made+2
		}
	}
	return strings.Join(segments, "/"), made, true
}

// variable returns the name of the environment variable that holds a key: the prefix of
// the product's command line, or its name, and the kind's.
func variable(c *contract.Contract, kind string) string {
	prefix := c.Product()
	if cli := c.CLI(); cli != nil && cli.EnvPrefix != "" {
		prefix = cli.EnvPrefix
	}
	upper := func(text string) string {
		return strings.Trim(strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z':
				return r - 'a' + 'A'
			case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
				return r
			}
			return '_'
		}, text), "_")
	}
	name := strings.TrimPrefix(upper(prefix)+"_"+upper(kind), "_")
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

// A quickStart is how to make a first request, in three languages.
type quickStart struct {
	Variable         string
	Curl, Python, Go string
	Pattern          string
	Made             bool
	Test             bool // the reader's own key is in it, which opens no real data
	Browsers         bool // the kind is refused from browsers
}

// newQuickStart returns how to use a key, nil when there is no request to show. The secret
// is written into the samples where it opens no real data; elsewhere they read it from the
// environment, where a secret belongs.
func newQuickStart(v *web.Visit, k *manage.Key, secret string) *quickStart {
	c, ok := callOf(v, k)
	if !ok {
		return nil
	}
	env, kind := v.Contract.Environment(k.Environment), v.Contract.Kind(k.Kind)
	q := &quickStart{Variable: variable(v.Contract, k.Kind), Pattern: c.Pattern, Made: c.Made, Browsers: kind.RefuseBrowsers}
	q.Test = secret != "" && env.TestCredentials
	switch {
	case q.Test:
	case secret == "":
		secret = placeholder
	default:
		secret = ""
	}
	q.Curl, q.Python, q.Go = c.curl(or(secret, "$"+q.Variable), " \\\n  "), c.python(secret, q.Variable), c.golang(secret, q.Variable)
	return q
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// curl returns the call as a command, its parts apart by between.
func (c call) curl(secret, between string) string {
	return `curl "` + c.URL + `"` + between + `-H "` + c.Header + ": " + c.Scheme + secret + `"`
}

// python returns the call as a program; without a secret it reads a variable.
func (c call) python(secret, variable string) string {
	head, value := "import requests\n", strconv.Quote(c.Scheme+secret)
	if secret == "" {
		head, value = "import os\nimport requests\n", `os.environ["`+variable+`"]`
		if c.Scheme != "" {
			value = strconv.Quote(c.Scheme) + " + " + value
		}
	}
	return head + `
response = requests.get(
    ` + strconv.Quote(c.URL) + `,
    headers={` + strconv.Quote(c.Header) + `: ` + value + `},
    timeout=10,
)
response.raise_for_status()
print(response.json())
`
}

// golang returns the call as a program; without a secret it reads a variable.
func (c call) golang(secret, variable string) string {
	value := strconv.Quote(c.Scheme + secret)
	if secret == "" {
		value = `os.Getenv("` + variable + `")`
		if c.Scheme != "" {
			value = strconv.Quote(c.Scheme) + "+" + value
		}
	}
	return `package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	req, err := http.NewRequest(http.MethodGet, ` + strconv.Quote(c.URL) + `, nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set(` + strconv.Quote(c.Header) + `, ` + value + `)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(os.Stdout, resp.Body)
}
`
}
