package store

import (
	"context"
	"time"
)

// A Passkey is a WebAuthn credential of a member.
type Passkey struct {
	ID         []byte // the credential id that the authenticator chose
	Member     string
	Name       string
	Data       []byte // the credential, as the WebAuthn library keeps it
	CreatedAt  time.Time
	LastUsedAt time.Time // zero: never
}

var passkeys = newTable("passkey", "passkey", "id, member, name, data, created_at, last_used_at", (*Passkey).fields)

func (p *Passkey) fields() []any {
	return []any{&p.ID, &p.Member, &p.Name, &p.Data, (*stamp)(&p.CreatedAt), (*stamp)(&p.LastUsedAt)}
}

// Passkey returns one passkey, or a KindNotFound error.
func (r Reader) Passkey(ctx context.Context, id []byte) (Passkey, error) {
	return passkeys.one(ctx, r, passkeys.where("id = ?", id))
}

// Passkeys returns a member's passkeys, newest first.
func (r Reader) Passkeys(ctx context.Context, member string) ([]Passkey, error) {
	return passkeys.all(ctx, r, passkeys.where("member = ?", member).add(" ORDER BY created_at DESC, id DESC"))
}

// InsertPasskey stores a new passkey. KindConflict when the id is taken.
func (tx *Tx) InsertPasskey(ctx context.Context, p Passkey) error {
	tx.fill(&p.CreatedAt)
	return passkeys.put(ctx, tx, &p)
}

// UpdatePasskey stores a passkey's name, data and last use. KindNotFound when there is
// none.
func (tx *Tx) UpdatePasskey(ctx context.Context, p Passkey) error {
	return tx.change(ctx, passkeys.noun,
		`UPDATE passkey SET name = $1, data = $2, last_used_at = $3 WHERE id = $4 AND member = $5`,
		p.Name, p.Data, stamp(p.LastUsedAt), p.ID, p.Member)
}

// DeletePasskey removes a passkey of a member. KindNotFound when there is none.
func (tx *Tx) DeletePasskey(ctx context.Context, member string, id []byte) error {
	return tx.change(ctx, passkeys.noun, `DELETE FROM passkey WHERE id = $1 AND member = $2`, id, member)
}
