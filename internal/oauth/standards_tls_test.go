package oauth

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestTheInternetNeedsTLS holds RFC 6749 §3.1 and §3.2, and what the other standards say
// of their endpoints: whoever comes over the internet comes over TLS, to Cardea or to a
// proxy that it trusts, or is refused before anything is looked at. What comes from a
// private network may come from a proxy that nobody named.
func TestTheInternetNeedsTLS(t *testing.T) {
	w := full(t)
	c := w.register()
	w.Server.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("8.8.4.4/32")}
	const form = "&grant_type=client_credentials&token=x"
	ask := func(method, path, peer string, secure bool, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader("client_id="+c.id()+"&client_secret="+c.secret.Reveal()+form))
		r.Header.Set("Content-Type", formType)
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(peer), 1000).String()
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, r)
		return answer
	}
	const from, proto = "X-Forwarded-For", "X-Forwarded-Proto"
	for name, one := range map[string]struct {
		peer   string
		secure bool
		header []string
		want   int
	}{
		"in the clear":                       {"8.8.8.8", false, nil, 400},
		"in the clear, IPv6":                 {"2606:4700::1111", false, nil, 400},
		"in the clear, IPv4 in IPv6":         {"::ffff:8.8.8.8", false, nil, 400},
		"says that it did not":               {"8.8.8.8", false, []string{proto, "https"}, 400},
		"says that it is at home":            {"8.8.8.8", false, []string{from, "127.0.0.1"}, 400},
		"by a proxy in the clear":            {"10.1.0.1", false, []string{from, "8.8.8.8", proto, "http"}, 400},
		"by a proxy that says nothing":       {"10.1.0.1", false, []string{from, "8.8.8.8"}, 400},
		"by a proxy on the internet, clear":  {"8.8.4.4", false, []string{from, "9.9.9.9"}, 400},
		"over TLS":                           {"8.8.8.8", true, nil, 200},
		"by a proxy, over TLS":               {"10.1.0.1", false, []string{from, "8.8.8.8", proto, "https"}, 200},
		"by a proxy that nobody named":       {"10.2.0.1", false, []string{from, "8.8.8.8"}, 200},
		"by a proxy that is on the internet": {"8.8.4.4", false, []string{from, "9.9.9.9", proto, "https"}, 200},
		"on this computer":                   {"127.0.0.1", false, nil, 200},
		"on this computer, IPv6":             {"::1", false, nil, 200},
	} {
		t.Run(name, func(t *testing.T) {
			if a := ask(http.MethodPost, "/oauth/token", one.peer, one.secure, one.header...); a.Code != one.want {
				t.Errorf("answered %d %s", a.Code, a.Body)
			}
		})
	}
	for path := range w.current().paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			a := ask(method, path, "8.8.8.8", false)
			if a.Code != 400 || !strings.Contains(a.Body.String(), "https") {
				t.Errorf("%s %s is answered %d %s", method, path, a.Code, a.Body)
			}
		}
	}
	for _, path := range []string{"/oauth/authorize", "/device"} {
		if a := ask(http.MethodGet, path, "8.8.8.8", false); !strings.Contains(a.Body.String(), `role="alert"`) {
			t.Errorf("%s: a person is answered %s", path, a.Body)
		}
	}
}
