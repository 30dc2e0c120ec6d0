package record

import (
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// maxTally is how many rows of usage a tally tells apart before it begins to add
// routes, and then credentials, together: a bound on memory while nothing can be
// written.
const maxTally = 100_000

// Other is the route under which usage is added up when there is too much to tell
// apart.
const other = "*"

// tallyKey identifies a row of usage.
type tallyKey struct {
	hour        int64 // since 1970
	credential  string
	route       string
	statusClass int
	reason      cardea.Reason
}

// A tally adds up usage until it is written.
type tally map[tallyKey]*store.UsageDelta

// add counts an event.
func (t tally) add(e *Event) {
	d := t.row(tallyKey{e.At.Unix() / 3600, e.Credential, e.Route, e.Status / 100, e.Reason}, e.Organization, e.Environment)
	d.Requests++
	d.BytesOut += e.BytesOut
	d.Latency += e.Latency
}

// merge adds another tally to t.
func (t tally) merge(from tally) {
	for key, f := range from {
		d := t.row(key, f.Organization, f.Environment)
		d.Requests += f.Requests
		d.BytesOut += f.BytesOut
		d.Latency += f.Latency
	}
}

// row returns the row to add to. Rows beyond the bound lose their route, and beyond
// twice the bound their credential as well; then hours, classes and reasons are all
// there is, and those are few.
func (t tally) row(key tallyKey, organization, environment string) *store.UsageDelta {
	if d := t[key]; d != nil {
		return d
	}
	if len(t) >= maxTally {
		key.route = other
	}
	if len(t) >= 2*maxTally {
		key.credential, organization, environment = "", "", ""
	}
	d := t[key]
	if d == nil {
		d = &store.UsageDelta{
			Credential: key.credential, Organization: organization, Environment: environment,
			Hour: time.Unix(key.hour*3600, 0).UTC(), Route: key.route,
			StatusClass: key.statusClass, Reason: key.reason,
		}
		t[key] = d
	}
	return d
}

// deltas returns the rows in the order of their keys in the database, so that
// neighbours are written one after the other.
func (t tally) deltas() []store.UsageDelta {
	list := make([]store.UsageDelta, 0, len(t))
	for _, d := range t {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b store.UsageDelta) int { return strings.Compare(a.Credential, b.Credential) })
	return list
}
