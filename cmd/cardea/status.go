package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var statusColumns = []column[admin.ServerStatus]{
	{"version", func(s admin.ServerStatus) string { return s.Version }},
	{"started", func(s admin.ServerStatus) string { return when(s.StartedAt) }},
	{"contract", func(s admin.ServerStatus) string { return s.Contract.Source + " " + s.Contract.Hash }},
	{"problems", func(s admin.ServerStatus) string { return problemLines(s.Contract.Problems) }},
	{"database", func(s admin.ServerStatus) string {
		if !s.Store.Reachable {
			return s.Store.Engine + ", does not answer"
		}
		return fmt.Sprintf("%s, answers in %v, %s", s.Store.Engine, time.Duration(s.Store.LatencyUS)*time.Microsecond, size(s.Store.Bytes))
	}},
	{"request log", func(s admin.ServerStatus) string {
		return fmt.Sprintf("%s, %s", counted(s.Store.RequestLogDays, "day"), size(s.Store.RequestLogBytes))
	}},
	{"records", func(s admin.ServerStatus) string {
		q := s.Queues
		return fmt.Sprintf("%d wait, %d written, %d dropped, %d failures", q.Buffered, q.Written, q.Dropped, q.Failures)
	}},
}

// size renders a number of bytes for people.
func size(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// statusCommand is `cardea status`.
func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the server is: contract, database, queues",
		RunE: with(func(s *session, c *cobra.Command, _ []string) error {
			status, err := s.GetStatus(c.Context())
			if err != nil {
				return err
			}
			return printOne(s.printer, statusColumns, status)
		}),
	}
}

// A limitRow is a line of `cardea limits`.
type limitRow struct {
	admin.LimitOwner
	admin.Gauge
}

var limitColumns = []column[limitRow]{
	{"owner", func(r limitRow) string {
		if r.Key != "" {
			return r.Key
		}
		return r.Organization
	}},
	{"environment", func(r limitRow) string { return r.Environment }},
	{"window", func(r limitRow) string { return r.Window }},
	{"limit", func(r limitRow) string { return count(r.Limit) }},
	{"used", func(r limitRow) string { return count(r.Used) }},
	{"left", func(r limitRow) string { return count(r.Remaining) }},
	{"again at", func(r limitRow) string { return when(r.ResetAt) }},
}

// limitsCommand is `cardea limits`.
func limitsCommand() *cobra.Command {
	var q admin.LimitsQuery
	c := &cobra.Command{Use: "limits", Short: "Show what is left of limits right now"}
	f := c.Flags()
	f.StringVar(&q.Organization, "org", "", "of the organization with this `ID`")
	f.StringVar(&q.Key, "key", "", "of the credential with this `ID`")
	f.StringVar(&q.Environment, "env", "", "only in this environment")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if q.Organization == "" && q.Key == "" {
			return usagef("say whose: --org or --key")
		}
		now, err := s.GetLimits(c.Context(), q)
		if err != nil {
			return err
		}
		if s.json {
			return s.encode(now)
		}
		var rows []limitRow
		for _, owner := range now.Owners {
			for _, g := range owner.Gauges {
				rows = append(rows, limitRow{owner, g})
			}
		}
		if len(rows) == 0 {
			s.say("nothing limits it")
			return nil
		}
		if err := printList(s.printer, limitColumns, rows); err != nil || len(now.Refusals) == 0 {
			return err
		}
		s.say("refused by a limit in the last 24 hours, newest first:")
		return printList(s.printer, requestColumns, now.Refusals)
	})
	return c
}
