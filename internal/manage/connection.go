package manage

import (
	"context"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
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

func viewConnection(c store.Connection) Connection {
	return Connection{
		Organization: c.Organization, Issuer: c.Issuer, ClientID: c.ClientID, HasSecret: len(c.SecretSealed) > 0,
		AutoJoin: c.AutoJoin, Role: c.Role, Domains: orEmpty(c.Domains), Insecure: c.Insecure,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

// Connection returns the OpenID provider of an organization, which ID names.
func (m *Manager) Connection(ctx context.Context, actor cardea.Actor, in ConnectionID) (Connection, error) {
	if _, err := m.findOrganization(ctx, m.store.Reader, actor, in.Organization, access.ReadAdmin); err != nil {
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
		if _, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, access.Own); err != nil {
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
	if err == nil && !given && access.Diff(before, viewConnection(*next)).Empty() {
		next.UpdatedAt = old.UpdatedAt
		return nil
	}
	access.Record(tx, "connection.set", "connection", next.Organization, next.Organization,
		connectionDetail{Difference: access.Diff(before, viewConnection(*next)), NewSecret: given})
	return tx.SaveConnection(ctx, *next)
}

// connectionDetail is the detail of the event of a connection.
type connectionDetail struct {
	access.Difference
	NewSecret bool `json:"new_secret,omitzero"`
}

// checkConnection reports what is wrong with an input.
func (m *Manager) checkConnection(actor cardea.Actor, in SetConnection) error {
	var p rules.Problems
	if in.Insecure {
		if err := access.Operator(actor); err != nil {
			return err
		}
	}
	if !rules.IsHTTPS(in.Issuer) && !(in.Insecure && strings.HasPrefix(in.Issuer, "http://") && rules.IsHTTPS("https"+in.Issuer[4:])) {
		p.Add(cardea.Invalid("issuer", "must be an https URL without a user and a fragment, of at most %d bytes", rules.MaxURL))
	}
	if in.ClientID == "" {
		p.Add(cardea.Invalid("client_id", "is required: as the provider gave it"))
	}
	p.Add(rules.Line("client_id", in.ClientID, rules.MaxURL))
	if len(in.ClientSecret) > rules.MaxURL {
		p.Add(cardea.Invalid("client_secret", "must have at most %d bytes", rules.MaxURL))
	}
	p.Add(checkRole(in.Role))
	if in.AutoJoin && len(in.Domains) == 0 {
		p.Add(cardea.Invalid("domains", "is required: who may join by themselves"))
	}
	rules.Each(&p, "domains", in.Domains, rules.Domain)
	return p.Err()
}

// DeleteConnection removes the OpenID provider of an organization, and returns what it
// was: nobody signs in through it any more. Sessions stay. Owners, and operators.
func (m *Manager) DeleteConnection(ctx context.Context, actor cardea.Actor, in ConnectionID) (Connection, error) {
	var old store.Connection
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if _, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, access.Own); err != nil {
			return err
		}
		if old, err = tx.Connection(ctx, in.Organization); err != nil {
			return err
		}
		access.Audit(tx, "connection.delete", "connection", in.Organization, in.Organization, viewConnection(old), nil)
		return tx.DeleteConnection(ctx, in.Organization)
	})
	if err != nil {
		return Connection{}, err
	}
	return viewConnection(old), nil
}
