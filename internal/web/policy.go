package web

import (
	"crypto/rand"
	"net/http"
)

// newNonce returns the nonce of one answer: 128 random bits, and more.
func newNonce() string { return rand.Text() }

// setHeaders sets what every page is sent with. No code and no style is ever inside a
// page: an element that somebody smuggled in has no nonce, so neither the browser runs it
// nor does htmx obey it. Nothing is kept by browsers or proxies, since every page is one
// person's.
func setHeaders(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types htmx")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers older than frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "HX-Request, HX-Request-Type, Accept-Encoding")
}
