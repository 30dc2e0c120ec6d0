package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// SetPassword is the input of [Manager.SetPassword].
type SetPassword struct {
	Member string `json:"member"`

	// Password is hashed and forgotten.
	Password string `json:"password"`
}

// SetPassword gives a member a password, in place of the one they may have, and signs
// them out everywhere. Operators only: people set their own where they sign in, and
// nobody sets somebody else's.
func (m *Manager) SetPassword(ctx context.Context, actor cardea.Actor, in SetPassword) (Member, error) {
	if err := access.Operator(actor); err != nil {
		return Member{}, err
	}
	if m.hasher == nil {
		return Member{}, errNoSignIn
	}
	member, err := m.findMember(ctx, m.store.Reader, actor, in.Member, access.Nobody)
	if err != nil {
		return Member{}, err
	}
	hash, err := m.hash(ctx, in.Password, member.Email, member.Name, m.contract().Product())
	if err != nil {
		return Member{}, err
	}
	return m.saveMember(ctx, actor, func(tx *store.Tx) (store.Member, error) {
		member, err := m.findMember(ctx, tx.Reader, actor, in.Member, access.Nobody)
		if err != nil {
			return store.Member{}, err
		}
		access.Record(tx, "member.set_password", "member", member.ID, member.Organization, nil)
		if err := tx.SetPassword(ctx, store.Password{Member: member.ID, Hash: hash}); err != nil {
			return store.Member{}, err
		}
		for _, purpose := range []string{purposeInvite, purposeReset, purposeHandoff} {
			if err := tx.EndLinks(ctx, member.ID, purpose); err != nil {
				return store.Member{}, err
			}
		}
		return member, tx.EndSessions(ctx, member.ID, "")
	})
}

// linkPrefix begins the text of a one-time link, so that scanners and people know it when
// they see it.
const linkPrefix = "cardea_link_"

// A Link lets a person into their account once: to choose how to sign in from then on, or
// for a day ([Manager.CreateHandoff]).
type Link struct {
	Member  string `json:"member,omitzero"` // "" of a set-up: there is none yet
	Purpose string `json:"purpose"`         // "invite", "reset", "handoff" or "setup"

	// Secret is the last part of the link's path. Whoever has it is the member. URL is the
	// whole link, and as secret; its path alone where nobody knows the host that people
	// sign in at.
	Secret    secret.Secret `json:"secret"`
	URL       secret.Secret `json:"url"`
	ExpiresAt time.Time     `json:"expires_at"`
}

// CreateInvitation makes a link for a member who cannot sign in yet, in place of earlier
// ones. Owners and admins may invite; for a member who can sign in already it is refused,
// since whoever has the link is that person.
func (m *Manager) CreateInvitation(ctx context.Context, actor cardea.Actor, in ID) (Link, error) {
	return m.createLink(ctx, actor, in.ID, purposeInvite, inviteLasts, access.Admin, func(tx *store.Tx, member store.Member) error {
		_, err := tx.Password(ctx, in.ID)
		keys, failed := tx.Passkeys(ctx, in.ID)
		switch {
		case failed != nil:
			return failed
		case err == nil, len(keys) > 0, !member.SignedInAt.IsZero(): // through their company, or handed off
			return cardea.Errorf(cardea.KindConflict, "the member can sign in already")
		case cardea.KindOf(err) != cardea.KindNotFound:
			return err
		}
		return nil
	})
}

// CreateResetLink makes a link for a member who has lost what they sign in with, in place
// of earlier ones. Operators only: whoever has the link is that person.
func (m *Manager) CreateResetLink(ctx context.Context, actor cardea.Actor, in ID) (Link, error) {
	return m.createLink(ctx, actor, in.ID, purposeReset, resetLasts, access.Nobody, func(*store.Tx, store.Member) error { return nil })
}

// createLink makes a link if check allows it.
func (m *Manager) createLink(ctx context.Context, actor cardea.Actor, id, purpose string, lasts time.Duration, need access.Right, check func(*store.Tx, store.Member) error) (Link, error) {
	link := Link{Member: id, Purpose: purpose, Secret: secret.New(secret.ShapePrefix, linkPrefix)}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		member, err := m.findMember(ctx, tx.Reader, actor, id, need)
		if err != nil {
			return err
		}
		if err := m.mayGrant(ctx, tx.Reader, actor, member.Role); err != nil {
			return err
		}
		if !member.DisabledAt.IsZero() {
			return cardea.Errorf(cardea.KindConflict, "the member is disabled")
		}
		if err := check(tx, member); err != nil {
			return err
		}
		if err := tx.EndLinks(ctx, id, purpose); err != nil {
			return err
		}
		link.ExpiresAt = tx.Now().Add(lasts)
		access.Record(tx, "member."+purpose, "member", member.ID, member.Organization, linkDetail{link.ExpiresAt})
		return tx.InsertLink(ctx, store.OneTimeLink{
			Hash: link.Secret.Hash(), Purpose: purpose, Member: id, CreatedAt: tx.Now(), ExpiresAt: link.ExpiresAt,
		})
	})
	if err != nil {
		return Link{}, err
	}
	return m.located(link), nil
}

// linkDetail is the detail of the event of a link.
type linkDetail struct {
	ExpiresAt time.Time `json:"expires_at"`
}
