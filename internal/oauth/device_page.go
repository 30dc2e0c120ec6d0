package oauth

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/store"
)

// userCodesPerMinute is how many codes a session, and an address, may try in a minute:
// RFC 8628 §5.1. At that pace a guess within a code's lifetime has a chance of one in
// hundred million for each code that is waiting.
const userCodesPerMinute = 10

// What people are told about the code they typed. A code that is wrong, used, denied or
// too old is answered alike.
const (
	problemCode     = "This code is not known here, or its time is over. Compare it with the one on your device."
	problemTooMany  = "Too many codes were tried. Wait a minute."
	problemAnswered = "This request was answered already, or its time is over."
)

// devicePage serves the page where people type the code that a device shows them: RFC
// 8628 §3.3. A code in the address (§3.3.1) is filled in, and the person still has to
// say that it is what their device shows.
func (s *Server) devicePage(w http.ResponseWriter, r *request) {
	who, signedIn, err := s.session(r.Context(), r)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	if r.Method == http.MethodPost {
		s.devicePost(w, r, who, signedIn)
		return
	}
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	code, ok := readUserCode(q.get("user_code"))
	switch {
	case !signedIn && ok:
		s.toSignIn(w, r, "user_code="+code, "", false)
	case !signedIn:
		s.toSignIn(w, r, "", "", false)
	case ok:
		s.askUserCode(w, r, who, showUserCode(code), "")
	default:
		s.askUserCode(w, r, who, "", "")
	}
}

// askUserCode shows the form for a code.
func (s *Server) askUserCode(w http.ResponseWriter, r *request, who people.Session, code, problem string) {
	status := http.StatusOK
	if problem == problemTooMany {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "60")
	}
	s.showDevice(w, r, who, status, pages.Device{Action: r.URL.Path, Code: code, Problem: problem})
}

// showDevice renders a page of the device flow.
func (s *Server) showDevice(w http.ResponseWriter, r *request, who people.Session, status int, content any) {
	pages.Render(w, status, pages.Page{Product: r.contract.Product(), Person: person(who), Content: content})
}

// devicePost takes a code, or the answer about one.
func (s *Server) devicePost(w http.ResponseWriter, r *request, who people.Session, signedIn bool) {
	if s.protection.Check(r.Request) != nil {
		s.errorPage(w, r, errForeignForm)
		return
	}
	var err error
	if r.params, err = readParams(r.Request, false); err != nil {
		s.errorPage(w, r, err)
		return
	}
	switch {
	case !signedIn:
		s.toSignIn(w, r, "", "", false)
	case r.params.get(askedField) != "":
		s.decideDevice(w, r, who)
	default:
		s.confirmDevice(w, r, who)
	}
}

// confirmDevice shows what the device with the typed code asks for.
func (s *Server) confirmDevice(w http.ResponseWriter, r *request, who people.Session) {
	typed := r.params.get("user_code")
	bySession := s.guesses.take("session "+who.ID, userCodesPerMinute, r.now)
	if !s.guesses.take("address "+addressKey(r.address), userCodesPerMinute, r.now) || !bySession {
		s.askUserCode(w, r, who, "", problemTooMany)
		return
	}
	d, c, err := s.waitingDevice(r.Context(), r, typed)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound && err != nil:
		s.askUserCode(w, r, who, "", problemCode)
		return
	case err != nil:
		s.errorPage(w, r, err)
		return
	}
	s.askDevice(w, r, who, d, c)
}

// errNoSuchDevice: there is nothing to decide.
var errNoSuchDevice = cardea.Errorf(cardea.KindNotFound, "no such device code")

// waitingDevice returns the device code that waits under a user code, and its client.
// The error is of KindNotFound when nothing waits.
func (s *Server) waitingDevice(ctx context.Context, r *request, typed string) (store.DeviceCode, *client, error) {
	code, ok := readUserCode(typed)
	if !ok {
		return store.DeviceCode{}, nil, errNoSuchDevice
	}
	d, err := s.store.DeviceByUserCode(ctx, code)
	if err != nil {
		return d, nil, err
	}
	// A command line's own sign-in has rows here too, which no client stands behind.
	c, err := s.client(ctx, r.contract, d.Client)
	if err != nil {
		return d, nil, err
	}
	if c == nil || !c.good(r.now) || !c.may(contract.GrantDeviceCode) || d.Status != store.DevicePending || !r.now.Before(d.ExpiresAt) {
		return d, nil, errNoSuchDevice
	}
	return d, c, nil
}

