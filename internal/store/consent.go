package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
)

// A Consent is a member's word that a client may act for them. There is one for each
// pair; given again after a withdrawal it is the same one, and TokensNotBefore keeps what
// was issued before the withdrawal from coming back.
type Consent struct {
	ID           string
	Member       string
	Client       string
	Organization string // the member's
	Scopes       []string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ExpiresAt    time.Time // the member is asked again from then on; zero: never
	RevokedAt    time.Time // zero: not withdrawn
	// TokensNotBefore: tokens issued for the pair at or before it are worthless.
	TokensNotBefore time.Time
}

var consents = newTable("consent", "consent", "id, member, client, organization, scopes, created_at, updated_at, "+
	"expires_at, revoked_at, tokens_not_before", (*Consent).fields)

func init() {
	consents.place = func(c *Consent) (time.Time, string) { return c.CreatedAt, c.ID }
}

func (c *Consent) fields() []any {
	return []any{
		&c.ID, &c.Member, &c.Client, &c.Organization, (*words)(&c.Scopes), (*stamp)(&c.CreatedAt),
		(*stamp)(&c.UpdatedAt), (*stamp)(&c.ExpiresAt), (*stamp)(&c.RevokedAt), (*stamp)(&c.TokensNotBefore),
	}
}

// Consent returns a member's consent for a client, withdrawn or not, or a KindNotFound
// error.
func (r Reader) Consent(ctx context.Context, member, client string) (Consent, error) {
	return consents.one(ctx, r, consents.where("member = ? AND client = ?", member, client))
}

// ConsentByID returns one consent, or a KindNotFound error.
func (r Reader) ConsentByID(ctx context.Context, id string) (Consent, error) {
	return consents.one(ctx, r, consents.where("id = ?", id))
}

// ConsentFilter narrows a list of consents; zero members do not.
type ConsentFilter struct {
	Member       string
	Client       string
	Organization string
	Live         bool // not withdrawn
}

// Consents lists consents and returns the cursor of the next page.
func (r Reader) Consents(ctx context.Context, f ConsentFilter, p Page) ([]Consent, string, error) {
	s := sel(consents.head).and("member = ?", f.Member).and("client = ?", f.Client)
	s.and("organization = ?", f.Organization)
	if f.Live {
		s.and("revoked_at IS NULL")
	}
	return consents.page(ctx, r, s, p)
}

// SaveConsent stores what a member has agreed to in place of what they had before, and
// returns it with the id that it keeps.
func (tx *Tx) SaveConsent(ctx context.Context, c Consent) (Consent, error) {
	tx.fill(&c.CreatedAt)
	c.UpdatedAt, c.RevokedAt = tx.now, time.Time{}
	saved, _, err := consents.returning(ctx, tx, consents.insert+` ON CONFLICT (member, client) DO UPDATE
		SET organization = excluded.organization, scopes = excluded.scopes, updated_at = excluded.updated_at,
		    expires_at = excluded.expires_at, revoked_at = NULL`, c.fields()...)
	if err != nil {
		return Consent{}, err
	}
	tx.Changed(ChangeToken, saved.ID)
	return saved, nil
}

// RevokeConsent withdraws a consent: the families, the access tokens and the codes that
// the client has from the member go with it. KindNotFound when there is none.
func (tx *Tx) RevokeConsent(ctx context.Context, id string) error {
	c, found, err := consents.returning(ctx, tx, `UPDATE consent
		SET revoked_at = COALESCE(revoked_at, $1), tokens_not_before = $1, updated_at = $1 WHERE id = $2`,
		stamp(tx.now), id)
	if err != nil {
		return err
	}
	if !found {
		return cardea.Errorf(cardea.KindNotFound, "no such consent")
	}
	tx.Changed(ChangeToken, id)
	if err := tx.RevokeFamilies(ctx, FamilyFilter{Client: c.Client, Member: c.Member}, "consent withdrawn"); err != nil {
		return err
	}
	return tx.RevokeAccessTokensOf(ctx, TokenOwner{Client: c.Client, Member: c.Member})
}
