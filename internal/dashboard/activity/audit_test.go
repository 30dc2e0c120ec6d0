package activity_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// as returns a member as an actor, who came from an address.
func (w *world) as(o manage.Organization, role cardea.Role) cardea.Actor {
	return cardea.Actor{Type: "member", ID: w.Member(o, role).ID, Address: "198.51.100.9", RequestID: "req_of_the_change"}
}

// rename changes a key's name in somebody's name.
func (w *world) rename(actor cardea.Actor, key manage.KeySecret, name string) {
	w.t.Helper()
	if _, err := w.Manage.UpdateKey(w.t.Context(), actor, manage.UpdateKey{ID: key.Key.ID, Name: &name}); err != nil {
		w.t.Fatal(err)
	}
}

// The audit log says in words who did what to what, what it was before, and from where.
func TestTheAuditLogIsInWords(t *testing.T) {
	w := newWorld(t, "cohera-api")
	w.rename(w.as(w.One, cardea.RoleAdmin), w.Import, "Weekly import")
	page := w.viewer().Get("/dashboard/audit")
	says(t, page, http.StatusOK, "Admin Person", "changed the key", "Weekly import", "Changed", "Before", "After", "Name",
		"<del>Nightly import</del>", "<ins>Weekly import</ins>", "Member", "198.51.100.9", "key.update", w.Import.Key.ID, "req_of_the_change")
	// An operator's name is the company's business, and what was made is told once.
	says(t, page, http.StatusOK, "Operator", "created the key", "What it was made with", "Scopes", "entities:read", "Cohera")
	saysNot(t, page, "<strong>mt_test", "Two Corp", "Somebody else’s")
	staff := w.AsStaff(cardea.RoleViewer).Get("/dashboard/console/audit")
	says(t, staff, http.StatusOK, "Admin Person", "changed the key", "Weekly import", "in", "One Corp")
	says(t, staff, http.StatusOK, "mt_test", "created the key", "Two Corp")
}

// Each filter of the audit log's address narrows it to what it says, the export too.
func TestEveryFilterOfTheAuditLogIsInItsAddress(t *testing.T) {
	w := newWorld(t, "cohera-api")
	w.Advance(time.Hour)
	w.rename(w.as(w.One, cardea.RoleAdmin), w.Import, "First")
	w.rename(w.as(w.One, cardea.RoleOwner), w.Export, "Second")
	w.rename(dashtest.Operator, w.Foreign, "Third")
	if _, err := w.Manage.RevokeKey(t.Context(), w.as(w.One, cardea.RoleOwner), manage.RevokeKey{ID: w.Export.Key.ID, Reason: "done"}); err != nil {
		t.Fatal(err)
	}
	w.Advance(2 * time.Hour)
	viewer := w.viewer()
	first, second, revoked := "<ins>First</ins>", "<ins>Second</ins>", "<ins>done</ins>"
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"actor=" + w.Member(w.One, cardea.RoleAdmin).ID, []string{first}},
		{"actor=" + w.Member(w.Two, cardea.RoleAdmin).ID, nil},
		{"action=key.", []string{first, second, revoked}},
		{"action=key.revoke", []string{revoked}},
		{"action=member.", nil},
		{"target=" + w.Import.Key.ID, []string{first}},
		{"target=" + w.Foreign.Key.ID, nil},
		{"address=198.51.100.9", []string{first, second, revoked}},
		{"address=198.51.100.10", nil},
		{"period=1h", nil},
		{"period=24h", []string{first, second, revoked}},
		{"to=2027-03-14T10:00", nil},
		{"from=2027-03-14T10:00", []string{first, second, revoked}},
		{"organization=" + w.Two.ID, []string{first, second, revoked}},
	} {
		t.Run(c.query, func(t *testing.T) {
			page := viewer.Get("/dashboard/audit?" + c.query)
			if page.Status != http.StatusOK {
				t.Fatalf("status %d: %s", page.Status, words(page))
			}
			exported := viewer.Get(link(t, page, "JSON"))
			for _, text := range []string{first, second, revoked, "<ins>Third</ins>"} {
				want := strings.Contains(strings.Join(c.want, " "), text)
				if got := strings.Contains(page.Body, text); got != want {
					t.Errorf("%s is shown: %v, want %v", text, got, want)
				}
				value := strings.TrimSuffix(strings.TrimPrefix(text, "<ins>"), "</ins>")
				if got := strings.Contains(exported.Body, `"`+value+`"`); got != want {
					t.Errorf("%s is exported: %v, want %v", value, got, want)
				}
			}
		})
	}
}

