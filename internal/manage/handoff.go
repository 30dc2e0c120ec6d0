package manage

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
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

// portal is the path below which a hand-off may lead.
const portal = "/dashboard"

// maxContinue bounds where a hand-off leads, in bytes.
const maxContinue = 1000

// CreateHandoff makes a link with which the product's own application, where a member has
// signed in, sends them on to the dashboard: whoever opens it within a quarter of an hour
// is signed in as that member, once, for a day. Operators only, for members of customers
// only: no link makes an operator.
func (m *Manager) CreateHandoff(ctx context.Context, actor cardea.Actor, in CreateHandoff) (Link, error) {
	if err := access.Operator(actor); err != nil {
		return Link{}, err
	}
	if in.Continue == "" {
		in.Continue = portal
	}
	if !insidePortal(in.Continue) {
		return Link{}, cardea.Invalid("continue", "must be a path of the dashboard, such as %s/keys", portal)
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

// insidePortal reports whether a text is a path of the dashboard, perhaps with a query,
// that no browser reads as anything else: no "..", "//", "\", "%" in the path, no control
// characters and no fragment.
func insidePortal(text string) bool {
	path, query, _ := strings.Cut(text, "?")
	if len(text) > maxContinue || path != portal && !strings.HasPrefix(path, portal+"/") {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return false
		}
	}
	if strings.Contains(path, "//") || strings.Contains(path, "%") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	_, err := url.ParseQuery(query)
	return err == nil
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
