package apps

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/web"
)

// An attempt is an authorization request that somebody tries, kept in their browser until
// the answer comes. It belongs to one session, so that nobody who signs in later on the
// same computer gets another's answer, and is good for one answer.
type attempt struct {
	Client   string    `json:"c"`
	Session  string    `json:"s"`
	State    string    `json:"t"`
	Verifier string    `json:"v"`
	At       time.Time `json:"a"`
}

// attemptLife is how long an attempt waits for its answer.
const attemptLife = 10 * time.Minute

// The cookie's names. The prefix keeps other hosts from giving the browser an attempt of
// theirs, which would let their answer pass for one that the person asked for.
const (
	secureAttempt = "__Host-try"
	plainAttempt  = "try"
)

// newAttempt begins an attempt: a state of 128 random bits and a verifier of 256 (RFC 7636
// §4.1).
func newAttempt(v *web.Visit, client string) attempt {
	var verifier [32]byte
	_, _ = rand.Read(verifier[:]) // never fails, see crypto/rand
	return attempt{
		Client: client, Session: v.Session.ID, State: rand.Text(),
		Verifier: base64.RawURLEncoding.EncodeToString(verifier[:]), At: v.Now(),
	}
}

// keep gives the attempt to the browser; false is returned when it cannot be written.
func (a attempt) keep(v *web.Visit) bool {
	text, err := json.Marshal(a)
	if err != nil {
		return false
	}
	setAttempt(v, base64.RawURLEncoding.EncodeToString(text), int(attemptLife/time.Second))
	return true
}

// takeAttempt takes the attempt from the browser; ok is false when there is none of this
// session that is young enough.
func takeAttempt(v *web.Visit) (a attempt, ok bool) {
	cookies := v.R.CookiesNamed(attemptName(v))
	if len(cookies) > 0 {
		setAttempt(v, "", -1)
	}
	if len(cookies) != 1 { // more than one is somebody's attempt to slip in theirs
		return attempt{}, false
	}
	a, ok = parseAttempt(cookies[0].Value)
	return a, ok && a.Session == v.Session.ID && a.State != "" && !v.Now().After(a.At.Add(attemptLife)) && !a.At.After(v.Now())
}

// parseAttempt reads the cookie of an attempt.
func parseAttempt(value string) (a attempt, ok bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || strings.ContainsAny(value, "\r\n") {
		return attempt{}, false
	}
	if json.Unmarshal(text, &a) != nil {
		return attempt{}, false
	}
	return a, true
}

func setAttempt(v *web.Visit, value string, maxAge int) {
	http.SetCookie(v.W, &http.Cookie{
		Name: attemptName(v), Value: value, Path: "/", MaxAge: maxAge, Secure: attemptName(v) == secureAttempt,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func attemptName(v *web.Visit) string {
	if strings.HasPrefix(v.Origin(), "https://") {
		return secureAttempt
	}
	return plainAttempt
}
