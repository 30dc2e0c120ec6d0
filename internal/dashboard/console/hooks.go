package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var hookRoutes = []web.Route{
	{Pattern: "GET /hooks", Page: "hooks", Console: true, Serve: hooks},
	{Pattern: "POST /hooks/secret", Page: "hooks", Console: true, Serve: hookSecret},
	{Pattern: "GET /hooks/{hook}", Page: "hooks", Console: true, Serve: askHook},
	{Pattern: "POST /hooks/{hook}", Page: "hooks", Console: true, Serve: testHook},
}

// hooksPage is the data of the list of hooks.
type hooksPage struct {
	Path  string
	Hooks []manage.Hook
	Calls bool // one of them calls a service
}

// hooks lists the contract's hooks.
func hooks(v *web.Visit) {
	found, err := v.Manage.Hooks(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	p := hooksPage{Path: v.Base + "/hooks", Hooks: found.Items}
	for _, h := range found.Items {
		p.Calls = p.Calls || h.URL != ""
	}
	v.Render(http.StatusOK, web.View{Title: "Hooks", Template: "hooks", Data: p})
}

// secretPage is the data of a page that shows a secret.
type secretPage struct {
	Back, Heading, Text, Secret string
	Once                        bool // it is never shown again
}

// hookSecret shows the key that receivers of hooks check signatures with.
func hookSecret(v *web.Visit) {
	found, err := v.Manage.RevealHookSecret(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Signing secret of hooks", Template: "secret", Secret: true, Data: secretPage{
		Back: v.Base + "/hooks", Secret: found.Secret.Reveal(),
		Text: "Receivers check with it that a question came from Cardea (Standard Webhooks: headers webhook-id, webhook-timestamp, webhook-signature). Whoever has it can forge one. That you looked is in the audit log.",
	}})
}

// hookPage is the data of the form that tests a hook.
type hookPage struct {
	Path         string
	Hook         manage.Hook
	Form         manage.TestHook
	Headers      string
	Environments []web.Option
	Methods      []web.Option
	Problems     map[string]string
	Answer       *manage.HookAnswer // nil: not asked
}

// findHook returns the page of the hook that the path names, or answers.
func findHook(v *web.Visit) (hookPage, bool) {
	found, err := v.Manage.Hooks(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return hookPage{}, false
	}
	for _, h := range found.Items {
		if strconv.Itoa(h.ID) != v.Path("hook") {
			continue
		}
		p := hookPage{Path: v.Base + "/hooks", Hook: h, Environments: []web.Option{{Text: "None"}}}
		for _, e := range v.Contract.Environments() {
			p.Environments = append(p.Environments, web.Option{Value: e.Name, Text: e.Label})
		}
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			p.Methods = append(p.Methods, web.Option{Value: m, Text: m})
		}
		return p, true
	}
	v.Fail(access.NotFound("hook"))
	return hookPage{}, false
}

// askHook shows the form.
func askHook(v *web.Visit) {
	p, ok := findHook(v)
	if !ok || !mayChange(v) {
		return
	}
	p.Form = manage.TestHook{Method: http.MethodGet, Path: sample(p.Hook.Match), Host: v.Contract.Hosts().API, Client: v.Actor.Address}
	if len(v.Contract.Environments()) > 0 {
		p.Form.Environment = v.Contract.Environments()[0].Name
	}
	if method, _, ok := strings.Cut(p.Hook.Match, " "); ok {
		p.Form.Method = method
	}
	p.show(v, http.StatusOK)
}

// sample returns a path that a pattern matches, for the form to begin with.
func sample(pattern string) string {
	_, path, ok := strings.Cut(pattern, " ")
	if !ok {
		path = pattern
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = strings.Trim(s, "{}.$")
		}
	}
	return strings.Join(segments, "/")
}

func (p hookPage) show(v *web.Visit, status int) {
	v.Render(status, web.View{
		Title: "Test hook " + strconv.Itoa(p.Hook.ID), Template: "hook", Crumbs: []web.Crumb{{Text: "Hooks", Path: "/hooks"}}, Data: p,
	})
}

// testHook asks a hook about the request that the form describes, and shows its answer.
func testHook(v *web.Visit) {
	p, ok := findHook(v)
	if !ok {
		return
	}
	p.Form = manage.TestHook{
		ID: p.Hook.ID, Method: v.Value("method"), Path: v.Value("path"), Host: v.Value("host"), Environment: v.Value("environment"),
		Client: v.Value("client"), Credential: v.Value("credential"), Headers: map[string]string{},
	}
	p.Headers = v.Form.Get("headers")
	for _, line := range v.Lines("headers") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			p.Problems = map[string]string{"headers": "each line is a name, a colon and a value"}
			p.show(v, http.StatusUnprocessableEntity)
			return
		}
		p.Form.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	answer, err := v.Manage.TestHook(v.R.Context(), v.Actor, p.Form)
	if p.Problems, ok = v.Problems(err); ok {
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	p.Answer = &answer
	p.show(v, http.StatusOK)
}
