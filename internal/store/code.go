package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A Code is an authorization code (RFC 6749 §4.1), found by the hash of its text.
type Code struct {
	Hash         secret.Hash
	Client       string
	Member       string
	Organization string // the member's
	Environment  string
	Consent      string // ""; first-party clients need none
	RedirectURI  string
	Scopes       []string
	Challenge    string // PKCE, S256; "": none was sent
	Nonce        string
	Resource     string
	DPoP         string // thumbprint of the key that it is bound to; "": not bound
	AuthTime     time.Time
	CreatedAt    time.Time
	ExpiresAt    time.Time
	UsedAt       time.Time // zero: not used
	Family       string    // of the tokens that it was exchanged for
}

var codes = newTable("code", "authorization code", "hash, client, member, organization, environment, consent, "+
	"redirect_uri, scopes, challenge, nonce, resource, dpop, auth_time, created_at, expires_at, used_at, family", (*Code).fields)

func (c *Code) fields() []any {
	return []any{
		(*hashBytes)(&c.Hash), &c.Client, &c.Member, &c.Organization, &c.Environment, (*text)(&c.Consent),
		&c.RedirectURI, (*words)(&c.Scopes), &c.Challenge, &c.Nonce, &c.Resource, &c.DPoP, (*stamp)(&c.AuthTime),
		(*stamp)(&c.CreatedAt), (*stamp)(&c.ExpiresAt), (*stamp)(&c.UsedAt), (*text)(&c.Family),
	}
}

// Code returns one code, used or not, or a KindNotFound error.
func (r Reader) Code(ctx context.Context, hash secret.Hash) (Code, error) {
	return codes.one(ctx, r, codes.where("hash = ?", hash[:]))
}

// InsertCode stores a new code.
func (tx *Tx) InsertCode(ctx context.Context, c Code) error {
	tx.fill(&c.CreatedAt)
	return codes.put(ctx, tx, &c)
}

// ConsumeCode uses a code for the tokens of a family. The first call gets first = true;
// every later one gets the code as the first has left it, so that the family of a code
// that is presented twice can be revoked. It looks at nothing else: whether the code has
// expired and whose it is are the caller's to check. KindNotFound when there is none.
func (tx *Tx) ConsumeCode(ctx context.Context, hash secret.Hash, family string) (c Code, first bool, err error) {
	return codes.consume(ctx, tx, hash[:],
		`UPDATE code SET used_at = $1, family = $2 WHERE hash = $3 AND used_at IS NULL`,
		stamp(tx.now), text(family), hash[:])
}
