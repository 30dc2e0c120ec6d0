package web

// Origin returns scheme, host and port of the page, as the browser asked for it.
func (v *Visit) Origin() string {
	if v.secure {
		return "https://" + v.R.Host
	}
	return "http://" + v.R.Host
}

// APIOrigin returns scheme, host and port at which callers reach the product's API in an
// environment, for lines that people copy. Where the contract names no host, or the page
// is served under a name that the contract does not know, as cardea dev does, that is
// where the page is.
func (v *Visit) APIOrigin(environment string) string {
	hosts := v.Contract.Hosts()
	if v.portal.cfg.AnyHost && !hosts.Knows(name(v.R.Host)) {
		return v.Origin()
	}
	if e := v.Contract.Environment(environment); e != nil && e.Host != "" {
		return "https://" + e.Host
	}
	if hosts.API != "" {
		return "https://" + hosts.API
	}
	return v.Origin()
}
