package store

import (
	"context"
	"time"
)

// A Password is the hash of a member's password.
type Password struct {
	Member    string
	Hash      string // as the hasher wrote it, with its salt and costs
	ChangedAt time.Time
}

var passwords = newTable("password", "password", "member, hash, changed_at", (*Password).fields)

func (p *Password) fields() []any { return []any{&p.Member, &p.Hash, (*stamp)(&p.ChangedAt)} }

// Password returns a member's password, or a KindNotFound error.
func (r Reader) Password(ctx context.Context, member string) (Password, error) {
	return passwords.one(ctx, r, passwords.where("member = ?", member))
}

// SetPassword stores a member's password in place of the one there may be; ChangedAt zero
// becomes the change's time. KindNotFound when there is no such member.
func (tx *Tx) SetPassword(ctx context.Context, p Password) error {
	tx.fill(&p.ChangedAt)
	_, err := tx.exec(ctx, `INSERT INTO password (member, hash, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (member) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at`, p.fields()...)
	return err
}

// DeletePassword leaves a member without a password. KindNotFound when they have none.
func (tx *Tx) DeletePassword(ctx context.Context, member string) error {
	return tx.change(ctx, passwords.noun, `DELETE FROM password WHERE member = $1`, member)
}
