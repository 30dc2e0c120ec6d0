package contract

// An Environment is a world of its own: its credentials never work in another.
type Environment struct {
	Name  string // "live"
	Label string // "Production"

	// Upstream is the base URL of the API in this environment: scheme, host and
	// optionally a path prefix, without a trailing slash. It may be empty when every
	// route names its own or is answered by Cardea.
	Upstream string

	// Host is the host name that belongs to this environment alone, or "".
	Host string

	// TestCredentials lets magic suffixes of a valid key work here: see the
	// documentation of test credentials. For environments without real data.
	TestCredentials bool

	Index int // position in [Contract.Environments]
	Line  int
}

// maxEnvironments bounds what is kept for each environment.
const maxEnvironments = 16

// Environments returns the environments in the file's order.
func (c *Contract) Environments() []*Environment { return c.environments }

// Environment returns the environment with the given name, or nil.
func (c *Contract) Environment(name string) *Environment {
	for _, e := range c.environments {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// environments compiles the environments. Everything that is kept for each of them is a
// slice in their order, so that a request needs no map.
func (k *compiler) environments() {
	entries := k.d.Environments.entries
	if k.d.Environments.given && len(entries) == 0 {
		k.r.Errorf(k.d.Environments.pos, "at least one environment is needed").Suggest("add live: {label: Production}")
	}
	if len(entries) > maxEnvironments {
		k.r.Errorf(entries[maxEnvironments].key.pos, "more than %d environments", maxEnvironments)
		entries = entries[:maxEnvironments]
	}
	hosts := map[string]int{}
	for i, e := range entries {
		k.name(e.key, "an environment")
		k.c.environments = append(k.c.environments, &Environment{
			Name: e.key.value, Label: e.value.Label.or(e.key.value), Host: k.host(e.value.Host),
			TestCredentials: e.value.Test.value, Index: i, Line: e.key.Line,
		})
		if e.value.Test.value && looksReal(i, e.key.value) {
			k.r.Warnf(e.value.Test.pos, "%s looks like the environment of real data; these credentials are for tests", quote(e.key.value))
		}
		if line, taken := hosts[e.value.Host.value]; taken && e.value.Host.given {
			k.r.Errorf(e.value.Host.pos, "two environments have the host %s", quote(e.value.Host.value)).
				Suggest("the other is on line %d", line)
		}
		hosts[e.value.Host.value] = e.value.Host.Line
	}
	defaults := k.upstreams(k.d.Upstream)
	for i, e := range entries {
		k.c.environments[i].Upstream = defaults[i]
		if e.value.Upstream.given {
			k.c.environments[i].Upstream = k.upstream(e.value.Upstream)
			k.sharedUpstream(i, e.value.Upstream)
		}
	}
}

// looksReal guesses from its name and place whether an environment holds real data.
func looksReal(i int, name string) bool {
	if i > 0 {
		_, real := find([]string{"live", "prod", "production"}, name)
		return real
	}
	_, toy := find([]string{"test", "testing", "sandbox", "dev", "development", "staging", "demo"}, name)
	return !toy
}

// sharedUpstream warns of an environment whose requests reach another one's API.
func (k *compiler) sharedUpstream(i int, t text) {
	for _, other := range k.c.environments[:i] {
		if base := k.c.environments[i].Upstream; base != "" && base == other.Upstream {
			k.r.Warnf(t.pos, "%s has the same upstream: what is done here, is done there", quote(other.Name))
		}
	}
}

// environmentSet returns which environments a list names, all of them when it is not
// given.
func (k *compiler) environmentSet(l list[text]) []bool {
	in := make([]bool, len(k.c.environments))
	for i := range in {
		in[i] = !l.given
	}
	for _, name := range l.items {
		if e := k.environment(name); e != nil {
			in[e.Index] = true
		}
	}
	if l.given && len(l.items) == 0 {
		k.r.Errorf(l.pos, "this list names no environment").Suggest("remove the line for all of them")
	}
	return in
}

// environment resolves a name, reporting one that is not declared.
func (k *compiler) environment(name text) *Environment {
	if !name.given {
		return nil
	}
	e := k.c.Environment(name.value)
	if e == nil {
		k.r.Errorf(name.pos, "there is no environment %s", quote(name.value)).
			DidYouMean(name.value, k.d.Environments.names())
	}
	return e
}

// spread returns a setting's text for each environment, "" where it has none.
func (k *compiler) spread(v perEnvironment) []text {
	out := make([]text, len(k.c.environments))
	if v.all.given {
		for i := range out {
			out[i] = v.all
		}
	}
	for _, e := range v.by.entries {
		if env := k.environment(e.key); env != nil {
			out[env.Index] = e.value
		}
	}
	return out
}
