package insight

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// maxCheckpoint bounds the text of a checkpoint in bytes; one has about 200.
const maxCheckpoint = 4096

// AuditEvents lists audit events, newest first. A member sees those of their
// organization. A page may hold fewer events than asked, or none, and still have a next
// one: so many events are looked at for a page.
func (i *Insight) AuditEvents(ctx context.Context, actor cardea.Actor, in AuditFilter) (access.List[AuditEvent], error) {
	filter, err := i.auditFilter(ctx, actor, in)
	if err != nil {
		return access.List[AuditEvent]{}, err
	}
	scope := []string{"audit-events", filter.Organization, in.Target, in.Actor, in.Action, filter.Address, instant(in.From), instant(in.To)}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.AuditEvent, string, error) {
		return i.store.AuditEvents(ctx, filter, p)
	}, viewEvent)
}

// auditFilter checks a filter and narrows it to what the actor may see.
func (i *Insight) auditFilter(ctx context.Context, actor cardea.Actor, in AuditFilter) (store.AuditFilter, error) {
	var p rules.Problems
	p.Add(rules.Target("target", in.Target))
	p.Add(rules.Filter("actor", in.Actor))
	p.Add(rules.Filter("action", in.Action))
	address := addressOf(&p, in.Address)
	period(&p, in.From, in.To)
	if err := p.Err(); err != nil {
		return store.AuditFilter{}, err
	}
	organization, err := i.access.Scope(ctx, actor, in.Organization)
	return store.AuditFilter{
		Organization: organization, TargetID: in.Target, ActorID: in.Actor, Action: in.Action, Address: address,
		Since: in.From, Until: in.To,
	}, err
}

func viewEvent(e store.AuditEvent) AuditEvent {
	return AuditEvent{
		Seq: e.Seq, At: e.At, Action: e.Action, Organization: e.Organization, RequestID: e.Actor.RequestID,
		Actor:  AuditActor{Type: e.Actor.Type, ID: e.Actor.ID, Address: e.Actor.Address},
		Target: AuditTarget{Type: e.TargetType, ID: e.TargetID}, Detail: e.Detail,
	}
}

// AuditCheckpoint signs the present state of the audit log, if it grew since the last
// checkpoint, and returns the last one. Operators only.
func (i *Insight) AuditCheckpoint(ctx context.Context, actor cardea.Actor, _ access.None) (Checkpoint, error) {
	if err := access.Operator(actor); err != nil {
		return Checkpoint{}, err
	}
	c, signed, err := i.store.SignCheckpoint(ctx)
	if err == nil && !signed {
		c, err = i.store.LastCheckpoint(ctx)
	}
	if err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{Size: c.Size, SignedAt: c.At, Note: c.Note}, nil
}

// VerifyAudit recomputes the audit log's tree from its records and, given a checkpoint
// that was kept elsewhere, proves that the log extends it. A log that fails the check is
// a result, not an error. Operators only.
func (i *Insight) VerifyAudit(ctx context.Context, actor cardea.Actor, in VerifyAudit) (AuditVerification, error) {
	if err := access.OperatorReads(actor); err != nil {
		return AuditVerification{}, err
	}
	if len(in.Checkpoint) > maxCheckpoint {
		return AuditVerification{}, cardea.Invalid("checkpoint", "must have at most %d bytes", maxCheckpoint)
	}
	verify := i.store.VerifyAudit
	if in.Checkpoint != "" {
		verify = func(ctx context.Context) (store.Tree, error) { return i.store.VerifyCheckpoint(ctx, in.Checkpoint) }
	}
	tree, err := verify(ctx)
	switch {
	case errors.Is(err, store.ErrAuditDamaged):
		return AuditVerification{Fault: err.Error()}, nil
	case err != nil:
		return AuditVerification{}, err
	}
	return AuditVerification{
		OK: true, Size: tree.Size, Root: base64.StdEncoding.EncodeToString(tree.Root[:]),
		ExtendsCheckpoint: in.Checkpoint != "",
	}, nil
}
