package manage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Several keys are revoked in one act; those that are somebody else's business are left
// as they are, and named as if they did not exist.
func TestRevokingSeveralKeysTouchesNoOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, other := w.organization("Mine"), w.organization("Other")
		a, b, theirs := w.key(mine.ID, "a").Key, w.key(mine.ID, "b").Key, w.key(other.ID, "theirs").Key
		me := actorOf(w.member(mine.ID, "me@example.com", cardea.RoleDeveloper))
		personal := must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "personal_token", Member: w.member(mine.ID, "you@example.com", cardea.RoleViewer).ID, Name: "p"}))(t).Key
		w.evicted()
		done := must(w.RevokeKeys(w.ctx, me, manage.RevokeKeys{IDs: []string{a.ID, theirs.ID, b.ID, a.ID, "'; --", personal.ID}, Reason: "leaked"}))(t)
		if len(done.Items) != 2 || done.Items[0].Status != manage.StatusRevoked || done.Items[1].RevokedReason != "leaked" {
			t.Errorf("revoked %+v", done.Items)
		}
		want := []manage.NotDone{{ID: theirs.ID, Detail: "no such key"}, {Detail: "no such key"}, {ID: personal.ID, Detail: "your role does not allow this"}}
		if len(done.Failed) != 3 || done.Failed[0] != want[0] || done.Failed[1] != want[1] || done.Failed[2] != want[2] {
			t.Errorf("not revoked %+v", done.Failed)
		}
		if got := w.evicted(); len(got) < 2 {
			t.Errorf("evicted %v", got)
		}
		for _, k := range []manage.Key{theirs, personal} {
			if got := must(w.Key(w.ctx, operator, manage.ID{ID: k.ID}))(t); got.Status == manage.StatusRevoked {
				t.Errorf("%s is revoked", got.Name)
			}
		}
		// Once more: nothing changes, and caches are told again.
		w.advance(time.Hour)
		again := must(w.RevokeKeys(w.ctx, me, manage.RevokeKeys{IDs: []string{a.ID}, Reason: "other"}))(t)
		if again.Items[0].RevokedReason != "leaked" || len(w.evicted()) == 0 {
			t.Errorf("again %+v", again)
		}
		_, err := w.RevokeKeys(w.ctx, me, manage.RevokeKeys{IDs: []string{theirs.ID}})
		wantKind(t, err, cardea.KindNotFound)
		_, err = w.RevokeKeys(w.ctx, me, manage.RevokeKeys{})
		wantField(t, err, "ids")
		var many []string
		for i := range 201 {
			many = append(many, fmt.Sprintf("key_%d", i))
		}
		_, err = w.RevokeKeys(w.ctx, me, manage.RevokeKeys{IDs: many})
		wantField(t, err, "ids")
	})
}

// When a person leaves, nothing that acts in their name works any more: personal keys,
// grants, tokens, sessions, links; what is the organization's, or others', goes on.
func TestOffboardingAPersonLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newScene(w)
		link := must(w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: s.admin.ID}))(t)
		owner := w.member(s.org.ID, "owner@example.com", cardea.RoleOwner)
		w.evicted()
		done := must(w.RevokeAll(w.ctx, actorOf(owner), manage.RevokeAll{Member: s.admin.ID, Reason: "left", Disable: true}))(t)
		if done.KeysRevoked != 1 || !done.Disabled || done.Member != s.admin.ID || done.Organization != s.org.ID {
			t.Errorf("done %+v", done)
		}
		if got := must(w.Key(w.ctx, operator, manage.ID{ID: s.personal.Key.ID}))(t); got.Status != manage.StatusRevoked || got.RevokedReason != "left" {
			t.Errorf("the personal token is %+v", got)
		}
		if got := must(w.Key(w.ctx, operator, manage.ID{ID: s.key.Key.ID}))(t); got.Status == manage.StatusRevoked {
			t.Error("the organization's key is revoked")
		}
		if list := must(w.Sessions(w.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(t); len(list.Items) != 0 {
			t.Errorf("sessions %+v", list.Items)
		}
		if list := must(w.Grants(w.ctx, operator, manage.GrantFilter{Member: s.admin.ID}))(t); list.Items[0].RevokedAt.IsZero() {
			t.Errorf("grants %+v", list.Items)
		}
		if l := must(w.store.Link(w.ctx, secret.HashOf(link.Secret.Reveal())))(t); l.UsedAt.IsZero() {
			t.Error("the hand-off is still good")
		}
		m := must(w.store.Member(w.ctx, s.admin.ID))(t)
		if m.DisabledAt.IsZero() || m.TokensNotBefore.IsZero() || len(w.evicted()) == 0 {
			t.Errorf("the member is %+v", m)
		}
	})
}

