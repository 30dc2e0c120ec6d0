package store

import (
	"context"
	"time"
)

// A SigningKey is one of the keys with which Cardea signs tokens of an environment. Its
// private half is sealed with the master key by whoever stores it.
type SigningKey struct {
	ID          string // the kid
	Environment string
	Algorithm   string
	PublicKey   []byte // DER, SubjectPublicKeyInfo
	Sealed      []byte // the private key
	CreatedAt   time.Time
	SignsAt     time.Time // it is published before it signs; zero: not yet decided
	RetiredAt   time.Time // it no longer signs from then on; zero: it does
	ExpiresAt   time.Time // it no longer verifies from then on; zero: it does
	RevokedAt   time.Time // zero: not revoked
}

var signingKeys = newTable("signing_key", "signing key", "id, environment, algorithm, public_key, sealed, "+
	"created_at, signs_at, retired_at, expires_at, revoked_at", (*SigningKey).fields)

func (k *SigningKey) fields() []any {
	return []any{
		&k.ID, &k.Environment, &k.Algorithm, &k.PublicKey, &k.Sealed, (*stamp)(&k.CreatedAt),
		(*stamp)(&k.SignsAt), (*stamp)(&k.RetiredAt), (*stamp)(&k.ExpiresAt), (*stamp)(&k.RevokedAt),
	}
}

// SigningKey returns one signing key, or a KindNotFound error.
func (r Reader) SigningKey(ctx context.Context, id string) (SigningKey, error) {
	return signingKeys.one(ctx, r, signingKeys.where("id = ?", id))
}

// SigningKeys returns all signing keys, oldest first. They are few: those that ended long
// ago are deleted.
func (r Reader) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	return signingKeys.all(ctx, r, sel(signingKeys.head).add(" ORDER BY created_at, id"))
}

// InsertSigningKey stores a new signing key.
func (tx *Tx) InsertSigningKey(ctx context.Context, k SigningKey) error {
	tx.fill(&k.CreatedAt)
	tx.Changed(ChangeKeys, k.ID)
	return signingKeys.put(ctx, tx, &k)
}

// UpdateSigningKey stores the instants of a key's life. KindNotFound when there is none.
func (tx *Tx) UpdateSigningKey(ctx context.Context, k SigningKey) error {
	tx.Changed(ChangeKeys, k.ID)
	return tx.change(ctx, signingKeys.noun,
		`UPDATE signing_key SET signs_at = $1, retired_at = $2, expires_at = $3, revoked_at = $4 WHERE id = $5`,
		stamp(k.SignsAt), stamp(k.RetiredAt), stamp(k.ExpiresAt), stamp(k.RevokedAt), k.ID)
}
