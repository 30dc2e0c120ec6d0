package store

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// What follows is told about credentials without anybody having changed them: that they
// expire soon, that they were used from somewhere new, that their secret was found.

// watch runs fn as a change that nobody makes, and that needs no audit event: nobody
// decided anything.
func (db *DB) watch(ctx context.Context, fn func(tx *Tx) error) error {
	queued := false
	err := db.write(ctx, func(q querier) error {
		tx := &Tx{Reader: Reader{q: q, db: db}, actor: cardea.Actor{Type: "system", ID: "watch"}, now: db.Now()}
		err := fn(tx)
		queued = tx.queued
		return err
	})
	db.wake(err == nil && queued)
	return err
}

// wake tells the worker of this process that there is something to deliver.
func (db *DB) wake(queued bool) {
	if !queued {
		return
	}
	select {
	case db.queued <- struct{}{}:
	default: // it has been told
	}
}

// expiryNotices are how many days before its end a credential's owners are told, nearest
// first. Somebody who hears that one day is left need not hear of the seven.
var expiryNotices = []int{1, 7, 30}

// expiryStep is how many credentials are looked at while others wait for the writer.
const expiryStep = 500

// TellExpiring tells of every credential that has come to within 30, 7 or 1 days of its
// end since the last time. How far it has come is kept in the database, so each is told
// once, also after a pause; one that passed several marks during it is told of the last.
func (db *DB) TellExpiring(ctx context.Context) error {
	nearer := 0
	for _, days := range expiryNotices {
		for more := true; more; {
			err := db.watch(ctx, func(tx *Tx) (err error) {
				more, err = tx.tellExpiring(ctx, days, nearer)
				return err
			})
			if err != nil {
				return err
			}
		}
		nearer = days
	}
	return nil
}

// tellExpiring tells of the next credentials that end within some days, but not within the
// nearer mark. more says that there may be others.
func (tx *Tx) tellExpiring(ctx context.Context, days, nearer int) (more bool, err error) {
	const day = 24 * time.Hour
	horizon := tx.now.Add(time.Duration(days) * day)
	setting := "webhook.expiring." + strconv.Itoa(days)
	from, err := tx.expiryMark(ctx, setting, horizon)
	if err != nil {
		return false, err
	}
	s := sel(`SELECT `+credentialColumns+` FROM credential`).and("(expires_at, id) > (?, ?)", from.at, from.id)
	s.and("expires_at <= ?", stamp(horizon)).add(" ORDER BY expires_at, id LIMIT ?", expiryStep)
	list, err := collect(ctx, tx.Reader, s, (*Credential).scan)
	if err != nil {
		return false, err
	}
	for i := range list {
		c := &list[i]
		if !c.RevokedAt.IsZero() || !c.ExpiresAt.After(tx.now.Add(time.Duration(nearer)*day)) {
			continue
		}
		if err := tx.tell(ctx, EventExpiring, c.ID, CredentialMessage{Days: days}); err != nil {
			return false, err
		}
	}
	next := cursor{at: max(horizon.UnixMicro()+1, from.at)}
	if more = len(list) == expiryStep; more {
		next = cursor{list[expiryStep-1].ExpiresAt.UnixMicro(), list[expiryStep-1].ID}
	}
	return more, tx.SetSetting(ctx, setting, strconv.FormatInt(next.at, 10)+" "+next.id)
}

// expiryMark returns up to which end credentials were told of. The first time nothing is
// told: what ends soon then is told at its next mark.
func (tx *Tx) expiryMark(ctx context.Context, setting string, horizon time.Time) (cursor, error) {
	value, err := tx.Setting(ctx, setting)
	if err != nil || value == "" {
		return cursor{at: horizon.UnixMicro() + 1}, err
	}
	at, id, _ := strings.Cut(value, " ")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return cursor{}, tx.db.classify(errColumn)
	}
	return cursor{n, id}, nil
}

// A Sighting is that a credential was used from an address.
type Sighting struct {
	Credential string
	Address    netip.Addr // [Neighbourhood] makes it
	At         time.Time
}

