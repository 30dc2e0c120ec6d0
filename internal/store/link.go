package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A OneTimeLink is a link that was sent to somebody, found by the hash of its text.
type OneTimeLink struct {
	Hash      secret.Hash
	Purpose   string
	Member    string // "": of nobody yet
	Onward    string // the path it leads to; "": none
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not used
}

var links = newTable("one_time_link", "link", "hash, purpose, member, onward, created_at, expires_at, used_at", (*OneTimeLink).fields)

func (l *OneTimeLink) fields() []any {
	return []any{
		(*hashBytes)(&l.Hash), &l.Purpose, (*text)(&l.Member), &l.Onward, (*stamp)(&l.CreatedAt), (*stamp)(&l.ExpiresAt),
		(*stamp)(&l.UsedAt),
	}
}

// Link returns one link, used or not, or a KindNotFound error.
func (r Reader) Link(ctx context.Context, hash secret.Hash) (OneTimeLink, error) {
	return links.one(ctx, r, links.where("hash = ?", hash[:]))
}

// InsertLink stores a new link.
func (tx *Tx) InsertLink(ctx context.Context, l OneTimeLink) error {
	tx.fill(&l.CreatedAt)
	return links.put(ctx, tx, &l)
}

// ConsumeLink uses a link that was made for a purpose. The first call gets first = true;
// every later one, and one for another purpose, gets the link as it is. KindNotFound when
// there is none.
func (tx *Tx) ConsumeLink(ctx context.Context, hash secret.Hash, purpose string) (l OneTimeLink, first bool, err error) {
	return links.consume(ctx, tx, hash[:],
		`UPDATE one_time_link SET used_at = $1 WHERE hash = $2 AND purpose = $3 AND used_at IS NULL`,
		stamp(tx.now), hash[:], purpose)
}

// EndLinks makes a member's unused links of a purpose worthless: a new one replaces them.
// A member of "" stands for links of nobody.
func (tx *Tx) EndLinks(ctx context.Context, member, purpose string) error {
	if member == "" {
		_, err := tx.exec(ctx, `UPDATE one_time_link SET used_at = $1
			WHERE member IS NULL AND purpose = $2 AND used_at IS NULL`, stamp(tx.now), purpose)
		return err
	}
	_, err := tx.exec(ctx, `UPDATE one_time_link SET used_at = $1
		WHERE member = $2 AND purpose = $3 AND used_at IS NULL`, stamp(tx.now), member, purpose)
	return err
}
