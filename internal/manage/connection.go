package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Connection is an organization's own OpenID provider, through which its members sign
// in.
type Connection struct {
	Organization string `json:"organization"`
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`

	// HasSecret says that there is a client secret. It is never shown.
	HasSecret bool `json:"has_secret"`

	// AutoJoin makes whoever signs in for the first time, with an address in one of
	// Domains, a member with the role Role.
	AutoJoin bool        `json:"auto_join"`
	Role     cardea.Role `json:"role"`
	Domains  []string    `json:"domains"`

	// Insecure allows the provider private addresses and plain HTTP: for development.
	Insecure  bool      `json:"insecure"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SetConnection is the input of [Manager.SetConnection].
type SetConnection struct {
	Organization string `json:"organization"`
	Issuer       string `json:"issuer"` // its URL, as the provider calls itself
	ClientID     string `json:"client_id"`

	// ClientSecret is sealed with the master key. Absent: the one there is stays, if
	// issuer and client id do; a public client has none.
	ClientSecret string `json:"client_secret,omitzero"`

	AutoJoin bool        `json:"auto_join,omitzero"`
	Role     cardea.Role `json:"role,omitzero"` // of those who join; "": viewer
	Domains  []string    `json:"domains,omitzero"`

	// Insecure is for operators only.
	Insecure bool `json:"insecure,omitzero"`
}

// mayOwn: who decides how others sign in can sign in as any of them.
var mayOwn = right{roles: []cardea.Role{cardea.RoleOwner}}

func viewConnection(c store.Connection) Connection {
	return Connection{
		Organization: c.Organization, Issuer: c.Issuer, ClientID: c.ClientID, HasSecret: len(c.SecretSealed) > 0,
		AutoJoin: c.AutoJoin, Role: c.Role, Domains: orEmpty(c.Domains), Insecure: c.Insecure,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

// Connection returns the OpenID provider of an organization, which ID names.
func (m *Manager) Connection(ctx context.Context, actor cardea.Actor, in ConnectionID) (Connection, error) {
	if _, err := m.findOrganization(ctx, m.store.Reader, actor, in.Organization, mayAdmin); err != nil {
		return Connection{}, err
	}
	c, err := m.store.Connection(ctx, in.Organization)
	if err != nil {
		return Connection{}, err
	}
	return viewConnection(c), nil
}

// ConnectionID names the connection of an organization.
type ConnectionID struct {
	Organization string `json:"organization"`
}

// SetConnection names the OpenID provider of an organization, in place of the one there
// may be. Owners, and operators.
func (m *Manager) SetConnection(ctx context.Context, actor cardea.Actor, in SetConnection) (Connection, error) {
	if in.Role == "" {
		in.Role = cardea.RoleViewer
	}
	if err := m.checkConnection(actor, in); err != nil {
		return Connection{}, err
	}
	next := store.Connection{
		Organization: in.Organization, Issuer: in.Issuer, ClientID: in.ClientID, AutoJoin: in.AutoJoin, Role: in.Role,
		Domains: in.Domains, Insecure: in.Insecure,
	}
	if in.ClientSecret != "" {
		if m.sealer == nil {
			return Connection{}, errNoSealer
		}
		next.SecretSealed = m.sealer.Seal(secret.AAD("sso_connection", in.Organization, 1), []byte(in.ClientSecret))
	}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		if _, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, mayOwn); err != nil {
			return err
		}
		if err := m.mayGrant(ctx, tx.Reader, actor, in.Role); err != nil {
			return err
		}
		return saveConnection(ctx, tx, &next)
	})
	if err != nil {
		return Connection{}, err
	}
	return viewConnection(next), nil
}

// errNoSealer: there is nothing to seal a secret with.
var errNoSealer = cardea.Errorf(cardea.KindUnavailable, "the server has no master key to seal the secret with")

// saveConnection stores a connection if it differs from the one there is.
func saveConnection(ctx context.Context, tx *store.Tx, next *store.Connection) error {
	old, err := tx.Connection(ctx, next.Organization)
	if err != nil && cardea.KindOf(err) != cardea.KindNotFound {
		return err
	}
	next.CreatedAt, next.UpdatedAt = tx.Now(), tx.Now()
	var before any
	given := next.SecretSealed != nil
	if err == nil {
		before, next.CreatedAt = viewConnection(old), old.CreatedAt
		if !given && old.Issuer == next.Issuer && old.ClientID == next.ClientID {
			next.SecretSealed = old.SecretSealed
		}
	}
	if err == nil && !given && diff(before, viewConnection(*next)).empty() {
		next.UpdatedAt = old.UpdatedAt
		return nil
	}
	record(tx, "connection.set", "connection", next.Organization, next.Organization,
		connectionDetail{difference: diff(before, viewConnection(*next)), NewSecret: given})
	return tx.SaveConnection(ctx, *next)
}

// connectionDetail is the detail of the event of a connection.
type connectionDetail struct {
	difference
	NewSecret bool `json:"new_secret,omitzero"`
}

// checkConnection reports what is wrong with an input.
func (m *Manager) checkConnection(actor cardea.Actor, in SetConnection) error {
	var p problems
	if in.Insecure {
		if err := operator(actor); err != nil {
			return err
		}
	}
	if !isHTTPS(in.Issuer) && !(in.Insecure && strings.HasPrefix(in.Issuer, "http://") && isHTTPS("https"+in.Issuer[4:])) {
		p.add(cardea.Invalid("issuer", "must be an https URL without a user and a fragment, of at most %d bytes", maxURL))
	}
	if in.ClientID == "" {
		p.add(cardea.Invalid("client_id", "is required: as the provider gave it"))
	}
	p.add(checkLine("client_id", in.ClientID, maxURL))
	if len(in.ClientSecret) > maxURL {
		p.add(cardea.Invalid("client_secret", "must have at most %d bytes", maxURL))
	}
	p.add(checkRole(in.Role))
	if in.AutoJoin && len(in.Domains) == 0 {
		p.add(cardea.Invalid("domains", "is required: who may join by themselves"))
	}
	checkEach(&p, "domains", in.Domains, checkDomain)
	return p.err()
}

// errDomain: a text is no domain of e-mail addresses.
var errDomain = cardea.Errorf(cardea.KindInvalid, "must be a domain in lower case, such as example.com")

// checkDomain reports a text that is no domain name of two labels or more.
func checkDomain(text string) error {
	labels := strings.Split(text, ".")
	bad := func(label string) bool {
		return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
	}
	if len(text) > 253 || len(labels) < 2 || slices.ContainsFunc(labels, bad) {
		return errDomain
	}
	return nil
}

// DeleteConnection removes the OpenID provider of an organization, and returns what it
// was: nobody signs in through it any more. Sessions stay. Owners, and operators.
func (m *Manager) DeleteConnection(ctx context.Context, actor cardea.Actor, in ConnectionID) (Connection, error) {
	var old store.Connection
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if _, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, mayOwn); err != nil {
			return err
		}
		if old, err = tx.Connection(ctx, in.Organization); err != nil {
			return err
		}
		audit(tx, "connection.delete", "connection", in.Organization, in.Organization, viewConnection(old), nil)
		return tx.DeleteConnection(ctx, in.Organization)
	})
	if err != nil {
		return Connection{}, err
	}
	return viewConnection(old), nil
}