// Neighbourhood returns what is remembered of a client's address: an IPv4 address itself,
// of an IPv6 address the /64, in which one caller may have any number of addresses.
func Neighbourhood(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}

// Bounds of what is remembered and told of addresses.
const (
	maxSightings   = 256                 // of one credential; then the one unseen for longest is forgotten
	sightingMemory = 90 * 24 * time.Hour // of an address that is not seen again
	maxNewInDay    = 20                  // events about one credential; who comes from more is always on the move
	sightingStep   = 100                 // rows that are written while others wait for the writer
)

// See remembers from where credentials were used and tells of the first use from a new
// address. The first address of all is not news. What was remembered is removed from seen.
func (db *DB) See(ctx context.Context, seen []Sighting) (left []Sighting, err error) {
	for len(seen) > 0 {
		part := seen[:min(len(seen), sightingStep)]
		err := db.watch(ctx, func(tx *Tx) error {
			for i := range part {
				if err := tx.see(ctx, &part[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return seen, err
		}
		seen = seen[len(part):]
	}
	return nil, nil
}

// see remembers one sighting.
func (tx *Tx) see(ctx context.Context, s *Sighting) error {
	at, address := s.At.UTC().Truncate(time.Microsecond), s.Address.String()
	res, err := tx.exec(ctx, `UPDATE credential_address SET seen_at = $1
		WHERE credential = $2 AND address = $3`, stamp(at), s.Credential, address)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	// Some callers are no credential: a client may be known by the URL of its metadata.
	res, err = tx.exec(ctx, `INSERT INTO credential_address (credential, address, first_at, seen_at)
		SELECT id, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($2 AS BIGINT) FROM credential WHERE id = $3`,
		address, stamp(at), s.Credential)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return tx.tellAddress(ctx, s.Credential, address)
}

// tellAddress tells of a use from an address that was just remembered, and forgets another
// when there are too many.
func (tx *Tx) tellAddress(ctx context.Context, credential, address string) error {
	var all, recent int
	err := tx.q.QueryRowContext(ctx, `SELECT count(*), CAST(coalesce(sum(CASE WHEN first_at > $1 THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM credential_address WHERE credential = $2`, stamp(tx.now.Add(-24*time.Hour)), credential).Scan(&all, &recent)
	if err != nil {
		return tx.db.classify(err)
	}
	if all > maxSightings {
		if _, err := tx.exec(ctx, `DELETE FROM credential_address WHERE credential = $1 AND address IN (
			SELECT address FROM credential_address WHERE credential = $1 AND address <> $2 ORDER BY seen_at LIMIT $3)`,
			credential, address, all-maxSightings); err != nil {
			return err
		}
	}
	if all == 1 || recent > maxNewInDay {
		return nil
	}
	return tx.tell(ctx, EventNewAddress, credential, CredentialMessage{Address: address})
}

// A Leak is that somebody found a credential's secret where it should not be.
type Leak struct {
	Credential string
	Source     string // where, in the words of whoever reported it
	ReportedAt time.Time
}

var leaks = newTable("credential_leak", "report of a leak", "credential, source, reported_at", (*Leak).fields)

func (l *Leak) fields() []any { return []any{&l.Credential, &l.Source, (*stamp)(&l.ReportedAt)} }

// Leaks returns those of some credentials, at most 500, whose secrets were reported.
func (r Reader) Leaks(ctx context.Context, credentials ...string) ([]Leak, error) {
	var found []Leak
	for _, id := range credentials[:min(len(credentials), maxPage)] {
		list, err := leaks.all(ctx, r, leaks.where("credential = ?", id))
		if err != nil {
			return nil, err
		}
		found = slices.Concat(found, list)
	}
	return found, nil
}

// ReportLeak remembers that a credential's secret was found. first is false when that was
// known; it is then not told again.
func (tx *Tx) ReportLeak(ctx context.Context, l Leak) (first bool, err error) {
	tx.fill(&l.ReportedAt)
	_, first, err = leaks.returning(ctx, tx, leaks.insert+` ON CONFLICT (credential) DO NOTHING`, l.fields()...)
	if first {
		tx.happened(l.Credential, EventLeaked).source = l.Source
	}
	return first, err
}
