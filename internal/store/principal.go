package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/cardea-dev/cardea/internal/secret"
)

// Both statements begin at change_head for the reason that lookupSQL does. The tables:
// h head, c credential that the token was issued to, w that credential's own member, v its
// organization, m member and o organization that the token speaks for, g consent between m
// and c, f family, r revocation by id, a address list, od and cd counts of the day.
const (
	lookupTokenSQL = `SELECT h.seq, ` + lookupParties + `
	f.id, f.revoked_at,
	t.hash, t.id, t.family, t.client, t.member, t.organization, t.environment, t.subject, t.scopes, t.resource,
	t.dpop, t.created_at, t.expires_at, t.revoked_at
FROM change_head h
LEFT JOIN access_token t ON t.hash = $1
LEFT JOIN credential c ON c.id = t.client
LEFT JOIN member w ON w.id = c.member
LEFT JOIN organization v ON v.id = c.organization
LEFT JOIN member m ON m.id = t.member
LEFT JOIN organization o ON o.id = t.organization
LEFT JOIN consent g ON g.member = t.member AND g.client = t.client
LEFT JOIN token_family f ON f.id = t.family
LEFT JOIN revoked_token r ON r.id = t.id
LEFT JOIN address_list a ON a.organization = t.organization AND a.environment = t.environment
LEFT JOIN day_count od ON od.owner = t.organization || '/' || t.environment AND od.day = $2
LEFT JOIN day_count cd ON cd.owner = c.id AND cd.day = $2
WHERE h.id = 1`

	lookupPrincipalSQL = `SELECT h.seq, ` + lookupParties + `
	k.id, k.account, k.algorithm, k.public_key, k.created_at, k.expires_at, k.revoked_at, k.last_used_at
FROM change_head h
LEFT JOIN account_key k ON k.id = $1
LEFT JOIN credential c ON c.id = COALESCE($2, k.account)
LEFT JOIN member w ON w.id = c.member
LEFT JOIN organization v ON v.id = c.organization
LEFT JOIN member m ON m.id = COALESCE($3, c.member)
LEFT JOIN organization o ON o.id = COALESCE($4, m.organization, c.organization)
LEFT JOIN consent g ON g.member = m.id AND g.client = COALESCE($2, k.account)
LEFT JOIN revoked_token r ON r.id = $5
LEFT JOIN address_list a ON a.organization = o.id AND a.environment = $6
LEFT JOIN day_count od ON od.owner = o.id || '/' || $6 AND od.day = $7
LEFT JOIN day_count cd ON cd.owner = c.id AND cd.day = $7
WHERE h.id = 1`

	lookupParties = lookupCredential + `w.disabled_at, v.suspended_at, ` + lookupOrganization + `
	m.id, m.organization, m.email, m.name, m.role, m.disabled_at, m.created_at, m.updated_at, m.tokens_not_before,
	g.id, g.revoked_at, g.tokens_not_before, r.id, a.prefixes, od.n, cd.n,`
)

// LookupToken finds the opaque access token with a text's hash and everything that it
// stands and falls with, whatever its standing, with the counts of the current UTC day.
// Found says whether there is such a token.
func (db *DB) LookupToken(ctx context.Context, hash secret.Hash) (Lookup, error) {
	var l Lookup
	row := db.prepared(ctx, db.tokens, hash[:], Day(db.now()))
	err := l.scan(db, row, append([]any{(*text)(&l.Family), (*stamp)(&l.FamilyRevokedAt)}, l.Token.fields()...))
	if err != nil {
		return Lookup{}, err
	}
	l.Found = l.Token.ID != "" && l.Token.Hash.Equal(&hash)
	l.TokenRevoked = l.TokenRevoked || !l.Token.RevokedAt.IsZero()
	return l, nil
}

// A PrincipalQuery names what a verified JWT speaks of. An empty member is not asked for.
type PrincipalQuery struct {
	// Credential is the client, service account or key that the token was issued to.
	Credential string

	// AccountKey is the key of a service account that has signed the token. It has to be
	// one of Credential's; without Credential, the account is the one it belongs to.
	AccountKey string

	// Member is whom the token speaks for; "" means the credential's own member.
	Member string

	// Organization of the token; "" means the member's or else the credential's own.
	Organization string

	// TokenID is looked for among the revoked tokens.
	TokenID string

	// Environment that the token is for: of the address list and of the counts.
	Environment string
}

// LookupPrincipal finds out how things stand with those whom a verified token names, with
// the counts of the current UTC day. Found says that everything that was asked for by name
// exists: the credential, the key, the member, the organization.
func (db *DB) LookupPrincipal(ctx context.Context, q PrincipalQuery) (Lookup, error) {
	var l Lookup
	k := &l.AccountKey
	row := db.prepared(ctx, db.parties, text(q.AccountKey), text(q.Credential), text(q.Member), text(q.Organization),
		text(q.TokenID), q.Environment, Day(db.now()))
	if err := l.scan(db, row, k.fields()); err != nil {
		return Lookup{}, err
	}
	if k.Account != l.Credential.ID {
		*k = ServiceAccountKey{}
	}
	l.Found = (q.Credential == "" || l.CredentialFound) && (q.AccountKey == "" || k.ID != "") &&
		(q.Member == "" || l.MemberFound) && (q.Organization == "" || l.OrganizationFound)
	return l, nil
}

// scan reads a row of lookupParties, and what follows it into more.
func (l *Lookup) scan(db *DB, row *sql.Row, more []any) error {
	var owner, speaker = &l.MemberDisabledAt, &l.Member
	var revoked string
	err := row.Scan(slices.Concat([]any{&l.Seq}, l.Credential.lookup(),
		[]any{(*stamp)(owner), (*stamp)(&l.CredentialSuspendedAt)}, l.Organization.lookup(),
		[]any{
			(*text)(&speaker.ID), (*text)(&speaker.Organization), (*text)(&speaker.Email), (*text)(&speaker.Name),
			(*text)(&speaker.Role), (*stamp)(&speaker.DisabledAt), (*stamp)(&speaker.CreatedAt),
			(*stamp)(&speaker.UpdatedAt), (*stamp)(&speaker.TokensNotBefore),
			(*text)(&l.Consent), (*stamp)(&l.ConsentRevokedAt), (*stamp)(&l.ConsentNotBefore), (*text)(&revoked),
			asJSON(&l.Addresses), (*number)(&l.OrganizationDay), (*number)(&l.CredentialDay),
		}, more)...)
	if err != nil {
		return db.classify(err)
	}
	if owner.IsZero() {
		*owner = speaker.DisabledAt
	}
	l.CredentialFound, l.MemberFound, l.OrganizationFound = l.Credential.ID != "", speaker.ID != "", l.Organization.ID != ""
	l.CredentialNotBefore, l.MemberNotBefore = l.Credential.TokensNotBefore, speaker.TokensNotBefore
	l.TokenRevoked = revoked != ""
	return nil
}
