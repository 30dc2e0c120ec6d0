package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A CredentialSecret is one of the secrets of a credential: the current one, or one
// that a rotation replaced. The secret itself is nowhere; its hash is.
type CredentialSecret struct {
	Hash       secret.Hash
	Credential string
	Hint       string // prefix and last characters, to tell secrets apart
	Sealed     []byte // sealed by the caller, for kinds that stay viewable; else nil
	CreatedAt  time.Time
	ExpiresAt  time.Time // end of a rotation's overlap; zero: it is current
	LastUsedAt time.Time // to the minute; zero: never
}

const secretColumns = `hash, credential, hint, sealed, created_at, expires_at, last_used_at`

func (s *CredentialSecret) scan() []any {
	return []any{
		(*hashBytes)(&s.Hash), &s.Credential, &s.Hint, &s.Sealed, (*stamp)(&s.CreatedAt),
		(*stamp)(&s.ExpiresAt), (*stamp)(&s.LastUsedAt),
	}
}

// Secrets returns all secrets of a credential, newest first; none when there is no
// such credential.
func (r Reader) Secrets(ctx context.Context, credential string) ([]CredentialSecret, error) {
	s := sel(`SELECT `+secretColumns+` FROM credential_secret`).add(" AND credential = ?", credential)
	return collect(ctx, r, s.add(" ORDER BY created_at DESC, hash"), (*CredentialSecret).scan)
}

// InsertSecret gives a credential a secret. KindConflict when the secret exists.
func (tx *Tx) InsertSecret(ctx context.Context, s CredentialSecret) error {
	tx.fill(&s.CreatedAt)
	tx.Changed(ChangeCredential, s.Credential)
	tx.happened(s.Credential, EventRotated)
	_, err := tx.exec(ctx, `INSERT INTO credential_secret
		(hash, credential, hint, sealed, created_at, expires_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.Hash[:], s.Credential, s.Hint, s.Sealed, stamp(s.CreatedAt), stamp(s.ExpiresAt), stamp(s.LastUsedAt))
	return err
}

// EndSecrets makes every secret of a credential that would be good after end expire
// then: what a rotation does to those before the new one. What was sealed of them is
// forgotten, since only the current secret stays viewable.
func (tx *Tx) EndSecrets(ctx context.Context, credential string, end time.Time) error {
	tx.Changed(ChangeCredential, credential)
	return tx.endSecrets(ctx, credential, `UPDATE credential_secret SET expires_at = $1, sealed = NULL
		WHERE credential = $2 AND (expires_at IS NULL OR expires_at > $1)`, end)
}

// EndOverlap makes the secrets that a rotation replaced, and only those, expire at end
// if they would be good for longer: it finishes a rotation early.
func (tx *Tx) EndOverlap(ctx context.Context, credential string, end time.Time) error {
	tx.Changed(ChangeCredential, credential)
	return tx.endSecrets(ctx, credential, `UPDATE credential_secret SET expires_at = $1
		WHERE credential = $2 AND expires_at IS NOT NULL AND expires_at > $1`, end)
}

// endSecrets runs an update of secrets' ends.
func (tx *Tx) endSecrets(ctx context.Context, credential, query string, end time.Time) error {
	res, err := tx.exec(ctx, query, stamp(end), credential)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if n > 0 {
		tx.happened(credential, EventUpdated, "secrets")
	}
	return err
}

// HasSealed reports whether anything is sealed with the master key: a secret that stays
// viewable, a signing key, the client secret of a connection, the secret of a webhook.
func (r Reader) HasSealed(ctx context.Context) (bool, error) {
	var n int
	err := r.q.QueryRowContext(ctx, `SELECT count(*) FROM (
		SELECT 1 FROM credential_secret WHERE sealed IS NOT NULL
		UNION ALL SELECT 1 FROM signing_key
		UNION ALL SELECT 1 FROM webhook_endpoint
		UNION ALL SELECT 1 FROM sso_connection WHERE secret_sealed IS NOT NULL LIMIT 1) AS found`).Scan(&n)
	return n > 0, r.db.classify(err)
}
