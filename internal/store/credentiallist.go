package store

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
)

// The statuses a list of credentials can be narrowed to. They exclude each other;
// the first that fits a credential, in this order, is its status.
const (
	StatusRevoked  = "revoked"
	StatusDisabled = "disabled"
	StatusExpired  = "expired"
	StatusActive   = "active"
)

// Status returns the credential's status at an instant.
func (c *Credential) Status(now time.Time) string {
	switch {
	case !c.RevokedAt.IsZero():
		return StatusRevoked
	case !c.DisabledAt.IsZero():
		return StatusDisabled
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return StatusExpired
	}
	return StatusActive
}

// CredentialFilter narrows and sorts a list of credentials; zero members do not.
type CredentialFilter struct {
	Organization string
	Member       string
	Kind         string // "": every kind but the reserved ones
	Environment  string
	Status       string    // one of the Status constants
	Before       time.Time // it expires before then
	Scope        string    // it was granted, by this name

	// Contains is part of the name or the id, in any case, or the end of a hint: the
	// last four characters of a secret.
	Contains string

	// Sort is one of the Sort constants. Only the list of one organization is sorted in
	// another way than the newest first.
	Sort string
}

// The orders of a list of credentials.
const (
	SortNewest   = ""
	SortName     = "name"
	SortLastUsed = "last_used" // the latest first, then those never used
	SortExpires  = "expires"   // the next to end first, then those that never do
)

// An order is how a list is sorted: by a column or, for texts, one that is different in
// every row.
type order struct {
	at, text  string // expressions; one of them
	direction string
}

// endless is when a credential ends that never does.
const endless = "COALESCE(expires_at, 9223372036854775807)"

// orders of credentials, each by the index of a list.
var orders = map[string]order{
	SortNewest:   {at: "created_at", direction: "DESC"},
	SortName:     {text: "folded", direction: "ASC"},
	SortLastUsed: {at: "COALESCE(last_used_at, 0)", direction: "DESC"},
	SortExpires:  {at: endless, direction: "ASC"},
}

// order returns the filter's order. What is searched for is found in credential_list, and
// then sorted: an expression that looks like another one keeps engines from walking along
// the order's own index and reading every credential on the way.
func (f *CredentialFilter) order() (order, bool) {
	o, ok := orders[f.Sort]
	if !ok || f.Sort == SortNewest {
		return o, ok
	}
	if f.Contains != "" || f.Status != "" || f.Scope != "" || f.Member != "" || !f.Before.IsZero() {
		if o.text != "" {
			o.text += " || ''"
		} else {
			o.at += " + 0"
		}
	}
	return o, f.Organization != ""
}

// A place is where a credential stands in a list.
type place struct {
	id string
	at cursor
}

// Credentials lists credentials and returns the cursor of the next page, which belongs to
// the filter. KindInvalid for an order that is none.
func (r Reader) Credentials(ctx context.Context, f CredentialFilter, p Page) ([]Credential, string, error) {
	ids, next, err := r.credentialIDs(ctx, f, p)
	if err != nil || len(ids) == 0 {
		return []Credential{}, "", err
	}
	list, err := collect(ctx, r, sel(`SELECT `+credentialColumns+` FROM credential`).in("id", ids), (*Credential).scan)
	return inOrder(list, ids, func(c *Credential) string { return c.ID }), next, err
}

// credentialIDs finds the page of a list: by an index alone, so that a search through a
// hundred thousand credentials reads none of them.
func (r Reader) credentialIDs(ctx context.Context, f CredentialFilter, p Page) (ids []string, next string, err error) {
	o, ok := f.order()
	if !ok {
		return nil, "", cardea.Invalid("sort", "there is no such order of this list")
	}
	c, err := p.cursor()
	if err != nil {
		return nil, "", err
	}
	var s *selection
	if o.text != "" {
		s = sel(`SELECT id, 0, ` + o.text + ` FROM credential`)
	} else {
		s = sel(`SELECT id, ` + o.at + `, id FROM credential`)
	}
	f.narrow(s, r.db.Now())
	if p.After != "" {
		o.after(s, c)
	}
	columns := o.text
	if columns == "" {
		columns = o.at + " " + o.direction + ", id"
	}
	s.add(" ORDER BY "+columns+" "+o.direction+" LIMIT ?", p.size()+1)
	found, err := collect(ctx, r, s, func(p *place) []any { return []any{&p.id, &p.at.at, &p.at.id} })
	if len(found) > p.size() {
		found = found[:p.size()]
		next = found[len(found)-1].at.String()
	}
	for _, place := range found {
		ids = append(ids, place.id)
	}
	return ids, next, err
}

// after adds the condition that a row comes after a place.
func (o order) after(s *selection, c cursor) {
	sign := " > "
	if o.direction == "DESC" {
		sign = " < "
	}
	if o.text != "" {
		s.and(o.text+sign+"?", c.id)
		return
	}
	s.and("("+o.at+", id)"+sign+"(?, ?)", c.at, c.id)
}

// inOrder returns the items in the order of ids.
func inOrder[T any](items []T, ids []string, id func(*T) string) []T {
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	slices.SortFunc(items, func(a, b T) int { return at[id(&a)] - at[id(&b)] })
	return items
}

