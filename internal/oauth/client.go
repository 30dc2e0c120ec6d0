package oauth

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A client is a registered OAuth client as one contract allows it. It is immutable.
type client struct {
	store.Client

	contract *contract.Contract
	env      *contract.Environment

	// scopes are what it may be given: what it was given, as far as the contract lets
	// clients have that. Implied ones are not added. defaults are what it gets when it
	// asks for nothing.
	scopes, defaults contract.ScopeSet

	organizationName string
	suspended        bool // its organization is

	// lists are the lists of addresses that requests of the client must come from: its own
	// and its organization's, as far as there are any.
	lists [][]netip.Prefix
}

// id returns the client's id.
func (c *client) id() string { return c.Credential.ID }

// good reports whether the client may do anything at all.
func (c *client) good(now time.Time) bool {
	return !c.suspended && c.Credential.Status(now) == store.StatusActive
}

// admits reports whether requests of the client may come from an address. A list without
// entries admits nobody. Clients with a secret are judged by package authz, which does
// the same.
func (c *client) admits(from netip.Addr) bool {
	for _, list := range c.lists {
		if !slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(from) }) {
			return false
		}
	}
	return true
}

// unmapped returns a list as it is compared: IPv4 as IPv4.
func unmapped(list []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		out[i] = p.Masked()
	}
	return out
}

// may reports whether the client may use a grant.
func (c *client) may(g contract.Grant) bool { return slices.Contains(c.Grants, string(g)) }

// authenticates reports whether the client was registered to authenticate in a way.
func (c *client) authenticates(m contract.ClientAuthentication) bool {
	if c.isRow() {
		return false // its id is none on the wire
	}
	if m == contract.ClientNone {
		return c.Public
	}
	return !c.Public && slices.Contains(c.Authentication, string(m))
}

// newClient judges a registration by a contract. It returns nil when the contract has no
// clients, or no longer the client's environment: nothing says what such a client may do.
func newClient(c *contract.Contract, row store.Client, o store.Organization) *client {
	terms, env := c.Clients(), c.Environment(row.Credential.Environment)
	if terms == nil || env == nil || row.Public && !terms.Public && row.MetadataURL == "" {
		return nil
	}
	out := &client{
		Client: row, contract: c, env: env, organizationName: o.Name, suspended: !o.SuspendedAt.IsZero(),
	}
	granted, _ := c.ScopeSet(row.Credential.Scopes...) // scopes the contract no longer has grant nothing
	out.scopes = granted.Intersect(c.Expand(terms.Scopes))
	out.defaults = out.scopes
	if !terms.DefaultScopes.IsEmpty() {
		out.defaults = terms.DefaultScopes.Intersect(c.Expand(out.scopes))
	}
	if row.Credential.Addresses != nil {
		out.lists = append(out.lists, unmapped(row.Credential.Addresses))
	}
	allowed := make([]string, len(terms.Grants))
	for i, g := range terms.Grants {
		allowed[i] = string(g)
	}
	out.Grants = narrow(row.Grants, allowed)
	ways := make([]string, len(terms.Authentication))
	for i, w := range terms.Authentication {
		ways[i] = string(w)
	}
	out.Authentication = narrow(row.Authentication, ways)
	return out
}

// narrow returns what a registration names of what the contract has, and all of that when
// it names nothing.
func narrow(registered, allowed []string) []string {
	if len(registered) == 0 {
		return allowed
	}
	var out []string
	for _, one := range registered {
		if slices.Contains(allowed, one) {
			out = append(out, one)
		}
	}
	return out
}

// maxClients bounds the clients kept in memory.
const maxClients = 1 << 14

// clients keeps the clients that were asked for. What it returns is never older than the
// last change that Apply was called with.
type clients struct {
	mu       sync.RWMutex
	contract *contract.Contract
	changes  uint64 // how often something was forgotten
	known    map[string]*client
}

// find returns a client that is kept, or the number of changes so far for keep.
func (k *clients) find(c *contract.Contract, id string) (found *client, changes uint64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.contract != c {
		return nil, k.changes
	}
	return k.known[id], k.changes
}

// keep keeps a client that was read after changes was returned by find, unless something
// changed in between: the client may have been read too early to show it.
func (k *clients) keep(c *client, changes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != changes {
		return
	}
	if k.contract != c.contract || len(k.known) >= maxClients {
		k.contract, k.known = c.contract, map[string]*client{}
	}
	k.known[c.id()] = c
}

// forget drops what changes concern.
func (k *clients) forget(changes store.Changes) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	for _, change := range changes {
		switch change.Kind {
		case store.ChangeCredential:
			delete(k.known, change.Target)
		case store.ChangeOrganization:
			for id, c := range k.known {
				if c.Credential.Organization == change.Target {
					delete(k.known, id)
				}
			}
		case store.ChangeMember, store.ChangeToken, store.ChangeKeys, store.ChangeIssuer:
			// no client depends on them
		default:
			clear(k.known)
		}
	}
}

// client returns a client by its id, nil when there is none or the contract has no use
// for it. A client that is found may be revoked: see [client.good].
func (s *Server) client(ctx context.Context, c *contract.Contract, id string) (*client, error) {
	if c.Clients() == nil || id == "" || len(id) > maxClientID {
		return nil, nil
	}
	found, changes := s.clients.find(c, id)
	if found != nil {
		return found, nil
	}
	if strings.HasPrefix(id, "https://") {
		return s.documentedClient(ctx, c, id)
	}
	if _, ok := secret.PackID(id, c.IDPrefix(contract.IDClient)); !ok {
		return nil, nil // never was an id: costs no query
	}
	row, err := s.store.Client(ctx, id)
	if cardea.KindOf(err) == cardea.KindNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := s.store.Organization(ctx, row.Credential.Organization)
	if err != nil {
		return nil, err
	}
	made := newClient(c, row, o)
	if made == nil {
		return nil, nil
	}
	list, err := s.store.AddressList(ctx, o.ID, row.Credential.Environment)
	switch {
	case err == nil:
		made.lists = append(made.lists, unmapped(list.Prefixes))
	case !missing(err):
		return nil, err
	}
	s.clients.keep(made, changes)
	return made, nil
}

// documentedClient returns a client whose id is the URL of its metadata: those are kept
// elsewhere, and for as long as the document says.
func (s *Server) documentedClient(ctx context.Context, c *contract.Contract, id string) (*client, error) {
	if !c.Clients().MetadataDocuments {
		return nil, nil
	}
	row, err := s.metadataClient(ctx, c, id)
	if err != nil {
		if cardea.KindOf(err) == cardea.KindNotFound {
			return nil, nil
		}
		return nil, err
	}
	return newClient(c, row, store.Organization{}), nil
}

// maxClientID bounds client ids, which may be URLs, in bytes.
const maxClientID = 2 << 10
