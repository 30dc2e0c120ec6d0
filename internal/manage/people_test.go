package manage_test

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A new password signs its owner out everywhere, ends links that would set another, and
// is kept as a hash.
func TestANewPasswordEndsWhatTheOldOneOpened(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newScene(w)
		link := must(w.CreateResetLink(w.ctx, operator, manage.ID{ID: s.admin.ID}))(t)
		must(w.SetPassword(w.ctx, operator, manage.SetPassword{Member: s.admin.ID, Password: memberPassword}))(t)
		stored := must(w.store.Password(w.ctx, s.admin.ID))(t)
		if ok, err := password.New(password.Config{}).Verify(w.ctx, stored.Hash, memberPassword); !ok || err != nil {
			t.Errorf("the password is not the one that was set: %v", err)
		}
		if n := len(must(w.Sessions(w.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(t).Items); n != 0 {
			t.Errorf("%d sessions go on", n)
		}
		if l := must(w.store.Link(w.ctx, link.Secret.Hash()))(t); l.UsedAt.IsZero() {
			t.Errorf("the reset link still works")
		}
	})
}

func TestPasswordsThatEverybodyTriesAreRefused(t *testing.T) {
	w := sqlite(t)
	m := w.member(w.organization("Acme").ID, "ada@example.com", cardea.RoleOwner)
	for _, p := range []string{"", "short", "password1234", "ada@example.com"} {
		_, err := w.SetPassword(w.ctx, operator, manage.SetPassword{Member: m.ID, Password: p})
		wantField(t, err, "password")
	}
}

// A link is single, has an end and belongs to one purpose; the newest one counts.
func TestOneTimeLinksReplaceEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(w.organization("Acme").ID, "ada@example.com", cardea.RoleDeveloper)
		first := must(w.CreateInvitation(w.ctx, operator, manage.ID{ID: m.ID}))(t)
		second := must(w.CreateInvitation(w.ctx, operator, manage.ID{ID: m.ID}))(t)
		if !second.ExpiresAt.Equal(w.clock().Add(7*24*time.Hour)) || second.Purpose != "invite" {
			t.Errorf("link %+v", second)
		}
		if l := must(w.store.Link(w.ctx, first.Secret.Hash()))(t); l.UsedAt.IsZero() {
			t.Errorf("the first link still works")
		}
		if l := must(w.store.Link(w.ctx, second.Secret.Hash()))(t); !l.UsedAt.IsZero() || l.Member != m.ID || l.Purpose != "invite" {
			t.Errorf("the second link is %+v", l)
		}
		must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
		_, err := w.CreateResetLink(w.ctx, operator, manage.ID{ID: m.ID})
		wantKind(t, err, cardea.KindConflict)
	})
}

// Whoever has an invitation is the member, so nobody gets one for somebody who can sign in,
// or who is more than they are.
func TestAnInvitationTakesNoAccountOver(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	owner := w.member(o.ID, "o@example.com", cardea.RoleOwner)
	admin := actorOf(w.member(o.ID, "a@example.com", cardea.RoleAdmin))
	new := w.member(o.ID, "n@example.com", cardea.RoleDeveloper)
	must(w.CreateInvitation(w.ctx, admin, manage.ID{ID: new.ID}))(t)
	_, err := w.CreateInvitation(w.ctx, admin, manage.ID{ID: owner.ID})
	wantKind(t, err, cardea.KindForbidden)
	must(w.SetPassword(w.ctx, operator, manage.SetPassword{Member: new.ID, Password: memberPassword}))(t)
	_, err = w.CreateInvitation(w.ctx, actorOf(owner), manage.ID{ID: new.ID})
	wantKind(t, err, cardea.KindConflict)
	passkey := w.member(o.ID, "p@example.com", cardea.RoleDeveloper)
	w.write(func(tx *store.Tx) error {
		return tx.InsertPasskey(w.ctx, store.Passkey{ID: []byte("k"), Member: passkey.ID, Name: "phone", Data: []byte("{}")})
	})
	_, err = w.CreateInvitation(w.ctx, actorOf(owner), manage.ID{ID: passkey.ID})
	wantKind(t, err, cardea.KindConflict)
	company := w.member(o.ID, "c@example.com", cardea.RoleDeveloper) // signs in through their company
	w.write(func(tx *store.Tx) error {
		return tx.InsertSession(w.ctx, store.Session{
			Hash: secret.HashOf("c"), ID: secret.NewID("ses_"), Member: company.ID, Organization: o.ID, Method: "sso",
			CreatedAt: tx.Now(), SeenAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour),
		})
	})
	_, err = w.CreateInvitation(w.ctx, admin, manage.ID{ID: company.ID})
	wantKind(t, err, cardea.KindConflict)
}

// The secret of a connection survives a change of anything but what it belongs to, and is
// never shown.
func TestAConnectionKeepsItsSecretForItsProviderOnly(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	set := func(in manage.SetConnection) manage.Connection {
		t.Helper()
		in.Organization = o.ID
		return must(w.SetConnection(w.ctx, operator, in))(t)
	}
	in := manage.SetConnection{Issuer: "https://id.example.com", ClientID: "cardea", ClientSecret: connectionSecret}
	first := set(in)
	in.ClientSecret, in.AutoJoin, in.Domains, in.Role = "", true, []string{"example.com"}, cardea.RoleDeveloper
	if kept := set(in); !first.HasSecret || !kept.HasSecret || kept.Role != cardea.RoleDeveloper {
		t.Errorf("first %+v, kept %+v", first, kept)
	}
	in.Issuer = "https://other.example.com"
	if moved := set(in); moved.HasSecret {
		t.Errorf("the secret went to another provider: %+v", moved)
	}
	for field, bad := range map[string]manage.SetConnection{
		"issuer":        {Issuer: "http://id.example.com", ClientID: "x"},
		"client_id":     {Issuer: "https://id.example.com"},
		"domains":       {Issuer: "https://id.example.com", ClientID: "x", AutoJoin: true},
		"domains[0]":    {Issuer: "https://id.example.com", ClientID: "x", Domains: []string{"*"}},
		"role":          {Issuer: "https://id.example.com", ClientID: "x", Role: "king"},
		"client_secret": {Issuer: "https://id.example.com", ClientID: "x", ClientSecret: string(make([]byte, 3000))},
	} {
		bad.Organization = o.ID
		_, err := w.SetConnection(w.ctx, operator, bad)
		wantField(t, err, field)
	}
	gone := must(w.DeleteConnection(w.ctx, operator, manage.ConnectionID{Organization: o.ID}))(t)
	_, err := w.Connection(w.ctx, operator, manage.ConnectionID{Organization: o.ID})
	wantKind(t, err, cardea.KindNotFound)
	if gone.Issuer != "https://other.example.com" {
		t.Errorf("deleted %+v", gone)
	}
}

// A disabled member is signed out, and what they were given does not come back to life
// with them.
func TestADisabledMemberIsSignedOut(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: s.admin.ID}))(t)
	must(w.EnableMember(w.ctx, operator, manage.ID{ID: s.admin.ID}))(t)
	if n := len(must(w.Sessions(w.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(t).Items); n != 0 {
		t.Errorf("%d sessions are back", n)
	}
}
