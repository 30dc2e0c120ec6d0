package people

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// ceremonyTime is how long a person has for the dialogue with their authenticator.
const ceremonyTime = 5 * time.Minute

// maxPasskeys bounds how many one person has.
const maxPasskeys = 20

// A Ceremony is begun: Options go to the browser's script, Ticket to a cookie that only
// this host gets back.
type Ceremony struct {
	Options []byte // JSON, {"publicKey": …}
	Ticket  string
}

// ceremony is what a ticket carries. Origin ties it to where it was begun.
type ceremony struct {
	Origin  string               `json:"origin"`
	Session webauthn.SessionData `json:"session"`
}

// Purposes of passkey tickets.
const (
	purposeRegister = "passkey register"
	purposeLogin    = "passkey login"
)

// PasskeysAt reports whether passkeys can be used on pages of an origin
// ("https://app.example.com"): the contract offers them, and browsers bind them to a
// host name, never to an address.
func (p *People) PasskeysAt(origin string) bool {
	_, ok := relyingParty(origin)
	return ok && p.offers(MethodPasskey)
}

// relyingParty returns the relying party id of an origin: its host name.
func relyingParty(origin string) (id string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Hostname() != "localhost" {
		return "", false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "", false
	}
	return u.Hostname(), true
}

// webAuthn returns the relying party of an origin. Presence is not enough: with a passkey
// nothing else is asked, so the authenticator must have verified the person.
func (p *People) webAuthn(origin string) (*webauthn.WebAuthn, error) {
	id, ok := relyingParty(origin)
	if !ok || !p.offers(MethodPasskey) {
		return nil, cardea.Errorf(cardea.KindInvalid, "Passkeys do not work on this address.")
	}
	timeout := webauthn.TimeoutConfig{Timeout: ceremonyTime, TimeoutUVD: ceremonyTime}
	return webauthn.New(&webauthn.Config{
		RPID: id, RPDisplayName: p.contract().Product(), RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
}

// A holder is a member as the library wants to see one. The handle is the member's id:
// random, and no fact about the person.
type holder struct {
	member      store.Member
	credentials []webauthn.Credential
}

func (h *holder) WebAuthnID() []byte                         { return []byte(h.member.ID) }
func (h *holder) WebAuthnName() string                       { return h.member.Email }
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }
func (h *holder) WebAuthnDisplayName() string {
	if h.member.Name == "" {
		return h.member.Email
	}
	return h.member.Name
}

// holderOf returns a member with the passkeys of some rows.
func holderOf(m store.Member, rows []store.Passkey) (*holder, error) {
	h := &holder{member: m}
	for _, row := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal(row.Data, &c); err != nil {
			return nil, err
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// BeginRegistration begins to add a passkey for the person, who must have proved who they
// are lately ([ErrProveAgain]).
func (p *People) BeginRegistration(ctx context.Context, by Session, origin string) (Ceremony, error) {
	if err := p.lately(by); err != nil {
		return Ceremony{}, err
	}
	w, err := p.webAuthn(origin)
	if err != nil {
		return Ceremony{}, err
	}
	rows, err := p.store.Passkeys(ctx, by.Member.ID)
	if err != nil {
		return Ceremony{}, err
	}
	if len(rows) >= maxPasskeys {
		return Ceremony{}, cardea.Errorf(cardea.KindConflict, "You have %d passkeys already. Remove one first.", len(rows))
	}
	h, err := holderOf(by.Member, rows)
	if err != nil {
		return Ceremony{}, err
	}
	var have []protocol.CredentialDescriptor
	for i := range h.credentials {
		have = append(have, h.credentials[i].Descriptor())
	}
	options, session, err := w.BeginRegistration(h, webauthn.WithExclusions(have))
	if err != nil {
		return Ceremony{}, err
	}
	return p.begun(purposeRegister, origin, options, session)
}

// begun packs what a ceremony begins with.
func (p *People) begun(purpose, origin string, options any, session *webauthn.SessionData) (Ceremony, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, err
	}
	ticket, err := seal(p, purpose, ceremonyTime, ceremony{origin, *session})
	return Ceremony{text, ticket}, err
}

// errPasskey says nothing about which of the ways to fail it was.
func errPasskey() error {
	return cardea.Errorf(cardea.KindUnauthorized, "That did not work. Try again, or sign in another way.")
}

// FinishRegistration adds the passkey that the browser made.
func (p *People) FinishRegistration(ctx context.Context, by Session, origin, ticket string, response []byte, name string, from From) error {
	if err := p.lately(by); err != nil {
		return err
	}
	t, ok := open[ceremony](p, purposeRegister, ticket)
	if !ok || t.Body.Origin != origin {
		return errPasskey()
	}
	w, err := p.webAuthn(origin)
	if err != nil {
		return err
	}
	if !jsontext.Value(response).IsValid() { // no duplicate members, which parsers disagree about
		return errPasskey()
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return p.notPasskey(ctx, err)
	}
	made, err := w.CreateCredential(&holder{member: by.Member}, t.Body.Session, parsed)
	if err != nil {
		return p.notPasskey(ctx, err)
	}
	data, err := json.Marshal(made)
	if err != nil {
		return err
	}
	if name = bounded(strings.TrimSpace(name), 100); name == "" {
		name = "Passkey"
	}
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		first, err := tx.Remember(ctx, purposeRegister, t.ID, time.Unix(t.Expires, 0))
		if err != nil || !first {
			return orElse(err, errPasskey())
		}
		tx.Audit(passkeyEvent("passkey.add", by.Member, made.ID))
		err = tx.InsertPasskey(ctx, store.Passkey{ID: made.ID, Member: by.Member.ID, Name: name, Data: data})
		if cardea.KindOf(err) == cardea.KindConflict {
			return errPasskey() // the id is somebody's already
		}
		return err
	})
}

