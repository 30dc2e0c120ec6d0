package signin

import (
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
)

// done holds what a page says after a change, by the name of it in the link that the
// change leads to: a link can only say what is here.
var done = map[string]string{
	"password":       "The password is changed, and you are signed out everywhere else.",
	"session":        "That session is ended.",
	"withdraw":       "The application has no access any more.",
	"passkey-add":    "The passkey is added. You can sign in with it from now on.",
	"passkey-rename": "The passkey has another name.",
	"passkey-remove": "The passkey is removed.",
	"device-allow":   "The command line is signed in. You can close this page.",
	"device-deny":    "The command line was not let in.",
}

// accountPage shows people what is theirs.
func accountPage(v *visit) {
	v.account(http.StatusOK, done[v.r.URL.Query().Get("done")], "")
}

// account shows the page with what was done, or what was wrong.
func (v *visit) account(status int, notice, problem string) {
	p, ctx := v.cfg.People, v.r.Context()
	has, err := p.HasPassword(ctx, v.session)
	if err != nil {
		v.broken(err)
		return
	}
	content := pages.Account{
		Problem: problem, Notice: notice,
		Name: name(v.session), Email: v.session.Member.Email, Organization: v.session.Organization.Name, Role: string(v.session.Member.Role),
		HasPassword: has, MayPassword: v.offers(people.MethodPassword), MinLength: minPassword,
		MayAddPasskey: p.PasskeysAt(v.origin),
	}
	for _, fill := range []func(*pages.Account) error{v.passkeys, v.sessions, v.apps} {
		if err := fill(&content); err != nil {
			v.broken(err)
			return
		}
	}
	v.show(status, content)
}

func (v *visit) passkeys(content *pages.Account) error {
	rows, err := v.cfg.People.Passkeys(v.r.Context(), v.session)
	for _, row := range rows {
		content.Passkeys = append(content.Passkeys, pages.Passkey{
			ID: base64.RawURLEncoding.EncodeToString(row.ID), Name: row.Name,
			Created: v.instant(row.CreatedAt), LastUsed: v.instant(row.LastUsedAt),
		})
	}
	return err
}

func (v *visit) sessions(content *pages.Account) error {
	list, err := v.cfg.People.Sessions(v.r.Context(), v.session)
	for _, s := range list {
		content.Sessions = append(content.Sessions, pages.Session{
			ID: s.ID, Device: people.DeviceName(s.UserAgent), Address: s.Address, Method: people.MethodName(s.Method),
			Created: v.instant(s.CreatedAt), Seen: v.instant(s.SeenAt), Current: s.ID == v.session.ID,
		})
	}
	return err
}

func (v *visit) apps(content *pages.Account) error {
	list, err := v.cfg.People.Consents(v.r.Context(), v.session)
	for _, c := range list {
		content.Apps = append(content.Apps, pages.App{
			Consent: c.ID, Client: pages.Client{Name: c.Name, Host: c.Host, Unverified: c.Unverified}, Scopes: v.scopes(c.Scopes),
			Since: v.instant(c.Since), Until: v.instant(c.ExpiresAt),
		})
	}
	return err
}

// scopes describes scopes in the contract's words.
func (v *visit) scopes(names []string) []pages.Scope {
	var list []pages.Scope
	for _, name := range names {
		s := pages.Scope{Name: name, Description: name}
		if known := v.contract.Scope(name); known != nil && known.Description != "" {
			s.Description = known.Description
		}
		list = append(list, s)
	}
	return list
}

// changed answers a change to the account: with the account and what was done, or what
// was wrong.
func (v *visit) changed(err error, what string) {
	if err == nil {
		v.see("/account?done=" + what)
		return
	}
	if errors.Is(err, people.ErrProveAgain) {
		v.see(signInAt("/account", true))
		return
	}
	status, text, ok := v.problem(err)
	if !ok {
		v.broken(err)
		return
	}
	v.account(status, "", text)
}

func changePassword(v *visit) {
	err := v.cfg.People.SetPassword(v.r.Context(), v.session, v.form.Get("current"), v.form.Get("password"), v.from)
	v.changed(err, "password")
}

// endSession ends another session of the person; ending this one is signing out.
func endSession(v *visit) {
	id := v.form.Get("id")
	if id == v.session.ID {
		signOut(v)
		return
	}
	v.changed(v.cfg.People.EndSession(v.r.Context(), v.session, id, v.from), "session")
}

// endSessions signs the person out everywhere, here included.
func endSessions(v *visit) {
	if err := v.cfg.People.EndSessions(v.r.Context(), v.session, v.from); err != nil {
		v.changed(err, "")
		return
	}
	people.ClearCookie(v.w, v.r, v.secure)
	v.see(signedOut)
}

func withdraw(v *visit) {
	v.changed(v.cfg.People.Withdraw(v.r.Context(), v.session, v.form.Get("consent"), v.from), "withdraw")
}

func renamePasskey(v *visit) {
	v.changed(v.cfg.People.RenamePasskey(v.r.Context(), v.session, v.passkeyID(), v.form.Get("name"), v.from), "passkey-rename")
}

func removePasskey(v *visit) {
	v.changed(v.cfg.People.RemovePasskey(v.r.Context(), v.session, v.passkeyID(), v.from), "passkey-remove")
}

// passkeyID returns the id of the passkey that a form is about, nil for none.
func (v *visit) passkeyID() []byte {
	id, err := base64.RawURLEncoding.Strict().DecodeString(v.form.Get("id"))
	if err != nil {
		return nil
	}
	return id
}
