package webhook_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// A URL that passes can be fetched, is one line, and leads to no private address by itself.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://hooks.example.com/x?y=z", "https://[::1]:8443/", "https://127.1/", "https://0x7f.1/", "http://localhost", "https://a%0d%0ab/", "https://\u202egpj"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !webhook.GoodURL(text) {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.User != nil || fetch.Check(text, false) != nil ||
			strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == ' ' || r > '~' }) {
			t.Errorf("%q passed", text)
		}
		if host := strings.ToLower(u.Hostname()); host == "localhost" || strings.HasPrefix(host, "127.0.0.") || strings.HasPrefix(host, "169.254.") {
			t.Errorf("%q passed", text)
		}
	})
}

// Whatever a receiver writes, the next attempt is neither in the past nor later than a day.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "-1", "Sun, 22 Nov 2026 10:01:00 GMT", "18446744073709551615", "1e9", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if wait := webhook.RetryAfter(text, time.Now()); wait < 0 || wait > 24*time.Hour {
			t.Errorf("%q: %v", text, wait)
		}
	})
}
