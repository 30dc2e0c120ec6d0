package insight_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
)

func ptr[T any](v T) *T { return &v }

// Every member of the filter narrows the list as it says.
func TestAuditEventsAreFilteredByWhatIsAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		k := w.key(o.ID, "CI").Key
		w.advance(time.Hour)
		middle := w.clock()
		elsewhere := cardea.Actor{Type: "operator", ID: "mt_other", Address: "2001:db8::7"}
		must(w.manager.UpdateKey(w.ctx, elsewhere, manage.UpdateKey{ID: k.ID, Name: ptr("Build")}))(t)
		must(w.manager.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.ID}))(t)
		me := w.member(o.ID, "me@example.com", cardea.RoleViewer)
		for _, c := range []struct {
			f    insight.AuditFilter
			want string
		}{
			{insight.AuditFilter{}, "member.create key.revoke key.update key.create organization.create"},
			{insight.AuditFilter{Action: "key.revoke"}, "key.revoke"},
			{insight.AuditFilter{Action: "key."}, "key.revoke key.update key.create"},
			{insight.AuditFilter{Action: "key"}, ""},
			{insight.AuditFilter{Target: k.ID}, "key.revoke key.update key.create"},
			{insight.AuditFilter{Target: k.ID, Actor: "mt_other"}, "key.update"},
			{insight.AuditFilter{Actor: "mt_other"}, "key.update"},
			{insight.AuditFilter{Address: "2001:DB8::7"}, "key.update"},
			{insight.AuditFilter{Address: "192.0.2.1", Action: "key."}, "key.revoke key.create"},
			{insight.AuditFilter{To: middle}, "key.create organization.create"},
			{insight.AuditFilter{From: middle, Target: k.ID}, "key.revoke key.update"},
		} {
			var got []string
			for _, e := range must(w.AuditEvents(w.ctx, me, c.f))(t).Items {
				got = append(got, e.Action)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%+v: %v, want %s", c.f, got, c.want)
			}
		}
		e := must(w.AuditEvents(w.ctx, me, insight.AuditFilter{Action: "key.update"}))(t).Items[0]
		if diff := cmp.Diff([]insight.Difference{{Member: "name", Before: "CI", After: "Build"}}, e.Differences()); diff != "" {
			t.Error(diff)
		}
	})
}

// An export has every event of the list and no other, in both formats; whatever somebody
// called a key, no cell of it is a formula.
func TestAuditExportIsCompleteAndHarmless(t *testing.T) {
	w := sqlite(t)
	o, other := w.organization(`=cmd|' /C calc'!A0`), w.organization("Other")
	me := w.member(o.ID, "me@example.com", cardea.RoleOwner)
	w.key(other.ID, "theirs")
	names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "＝1", "plain", "a,\"b\"; c", "=HYPERLINK(\"http://evil\")"}
	k := w.key(o.ID, "first").Key
	for i := range 600 { // more than are read at a time
		must(w.manager.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Name: ptr(names[i%len(names)])}))(t)
	}
	evil := cardea.Actor{Type: "operator", ID: "=mt", Address: "@evil", RequestID: "-req"}
	must(w.manager.UpdateKey(w.ctx, evil, manage.UpdateKey{ID: k.ID, Name: ptr("last")}))(t)
	var text, lines strings.Builder
	if err := errors.Join(w.ExportAudit(w.ctx, me, insight.AuditFilter{}, "csv", &text), w.ExportAudit(w.ctx, me, insight.AuditFilter{}, "json", &lines)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	objects := strings.Split(strings.TrimSpace(lines.String()), "\n")
	if want := 600 + 4; len(rows) != want+1 || len(objects) != want {
		t.Fatalf("%d rows and %d objects, want %d", len(rows)-1, len(objects), want)
	}
	for i, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.HasPrefix(cell, "＝") {
				t.Fatalf("a formula: %q", cell)
			}
		}
		var e insight.AuditEvent
		if err := json.Unmarshal([]byte(objects[i]), &e); err != nil {
			t.Fatal(err)
		}
		if row[2] != e.Action || row[8] != o.ID || e.Organization != o.ID {
			t.Fatalf("row %v for %+v", row, e)
		}
	}
	if got := rows[1]; got[4] != "'=mt" || got[5] != "'@evil" || got[9] != "'-req" || !strings.HasPrefix(got[11], "name: last") {
		t.Errorf("the newest row is %q", got)
	}
	err = w.ExportAudit(w.ctx, me, insight.AuditFilter{}, "xlsx", &text)
	wantField(t, err, "format")
	full := &broken{room: 5000}
	if err := w.ExportAudit(w.ctx, me, insight.AuditFilter{}, "csv", full); !errors.Is(err, errBroken) {
		t.Errorf("an export into nothing: %v", err)
	}
}

// broken is a writer whose reader goes away.
type broken struct{ room int }

var errBroken = errors.New("the reader has gone")

func (b *broken) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// Nobody makes the log unreadable: whatever an event holds, differences are a list.
func FuzzDifferences(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"before":{"a":1},"after":{"a":"x"}}`, `{"before":[]}`, `{"after":{"":null}}`, `{"before":{"a":"\ud800"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, detail []byte) {
		e := insight.AuditEvent{Detail: detail}
		for _, d := range e.Differences() {
			if d.Before == d.After && d.Before != "" {
				continue // the log tells what it was told
			}
		}
	})
}