// notPasskey logs why a response was refused and returns the one error for all of it.
func (p *People) notPasskey(ctx context.Context, err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		p.log.LogAttrs(ctx, levelWarn, "a passkey was refused", errorAttr(errors.New(e.Type)))
	}
	return errPasskey()
}

// passkeyEvent is an audit event about a passkey, which is known by its public id.
func passkeyEvent(action string, m store.Member, id []byte) store.Event {
	return store.Event{
		Action: action, TargetType: "passkey", TargetID: base64.RawURLEncoding.EncodeToString(id), Organization: m.Organization,
	}
}

// BeginLogin begins a sign-in with whichever passkey the browser has for this host. No
// name is asked for, so there is nothing to learn about who has an account.
func (p *People) BeginLogin(origin string) (Ceremony, error) {
	w, err := p.webAuthn(origin)
	if err != nil {
		return Ceremony{}, err
	}
	options, session, err := w.BeginDiscoverableLogin()
	if err != nil {
		return Ceremony{}, err
	}
	return p.begun(purposeLogin, origin, options, session)
}

// BeginLoginAgain begins to prove again who the person is, with a passkey of theirs.
func (p *People) BeginLoginAgain(ctx context.Context, by Session, origin string) (Ceremony, error) {
	w, err := p.webAuthn(origin)
	if err != nil {
		return Ceremony{}, err
	}
	rows, err := p.store.Passkeys(ctx, by.Member.ID)
	if err != nil {
		return Ceremony{}, err
	}
	h, err := holderOf(by.Member, rows)
	if err != nil {
		return Ceremony{}, err
	}
	if len(h.credentials) == 0 {
		return p.BeginLogin(origin)
	}
	options, session, err := w.BeginLogin(h)
	if err != nil {
		return Ceremony{}, err
	}
	return p.begun(purposeLogin, origin, options, session)
}

