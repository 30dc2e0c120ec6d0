package store

import (
	"context"
	"time"
)

// An OrganizationIssuer is the token issuer that an organization trusts in an
// environment; there is at most one for each.
type OrganizationIssuer struct {
	ID           string
	Organization string
	Environment  string
	Issuer       string
	JWKSURL      string
	Audience     string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

var issuers = newTable("organization_issuer", "issuer",
	"id, organization, environment, issuer, jwks_url, audience, created_at, updated_at", (*OrganizationIssuer).fields)

func init() {
	issuers.place = func(i *OrganizationIssuer) (time.Time, string) { return i.CreatedAt, i.ID }
}

func (i *OrganizationIssuer) fields() []any {
	return []any{
		&i.ID, &i.Organization, &i.Environment, &i.Issuer, &i.JWKSURL, &i.Audience, (*stamp)(&i.CreatedAt),
		(*stamp)(&i.UpdatedAt),
	}
}

// OrganizationIssuer returns the issuer that an organization trusts in an environment, or
// a KindNotFound error.
func (r Reader) OrganizationIssuer(ctx context.Context, organization, environment string) (OrganizationIssuer, error) {
	return issuers.one(ctx, r, issuers.where("organization = ? AND environment = ?", organization, environment))
}

// IssuersFor returns every organization's trust in an issuer of a name, oldest first and
// at most 500.
func (r Reader) IssuersFor(ctx context.Context, issuer string) ([]OrganizationIssuer, error) {
	return issuers.all(ctx, r, issuers.where("issuer = ?", issuer).add(" ORDER BY created_at, id LIMIT ?", maxPage))
}

// IssuerFilter narrows a list of issuers; zero members do not.
type IssuerFilter struct {
	Organization string
	Environment  string
}

// OrganizationIssuers lists issuers and returns the cursor of the next page.
func (r Reader) OrganizationIssuers(ctx context.Context, f IssuerFilter, p Page) ([]OrganizationIssuer, string, error) {
	s := sel(issuers.head).and("organization = ?", f.Organization).and("environment = ?", f.Environment)
	return issuers.page(ctx, r, s, p)
}

// SaveIssuer stores the issuer of an organization in an environment in place of the one
// there may be, whose id and creation it keeps, and returns it. KindNotFound when the
// organization does not exist.
func (tx *Tx) SaveIssuer(ctx context.Context, i OrganizationIssuer) (OrganizationIssuer, error) {
	tx.fill(&i.CreatedAt)
	i.UpdatedAt = tx.now
	tx.Changed(ChangeIssuer, i.Organization+"/"+i.Environment)
	saved, _, err := issuers.returning(ctx, tx, issuers.insert+` ON CONFLICT (organization, environment) DO UPDATE
		SET issuer = excluded.issuer, jwks_url = excluded.jwks_url, audience = excluded.audience,
		    updated_at = excluded.updated_at`, i.fields()...)
	return saved, err
}

// DeleteIssuer ends an organization's trust. KindNotFound when there is none.
func (tx *Tx) DeleteIssuer(ctx context.Context, organization, environment string) error {
	tx.Changed(ChangeIssuer, organization+"/"+environment)
	return tx.change(ctx, issuers.noun,
		`DELETE FROM organization_issuer WHERE organization = $1 AND environment = $2`, organization, environment)
}
