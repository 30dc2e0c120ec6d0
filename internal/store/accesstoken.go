package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// An AccessToken is an opaque access token, found by the hash of its text. Access tokens
// that are JWTs have no row.
type AccessToken struct {
	Hash         secret.Hash
	ID           string
	Family       string // ""; not every token can be refreshed
	Client       string // the credential it was issued to: a client, a key or a service account
	Member       string
	Organization string
	Environment  string
	Subject      string // whom the token names, when it is neither member nor client
	Scopes       []string
	Resource     string
	DPoP         string // thumbprint of the key that it is bound to; "": not bound
	CreatedAt    time.Time
	ExpiresAt    time.Time
	RevokedAt    time.Time // zero: not revoked
}

var accessTokens = newTable("access_token", "access token", "hash, id, family, client, member, organization, "+
	"environment, subject, scopes, resource, dpop, created_at, expires_at, revoked_at", (*AccessToken).fields)

// fields can take in NULL everywhere but for the hash: a look-up may find no token.
func (t *AccessToken) fields() []any {
	return []any{
		(*hashBytes)(&t.Hash), (*text)(&t.ID), (*text)(&t.Family), (*text)(&t.Client), (*text)(&t.Member),
		(*text)(&t.Organization), (*plainText)(&t.Environment), (*plainText)(&t.Subject), (*words)(&t.Scopes),
		(*plainText)(&t.Resource), (*plainText)(&t.DPoP), (*stamp)(&t.CreatedAt), (*stamp)(&t.ExpiresAt), (*stamp)(&t.RevokedAt),
	}
}

// AccessTokenByID returns one opaque access token, or a KindNotFound error.
func (r Reader) AccessTokenByID(ctx context.Context, id string) (AccessToken, error) {
	return accessTokens.one(ctx, r, accessTokens.where("id = ?", id))
}

// AccessTokenByHash returns the opaque access token with a text's hash, or a KindNotFound
// error.
func (r Reader) AccessTokenByHash(ctx context.Context, hash secret.Hash) (AccessToken, error) {
	return accessTokens.one(ctx, r, accessTokens.where("hash = ?", hash[:]))
}

// InsertAccessToken stores a new opaque access token.
func (tx *Tx) InsertAccessToken(ctx context.Context, t AccessToken) error {
	tx.fill(&t.CreatedAt)
	return accessTokens.put(ctx, tx, &t)
}

// RevokeAccessToken revokes an opaque access token; doing so twice changes nothing.
// KindNotFound when there is none.
func (tx *Tx) RevokeAccessToken(ctx context.Context, id string) error {
	_, revoked, err := accessTokens.returning(ctx, tx,
		`UPDATE access_token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`, stamp(tx.now), id)
	if err != nil {
		return err
	}
	if !revoked {
		_, err := tx.AccessTokenByID(ctx, id)
		return err
	}
	tx.Changed(ChangeToken, id)
	return nil
}

// maxTokenID bounds the id of a revoked token. Those that Cardea issues are shorter; an
// issuer elsewhere may be more verbose.
const maxTokenID = 1024

// revokedAgain is what becomes of an id that is revoked twice: the later time counts.
const revokedAgain = ` ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
	WHERE revoked_token.expires_at < excluded.expires_at`

// RevokeToken makes an access token worthless by its id: what is left to do about a JWT.
// The id is remembered until the token has expired by itself. KindInvalid when the id is
// longer than 1,024 bytes.
func (tx *Tx) RevokeToken(ctx context.Context, id string, expires time.Time) error {
	if id == "" || len(id) > maxTokenID {
		return cardea.Invalid("id", "this is not the id of a token")
	}
	tx.Changed(ChangeToken, id)
	_, err := tx.exec(ctx, `INSERT INTO revoked_token (id, expires_at) VALUES ($1, $2)`+revokedAgain, id, stamp(expires))
	return err
}

// RevokedTokens returns the ids of revoked tokens that have not expired, in order of
// their ids, at most limit, after an id.
func (r Reader) RevokedTokens(ctx context.Context, after string, limit int) ([]string, error) {
	s := sel(`SELECT id FROM revoked_token`).add(" AND id > ? AND expires_at > ?", after, stamp(r.db.Now()))
	return collect(ctx, r, s.add(" ORDER BY id LIMIT ?", limit), func(id *string) []any { return []any{id} })
}
