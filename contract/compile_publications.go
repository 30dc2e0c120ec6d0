package contract

import "strings"

var (
	pageNames = []string{
		"keys", "applications", "service_accounts", "credentials", "members", "usage", "request_log", "ip_list",
		"audit", "settings", "issuers", "organization", "sign_in", "limits", "errors", "webhooks", "authorized", "sessions",
	}
	pageLabels = []string{
		"create", "revoke", "delete", "rotate", "regenerate", "disable", "enable", "copy", "add", "remove",
		"name", "scopes", "permissions", "expires", "environment", "secret", "client_id", "client_secret", "addresses",
	}
	useCases = []string{
		"keys.create", "keys.list", "keys.show", "keys.revoke", "keys.rotate", "keys.disable", "keys.enable",
		"ips.add", "ips.remove", "ips.list", "issuers.set", "issuers.unset", "environment.show", "deploy",
	}
	cliVariables = []string{
		"secret", "permission", "scopes", "kind", "name", "id", "environment", "organization", "project", "address", "url",
	}
)

// publications compiles what dashboard, page and command line print.
func (k *compiler) publications() {
	k.pages()
	k.docs()
	k.commandLine()
}

// pages compiles the labels of the dashboard. Names of pages and labels are a closed
// list, so that a slip is found here and not by a customer who misses a button.
func (k *compiler) pages() {
	for _, e := range k.d.Pages.entries {
		if _, ok := find(pageNames, e.key.value); !ok {
			k.r.Errorf(e.key.pos, "there is no page %s", quote(e.key.value)).DidYouMean(e.key.value, pageNames)
		}
		p := Page{Name: e.key.value, Path: texts(e.value.Path), Labels: map[PageLabel]string{}}
		if len(p.Path) > 0 {
			p.Title = p.Path[len(p.Path)-1]
		}
		p.Title = e.value.Title.or(p.Title)
		for _, t := range e.value.Required.items {
			k.pageLabel(t)
			p.Required = append(p.Required, PageLabel(t.value))
		}
		for _, l := range e.value.Labels.entries {
			k.pageLabel(l.key)
			p.Labels[PageLabel(l.key.value)] = l.value.value
		}
		k.c.pages = append(k.c.pages, p)
	}
}

// pageLabel reports a label that no page has.
func (k *compiler) pageLabel(t text) {
	if _, ok := find(pageLabels, t.value); !ok && t.given {
		k.r.Errorf(t.pos, "pages have no label %s", quote(t.value)).DidYouMean(t.value, pageLabels)
	}
}

// texts returns the texts of a list.
func texts(l list[text]) []string {
	var out []string
	for _, t := range l.items {
		if t.given {
			out = append(out, t.value)
		}
	}
	return out
}

// docs compiles what the published page says beyond the rules themselves.
func (k *compiler) docs() {
	v := k.d.Docs
	d := Docs{
		Title: v.Title.or("Authentication"), Intro: v.Intro.value, Columns: texts(v.Methods.Columns),
		SecretManagers: texts(v.Managers), Status: map[string]string{}, Support: v.Support.value,
		RedirectURI: v.Redirect.value,
		LLMs:        v.LLMs.value, Markdown: v.Markdown.value,
	}
	if u := k.httpURL(v.Redirect); u != nil && (u.Fragment != "" || u.Scheme == "http" && !loopback(u.Hostname())) {
		k.r.Errorf(v.Redirect.pos, "no client may have this redirect URI").Suggest("use https://, without a fragment")
	}
	for _, row := range v.Methods.Rows.items {
		if len(row.items) != len(d.Columns) {
			k.r.Errorf(row.pos, "this row has %d cells and the table %d columns", len(row.items), len(d.Columns))
		}
		d.Methods = append(d.Methods, texts(row))
	}
	for _, p := range v.Practices.items {
		d.Practices = append(d.Practices, p.value)
	}
	codes := k.codes()
	for _, s := range v.Status.entries {
		if _, ok := find(codes, s.key.value); !ok {
			k.r.Errorf(s.key.pos, "no refusal has the code %s", quote(s.key.value)).DidYouMean(s.key.value, codes)
		}
		d.Status[s.key.value] = s.value.value
	}
	k.c.docs = d
}

