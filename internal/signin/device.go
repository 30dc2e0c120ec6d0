package signin

import (
	"errors"
	"net/http"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
)

// programName is what people are told that a command line is.
func (v *visit) programName() string { return v.contract.Product() + " command line" }

// devicePage asks for the code that a command line shows.
func devicePage(v *visit) {
	v.show(http.StatusOK, pages.Device{Action: "/signin/device/answer", Code: bound(v.r.URL.Query().Get("user_code"))})
}

// answerDevice takes the code, shows who asks, and takes the decision.
func answerDevice(v *visit) {
	typed := v.form.Get("user_code")
	ask := func(problem string) any {
		return pages.Device{Action: "/signin/device/answer", Code: bound(typed), Problem: problem}
	}
	decision := v.form.Get("decision")
	if decision == "allow" || decision == "deny" {
		if err := v.cfg.People.DecideDevice(v.r.Context(), v.session, typed, decision == "allow", v.from); err != nil {
			v.again(err, ask)
			return
		}
		v.see("/account?done=device-" + decision)
		return
	}
	d, err := v.cfg.People.Device(v.r.Context(), v.session, typed, v.from)
	if err != nil {
		v.again(err, ask)
		return
	}
	v.show(http.StatusOK, pages.Consent{
		Action: "/signin/device/answer", Fields: []pages.Field{{Name: "user_code", Value: d.UserCode}}, Code: d.UserCode,
		Client:  pages.Client{Name: v.programName(), Address: d.Address, Agent: d.Agent},
		Account: v.session.Member.Email, Organization: v.session.Organization.Name,
		Scopes:     []pages.Scope{{Description: "Do everything that you may do yourself"}},
		Remembered: "until the session ends",
	})
}

// beginDevice gives a command line its codes (RFC 8628 §3.2).
func beginDevice(v *visit) {
	if v.form.Get("client_id") != people.CommandLine {
		v.answer(http.StatusBadRequest, tokenError{"invalid_client"})
		return
	}
	d, err := v.cfg.People.BeginDevice(v.r.Context(), v.from)
	if err != nil {
		v.refuseTool(err)
		return
	}
	at := v.origin + "/signin/device"
	v.answer(http.StatusOK, deviceAnswer{
		DeviceCode: d.DeviceCode.Reveal(), UserCode: d.UserCode, URI: at, Complete: at + "?user_code=" + d.UserCode,
		ExpiresIn: int64(d.ExpiresIn / time.Second), Interval: int64(d.Interval / time.Second),
	})
}

// deviceAnswer is the answer of RFC 8628 §3.2.
type deviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int64  `json:"expires_in"`
	Interval   int64  `json:"interval"`
}

// tokenAnswer is the answer of RFC 6749 §5.1; the token is one of a session.
type tokenAnswer struct {
	Token     string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
}

// tokenError is the answer of RFC 6749 §5.2.
type tokenError struct {
	Error string `json:"error"`
}

// pollDevice gives a command line its session once a person has approved it.
func pollDevice(v *visit) {
	switch {
	case v.form.Get("client_id") != people.CommandLine:
		v.answer(http.StatusBadRequest, tokenError{"invalid_client"})
		return
	case v.form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code":
		v.answer(http.StatusBadRequest, tokenError{"unsupported_grant_type"})
		return
	}
	token, session, err := v.cfg.People.PollDevice(v.r.Context(), v.form.Get("device_code"), v.from)
	if err != nil {
		v.refuseTool(err)
		return
	}
	v.answer(http.StatusOK, tokenAnswer{
		Token: token.Reveal(), Type: "Bearer", ExpiresIn: int64(session.ExpiresAt.Sub(v.cfg.Now()) / time.Second),
	})
}

// revoke ends the session of a token (RFC 7009 §2): a token of none is answered alike.
func revoke(v *visit) {
	if err := v.cfg.People.SignOut(v.r.Context(), v.form.Get("token"), v.from); err != nil {
		v.refuseTool(err)
		return
	}
	v.answer(http.StatusOK, struct{}{})
}

// refuseTool answers a program with an error.
func (v *visit) refuseTool(err error) {
	var e people.DeviceError
	if errors.As(err, &e) {
		v.answer(http.StatusBadRequest, tokenError{string(e)})
		return
	}
	status, _, ok := v.problem(err)
	switch {
	case !ok:
		v.logBroken(err)
		v.w.Header().Set("Retry-After", "5")
		v.answer(http.StatusServiceUnavailable, tokenError{"temporarily_unavailable"})
	case status == http.StatusTooManyRequests:
		v.answer(status, tokenError{"slow_down"})
	default:
		v.answer(status, tokenError{"invalid_request"})
	}
}
