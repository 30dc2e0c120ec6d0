package contract

// A compiler turns a document into a contract. Every part reports what is wrong and
// goes on with what it has, so that one run finds all there is; nothing of an
// incomplete contract is used.
type compiler struct {
	r *reporter
	d *document
	c *Contract

	prefixes []usedPrefix

	// What was reported once and need not be again.
	noCredentials bool
	noUpstream    []bool // by environment index
}

// compile checks the document and resolves its names. The order matters: later parts
// refer to earlier ones.
func compile(r *reporter, d *document) *Contract {
	k := &compiler{r: r, d: d, c: &Contract{}}
	k.header()
	k.environments()
	k.ids()
	k.scopes()
	k.permissions()
	k.plans()
	k.keys()
	k.presentations()
	k.oauth()
	k.issuers()
	k.prefixClashes()
	k.reserved()
	k.limitHeaders()
	k.forwarding()
	k.errors()
	k.routes()
	k.hooks()
	k.publications()
	k.signIn()
	return k.c
}

// header compiles what stands alone: version, names and hosts. Hosts fall back to the
// API's, because small products have only one.
func (k *compiler) header() {
	if k.d.Version.given && k.d.Version.value != 1 {
		k.r.Errorf(k.d.Version.pos, "this is version %d of the format; only version 1 is known", k.d.Version.value)
	}
	k.c.product = k.d.Product.value
	k.c.issuer, k.c.audience = k.d.Issuer.value, k.d.Audience.value
	api := k.host(k.d.Hosts.API)
	k.c.hosts = Hosts{API: api, Auth: api, App: api}
	if h := k.host(k.d.Hosts.Auth); h != "" {
		k.c.hosts.Auth = h
	}
	if h := k.host(k.d.Hosts.App); h != "" {
		k.c.hosts.App = h
	}
	k.checkIssuer(k.d.Issuer)
}
