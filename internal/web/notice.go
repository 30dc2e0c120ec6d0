package web

import (
	"net/http"
	"net/url"
)

// The names of the cookie that carries a sentence to the next page. The prefix keeps
// other hosts from putting words into our mouth.
const (
	secureNotice = "__Host-notice"
	plainNotice  = "notice"
)

// leaveNotice gives the browser a sentence for the next page.
func (v *Visit) leaveNotice(text string) { v.setNotice(url.QueryEscape(text), 60) }

// takeNotice takes the sentence that the page before left. A part of a page leaves it to
// the whole.
func (v *Visit) takeNotice() {
	if v.Partial() || v.R.Method != http.MethodGet {
		return
	}
	cookie, err := v.R.Cookie(v.noticeName())
	if err != nil {
		return
	}
	v.notice, _ = url.QueryUnescape(cookie.Value) // nothing is shown of what is none of ours
	v.setNotice("", -1)
}

func (v *Visit) setNotice(value string, maxAge int) {
	http.SetCookie(v.W, &http.Cookie{
		Name: v.noticeName(), Value: value, Path: "/", MaxAge: maxAge,
		Secure: v.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (v *Visit) noticeName() string {
	if v.secure {
		return secureNotice
	}
	return plainNotice
}