// An export is a file, of one's own organization only, and no spreadsheet takes a name in
// it for a formula.
func TestAnExportIsAFileWithoutFormulas(t *testing.T) {
	w := newWorld(t, "cohera-api")
	formulas := []string{`=HYPERLINK("https://evil.example";"x")`, "+1+1", "-2+3", "@SUM(A1)", "\uFF1D1+1"}
	for _, formula := range formulas {
		w.rename(w.as(w.One, cardea.RoleAdmin), w.Import, formula)
	}
	w.rename(dashtest.Operator, w.Foreign, "Of nobody’s concern")
	storetest.Change(t, w.Store, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.formula", TargetType: "test", TargetID: "=1+1", Organization: w.One.ID})
		return nil
	})
	viewer := w.viewer()
	page := viewer.Get("/dashboard/audit")
	file := viewer.Get(link(t, page, "CSV"))
	if file.Status != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") ||
		file.Header.Get("Content-Disposition") != `attachment; filename="audit-log-2027-03-14.csv"` ||
		file.Header.Get("Cache-Control") != "no-store" || !strings.Contains(file.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Fatalf("%d %v", file.Status, file.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(file.Body)).ReadAll()
	if err != nil || len(rows) < 6 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.IndexAny(cell, "=+-@\t\r\uFF1D") == 0 {
				t.Errorf("a spreadsheet calculates %q", cell)
			}
		}
	}
	lines := viewer.Get("/dashboard/audit/export?format=json")
	if d := lines.Header.Get("Content-Disposition"); d != `attachment; filename="audit-log-2027-03-14.jsonl"` {
		t.Error(d)
	}
	events := 0
	for line := range strings.Lines(lines.Body) {
		var event struct {
			Seq          int64
			Organization string
		}
		if err := json.Unmarshal([]byte(line), &event, json.MatchCaseInsensitiveNames(true)); err != nil || event.Organization != w.One.ID {
			t.Errorf("%v in %s", err, line)
		}
		events++
	}
	if events < len(formulas) {
		t.Errorf("%d events", events)
	}
	for _, a := range []dashtest.Answer{file, lines} {
		saysNot(t, a, "Of nobody’s concern", w.Two.ID)
	}
	if a := viewer.Get("/dashboard/audit/export?format=xml"); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown format: %d", a.Status)
	}
	if a := viewer.Get("/dashboard/audit/export?format=csv&from=never"); a.Status != http.StatusUnprocessableEntity || strings.Contains(a.Header.Get("Content-Type"), "csv") {
		t.Errorf("half a question: %d %v", a.Status, a.Header)
	}
}

// Names that people type, and paths that strangers send, stay text on every page.
func TestHostileTextStaysText(t *testing.T) {
	w := newWorld(t, "cohera-api")
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	owner := w.As(w.One, cardea.RoleOwner)
	w.rename(w.as(w.One, cardea.RoleOwner), w.Import, attack)
	name := attack
	if _, err := w.Manage.UpdateMember(t.Context(), w.as(w.One, cardea.RoleOwner), manage.UpdateMember{ID: w.Member(w.One, cardea.RoleOwner).ID, Name: &name}); err != nil {
		t.Fatal(err)
	}
	id := w.log(w.Import, attackRow(attack))
	w.use(w.Import, 3, cardea.ReasonScope, 4)
	w.Advance(time.Second)
	hook := owner.Post("/dashboard/webhooks", url.Values{"url": {"https://example.com/?" + url.QueryEscape(attack)}, "description": {attack}})
	if hook.Status != http.StatusOK {
		t.Fatal(words(hook))
	}
	query := url.QueryEscape(attack)
	paths := []string{
		"/usage", "/usage?key=" + w.Import.Key.ID, "/usage?by=route", "/limits?key=" + w.Import.Key.ID, "/errors", "/errors?key=" + w.Import.Key.ID,
		"/requests", "/requests/" + id, "/audit", "/webhooks", "/webhooks/new?url=" + query, link(t, hook, "Done")[len("/dashboard"):],
	}
	for _, page := range []string{"/usage", "/limits", "/errors", "/requests", "/audit"} {
		for _, name := range []string{"q", "period", "by", "key", "environment", "organization", "status", "reason", "route", "method", "address", "from", "actor", "action", "target"} {
			paths = append(paths, page+"?"+name+"="+query)
		}
	}
	found := 0
	for _, path := range paths {
		for _, a := range []dashtest.Answer{owner.Get("/dashboard" + path), owner.Part("/dashboard" + path)} {
			lower := strings.ToLower(a.Body)
			if strings.Contains(lower, "<script>alert") || strings.Contains(lower, "<img src=x") || strings.Contains(lower, `"><script`) {
				t.Errorf("%s: what somebody typed is markup", path)
			}
			if strings.Contains(a.Body, "&lt;script&gt;alert") {
				found++
			}
		}
	}
	if found < 15 {
		t.Errorf("the attack is on %d pages only: is it still tried?", found)
	}
}
