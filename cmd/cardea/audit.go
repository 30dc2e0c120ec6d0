package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var auditColumns = []column[admin.AuditEvent]{
	{"seq", func(e admin.AuditEvent) string { return count(e.Seq) }},
	{"at", func(e admin.AuditEvent) string { return when(e.At) }},
	{"actor", func(e admin.AuditEvent) string { return e.Actor.Type + ":" + e.Actor.ID }},
	{"action", func(e admin.AuditEvent) string { return e.Action }},
	{"target", func(e admin.AuditEvent) string { return e.Target.ID }},
	{"organization", func(e admin.AuditEvent) string { return e.Organization }},
	{"detail", func(e admin.AuditEvent) string { return short(string(e.Detail)) }},
}

// auditCommand is `cardea audit`.
func auditCommand() *cobra.Command {
	return group("audit", "The audit log: who changed what", auditList(), auditExport(), auditCheckpoint(), auditVerify())
}

func auditList() *cobra.Command {
	var filter admin.AuditFilter
	c := &cobra.Command{Use: "list", Short: "List changes, newest first"}
	complete := auditFlags(c, &filter)
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if err := complete(); err != nil {
			return err
		}
		all, err := collect(s, c, s.ListAuditEvents(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, auditColumns, all)
	})
	return c
}

// auditFlags adds the flags of a filter; the function it returns takes in those that are
// times.
func auditFlags(c *cobra.Command, filter *admin.AuditFilter) (complete func() error) {
	f := c.Flags()
	f.StringVar(&filter.Organization, "org", "", "only in the organization with this `ID`")
	f.StringVar(&filter.Target, "target", "", "only of the object with this `ID`")
	f.StringVar(&filter.Actor, "actor", "", "only by the actor with this `ID`")
	f.StringVar(&filter.Action, "action", "", "only this action, such as key.revoke, or all that begin so: key.")
	f.StringVar(&filter.Address, "address", "", "only from this `IP` address")
	return spanFlags(c, &filter.From, &filter.To)
}

// spanFlags adds the flags of a period.
func spanFlags(c *cobra.Command, from, to *time.Time) (complete func() error) {
	var begin, end string
	c.Flags().StringVar(&begin, "from", "", "start: a time, or how long ago, such as 7d")
	c.Flags().StringVar(&end, "to", "", "end: a time, or how long ago")
	return func() (err error) {
		if *from, err = parseAgo(begin, time.Now()); err != nil {
			return err
		}
		*to, err = parseAgo(end, time.Now())
		return err
	}
}

func auditExport() *cobra.Command {
	var filter admin.AuditFilter
	var format string
	c := &cobra.Command{
		Use: "export", Short: "Write changes to standard output, newest first, as CSV or JSON",
		Example: "  cardea audit export --from 30d > audit.csv",
	}
	complete := auditFlags(c, &filter)
	c.Flags().StringVar(&format, "format", "csv", "csv, or json: one object a line")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if err := complete(); err != nil {
			return err
		}
		file, err := s.ExportAudit(c.Context(), filter, format)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.Copy(s.out, file); err != nil {
			return fmt.Errorf("the export broke off: %w", err)
		}
		return nil
	})
	return c
}

func auditCheckpoint() *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint", Short: "Print a signed checkpoint, to keep somewhere else",
		RunE: with(func(s *session, c *cobra.Command, _ []string) error {
			p, err := s.GetAuditCheckpoint(c.Context())
			if err != nil {
				return err
			}
			if s.json {
				return s.encode(p)
			}
			_, err = fmt.Fprint(s.out, p.Note)
			return err
		}),
	}
}

func auditVerify() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "verify", Short: "Check that no event was changed, removed or put in",
		Long: `Recomputes the audit log's tree from all its events. With --checkpoint it also proves
that the log extends the checkpoint, so that what was there then is there unchanged.

Exit code 1: the log does not verify.`,
	}
	c.Flags().StringVar(&file, "checkpoint", "", "`FILE` with an earlier checkpoint")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		var in admin.VerifyAudit
		if file != "" {
			note, err := os.ReadFile(file)
			if err != nil {
				return usagef("the checkpoint cannot be read: %w", err)
			}
			in.Checkpoint = string(note)
		}
		v, err := s.VerifyAudit(c.Context(), in)
		if err != nil {
			return err
		}
		if s.json {
			if err := s.encode(v); err != nil {
				return err
			}
		}
		if !v.OK {
			return fmt.Errorf("the audit log does not verify: %s", v.Fault)
		}
		s.say("%d events verified", v.Size)
		if v.ExtendsCheckpoint {
			s.say("the log extends the checkpoint")
		}
		return nil
	})
	return c
}
