package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A RefreshToken is one link in the chain of a [Family], found by the hash of its text.
type RefreshToken struct {
	Hash      secret.Hash
	Family    string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: with its family
	UsedAt    time.Time // zero: not used

	// SuccessorSealed is the text of the token that this one was exchanged for, sealed
	// by the caller; nil before that.
	SuccessorSealed []byte

	// AccessID and AccessExpiresAt are of the JWT that was issued together with it, so
	// that revoking the family reaches it; "" for an opaque one, which has a row.
	AccessID        string
	AccessExpiresAt time.Time
}

var refreshTokens = newTable("refresh_token", "refresh token",
	"hash, family, created_at, expires_at, used_at, successor_sealed, access_id, access_expires", (*RefreshToken).fields)

func (t *RefreshToken) fields() []any {
	return []any{
		(*hashBytes)(&t.Hash), &t.Family, (*stamp)(&t.CreatedAt), (*stamp)(&t.ExpiresAt), (*stamp)(&t.UsedAt),
		&t.SuccessorSealed, (*text)(&t.AccessID), (*stamp)(&t.AccessExpiresAt),
	}
}

// Refresh returns one refresh token, used or not, or a KindNotFound error.
func (r Reader) Refresh(ctx context.Context, hash secret.Hash) (RefreshToken, error) {
	return refreshTokens.one(ctx, r, refreshTokens.where("hash = ?", hash[:]))
}

// InsertRefresh stores a new refresh token. KindNotFound when its family does not exist.
func (tx *Tx) InsertRefresh(ctx context.Context, t RefreshToken) error {
	tx.fill(&t.CreatedAt)
	if err := refreshTokens.put(ctx, tx, &t); err != nil {
		return err
	}
	if t.ExpiresAt.IsZero() {
		_, err := tx.exec(ctx, `UPDATE token_family SET ends_at = expires_at WHERE id = $1`, t.Family)
		return err
	}
	_, err := tx.exec(ctx, `UPDATE token_family SET ends_at = $1 WHERE id = $2 AND ends_at < $1`,
		stamp(t.ExpiresAt), t.Family)
	return err
}

// ConsumeRefresh uses a refresh token and keeps the sealed text of its successor. The
// first call gets first = true; every later one gets the token as the first has left it:
// UsedAt and SuccessorSealed are the first's. It looks at nothing else: whether the token
// or its family has ended is the caller's to check. KindNotFound when there is none.
func (tx *Tx) ConsumeRefresh(ctx context.Context, hash secret.Hash, successor []byte) (t RefreshToken, first bool, err error) {
	return refreshTokens.consume(ctx, tx, hash[:],
		`UPDATE refresh_token SET used_at = $1, successor_sealed = $2 WHERE hash = $3 AND used_at IS NULL`,
		stamp(tx.now), successor, hash[:])
}
