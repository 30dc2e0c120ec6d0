package activity

import (
	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// names finds out what people call what a log knows by its id. Each is asked for once in a
// visit, in the visitor's name: who may not see it sees the id.
type names struct {
	v             *web.Visit
	keys          map[string]*manage.Key // nil: there is none, or none to see
	members       map[string]*manage.Member
	organizations map[string]string
	tokens        map[string]string // nil: not asked for yet
}

func newNames(v *web.Visit) *names {
	return &names{v: v, keys: map[string]*manage.Key{}, members: map[string]*manage.Member{}, organizations: map[string]string{}}
}

// key returns a credential of any sort, nil for none.
func (n *names) key(id string) *manage.Key {
	if key, known := n.keys[id]; known || id == "" {
		return key
	}
	n.keys[id] = nil
	if key, err := n.v.Manage.Credential(n.v.R.Context(), n.v.Actor, manage.ID{ID: id}); err == nil {
		n.keys[id] = &key
	}
	return n.keys[id]
}

// member returns a member, nil for none.
func (n *names) member(id string) *manage.Member {
	if member, known := n.members[id]; known || id == "" {
		return member
	}
	n.members[id] = nil
	if member, err := n.v.Manage.Member(n.v.R.Context(), n.v.Actor, manage.ID{ID: id}); err == nil {
		n.members[id] = &member
	}
	return n.members[id]
}

// organization returns the name of an organization, its id where that cannot be found.
func (n *names) organization(id string) string {
	if name, known := n.organizations[id]; known || id == "" {
		return name
	}
	n.organizations[id] = id
	if o, err := n.v.Manage.Organization(n.v.R.Context(), n.v.Actor, manage.ID{ID: id}); err == nil {
		n.organizations[id] = o.Name
	}
	return n.organizations[id]
}

// token returns the name of a management token, "" for none. Those who may not list them
// do not learn it.
func (n *names) token(id string) string {
	if n.tokens == nil {
		n.tokens = map[string]string{}
		list, err := n.v.Manage.ManagementTokens(n.v.R.Context(), n.v.Actor, manage.Page{Limit: access.MaxLimit})
		if err == nil { // without it there are ids
			for _, t := range list.Items {
				n.tokens[t.ID] = t.Name
			}
		}
	}
	return n.tokens[id]
}

// webhook returns where a webhook leads, its id where that cannot be found.
func (n *names) webhook(id string) string {
	if e, err := n.v.Webhooks.Endpoint(n.v.R.Context(), n.v.Actor, idOf(id)); err == nil {
		return e.URL
	}
	return id
}

// A credential is how pages name one.
type credential struct {
	ID, Name, Path string // Path is of its own page, "" for none
	Sort           string // "Application"
}

// credential names a credential by its id; its name is the id where there is no better.
func (n *names) credential(id string) credential {
	c := credential{ID: id, Name: id}
	key := n.key(id)
	if key == nil {
		return c
	}
	c.Name, c.Sort, c.Path = key.Name, sortOf(n.v.Contract, key), pathOf(n.v, key)
	if c.Name == "" {
		c.Name = key.Hint
	}
	return c
}

// sortOf returns what a credential is called: by the contract's word for its kind.
func sortOf(c *contract.Contract, key *manage.Key) string {
	switch key.Kind {
	case c.ClientKind().Name:
		return "Application"
	case c.AccountKind().Name:
		return "Service account"
	}
	if kind := c.Kind(key.Kind); kind != nil {
		return kind.Label
	}
	return "Key"
}

// pathOf returns where the page of a credential is.
func pathOf(v *web.Visit, key *manage.Key) string {
	portal := portalOf(v, key.Organization)
	switch key.Kind {
	case v.Contract.ClientKind().Name:
		return portal + "/applications/" + key.ID
	case v.Contract.AccountKind().Name:
		return portal + "/service-accounts/" + key.ID
	}
	return portal + "/keys/" + key.ID
}

// portalOf returns the base of an organization's pages, as the visitor gets there.
func portalOf(v *web.Visit, organization string) string {
	if v.Base == web.ConsolePrefix && organization != "" {
		return web.Prefix + "/as/" + organization
	}
	return v.Base
}

// console reports whether a visit is to the operator's console.
func console(v *web.Visit) bool { return v.Base == web.ConsolePrefix }

// organizationOf returns whose things a page shows: the visited organization's, or in the
// console those of the one that the address names, "" for all.
func organizationOf(v *web.Visit, a address) string {
	if console(v) {
		return a.Get("organization")
	}
	return v.Organization.ID
}

// environments returns the choices of a field for one.
func environments(v *web.Visit) []web.Option {
	options := []web.Option{{Text: "All environments"}}
	for _, e := range v.Contract.Environments() {
		options = append(options, web.Option{Value: e.Name, Text: e.Label})
	}
	return options
}

// environment returns the label of an environment.
func environment(c *contract.Contract, name string) string {
	if e := c.Environment(name); e != nil {
		return e.Label
	}
	return name
}

// reasonOf returns a reason that an address names, "" for what is none.
func reasonOf(name string) string {
	if _, ok := cardea.ParseReason(name); ok {
		return name
	}
	return ""
}
