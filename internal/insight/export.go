package insight

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// The formats of [Insight.ExportAudit].
const (
	FormatCSV  = "csv"  // RFC 4180, with a line of names; what "" is
	FormatJSON = "json" // one object a line
)

// exportStep is how many events are read at a time.
const exportStep = 500

// ExportAudit writes the audit events that a filter selects, newest first, all of them:
// the filter's page is not used, and events that happen meanwhile are not in it. An error
// before the first byte leaves w as it was. A member exports those of their organization.
//
// In CSV a text that a spreadsheet would take for a formula begins with an apostrophe:
// names in the log are of other people's choice.
func (i *Insight) ExportAudit(ctx context.Context, actor cardea.Actor, in AuditFilter, format string, w io.Writer) error {
	var write eventWriter
	switch format {
	case FormatCSV, "":
		write = newCSVWriter(w)
	case FormatJSON:
		write = jsonWriter{w}
	default:
		return cardea.Invalid("format", "must be csv or json")
	}
	filter, err := i.auditFilter(ctx, actor, in)
	if err != nil {
		return err
	}
	for page := (store.Page{Limit: exportStep}); ; {
		events, next, err := i.store.AuditEvents(ctx, filter, page)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := write.event(viewEvent(e)); err != nil {
				return err
			}
		}
		if next == "" {
			return write.end()
		}
		page.After = next
	}
}

// An eventWriter writes events in a format.
type eventWriter interface {
	event(e AuditEvent) error
	end() error
}

// jsonWriter writes an object a line.
type jsonWriter struct{ w io.Writer }

func (j jsonWriter) event(e AuditEvent) error {
	text, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(text, '\n'))
	return err
}

func (j jsonWriter) end() error {
	_, err := j.w.Write(nil) // a download without events is one, too
	return err
}

// csvWriter writes a line of names and a line for each event.
type csvWriter struct{ w *csv.Writer }

// csvNames are the columns. Detail is the event's as JSON, before and after its members
// for people.
var csvNames = []string{
	"seq", "at", "action", "actor_type", "actor_id", "actor_address", "target_type", "target_id", "organization",
	"request_id", "before", "after", "detail",
}

func newCSVWriter(w io.Writer) *csvWriter {
	c := &csvWriter{csv.NewWriter(w)}
	c.w.UseCRLF = true      // RFC 4180 §2
	_ = c.w.Write(csvNames) // into the buffer; an error comes again at the end
	return c
}

func (c *csvWriter) event(e AuditEvent) error {
	var before, after []string
	for _, d := range e.Differences() {
		if d.Before != "" {
			before = append(before, d.Member+": "+d.Before)
		}
		if d.After != "" {
			after = append(after, d.Member+": "+d.After)
		}
	}
	row := []string{
		strconv.FormatInt(e.Seq, 10), e.At.Format(time.RFC3339Nano), e.Action, e.Actor.Type, e.Actor.ID, e.Actor.Address,
		e.Target.Type, e.Target.ID, e.Organization, e.RequestID, strings.Join(before, "; "), strings.Join(after, "; "), string(e.Detail),
	}
	for i, text := range row {
		row[i] = harmless(text)
	}
	return c.w.Write(row)
}

func (c *csvWriter) end() error {
	c.w.Flush()
	return c.w.Error()
}

// harmless returns a cell that no spreadsheet takes for a formula: what begins with one of
// these characters, in either width, gets an apostrophe before it (OWASP, "CSV
// Injection"). A line break within a cell begins none.
func harmless(text string) string {
	if strings.IndexAny(text, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}
