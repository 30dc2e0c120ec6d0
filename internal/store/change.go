package store

import (
	"context"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// The kinds of change that cached decisions depend on.
const (
	// ChangeCredential: a credential or its secrets; Target is its id.
	ChangeCredential = "credential"
	// ChangeOrganization: an organization, one of its address lists or members;
	// Target is the organization's id. It concerns every credential of it.
	ChangeOrganization = "organization"
	// ChangeMember: a member or until when their tokens are worthless; Target is their id.
	ChangeMember = "member"
	// ChangeToken: an access token, a family of tokens or a consent was revoked or, a
	// consent, given; Target is its id.
	ChangeToken = "token"
	// ChangeKeys: a signing key; Target is its id.
	ChangeKeys = "keys"
	// ChangeIssuer: the issuer that an organization trusts; Target is the organization's
	// id, "/" and the environment.
	ChangeIssuer = "issuer"
	// ChangeAll: everything may have changed; Target is "".
	ChangeAll = "all"
)

// A Change is one thing that caches must forget.
type Change struct {
	Seq    int64 // its place in the order of all changes, from 1
	Kind   string
	Target string

	// Hashes are those of every secret the credential ever had, for ChangeCredential:
	// caches are keyed by them. A hash never seen before belongs to a new secret, which
	// a cache may have remembered as unknown.
	Hashes []secret.Hash
}

// Changes are what one Update changed, in order.
type Changes []Change

// Seq returns the sequence number of the last change, 0 when there is none. A cache
// that has applied c must not take in what was read at an older one.
func (c Changes) Seq() int64 {
	if len(c) == 0 {
		return 0
	}
	return c[len(c)-1].Seq
}

// Changed records that cached decisions about target are out of date. The Tx's own
// methods call it; other callers need it for ChangeAll only.
func (tx *Tx) Changed(kind, target string) {
	same := func(c Change) bool { return c.Kind == kind && c.Target == target }
	if !slices.ContainsFunc(tx.changes, same) {
		tx.changes = append(tx.changes, Change{Kind: kind, Target: target})
	}
}

// writeChanges numbers and stores the changes. The row of change_head is locked from
// here to the commit, so numbers are given in the order of commits: whoever has read
// number n will never meet a smaller one that they have not read.
func (tx *Tx) writeChanges(ctx context.Context) error {
	if len(tx.changes) == 0 {
		return nil
	}
	var seq int64
	err := tx.q.QueryRowContext(ctx,
		`UPDATE change_head SET seq = seq + $1 WHERE id = 1 RETURNING seq`, len(tx.changes)).Scan(&seq)
	if err != nil {
		return tx.db.classify(err)
	}
	for i := range tx.changes {
		c := &tx.changes[i]
		c.Seq = seq - int64(len(tx.changes)-1-i)
		if _, err := tx.exec(ctx, `INSERT INTO change_log (seq, kind, target, at) VALUES ($1, $2, $3, $4)`,
			c.Seq, c.Kind, c.Target, stamp(tx.now)); err != nil {
			return err
		}
		if c.Hashes, err = tx.hashes(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// hashes returns the secrets' hashes that a change concerns.
func (r Reader) hashes(ctx context.Context, c *Change) ([]secret.Hash, error) {
	if c.Kind != ChangeCredential {
		return nil, nil
	}
	s := sel(`SELECT hash FROM credential_secret`).and("credential = ?", c.Target)
	return collect(ctx, r, s, func(h *secret.Hash) []any { return []any{(*hashBytes)(h)} })
}

// headSQL reads the sequence number of the last change.
const headSQL = `SELECT seq FROM change_head WHERE id = 1`

// Head returns the sequence number of the last change, 0 when there was none.
func (r Reader) Head(ctx context.Context) (int64, error) {
	var seq int64
	err := r.q.QueryRowContext(ctx, headSQL).Scan(&seq)
	return seq, r.db.classify(err)
}

// maxChanges is how many changes ChangesAfter reads; a cache further behind is better
// emptied.
const maxChanges = 1000

// ChangesAfter returns the changes after seq, oldest first, at most 1,000. When the log
// no longer reaches back to seq the answer is one ChangeAll.
func (db *DB) ChangesAfter(ctx context.Context, seq int64) (Changes, error) {
	s := sel(`SELECT seq, kind, target FROM change_log`).and("seq > ?", seq)
	s.add(" ORDER BY seq LIMIT ?", maxChanges)
	changes, err := collect(ctx, db.Reader, s, func(c *Change) []any { return []any{&c.Seq, &c.Kind, &c.Target} })
	if err != nil {
		return nil, err
	}
	if len(changes) > 0 && changes[0].Seq != seq+1 {
		head, err := db.Head(ctx)
		return Changes{{Seq: head, Kind: ChangeAll}}, err
	}
	for i := range changes {
		if changes[i].Hashes, err = db.hashes(ctx, &changes[i]); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// changeLogAge is how long the change log reaches back.
const changeLogAge = 7 * 24 * time.Hour
