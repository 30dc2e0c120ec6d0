package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A ManagementToken lets its holder use the management API.
type ManagementToken struct {
	ID         string
	Name       string
	Hash       secret.Hash
	Hint       string
	CreatedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // to the minute; zero: never
}

const tokenColumns = `id, name, hash, hint, created_by, created_at, expires_at, revoked_at, last_used_at`

func (t *ManagementToken) scan() []any {
	return []any{
		&t.ID, &t.Name, (*hashBytes)(&t.Hash), &t.Hint, &t.CreatedBy, (*stamp)(&t.CreatedAt),
		(*stamp)(&t.ExpiresAt), (*stamp)(&t.RevokedAt), (*stamp)(&t.LastUsedAt),
	}
}

// ManagementToken returns one token, or a KindNotFound error.
func (r Reader) ManagementToken(ctx context.Context, id string) (ManagementToken, error) {
	s := sel(`SELECT `+tokenColumns+` FROM management_token`).add(" AND id = ?", id)
	return one(ctx, r, s, "management token", (*ManagementToken).scan)
}

// ManagementTokenByHash returns the token with a secret's hash, whether or not it is
// still good, or a KindNotFound error.
func (r Reader) ManagementTokenByHash(ctx context.Context, hash secret.Hash) (ManagementToken, error) {
	s := sel(`SELECT `+tokenColumns+` FROM management_token`).add(" AND hash = ?", hash[:])
	return one(ctx, r, s, "management token", (*ManagementToken).scan)
}

// ManagementTokens lists tokens and returns the cursor of the next page.
func (r Reader) ManagementTokens(ctx context.Context, p Page) ([]ManagementToken, string, error) {
	s, err := sel(`SELECT `+tokenColumns+` FROM management_token`).page(p, "created_at", "id")
	if err != nil {
		return nil, "", err
	}
	list, err := collect(ctx, r, s, (*ManagementToken).scan)
	list, next := cut(list, p.size(), func(t *ManagementToken) (time.Time, string) { return t.CreatedAt, t.ID })
	return list, next, err
}

// InsertManagementToken stores a new token.
func (tx *Tx) InsertManagementToken(ctx context.Context, t ManagementToken) error {
	tx.fill(&t.CreatedAt)
	_, err := tx.exec(ctx, `INSERT INTO management_token
		(id, name, hash, hint, created_by, created_at, expires_at, revoked_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		t.ID, t.Name, t.Hash[:], t.Hint, t.CreatedBy, stamp(t.CreatedAt), stamp(t.ExpiresAt),
		stamp(t.RevokedAt), stamp(t.LastUsedAt))
	return err
}

// UpdateManagementToken stores a token's name, expiry and revocation. KindNotFound when
// there is none.
func (tx *Tx) UpdateManagementToken(ctx context.Context, t ManagementToken) error {
	return tx.change(ctx, "management token",
		`UPDATE management_token SET name = $1, expires_at = $2, revoked_at = $3 WHERE id = $4`,
		t.Name, stamp(t.ExpiresAt), stamp(t.RevokedAt), t.ID)
}
