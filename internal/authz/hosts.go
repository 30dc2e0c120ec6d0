package authz

import (
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// A hostEnvironment is a host name that belongs to one environment alone.
type hostEnvironment struct {
	host string
	env  *contract.Environment
}

func newHosts(c *contract.Contract) []hostEnvironment {
	var hosts []hostEnvironment
	for _, env := range c.Environments() {
		if env.Host != "" {
			hosts = append(hosts, hostEnvironment{env.Host, env})
		}
	}
	return hosts
}

// hostEnvironment returns the environment that the request's host belongs to, or nil.
func (v *view) hostEnvironment(host string) *contract.Environment {
	if len(v.hosts) == 0 {
		return nil
	}
	// Names have no colon, and addresses belong to no environment.
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".") // a trailing dot names the same host
	for _, h := range v.hosts {
		if strings.EqualFold(h.host, host) {
			return h.env
		}
	}
	return nil
}