// An organization that lost everything keeps its people, who sign in again and make new
// keys; its neighbour lost nothing.
func TestRevokingAllOfAnOrganization(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	other := w.organization("Other")
	theirs := w.key(other.ID, "theirs").Key
	owner := actorOf(w.member(s.org.ID, "owner@example.com", cardea.RoleOwner))
	for name, actor := range map[string]cardea.Actor{"an admin": actorOf(s.admin), "a stranger": actorOf(w.member(other.ID, "x@example.com", cardea.RoleOwner))} {
		if _, err := w.RevokeAll(w.ctx, actor, manage.RevokeAll{Organization: s.org.ID}); err == nil {
			t.Errorf("%s did it", name)
		}
	}
	for _, in := range []manage.RevokeAll{{}, {Organization: s.org.ID, Member: s.admin.ID}} {
		_, err := w.RevokeAll(w.ctx, owner, in)
		wantField(t, err, "organization")
	}
	_, err := w.RevokeAll(w.ctx, owner, manage.RevokeAll{Organization: s.org.ID, Disable: true})
	wantField(t, err, "disable")
	done := must(w.RevokeAll(w.ctx, owner, manage.RevokeAll{Organization: s.org.ID, Reason: "breach"}))(t)
	if done.KeysRevoked != 10 {
		t.Errorf("done %+v", done)
	}
	if list := must(w.Sessions(w.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(t); len(list.Items) != 0 {
		t.Errorf("sessions %+v", list.Items)
	}
	if got := must(w.Key(w.ctx, operator, manage.ID{ID: theirs.ID}))(t); got.Status != manage.StatusActive {
		t.Errorf("the neighbour's key is %+v", got)
	}
	must(w.CreateKey(w.ctx, owner, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: s.org.ID, Name: "new"}))(t)
}

// Who is signed out elsewhere stays signed in here, and nobody else is signed out.
func TestEndingOtherSessions(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	second := s.session
	second.ID, second.Hash = secret.NewID("ses_"), secret.HashOf("second")
	w.write(func(tx *store.Tx) error { return tx.InsertSession(w.ctx, second) })
	must(w.EndOtherSessions(w.ctx, actorOf(s.admin), manage.ID{ID: second.ID}))(t)
	list := must(w.Sessions(w.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(t).Items
	if len(list) != 1 || list[0].ID != second.ID {
		t.Errorf("sessions %+v", list)
	}
	_, err := w.EndOtherSessions(w.ctx, actorOf(w.member(s.org.ID, "v@example.com", cardea.RoleViewer)), manage.ID{ID: second.ID})
	wantKind(t, err, cardea.KindForbidden)
}

// An admin who could sign an owner out, again and again, would keep them from undoing what
// the admin does.
func TestOwnersAreSignedOutByOwnersOnly(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	owner := w.member(s.org.ID, "owner@example.com", cardea.RoleOwner)
	theirs := s.session
	theirs.ID, theirs.Hash, theirs.Member = secret.NewID("ses_"), secret.HashOf("owner"), owner.ID
	w.write(func(tx *store.Tx) error { return tx.InsertSession(w.ctx, theirs) })
	admin := actorOf(s.admin)
	for name, err := range map[string]error{
		"there":           second2(w.EndSession(w.ctx, admin, manage.ID{ID: theirs.ID})),
		"elsewhere":       second2(w.EndOtherSessions(w.ctx, admin, manage.ID{ID: theirs.ID})),
		"everywhere":      second2(w.EndSessions(w.ctx, admin, manage.ID{ID: owner.ID})),
		"with their keys": second2(w.RevokeAll(w.ctx, admin, manage.RevokeAll{Member: owner.ID})),
	} {
		if cardea.KindOf(err) != cardea.KindForbidden {
			t.Errorf("an admin signed an owner out %s: %v", name, err)
		}
	}
	other := actorOf(w.member(s.org.ID, "other@example.com", cardea.RoleOwner))
	must(w.EndSession(w.ctx, other, manage.ID{ID: theirs.ID}))(t)
	must(w.EndSessions(w.ctx, actorOf(owner), manage.ID{ID: owner.ID}))(t)
}
