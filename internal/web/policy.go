package web

import (
	"crypto/rand"
	"net/http"

	"github.com/cardea-dev/cardea/internal/pages"
)

// newNonce returns the nonce of one answer: 128 random bits, and more.
func newNonce() string { return rand.Text() }

// setHeaders sets what every page is sent with. No code and no style is ever inside a
// page: an element that somebody smuggled in has no nonce, so neither the browser runs it
// nor does htmx obey it. Nothing is kept by browsers or proxies, since every page is one
// person's.
func setHeaders(h http.Header, nonce string) {
	pages.SetHeaders(h, "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types htmx")
	h.Set("Vary", "HX-Request, HX-Request-Type, Accept-Encoding")
}
