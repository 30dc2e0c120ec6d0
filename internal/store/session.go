package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A Session is a member who has signed in somewhere, found by the hash of the cookie.
type Session struct {
	Hash         secret.Hash
	ID           string
	Member       string
	Organization string
	Method       string // how they proved who they are
	UserAgent    string
	Address      string
	AuthTime     time.Time // when they last did
	CreatedAt    time.Time
	SeenAt       time.Time // see [Touch]
	ExpiresAt    time.Time
	EndedAt      time.Time // signed out; zero: not
}

var sessions = newTable("session", "session", "hash, id, member, organization, method, user_agent, address, "+
	"auth_time, created_at, seen_at, expires_at, ended_at", (*Session).fields)

func (s *Session) fields() []any {
	return []any{
		(*hashBytes)(&s.Hash), &s.ID, &s.Member, &s.Organization, &s.Method, &s.UserAgent, &s.Address,
		(*stamp)(&s.AuthTime), (*stamp)(&s.CreatedAt), (*stamp)(&s.SeenAt), (*stamp)(&s.ExpiresAt), (*stamp)(&s.EndedAt),
	}
}

// SessionByHash returns the session with a cookie's hash, ended or not, or a KindNotFound
// error.
func (r Reader) SessionByHash(ctx context.Context, hash secret.Hash) (Session, error) {
	return sessions.one(ctx, r, sessions.where("hash = ?", hash[:]))
}

// Session returns one session, ended or not, or a KindNotFound error.
func (r Reader) Session(ctx context.Context, id string) (Session, error) {
	return sessions.one(ctx, r, sessions.where("id = ?", id))
}

// Sessions returns a member's sessions that have neither ended nor expired, newest first.
func (r Reader) Sessions(ctx context.Context, member string) ([]Session, error) {
	s := sessions.where("member = ? AND ended_at IS NULL AND expires_at > ?", member, stamp(r.db.Now()))
	return sessions.all(ctx, r, s.add(" ORDER BY created_at DESC, id DESC"))
}

// InsertSession stores a new session, and with its member when it began; zero times of
// creation and last sight become the change's time.
func (tx *Tx) InsertSession(ctx context.Context, s Session) error {
	tx.fill(&s.CreatedAt, &s.SeenAt)
	if err := sessions.put(ctx, tx, &s); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `UPDATE member SET signed_in_at = $1 WHERE id = $2`, stamp(s.CreatedAt), s.Member)
	return err
}

// EndSession ends a session; doing so twice changes nothing. KindNotFound when there is
// none.
func (tx *Tx) EndSession(ctx context.Context, id string) error {
	return tx.change(ctx, sessions.noun,
		`UPDATE session SET ended_at = COALESCE(ended_at, $1) WHERE id = $2`, stamp(tx.now), id)
}

// EndSessions ends all sessions of a member but the one with the id except, which may be
// "".
func (tx *Tx) EndSessions(ctx context.Context, member, except string) error {
	_, err := tx.exec(ctx, `UPDATE session SET ended_at = $1 WHERE member = $2 AND id <> $3 AND ended_at IS NULL`,
		stamp(tx.now), member, except)
	return err
}
