package store

import (
	"context"
	"time"
)

// A Family is what one authorization grew into: the refresh tokens, each of which
// succeeds another, and the access tokens made from them.
type Family struct {
	ID            string
	Client        string // a credential or the URL of a metadata document; "": none
	Member        string // "" when no member is behind it
	Organization  string
	Environment   string
	Subject       string // whom the tokens name, when it is neither member nor client
	Consent       string
	Scopes        []string
	Resource      string
	DPoP          string // thumbprint of the key that it is bound to; "": not bound
	AuthTime      time.Time
	CreatedAt     time.Time
	ExpiresAt     time.Time // the end of all its tokens; zero: each has its own
	RevokedAt     time.Time // zero: not revoked
	RevokedReason string

	// AccessID and AccessExpiresAt are of the JWT that was issued when the family was
	// made, as in [RefreshToken].
	AccessID        string
	AccessExpiresAt time.Time
}

const familyColumns = "id, client, member, organization, environment, subject, consent, scopes, resource, dpop, " +
	"auth_time, created_at, expires_at, revoked_at, revoked_reason, access_id, access_expires"

var families = newTable("token_family", "family of tokens", familyColumns, (*Family).fields)

func init() {
	families.place = func(f *Family) (time.Time, string) { return f.CreatedAt, f.ID }
}

func (f *Family) fields() []any {
	return []any{
		&f.ID, (*text)(&f.Client), (*text)(&f.Member), (*text)(&f.Organization), &f.Environment, &f.Subject,
		(*text)(&f.Consent), (*words)(&f.Scopes), &f.Resource, &f.DPoP, (*stamp)(&f.AuthTime), (*stamp)(&f.CreatedAt),
		(*stamp)(&f.ExpiresAt), (*stamp)(&f.RevokedAt), &f.RevokedReason,
		(*text)(&f.AccessID), (*stamp)(&f.AccessExpiresAt),
	}
}

// Family returns one family, or a KindNotFound error.
func (r Reader) Family(ctx context.Context, id string) (Family, error) {
	return families.one(ctx, r, families.where("id = ?", id))
}

// FamilyFilter narrows a list of families; zero members do not.
type FamilyFilter struct {
	Client       string
	Member       string
	Organization string
	Consent      string
	Live         bool // neither revoked nor at the end of its time

	id string // of one family
}

func (f *FamilyFilter) narrow(s *selection, now time.Time) {
	s.and("id = ?", f.id).and("client = ?", f.Client).and("member = ?", f.Member)
	s.and("organization = ?", f.Organization).and("consent = ?", f.Consent)
	if f.Live {
		s.and("revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)", stamp(now))
	}
}

// Families lists families and returns the cursor of the next page.
func (r Reader) Families(ctx context.Context, f FamilyFilter, p Page) ([]Family, string, error) {
	s := sel(families.head)
	f.narrow(s, r.db.Now())
	return families.page(ctx, r, s, p)
}

// InsertFamily stores a new family.
func (tx *Tx) InsertFamily(ctx context.Context, f Family) error {
	tx.fill(&f.CreatedAt)
	if err := families.put(ctx, tx, &f); err != nil {
		return err
	}
	// ends_at is when nothing of the family is good any more, as far as its tokens say:
	// [Tx.InsertRefresh] moves it.
	_, err := tx.exec(ctx, `UPDATE token_family SET ends_at = COALESCE(expires_at, created_at) WHERE id = $1`, f.ID)
	return err
}

// RevokeFamily revokes a family and its access tokens, opaque ones and the JWTs that are
// known; doing so twice changes nothing. KindNotFound when there is none.
func (tx *Tx) RevokeFamily(ctx context.Context, id, reason string) error {
	n, err := tx.revokeFamilies(ctx, FamilyFilter{id: id}, reason)
	if err == nil && n == 0 {
		_, err = tx.Family(ctx, id)
	}
	return err
}

// RevokeFamilies revokes every family that a filter finds, as [Tx.RevokeFamily] does, in
// a few statements however many there are. A filter that narrows nothing revokes nothing.
func (tx *Tx) RevokeFamilies(ctx context.Context, f FamilyFilter, reason string) error {
	f.Live = false // one whose tokens have ended is revoked as well
	if f == (FamilyFilter{}) {
		return nil
	}
	_, err := tx.revokeFamilies(ctx, f, reason)
	return err
}

// revokeFamilies returns how many it found, counted up to maxChanges.
func (tx *Tx) revokeFamilies(ctx context.Context, f FamilyFilter, reason string) (int, error) {
	// with continues a statement with the families that are meant.
	with := func(piece string, args ...any) *selection {
		s := (&selection{}).add(piece+" WHERE revoked_at IS NULL", args...)
		f.narrow(s, tx.now)
		return s
	}
	jwts := func(head string) *selection { // those of them that have not expired
		s := with(head+"SELECT access_id, access_expires FROM token_family").and("access_id IS NOT NULL AND access_expires > ?", stamp(tx.now))
		s.add(" UNION SELECT access_id, access_expires FROM refresh_token WHERE access_id IS NOT NULL")
		s.add(" AND access_expires > ? AND family IN (SELECT id FROM token_family WHERE revoked_at IS NULL", stamp(tx.now))
		f.narrow(s, tx.now)
		return s.add(")")
	}

	ids, err := collect(ctx, tx.Reader, with("SELECT id FROM token_family").add(" LIMIT ?", maxChanges),
		func(id *string) []any { return []any{id} })
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	tokens, err := collect(ctx, tx.Reader, jwts("").add(" LIMIT ?", maxChanges),
		func(id *string) []any { return []any{id, new(stamp)} })
	if err != nil {
		return 0, err
	}
	if gone := append(ids, tokens...); len(gone) < maxChanges {
		for _, id := range gone {
			tx.Changed(ChangeToken, id)
		}
	} else {
		tx.Changed(ChangeAll, "") // no cache would follow so many one by one
	}

	opaque := (&selection{}).add("UPDATE access_token SET revoked_at = ? WHERE revoked_at IS NULL", stamp(tx.now))
	opaque.add(" AND family IN (SELECT id FROM token_family WHERE revoked_at IS NULL")
	f.narrow(opaque, tx.now)
	opaque.add(")")
	for _, s := range []*selection{
		// Before the families, by which they are found.
		jwts("INSERT INTO revoked_token (id, expires_at) ").add(revokedAgain), opaque,
		with("UPDATE token_family SET revoked_at = ?, ends_at = ?, revoked_reason = ?", stamp(tx.now), stamp(tx.now), reason),
	} {
		if err := tx.run(ctx, s); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
