package signin

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/people"
)

// refusal is what a script is told when something did not work.
type refusal struct {
	Problem string `json:"problem"`
	Go      string `json:"go,omitzero"` // where to go because of it
}

// arrival tells a script where to go.
type arrival struct {
	Go string `json:"go"`
}

// finished is what a script sends at the end of a ceremony.
type finished struct {
	Credential jsontext.Value `json:"credential"`
	Name       string         `json:"name"`
	Continue   string         `json:"continue"`
}

// answer answers a script or a program.
func (v *visit) answer(status int, value any) {
	body, err := json.Marshal(value, jsontext.EscapeForHTML(true))
	if err != nil {
		v.broken(err)
		return
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body) // the browser is gone, or it is not
}

// refuse answers a script with an error.
func (v *visit) refuse(err error) {
	if errors.Is(err, people.ErrProveAgain) {
		v.answer(http.StatusForbidden, refusal{people.ErrProveAgain.Public, signInAt("/account", true)})
		return
	}
	status, text, ok := v.problem(err)
	if !ok {
		v.logBroken(err)
		v.w.Header().Set("Retry-After", "5")
		status, text = http.StatusServiceUnavailable, "This does not work right now. Try again in a moment."
	}
	v.answer(status, refusal{Problem: text})
}

// begin answers a script with the options of a ceremony and gives the browser its ticket.
func (v *visit) begin(c people.Ceremony, err error) {
	if err != nil {
		v.refuse(err)
		return
	}
	v.setTicket(passkeyTicket, c.Ticket, 5*time.Minute)
	v.answer(http.StatusOK, jsontext.Value(c.Options))
}

// result returns what a script sent at the end of a ceremony, and the ticket, which is
// taken from the browser.
func (v *visit) result() (f finished, ticket string, ok bool) {
	if err := json.Unmarshal(v.body, &f); err != nil || len(f.Credential) == 0 {
		v.answer(http.StatusBadRequest, refusal{Problem: "This request cannot be read. Reload the page and try again."})
		return f, "", false
	}
	return f, v.takeTicket(passkeyTicket), true
}

// beginPasskey begins a sign-in with a passkey: any of this host's, or one of the
// person's who is signed in and asked to prove it again.
func beginPasskey(v *visit) {
	if v.in {
		v.begin(v.cfg.People.BeginLoginAgain(v.r.Context(), v.session, v.origin))
		return
	}
	v.begin(v.cfg.People.BeginLogin(v.origin))
}

// finishPasskey signs in.
func finishPasskey(v *visit) {
	f, ticket, ok := v.result()
	if !ok {
		return
	}
	token, session, err := v.cfg.People.FinishLogin(v.r.Context(), v.origin, ticket, f.Credential, v.from)
	if err != nil {
		v.refuse(err)
		return
	}
	if v.enter(token, session) {
		v.answer(http.StatusOK, arrival{next(v.onward(f.Continue))})
	}
}

// beginRegistration begins to add a passkey.
func beginRegistration(v *visit) {
	v.begin(v.cfg.People.BeginRegistration(v.r.Context(), v.session, v.origin))
}

// finishRegistration adds a passkey.
func finishRegistration(v *visit) {
	f, ticket, ok := v.result()
	if !ok {
		return
	}
	err := v.cfg.People.FinishRegistration(v.r.Context(), v.session, v.origin, ticket, f.Credential, f.Name, v.from)
	if err != nil {
		v.refuse(err)
		return
	}
	v.answer(http.StatusOK, arrival{"/account?done=passkey-add"})
}

// The cookies that carry a ceremony's ticket.
const (
	passkeyTicket = "passkey"
	ssoTicket     = "sso"
)

// setTicket gives the browser a ticket, for this host and a few minutes.
func (v *visit) setTicket(name, text string, age time.Duration) {
	if v.secure {
		name = "__Host-" + name
	}
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: text, Path: "/", MaxAge: int(age / time.Second), Secure: v.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// takeTicket returns the ticket that the browser sent, "" for none or several, and takes
// it away.
func (v *visit) takeTicket(name string) string {
	full := name
	if v.secure {
		full = "__Host-" + name
	}
	v.setTicket(name, "", -time.Second)
	cookies := v.r.CookiesNamed(full)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}
