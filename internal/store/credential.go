package store

import (
	"context"
	"net/netip"
	"time"
)

// A Credential is what an organization or a member presents to be known. Its secrets
// are [CredentialSecret] values.
type Credential struct {
	ID            string
	Kind          string
	Environment   string
	Organization  string
	Member        string // "" when it belongs to the organization as a whole
	Name          string
	Scopes        []string       // as granted, before implication
	Limits        *Limits        // in addition to its organization's; nil: none of its own
	Addresses     []netip.Prefix // who may present it; nil: anybody, empty: nobody
	ExpiresAt     time.Time      // zero: never
	LastUsedAt    time.Time      // to the minute; zero: never used
	LastUsedFrom  string         // the address of that use, "" when it is not known; see [DB.Touch]
	LastUsedRoute string         // what it was for: the contract's pattern, or ""
	DisabledAt    time.Time      // zero: not disabled
	RevokedAt     time.Time      // zero: not revoked
	RevokedReason string
	// TokensNotBefore: access tokens issued at or before it are worthless; zero: none was
	// taken back. It never moves back.
	TokensNotBefore time.Time
	CreatedBy       string
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// The kinds of credential that no contract may name: those of OAuth clients, whose
// details are a [Client], and of service accounts, whose keys are [ServiceAccountKey]s.
const (
	KindClient         = "client"
	KindServiceAccount = "service_account"
)

const credentialColumns = `id, kind, environment, organization, member, name, scopes, limits, addresses,
	expires_at, last_used_at, disabled_at, revoked_at, revoked_reason, created_by, created_at, updated_at,
	tokens_not_before, last_used_from, last_used_route`

func (c *Credential) scan() []any {
	return []any{
		&c.ID, &c.Kind, &c.Environment, &c.Organization, (*text)(&c.Member), &c.Name,
		asJSON(&c.Scopes), asJSON(&c.Limits), asJSON(&c.Addresses), (*stamp)(&c.ExpiresAt),
		(*stamp)(&c.LastUsedAt), (*stamp)(&c.DisabledAt), (*stamp)(&c.RevokedAt), &c.RevokedReason,
		&c.CreatedBy, (*stamp)(&c.CreatedAt), (*stamp)(&c.UpdatedAt), (*stamp)(&c.TokensNotBefore),
		(*text)(&c.LastUsedFrom), (*text)(&c.LastUsedRoute),
	}
}

// Credential returns one credential, or a KindNotFound error.
func (r Reader) Credential(ctx context.Context, id string) (Credential, error) {
	s := sel(`SELECT `+credentialColumns+` FROM credential`).add(" AND id = ?", id)
	return one(ctx, r, s, "credential", (*Credential).scan)
}

// InsertCredential stores a new credential, without secrets; zero times become the
// change's time. KindNotFound when its organization or member does not exist.
func (tx *Tx) InsertCredential(ctx context.Context, c Credential) error {
	tx.fill(&c.CreatedAt, &c.UpdatedAt)
	if c.Scopes == nil {
		c.Scopes = []string{}
	}
	tx.Changed(ChangeCredential, c.ID)
	tx.happened(c.ID, EventCreated)
	_, err := tx.exec(ctx, `INSERT INTO credential
		(id, kind, environment, organization, member, name, folded, scopes, limits, addresses,
		 expires_at, last_used_at, disabled_at, revoked_at, revoked_reason, created_by, created_at,
		 updated_at, tokens_not_before, scope_mask)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		c.ID, c.Kind, c.Environment, c.Organization, text(c.Member), c.Name, fold(c.Name, c.ID),
		asJSON(&c.Scopes), asJSON(&c.Limits), asJSON(&c.Addresses), stamp(c.ExpiresAt),
		stamp(c.LastUsedAt), stamp(c.DisabledAt), stamp(c.RevokedAt), c.RevokedReason, c.CreatedBy,
		stamp(c.CreatedAt), stamp(c.UpdatedAt), stamp(c.TokensNotBefore), scopeMask(c.Scopes...))
	return err
}

// UpdateCredential stores what may change about a credential: name, scopes, limits,
// addresses, expiry, the instants it was disabled and revoked, and a later TokensNotBefore.
// What it is, whose it is, where it works and when it was used stay. KindNotFound when
// there is none.
func (tx *Tx) UpdateCredential(ctx context.Context, c Credential) error {
	if c.Scopes == nil {
		c.Scopes = []string{}
	}
	tx.Changed(ChangeCredential, c.ID)
	if err := tx.becomes(ctx, &c); err != nil {
		return err
	}
	return tx.change(ctx, "credential", `UPDATE credential
		SET name = $1, folded = $2, scopes = $3, limits = $4, addresses = $5, expires_at = $6,
		    disabled_at = $7, revoked_at = $8, revoked_reason = $9, updated_at = $10,
		    tokens_not_before = CASE WHEN tokens_not_before >= $11 OR $11 IS NULL THEN tokens_not_before ELSE $11 END,
		    scope_mask = $12
		WHERE id = $13`,
		c.Name, fold(c.Name, c.ID), asJSON(&c.Scopes), asJSON(&c.Limits), asJSON(&c.Addresses),
		stamp(c.ExpiresAt), stamp(c.DisabledAt), stamp(c.RevokedAt), c.RevokedReason, stamp(tx.now),
		stamp(c.TokensNotBefore), scopeMask(c.Scopes...), c.ID)
}
