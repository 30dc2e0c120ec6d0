package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A PushedRequest is an authorization request that a client has sent ahead (RFC 9126).
type PushedRequest struct {
	Hash       secret.Hash // of the request_uri
	Client     string
	Parameters []byte // JSON
	CreatedAt  time.Time
	ExpiresAt  time.Time
	UsedAt     time.Time // zero: not used
}

var pushedRequests = newTable("pushed_request", "pushed request",
	"hash, client, parameters, created_at, expires_at, used_at", (*PushedRequest).fields)

func (p *PushedRequest) fields() []any {
	return []any{
		(*hashBytes)(&p.Hash), &p.Client, &p.Parameters, (*stamp)(&p.CreatedAt), (*stamp)(&p.ExpiresAt),
		(*stamp)(&p.UsedAt),
	}
}

// Pushed returns one pushed request, used or not, or a KindNotFound error.
func (r Reader) Pushed(ctx context.Context, hash secret.Hash) (PushedRequest, error) {
	return pushedRequests.one(ctx, r, pushedRequests.where("hash = ?", hash[:]))
}

// InsertPushed stores a new pushed request.
func (tx *Tx) InsertPushed(ctx context.Context, p PushedRequest) error {
	tx.fill(&p.CreatedAt)
	return pushedRequests.put(ctx, tx, &p)
}

// ConsumePushed uses a pushed request. The first call gets first = true, every later one
// the request as it is. KindNotFound when there is none.
func (tx *Tx) ConsumePushed(ctx context.Context, hash secret.Hash) (p PushedRequest, first bool, err error) {
	return pushedRequests.consume(ctx, tx, hash[:],
		`UPDATE pushed_request SET used_at = $1 WHERE hash = $2 AND used_at IS NULL`, stamp(tx.now), hash[:])
}
