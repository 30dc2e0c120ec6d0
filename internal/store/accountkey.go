package store

import (
	"context"
	"time"
)

// A ServiceAccountKey is the public half of a key with which a service account, a
// credential of the kind [KindServiceAccount], signs its assertions.
type ServiceAccountKey struct {
	ID         string // the kid
	Account    string
	Algorithm  string
	PublicKey  []byte // DER, SubjectPublicKeyInfo
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // to the minute; zero: never
}

var accountKeys = newTable("account_key", "key of a service account",
	"id, account, algorithm, public_key, created_at, expires_at, revoked_at, last_used_at", (*ServiceAccountKey).fields)

func (k *ServiceAccountKey) fields() []any {
	return []any{
		(*text)(&k.ID), (*text)(&k.Account), (*text)(&k.Algorithm), &k.PublicKey, (*stamp)(&k.CreatedAt),
		(*stamp)(&k.ExpiresAt), (*stamp)(&k.RevokedAt), (*stamp)(&k.LastUsedAt),
	}
}

// AccountKey returns one key of a service account, or a KindNotFound error.
func (r Reader) AccountKey(ctx context.Context, id string) (ServiceAccountKey, error) {
	return accountKeys.one(ctx, r, accountKeys.where("id = ?", id))
}

// AccountKeys returns all keys of a service account, newest first.
func (r Reader) AccountKeys(ctx context.Context, account string) ([]ServiceAccountKey, error) {
	return accountKeys.all(ctx, r, accountKeys.where("account = ?", account).add(" ORDER BY created_at DESC, id DESC"))
}

// InsertAccountKey gives a service account a key. KindConflict when the id is taken.
func (tx *Tx) InsertAccountKey(ctx context.Context, k ServiceAccountKey) error {
	tx.fill(&k.CreatedAt)
	tx.Changed(ChangeCredential, k.Account)
	tx.happened(k.Account, EventUpdated, "keys")
	return accountKeys.put(ctx, tx, &k)
}

// UpdateAccountKey stores a key's expiry and revocation. KindNotFound when there is none.
func (tx *Tx) UpdateAccountKey(ctx context.Context, k ServiceAccountKey) error {
	tx.Changed(ChangeCredential, k.Account)
	tx.happened(k.Account, EventUpdated, "keys")
	return tx.change(ctx, accountKeys.noun,
		`UPDATE account_key SET expires_at = $1, revoked_at = $2 WHERE id = $3 AND account = $4`,
		stamp(k.ExpiresAt), stamp(k.RevokedAt), k.ID, k.Account)
}
