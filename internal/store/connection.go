package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
)

// A Connection is an organization's own OpenID provider, through which its members sign
// in.
type Connection struct {
	Organization string
	Issuer       string
	ClientID     string
	SecretSealed []byte      // the client secret, sealed by the caller; nil: none
	Insecure     bool        // private addresses and plain HTTP will do
	AutoJoin     bool        // who signs in for the first time becomes a member
	Role         cardea.Role // of those
	Domains      []string    // of e-mail addresses that may; empty: see the caller
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

var connections = newTable("sso_connection", "connection", "organization, issuer, client_id, secret_sealed, insecure, "+
	"auto_join, role, domains, created_at, updated_at", (*Connection).fields)

func (c *Connection) fields() []any {
	return []any{
		&c.Organization, &c.Issuer, &c.ClientID, &c.SecretSealed, (*flag)(&c.Insecure), (*flag)(&c.AutoJoin),
		(*plainText)(&c.Role), (*words)(&c.Domains), (*stamp)(&c.CreatedAt), (*stamp)(&c.UpdatedAt),
	}
}

// Connection returns an organization's connection, or a KindNotFound error.
func (r Reader) Connection(ctx context.Context, organization string) (Connection, error) {
	return connections.one(ctx, r, connections.where("organization = ?", organization))
}

// SaveConnection stores an organization's connection in place of the one there may be,
// whose creation it keeps. KindNotFound when the organization does not exist.
func (tx *Tx) SaveConnection(ctx context.Context, c Connection) error {
	tx.fill(&c.CreatedAt)
	c.UpdatedAt = tx.now
	_, err := tx.exec(ctx, connections.insert+` ON CONFLICT (organization) DO UPDATE
		SET issuer = excluded.issuer, client_id = excluded.client_id, secret_sealed = excluded.secret_sealed,
		    insecure = excluded.insecure, auto_join = excluded.auto_join, role = excluded.role,
		    domains = excluded.domains, updated_at = excluded.updated_at`, c.fields()...)
	return err
}

// DeleteConnection removes an organization's connection. KindNotFound when there is none.
func (tx *Tx) DeleteConnection(ctx context.Context, organization string) error {
	return tx.change(ctx, connections.noun, `DELETE FROM sso_connection WHERE organization = $1`, organization)
}