// askDevice shows who asks for what. People are always asked: nothing proves that the
// device is theirs (RFC 8628 §5.4).
func (s *Server) askDevice(w http.ResponseWriter, r *request, who people.Session, d store.DeviceCode, c *client) {
	set := deviceScopes(r.contract, d, c, who)
	if set.IsEmpty() {
		s.errorPage(w, r, errMayNotGrant)
		return
	}
	have, err := s.agreed(r.Context(), r, who.Member.ID, c.id())
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	sealed, err := s.sealDevice(d, who.ID, r.now)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	content := s.consentPage(r, c, who, set, have)
	content.Action = r.URL.Path
	content.Fields = []pages.Field{{Name: askedField, Value: sealed}}
	content.Code = showUserCode(d.UserCode)
	s.showDevice(w, r, who, http.StatusOK, content)
}

// deviceScopes returns what a device may be granted by a person: what it asked for, as
// far as its client may still have that and the person may grant it.
func deviceScopes(c *contract.Contract, d store.DeviceCode, cl *client, who people.Session) contract.ScopeSet {
	set, _ := c.ScopeSet(d.Scopes...)
	return set.Intersect(c.Expand(cl.scopes)).Intersect(c.GrantableBy(who.Member.Role))
}

// A sealedDevice is a device's request that waits for the person's answer.
type sealedDevice struct {
	UserCode string    `json:"user_code"`
	Until    time.Time `json:"until"`
}

// sealDevice seals a user code for the session that typed it.
func (s *Server) sealDevice(d store.DeviceCode, session string, now time.Time) (string, error) {
	text, err := json.Marshal(&sealedDevice{UserCode: d.UserCode, Until: now.Add(consentTime)})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.sealer.Seal("device|"+session, text)), nil
}

// openDevice opens what sealDevice sealed for the same session.
func (s *Server) openDevice(text, session string, now time.Time) (string, error) {
	var out sealedDevice
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errAnswered
	}
	plain, err := s.sealer.Open("device|"+session, sealed)
	if err != nil || json.Unmarshal(plain, &out) != nil || !now.Before(out.Until) {
		return "", errAnswered
	}
	return out.UserCode, nil
}

// decideDevice takes the answer about a device.
func (s *Server) decideDevice(w http.ResponseWriter, r *request, who people.Session) {
	code, err := s.openDevice(r.params.get(askedField), who.ID, r.now)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	decision := r.params.get("decision")
	if decision != "allow" && decision != "deny" {
		s.errorPage(w, r, errParameters)
		return
	}
	d, c, err := s.waitingDevice(r.Context(), r, code)
	if err == nil {
		err = s.storeDecision(r.Context(), r, d, c, who, decision == "allow")
	}
	switch {
	case err == nil && decision == "allow":
		s.showDevice(w, r, who, http.StatusOK, pages.Message{
			Heading: "Your device is connected", Text: "You can close this page and go back to it.",
		})
	case err == nil:
		s.showDevice(w, r, who, http.StatusOK, pages.Message{
			Heading: "Nothing was granted", Text: "The device has no access. If you did not ask for a code, somebody else may have sent it to you.",
		})
	case cardea.KindOf(err) == cardea.KindNotFound:
		s.askUserCode(w, r, who, "", problemAnswered)
	default:
		s.errorPage(w, r, err)
	}
}

// storeDecision stores what a person has decided about a device, with consent and audit
// events, in one transaction.
func (s *Server) storeDecision(ctx context.Context, r *request, d store.DeviceCode, c *client, who people.Session, allowed bool) error {
	set := deviceScopes(r.contract, d, c, who)
	g := granting{client: c, who: who, scopes: set, asked: true, lifetime: r.contract.Clients().ConsentLifetime}
	changes, err := s.store.Update(ctx, r.actor("member", who.Member.ID), func(tx *store.Tx) error {
		out, action := d, "device.deny"
		out.Member, out.Organization, out.AuthTime = who.Member.ID, who.Organization.ID, who.AuthTime
		out.Status, out.Scopes = store.DeviceDenied, r.contract.ScopeNames(set)
		if allowed {
			if set.IsEmpty() {
				return errMayNotGrant
			}
			consent, err := g.grant(ctx, tx, r.contract)
			if err != nil {
				return err
			}
			action, out.Status, out.Consent = "device.approve", store.DeviceApproved, consent.ID
		}
		tx.Audit(store.Event{
			Action: action, TargetType: "client", TargetID: d.Client, Organization: who.Organization.ID,
			Detail: consentDetail{Client: d.Client, Scopes: out.Scopes},
		})
		_, err := tx.DecideDevice(ctx, out)
		return err
	})
	if err == nil {
		s.apply(changes)
	}
	return err
}