// narrow adds the filter's conditions: those that rule most rows out come first, and those
// that need the whole row come last.
func (f *CredentialFilter) narrow(s *selection, now time.Time) {
	s.and("organization = ?", f.Organization).and("member = ?", f.Member)
	s.status(f.Status, now)
	if !f.Before.IsZero() {
		s.and("expires_at < ?", stamp(f.Before))
	}
	if end := tail(f.Contains); end != "" {
		s.and(`(folded LIKE ? ESCAPE '!' OR id IN
			(SELECT credential FROM credential_secret WHERE substr(hint, length(hint) - 3) = ?))`, contains(f.Contains), end)
	} else {
		s.and("folded LIKE ? ESCAPE '!'", contains(f.Contains))
	}
	s.and("environment = ?", f.Environment).and("kind = ?", f.Kind)
	if f.Kind == "" {
		s.and("kind NOT IN (?, ?)", KindClient, KindServiceAccount)
	}
	if f.Scope != "" { // whole and in its own case, which LIKE does not promise
		s.and("(scope_mask IS NULL OR scope_mask & ? <> 0)", scopeMask(f.Scope))
		s.and("replace(scopes, ?, '') <> scopes", `"`+f.Scope+`"`)
	}
}

// scopeMask returns a bit for each scope, of which several may share one: a list of those
// with a scope looks only at credentials that have its bit. NULL in the database: made by
// an earlier Cardea, and looked at.
func scopeMask(scopes ...string) int64 {
	var mask int64
	for _, scope := range scopes {
		h := fnv.New32a()
		_, _ = h.Write([]byte(scope)) // never fails
		mask |= 1 << (h.Sum32() % 63)
	}
	return mask
}

// tail returns what a text could be the end of a hint by, "" when it is none: four
// characters, or four after the dots that stand for the rest.
func tail(text string) string {
	if _, end, ok := strings.Cut(text, "…"); ok {
		text = end
	}
	if utf8.RuneCountInString(text) != 4 {
		return ""
	}
	return text
}

// status adds the conditions that [Credential.Status] checks.
func (s *selection) status(status string, now time.Time) {
	switch status {
	case "":
	case StatusRevoked:
		s.and("revoked_at IS NOT NULL")
	case StatusDisabled:
		s.and("revoked_at IS NULL AND disabled_at IS NOT NULL")
	case StatusExpired:
		s.and("revoked_at IS NULL AND disabled_at IS NULL AND expires_at <= ?", stamp(now))
	case StatusActive:
		s.and("revoked_at IS NULL AND disabled_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", stamp(now))
	default:
		s.and("1 = 0")
	}
}

// CredentialCounts are numbers of credentials by status.
type CredentialCounts struct {
	Active, Disabled, Expired, Revoked int64
	Expiring                           int64 // of the active ones
}

// CountCredentials counts the credentials that a filter finds; those that expire before
// an instant are expiring. Status, Before and Sort of the filter are not looked at.
func (r Reader) CountCredentials(ctx context.Context, f CredentialFilter, before time.Time) (CredentialCounts, error) {
	now := r.db.Now()
	f.Status, f.Before = "", time.Time{}
	// One sum has two counts, as its upper and its lower half: each more is a fifth of the
	// time that a list of a hundred thousand takes.
	const half = 1 << 31
	s := &selection{}
	s.add(`SELECT count(id), count(revoked_at), CAST(COALESCE(sum(CASE WHEN revoked_at IS NOT NULL THEN 0
		WHEN disabled_at IS NOT NULL THEN 2147483648 WHEN expires_at <= ? THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM credential WHERE 1 = 1`, stamp(now))
	f.narrow(s, now)
	var all, halves int64
	c, err := one(ctx, r, s, "credential", func(c *CredentialCounts) []any { return []any{&all, &c.Revoked, &halves} })
	if err != nil {
		return c, err
	}
	c.Disabled, c.Expired = halves/half, halves%half
	c.Active = all - c.Revoked - c.Disabled - c.Expired
	s = sel(`SELECT count(id) FROM credential`).and(endless+" > ? AND "+endless+" < ?", stamp(now), stamp(before))
	f.Status = StatusActive
	f.narrow(s, now)
	expiring, err := one(ctx, r, s, "credential", func(n *int64) []any { return []any{n} })
	c.Expiring = expiring
	return c, err
}

// SecretsOf returns all secrets of several credentials, each newest first.
func (r Reader) SecretsOf(ctx context.Context, credentials []string) (map[string][]CredentialSecret, error) {
	if len(credentials) == 0 {
		return nil, nil
	}
	s := sel(`SELECT `+secretColumns+` FROM credential_secret`).in("credential", credentials)
	list, err := collect(ctx, r, s.add(" ORDER BY created_at DESC, hash"), (*CredentialSecret).scan)
	of := make(map[string][]CredentialSecret, len(credentials))
	for _, secret := range list {
		of[secret.Credential] = append(of[secret.Credential], secret)
	}
	return of, err
}

// MembersOf returns several members by their ids.
func (r Reader) MembersOf(ctx context.Context, ids []string) (map[string]Member, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := collect(ctx, r, sel(`SELECT `+memberColumns+` FROM member`).in("id", ids), (*Member).scan)
	of := make(map[string]Member, len(list))
	for _, m := range list {
		of[m.ID] = m
	}
	return of, err
}