// codes returns the error codes of the contract, each once.
func (k *compiler) codes() []string {
	var codes []string
	for _, r := range k.c.denials {
		if r == nil {
			continue
		}
		if _, ok := find(codes, r.code); !ok {
			codes = append(codes, r.code)
		}
	}
	return codes
}

// commandLine compiles the product's command line: other names and other output for
// use cases that Cardea has.
func (k *compiler) commandLine() {
	v := k.d.CLI
	if v == nil {
		return
	}
	c := &CLI{
		Name: v.Name.value, EnvPrefix: v.EnvPre.value,
		OrganizationFlag: v.Flags.Organization.or("org"), EnvironmentFlag: v.Flags.Environment.or("env"),
	}
	for _, t := range []text{v.Flags.Organization, v.Flags.Environment} {
		if t.given {
			k.name(t, "a flag")
		}
	}
	if v.Name.given {
		k.name(v.Name, "a command")
	}
	var names []string
	for _, e := range v.Commands.entries {
		k.name(e.key, "a command")
		names = append(names, e.key.value)
		c.Commands = append(c.Commands, k.command(e))
	}
	if a := v.Admin; a != nil {
		c.AdminKind, c.AdminFlag, c.AdminCommands = k.kind(a.Kind), a.Flag.or("admintoken"), texts(a.Commands)
		for _, t := range a.Commands.items {
			if _, ok := find(names, t.value); !ok && t.given {
				k.r.Errorf(t.pos, "there is no command %s", quote(t.value)).DidYouMean(t.value, names)
			}
		}
	}
	k.c.cli = c
}

// command compiles one command.
func (k *compiler) command(e entry[cliCommandDoc]) CLICommand {
	v := e.value
	c := CLICommand{
		Name: e.key.value, Does: v.Does.value, Kind: k.kind(v.Kind), Scopes: k.scopeSet(v.Scopes),
		Prompt: v.Prompt.value, Output: v.Output.value, Call: v.Call.value, Run: texts(v.Run),
	}
	k.work(v)
	if _, ok := find(useCases, v.Does.value); !ok && v.Does.given {
		k.r.Errorf(v.Does.pos, "there is no use case %s", quote(v.Does.value)).DidYouMean(v.Does.value, useCases)
	}
	if strings.HasPrefix(v.Does.value, "keys.") && c.Kind == nil && !v.Kind.given {
		k.r.Errorf(v.Does.pos, "the command does not say which kind of key it is about").Suggest("add kind:")
	}
	compileText(k.r, v.Output.pos, v.Output.value, cliVariables)
	for _, f := range v.Flags.entries {
		k.name(f.key, "a flag")
		c.Flags = append(c.Flags, CLIFlag{Name: f.key.value, Scopes: k.scopeSet(f.value.Scopes), Help: f.value.Help.value})
	}
	return c
}

// work checks the route and the program of a command that is the product's own.
func (k *compiler) work(v cliCommandDoc) {
	for at, given := range map[pos]bool{v.Call.pos: v.Call.given, v.Run.pos: v.Run.given} {
		if given && v.Does.given && v.Does.value != "deploy" {
			k.r.Errorf(at, "Cardea does this itself").Suggest("only a command that does %s runs something", quote("deploy"))
		}
	}
	if v.Does.value == "deploy" && !v.Call.given && !v.Run.given {
		k.r.Errorf(v.Does.pos, "nothing would happen").Suggest("add call:, run: or both")
	}
	if v.Run.given && len(v.Run.items) == 0 {
		k.r.Errorf(v.Run.pos, "this list names no program").Suggest("remove the line, or write run: [./deploy.sh]")
	}
	if !v.Call.given {
		return
	}
	if p, err := parsePattern(v.Call.value); err != nil || p.method == "" {
		k.r.Errorf(v.Call.pos, "this is not a method and a path").Suggest("write one such as POST /admin/{environment}/deploy")
	}
}

// kind resolves the name of a key kind, reporting one that is not declared.
func (k *compiler) kind(name text) *KeyKind {
	if !name.given {
		return nil
	}
	kind := k.c.Kind(name.value)
	if kind == nil {
		k.r.Errorf(name.pos, "there is no kind of key %s", quote(name.value)).DidYouMean(name.value, k.d.Keys.names())
	}
	return kind
}
