package store

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A Lookup is everything a decision needs to know about a presented secret, read in
// one statement and therefore from one snapshot.
type Lookup struct {
	// Seq is the last change that the snapshot contains: a cache that has applied a
	// later one must not keep this Lookup.
	Seq int64

	// Found says whether the secret exists; only Seq is set when it does not.
	Found bool

	Secret       CredentialSecret
	Credential   Credential
	Organization Organization

	// MemberDisabledAt is when the credential's member was disabled, or the member whom a
	// token speaks for; zero when neither is or there is none.
	MemberDisabledAt time.Time

	// Addresses is the organization's list for the credential's environment; nil: there
	// is none, empty: nobody is on it.
	Addresses []netip.Prefix

	// OrganizationDay and CredentialDay are the requests counted on the current UTC day,
	// of the organization in the credential's environment and of the credential.
	OrganizationDay, CredentialDay int64

	// What follows is set by LookupToken and LookupPrincipal only. Organization and
	// Addresses are there those of the one a token speaks for; Credential is what it was
	// issued to.

	// CredentialFound, MemberFound and OrganizationFound say what there is of the three. A
	// client known by the URL of its metadata document is no credential.
	CredentialFound, MemberFound, OrganizationFound bool

	// Member is whom a token speaks for.
	Member Member

	// CredentialSuspendedAt is when the organization that the credential belongs to was
	// suspended, which need not be the one a token speaks for.
	CredentialSuspendedAt time.Time

	// CredentialNotBefore, MemberNotBefore and ConsentNotBefore: a token issued at or
	// before one of them is worthless. LookupSecret sets MemberNotBefore too.
	CredentialNotBefore, MemberNotBefore, ConsentNotBefore time.Time

	// Consent is the id of the member's consent for the credential, "" when there never
	// was one; ConsentRevokedAt is when it was withdrawn.
	Consent          string
	ConsentRevokedAt time.Time

	// Token is the access token of LookupToken, Family the id of the family it belongs
	// to and FamilyRevokedAt when that was revoked.
	Token           AccessToken
	Family          string
	FamilyRevokedAt time.Time

	// TokenRevoked says that the token was revoked, as a row or by its id.
	TokenRevoked bool

	// AccountKey is the key that LookupPrincipal was asked for, if it belongs to the
	// credential.
	AccountKey ServiceAccountKey
}

// The columns that every look-up reads, in the order of the lookup methods.
const (
	lookupCredential = `c.id, c.kind, c.environment, c.organization, c.member, c.name, c.scopes, c.limits, c.addresses,
	c.expires_at, c.last_used_at, c.disabled_at, c.revoked_at, c.revoked_reason, c.created_by,
	c.created_at, c.updated_at, c.tokens_not_before, `
	lookupOrganization = `o.id, o.name, o.plan, o.limits, o.suspended_at, o.created_at, o.updated_at, `
)

// lookupSQL starts at change_head, so that one row comes back whether or not the
// secret exists. That the sequence number and the rest come from one statement is what
// makes filling a cache safe: were they read one after the other, a revocation between
// the two would be missing from the record and yet counted as seen.
const lookupSQL = `SELECT h.seq,
	s.hash, s.credential, s.hint, s.sealed, s.created_at, s.expires_at, s.last_used_at,
	` + lookupCredential + lookupOrganization + `m.disabled_at, m.tokens_not_before, a.prefixes, od.n, cd.n
FROM change_head h
LEFT JOIN credential_secret s ON s.hash = $1
LEFT JOIN credential c ON c.id = s.credential
LEFT JOIN organization o ON o.id = c.organization
LEFT JOIN member m ON m.id = c.member
LEFT JOIN address_list a ON a.organization = c.organization AND a.environment = c.environment
LEFT JOIN day_count od ON od.owner = c.organization || '/' || c.environment AND od.day = $2
LEFT JOIN day_count cd ON cd.owner = c.id AND cd.day = $2
WHERE h.id = 1`

// LookupSecret finds the credential that a secret's hash belongs to, whatever its
// standing, with the counts of the current UTC day.
func (db *DB) LookupSecret(ctx context.Context, hash secret.Hash) (Lookup, error) {
	var l Lookup
	s, c, o := &l.Secret, &l.Credential, &l.Organization
	err := db.prepared(ctx, db.lookup, hash[:], Day(db.now())).Scan(slices.Concat([]any{&l.Seq,
		(*hashBytes)(&s.Hash), (*text)(&s.Credential), (*text)(&s.Hint), &s.Sealed,
		(*stamp)(&s.CreatedAt), (*stamp)(&s.ExpiresAt), (*stamp)(&s.LastUsedAt)},
		c.lookup(), o.lookup(), []any{(*stamp)(&l.MemberDisabledAt), (*stamp)(&l.MemberNotBefore), asJSON(&l.Addresses),
			(*number)(&l.OrganizationDay), (*number)(&l.CredentialDay)})...)
	if err != nil {
		return Lookup{}, db.classify(err)
	}
	l.Found = l.Credential.ID != "" && s.Hash.Equal(&hash)
	return l, nil
}

// lookup is scan for a row that may be missing: every column may be NULL.
func (c *Credential) lookup() []any {
	return []any{
		(*text)(&c.ID), (*text)(&c.Kind), (*text)(&c.Environment), (*text)(&c.Organization),
		(*text)(&c.Member), (*text)(&c.Name), asJSON(&c.Scopes), asJSON(&c.Limits), asJSON(&c.Addresses),
		(*stamp)(&c.ExpiresAt), (*stamp)(&c.LastUsedAt), (*stamp)(&c.DisabledAt), (*stamp)(&c.RevokedAt),
		(*text)(&c.RevokedReason), (*text)(&c.CreatedBy), (*stamp)(&c.CreatedAt), (*stamp)(&c.UpdatedAt),
		(*stamp)(&c.TokensNotBefore),
	}
}

// lookup is scan for a row that may be missing.
func (o *Organization) lookup() []any {
	return []any{
		(*text)(&o.ID), (*text)(&o.Name), (*text)(&o.Plan), asJSON(&o.Limits),
		(*stamp)(&o.SuspendedAt), (*stamp)(&o.CreatedAt), (*stamp)(&o.UpdatedAt),
	}
}
