package store

import (
	"context"
	"time"
)

// AuditFilter narrows a list of events; zero members do not.
type AuditFilter struct {
	Organization string
	ActorType    string
	ActorID      string
	Action       string // the whole action, or with a dot at its end what it begins with
	TargetType   string
	TargetID     string
	Address      string    // the actor's, as it was written
	Since, Until time.Time // Since ≤ at < Until
}

// A stored event: what the record says is what an AuditEvent shows.
type auditRow struct {
	seq    int64
	record string
}

func (a *auditRow) scan() []any { return []any{&a.seq, &a.record} }

// AuditEvents lists events, newest first, and returns the cursor of the next page. A page
// may hold fewer events than asked although there is a next one: where no index finds what
// passes the filter, so many events are looked at and no more.
func (r Reader) AuditEvents(ctx context.Context, f AuditFilter, p Page) ([]AuditEvent, string, error) {
	c, err := p.cursor()
	if err != nil {
		return nil, "", err
	}
	events, before := []AuditEvent{}, c.at
	for left, step := auditMost, auditFirst; left > 0; left, step = left-step, step*4 {
		step = min(step, left)
		rows, err := collect(ctx, r, f.rows(before, step, p.size()+1-len(events)), (*auditRow).scan)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			e, err := parseRecord(row.record)
			if err != nil {
				return nil, "", r.db.classify(err)
			}
			if f.Address == "" || e.Actor.Address == f.Address {
				events = append(events, e)
			}
		}
		if len(events) > p.size() {
			events = events[:p.size()]
			return events, cursor{at: events[len(events)-1].Seq}.String(), nil
		}
		if !f.loose() {
			return events, "", nil
		}
		ends, err := collect(ctx, r, f.end(before, step), func(seq *int64) []any { return []any{seq} })
		if err != nil || len(ends) == 0 {
			return events, "", err // the log is over
		}
		before = ends[0]
	}
	return events, cursor{at: before}.String(), nil
}

// How many events are looked at for one page, in steps that grow.
const (
	auditFirst = 500
	auditMost  = 8000
)

// loose reports whether the filter has conditions that no index serves.
func (f *AuditFilter) loose() bool {
	switch {
	case f.TargetID != "":
		return f.Organization+f.ActorType+f.ActorID+f.Action+f.TargetType+f.Address != "" || f.timed()
	case f.ActorID != "":
		return f.Organization+f.ActorType+f.Action+f.TargetType+f.Address != "" || f.timed()
	}
	return f.ActorType+f.Action+f.TargetType+f.Address != "" || f.timed()
}

func (f *AuditFilter) timed() bool { return !f.Since.IsZero() || !f.Until.IsZero() }

// near adds the conditions that an index serves: those of one index.
func (f *AuditFilter) near(to *selection, before int64) *selection {
	switch {
	case f.TargetID != "":
		to.and("target_id = ?", f.TargetID)
	case f.ActorID != "":
		to.and("actor_id = ?", f.ActorID)
	default:
		to.and("organization = ?", f.Organization)
	}
	return to.and("seq < ?", before)
}

// rows selects what passes the filter of the step events before one, n at most.
func (f *AuditFilter) rows(before int64, step, n int) *selection {
	const columns, order = `seq, at, actor_type, actor_id, action, target_type, organization, record`, ` ORDER BY seq DESC LIMIT ?`
	if !f.loose() {
		return f.near(sel(`SELECT seq, record FROM audit_event`), before).add(order, n)
	}
	q := f.near(sel(`SELECT seq, record FROM (SELECT `+columns+` FROM audit_event`), before).add(order+`) AS looked WHERE 1 = 1`, step)
	q.and("organization = ?", f.Organization).and("actor_type = ?", f.ActorType).and("actor_id = ?", f.ActorID)
	q.and("target_type = ?", f.TargetType)
	if n := len(f.Action); n > 0 && f.Action[n-1] == '.' {
		q.and("substr(action, 1, ?) = ?", n, f.Action)
	} else {
		q.and("action = ?", f.Action)
	}
	q.between("at", f.Since, f.Until)
	if f.Address != "" { // it is in the record alone, where Go looks for it
		n = step
	}
	return q.add(order, n)
}

// end selects the last of the step events before one; there is none when there are fewer.
func (f *AuditFilter) end(before int64, step int) *selection {
	return f.near(sel(`SELECT seq FROM audit_event`), before).add(` ORDER BY seq DESC LIMIT ? OFFSET ?`, 1, step-1)
}
