package people

import (
	"context"
	"net/url"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Consent is an application that a person lets act for them.
type Consent struct {
	ID     string
	Client string // its id
	Name   string
	Host   string // of the metadata document or home page; ""

	Unverified bool // it registered itself by its metadata document

	Scopes    []string
	Since     time.Time
	ExpiresAt time.Time // zero: until withdrawn
}

// Consents lists the applications that may act for the person, newest first.
func (p *People) Consents(ctx context.Context, by Session) ([]Consent, error) {
	filter := store.ConsentFilter{Member: by.Member.ID, Live: true}
	now := p.now()
	var list []Consent
	for page := (store.Page{Limit: 200}); ; {
		rows, next, err := p.store.Consents(ctx, filter, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !row.ExpiresAt.IsZero() && !now.Before(row.ExpiresAt) {
				continue
			}
			c, err := p.consent(ctx, row)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
		if page.After = next; next == "" {
			return list, nil
		}
	}
}

// consent returns what is shown of a consent.
func (p *People) consent(ctx context.Context, row store.Consent) (Consent, error) {
	c := Consent{
		ID: row.ID, Client: row.Client, Name: row.Client, Scopes: row.Scopes, Since: row.CreatedAt, ExpiresAt: row.ExpiresAt,
	}
	client, err := p.store.Client(ctx, row.Client)
	if err != nil {
		return c, unlessMissing(err)
	}
	c.Name, c.Host = client.Credential.Name, hostOf(client.HomeURL)
	if client.MetadataURL != "" { // nobody here has looked at it: what vouches is its address
		c.Host, c.Unverified = hostOf(client.MetadataURL), true
	}
	return c, nil
}

// hostOf returns the host of an https URL, "" for any other text.
func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Scheme == "https" {
		return u.Host
	}
	return ""
}

// consentDetail is what the audit log keeps of a withdrawal.
type consentDetail struct {
	Client string `json:"client"`
}

// Withdraw takes back what the person let an application do: its refresh tokens and its
// access tokens, those of no row included, are worthless from the moment this returns.
// KindNotFound when the consent is not theirs.
func (p *People) Withdraw(ctx context.Context, by Session, id string, from From) error {
	missing := cardea.Errorf(cardea.KindNotFound, "There is no such application.")
	if !askable(id) {
		return missing
	}
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		row, err := tx.ConsentByID(ctx, id)
		switch {
		case cardea.KindOf(err) == cardea.KindNotFound, err == nil && row.Member != by.Member.ID:
			return missing
		case err != nil:
			return err
		}
		tx.Audit(store.Event{
			Action: "consent.withdraw", TargetType: "consent", TargetID: row.ID,
			Organization: by.Member.Organization, Detail: consentDetail{row.Client},
		})
		if err := tx.RevokeConsent(ctx, row.ID); err != nil {
			return err
		}
		// A token that does not say which client it is for can only be refused with all
		// tokens of the person.
		if user := p.contract().Tokens().User; user != nil && user.ClientIDClaim == "" {
			return tx.EndMemberTokens(ctx, by.Member.ID)
		}
		return nil
	})
}
