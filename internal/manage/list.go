package manage

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// checkSearch reports what is wrong with a text that people look for.
func checkSearch(text string) *cardea.Error {
	return rules.Line("search", text, rules.MaxName)
}

// oneOf reports a text that is none of those a filter takes; "" is any.
func oneOf[T ~string](field string, text T, known ...T) *cardea.Error {
	if text == "" || slices.Contains(known, text) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return cardea.Invalid(field, "must be one of: %s", strings.Join(names, ", "))
}

// checkNarrow reports what is wrong with what a list is narrowed to. One that is not of
// one organization has one order.
func checkNarrow(p *rules.Problems, in *Narrow, organization string) {
	in.Search = strings.TrimSpace(in.Search)
	p.Add(checkSearch(in.Search))
	p.Add(oneOf("status", in.Status, StatusActive, StatusExpiring, StatusDisabled, StatusExpired, StatusRevoked))
	p.Add(oneOf("sort", in.Sort, SortNewest, SortName, SortLastUsed, SortExpires))
	if in.Sort == SortNewest {
		in.Sort = ""
	}
	if in.Sort != "" && organization == "" {
		p.Add(cardea.Invalid("sort", "needs organization: only the list of one is sorted"))
	}
	if len(in.Scope) > rules.MaxName || !utf8.ValidString(in.Scope) || strings.ContainsFunc(in.Scope, notScope) {
		p.Add(cardea.Invalid("scope", "is not the name of a scope"))
	}
}

// notScope reports a character that no scope has (RFC 6749 §3.3).
func notScope(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r >= 0x7f }

// filterKeys checks a filter of credentials of one sort and returns the store's, narrowed
// to what the actor may see. It leaves in normal.
func (m *Manager) filterKeys(ctx context.Context, actor cardea.Actor, n noun, in *KeyFilter) (store.CredentialFilter, error) {
	organization, err := m.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return store.CredentialFilter{}, err
	}
	in.Organization = organization
	var p rules.Problems
	p.Add(rules.Filter("member", in.Member))
	p.Add(rules.Filter("environment", in.Environment))
	p.Add(rules.Filter("kind", in.Kind))
	if n == keyNoun && nounOf(in.Kind) != n {
		p.Add(cardea.Invalid("kind", "is no kind of key: %ss have a list of their own", nounOf(in.Kind).text))
	}
	checkNarrow(&p, &in.Narrow, organization)
	if n.kind != "" {
		in.Kind = n.kind
	}
	f := store.CredentialFilter{
		Organization: organization, Member: in.Member, Kind: in.Kind, Environment: in.Environment,
		Contains: in.Search, Scope: in.Scope, Sort: in.Sort, Status: string(in.Status),
	}
	if in.Status == StatusExpiring {
		f.Status, f.Before = store.StatusActive, m.now().Add(expiringWithin)
	}
	return f, p.Err()
}

// listKeys lists credentials of one sort.
func listKeys[View any](ctx context.Context, m *Manager, actor cardea.Actor, n noun, in KeyFilter, view func(*keyRow, *contract.Contract, time.Time) View) (List[View], error) {
	filter, err := m.filterKeys(ctx, actor, n, &in)
	if err != nil {
		return List[View]{}, err
	}
	scope := []string{n.name + "s", in.Organization, in.Member, in.Kind, in.Environment, in.Search, string(in.Status), in.Scope, in.Sort}
	c, now := m.contract(), m.now()
	return access.Paged(in.Page, scope, func(p store.Page) ([]keyRow, string, error) {
		if n == clientNoun {
			clients, next, err := m.store.Clients(ctx, filter, p)
			rows := make([]keyRow, len(clients))
			for i, client := range clients {
				rows[i] = keyRow{credential: client.Credential, client: client}
			}
			return rows, next, orElse(err, func() error { return m.complete(ctx, rows) })
		}
		credentials, next, err := m.store.Credentials(ctx, filter, p)
		rows := make([]keyRow, len(credentials))
		for i, credential := range credentials {
			rows[i].credential = credential
		}
		return rows, next, orElse(err, func() error { return m.complete(ctx, rows) })
	}, func(row keyRow) View { return view(&row, c, now) })
}

// orElse returns err, or what next returns when there is none.
func orElse(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// complete reads what else is stored about credentials, for all of them at once.
func (m *Manager) complete(ctx context.Context, rows []keyRow) error {
	var ids, members []string
	for i := range rows {
		ids = append(ids, rows[i].credential.ID)
		if member := rows[i].credential.Member; member != "" && !slices.Contains(members, member) {
			members = append(members, member)
		}
	}
	secrets, err := m.store.SecretsOf(ctx, ids)
	if err != nil {
		return err
	}
	owners, err := m.store.MembersOf(ctx, members)
	for i := range rows {
		rows[i].secrets, rows[i].member = secrets[rows[i].credential.ID], owners[rows[i].credential.Member]
	}
	return err
}

// Counts are numbers of keys by status.
type Counts struct {
	Active   int64 `json:"active"` // those that expire soon included
	Disabled int64 `json:"disabled"`
	Expired  int64 `json:"expired"`
	Revoked  int64 `json:"revoked"`

	// Expiring7d are the active ones that end within seven days.
	Expiring7d int64 `json:"expiring_7d"`
}

// KeyCounts counts the keys that a filter finds, whatever its Status, Sort and page.
func (m *Manager) KeyCounts(ctx context.Context, actor cardea.Actor, in KeyFilter) (Counts, error) {
	in.Status, in.Sort, in.Page = "", "", Page{}
	filter, err := m.filterKeys(ctx, actor, keyNoun, &in)
	if err != nil {
		return Counts{}, err
	}
	n, err := m.store.CountCredentials(ctx, filter, m.now().Add(7*24*time.Hour))
	if err != nil {
		return Counts{}, err
	}
	return Counts{Active: n.Active, Disabled: n.Disabled, Expired: n.Expired, Revoked: n.Revoked, Expiring7d: n.Expiring}, nil
}
