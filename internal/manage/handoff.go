package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// CreateHandoff is the input of [Manager.CreateHandoff].
type CreateHandoff struct {
	Member string `json:"member"`

	// Continue is where the person lands: a path of the dashboard such as
	// "/dashboard/keys?status=expired"; "": its first page.
	Continue string `json:"continue,omitzero"`
}

// CreateHandoff makes a link with which the product's own application, where a member has
// signed in, sends them on to the dashboard: whoever opens it within a quarter of an hour
// is signed in as that member, once, for a day. Operators only, for members of customers
// only: no link makes an operator.
func (m *Manager) CreateHandoff(ctx context.Context, actor cardea.Actor, in CreateHandoff) (Link, error) {
	if err := access.Operator(actor); err != nil {
		return Link{}, err
	}
	if in.Continue == "" {
		in.Continue = rules.Portal
	}
	if !rules.IsPortal(in.Continue) {
		return Link{}, cardea.Invalid("continue", "must be a path of the dashboard, such as %s/keys", rules.Portal)
	}
	link := Link{Member: in.Member, Purpose: purposeHandoff, Secret: secret.New(secret.ShapePrefix, linkPrefix)}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		member, err := m.findMember(ctx, tx.Reader, actor, in.Member, access.Nobody)
		if err != nil {
			return atField(err, "member")
		}
		o, err := tx.Organization(ctx, member.Organization)
		if err != nil {
			return err
		}
		switch {
		case o.Staff:
			return errStaff
		case !member.DisabledAt.IsZero():
			return &cardea.Error{Kind: cardea.KindConflict, Field: "member", Public: "is disabled"}
		case !o.SuspendedAt.IsZero():
			return &cardea.Error{Kind: cardea.KindConflict, Field: "member", Public: "belongs to an organization that is suspended"}
		}
		link.ExpiresAt = tx.Now().Add(handoffLasts)
		access.Record(tx, "member.handoff", "member", member.ID, member.Organization, linkDetail{link.ExpiresAt})
		return tx.InsertLink(ctx, store.OneTimeLink{
			Hash: link.Secret.Hash(), Purpose: purposeHandoff, Member: member.ID, Onward: in.Continue,
			CreatedAt: tx.Now(), ExpiresAt: link.ExpiresAt,
		})
	})
	if err != nil {
		return Link{}, err
	}
	return m.located(link), nil
}

// located returns a link with its URL.
func (m *Manager) located(link Link) Link {
	at := m.appOrigin() + "/" + link.Purpose + "/"
	link.URL = secret.Known(at, at+link.Secret.Reveal())
	return link
}

// The purposes of one-time links, and how long one may wait to be opened: an invitation
// over a weekend, a reset while one sits there.
const (
	purposeInvite  = "invite"
	purposeReset   = "reset"
	purposeHandoff = "handoff"
	inviteLasts    = 7 * 24 * time.Hour
	resetLasts     = time.Hour
	handoffLasts   = 15 * time.Minute
	setupLasts     = 24 * time.Hour
)