// FinishLogin starts a session for the owner of the passkey that answered. Every answer
// that does not work gets the same error.
func (p *People) FinishLogin(ctx context.Context, origin, ticket string, response []byte, from From) (token secret.Secret, s Session, err error) {
	giveBack, err := p.admitAddress(from)
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	t, ok := open[ceremony](p, purposeLogin, ticket)
	if !ok || t.Body.Origin != origin || !jsontext.Value(response).IsValid() {
		return secret.Secret{}, Session{}, errPasskey()
	}
	used, credential, err := p.assert(ctx, origin, t.Body.Session, response)
	if err != nil {
		if cardea.KindOf(err) == cardea.KindUnauthorized {
			p.failed(ctx, store.Member{ID: used.Member}, MethodPasskey, from)
		}
		return secret.Secret{}, Session{}, err
	}
	data, err := json.Marshal(credential)
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	err = p.change(ctx, from.member(used.Member), func(tx *store.Tx) error {
		first, err := tx.Remember(ctx, purposeLogin, t.ID, time.Unix(t.Expires, 0))
		if err != nil || !first {
			return orElse(err, errPasskey())
		}
		row, err := tx.Passkey(ctx, used.ID) // it may have been removed in the meantime
		if err != nil || row.Member != used.Member {
			return orElse(unlessMissing(err), errPasskey())
		}
		m, o, ok, err := standing(ctx, tx.Reader, row.Member)
		if err != nil || !ok {
			return orElse(err, errPasskey())
		}
		row.Data, row.LastUsedAt = data, tx.Now()
		if err := tx.UpdatePasskey(ctx, row); err != nil {
			return err
		}
		token, s, err = p.start(ctx, tx, m, o, MethodPasskey, tx.Now(), from)
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	giveBack()
	return token, s, nil
}

// assert checks an answer to a login ceremony and returns the passkey that gave it, and
// the library's record of it as it is to be kept from now on.
func (p *People) assert(ctx context.Context, origin string, session webauthn.SessionData, response []byte) (store.Passkey, *webauthn.Credential, error) {
	w, err := p.webAuthn(origin)
	if err != nil {
		return store.Passkey{}, nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return store.Passkey{}, nil, p.notPasskey(ctx, err)
	}
	row, err := p.store.Passkey(ctx, parsed.RawID)
	if err != nil {
		return store.Passkey{}, nil, orElse(unlessMissing(err), errPasskey())
	}
	rows := []store.Passkey{row}
	if len(session.AllowedCredentialIDs) > 0 {
		if rows, err = p.store.Passkeys(ctx, row.Member); err != nil {
			return row, nil, err
		}
	}
	member, err := p.store.Member(ctx, row.Member)
	if err != nil {
		return row, nil, orElse(unlessMissing(err), errPasskey())
	}
	h, err := holderOf(member, rows)
	if err != nil {
		return row, nil, err
	}
	var credential *webauthn.Credential
	if len(session.UserID) > 0 {
		credential, err = w.ValidateLogin(h, session, parsed)
	} else {
		_, credential, err = w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if string(handle) != member.ID {
				return nil, errPasskey()
			}
			return h, nil
		}, session, parsed)
	}
	if err != nil {
		return row, nil, p.notPasskey(ctx, err)
	}
	if credential.Authenticator.CloneWarning {
		return row, nil, errPasskey() // its counter went back: there are two of it
	}
	return row, credential, nil
}

// Passkeys returns the person's passkeys, newest first.
func (p *People) Passkeys(ctx context.Context, by Session) ([]store.Passkey, error) {
	return p.store.Passkeys(ctx, by.Member.ID)
}

// errNoPasskey is the error for a passkey that is not the person's.
func errNoPasskey() error { return cardea.Errorf(cardea.KindNotFound, "There is no such passkey.") }

// RenamePasskey gives a passkey of the person another name.
func (p *People) RenamePasskey(ctx context.Context, by Session, id []byte, name string, from From) error {
	if name = bounded(strings.TrimSpace(name), 100); name == "" {
		return cardea.Invalid("name", "Give the passkey a name.")
	}
	return p.editPasskey(ctx, by, id, "passkey.rename", from, func(tx *store.Tx, row store.Passkey) error {
		row.Name = name
		return tx.UpdatePasskey(ctx, row)
	})
}

// RemovePasskey removes a passkey of the person, who must have proved who they are lately
// ([ErrProveAgain]).
func (p *People) RemovePasskey(ctx context.Context, by Session, id []byte, from From) error {
	if err := p.lately(by); err != nil {
		return err
	}
	return p.editPasskey(ctx, by, id, "passkey.remove", from, func(tx *store.Tx, row store.Passkey) error {
		return tx.DeletePasskey(ctx, row.Member, row.ID)
	})
}

// editPasskey changes a passkey of the person.
func (p *People) editPasskey(ctx context.Context, by Session, id []byte, action string, from From, edit func(*store.Tx, store.Passkey) error) error {
	if len(id) == 0 || len(id) > 1023 { // WebAuthn §4: a credential id is no longer
		return errNoPasskey()
	}
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		row, err := tx.Passkey(ctx, id)
		if err != nil || row.Member != by.Member.ID {
			return orElse(unlessMissing(err), errNoPasskey())
		}
		tx.Audit(passkeyEvent(action, by.Member, id))
		return edit(tx, row)
	})
}
