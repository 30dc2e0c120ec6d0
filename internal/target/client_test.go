package target_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/target"
)

// proxies are the trusted proxies of these tests.
var proxies = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("2001:db8:ffff::/48"),
}

// Guarantee: only a trusted proxy can say who the client is, and a client cannot
// choose its address by what it sends.
func TestClientIsTheRightmostUntrustedAddress(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		lines      []string
		want       string // "" for an error
	}{
		{"stranger is the peer", "203.0.113.9", []string{"198.51.100.1"}, "203.0.113.9"},
		{"stranger's garbage is not read", "203.0.113.9", []string{"zzz"}, "203.0.113.9"},
		{"mapped peer", "::ffff:203.0.113.9", nil, "203.0.113.9"},
		{"peer with zone", "fe80::1%eth0", nil, "fe80::1"},
		{"trusted peer without header", "10.0.0.1", nil, "10.0.0.1"},
		{"trusted peer", "10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"mapped trusted peer", "::ffff:10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"spoofed entry at the left", "10.0.0.1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"garbage left of the answer", "10.0.0.1", []string{"zzz, 198.51.100.1"}, "198.51.100.1"},
		{"chain of proxies", "10.0.0.1", []string{"1.1.1.1,198.51.100.1 ,\t10.2.0.1"}, "198.51.100.1"},
		{"several lines", "10.0.0.1", []string{"1.1.1.1", "198.51.100.1", "10.2.0.1"}, "198.51.100.1"},
		{"all trusted", "10.0.0.1", []string{"10.3.0.1, 10.2.0.1"}, "10.3.0.1"},
		{"mapped entry", "10.0.0.1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"mapped trusted entry", "10.0.0.1", []string{"198.51.100.1, ::ffff:10.2.0.1"}, "198.51.100.1"},
		{"port", "10.0.0.1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"v6", "2001:db8:ffff::1", []string{"2001:db8::7"}, "2001:db8::7"},
		{"v6 in brackets", "10.0.0.1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"v6 with port", "10.0.0.1", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"empty line", "10.0.0.1", []string{""}, ""},
		{"empty entry", "10.0.0.1", []string{"198.51.100.1,"}, ""},
		{"garbage", "10.0.0.1", []string{"unknown"}, ""},
		{"obfuscated", "10.0.0.1", []string{"_hidden"}, ""},
		{"garbage behind proxies", "10.0.0.1", []string{"zzz, 10.2.0.1"}, ""},
		{"zone", "10.0.0.1", []string{"fe80::1%eth0"}, ""},
		{"zone in brackets", "10.0.0.1", []string{"[fe80::1%eth0]:1"}, ""},
		{"v4 in brackets", "10.0.0.1", []string{"[198.51.100.1]"}, ""},
		{"open bracket", "10.0.0.1", []string{"[2001:db8::7"}, ""},
		{"bad port", "10.0.0.1", []string{"198.51.100.1:99999"}, ""},
		{"leading zeros", "10.0.0.1", []string{"198.051.100.1"}, ""},
		{"prefix", "10.0.0.1", []string{"198.51.100.0/24"}, ""},
		{"long", "10.0.0.1", []string{strings.Repeat("1", 100)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for _, l := range tt.lines {
				h.Add("X-Forwarded-For", l)
			}
			got, err := target.Client(netip.MustParseAddr(tt.peer), h, proxies)
			if tt.want == "" {
				if err == nil || got.IsValid() {
					t.Fatalf("Client = %v, want a refusal", got)
				}
				return
			}
			if err != nil || got != netip.MustParseAddr(tt.want) {
				t.Fatalf("Client = %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// Guarantee: without trusted proxies, and with an unknown peer, no header counts.
func TestClientTrustsNobodyByDefault(t *testing.T) {
	h := http.Header{"X-Forwarded-For": {"198.51.100.1"}}
	peer := netip.MustParseAddr("10.0.0.1")
	if got, err := target.Client(peer, h, nil); err != nil || got != peer {
		t.Errorf("Client = %v, %v; want the peer", got, err)
	}
	if got, err := target.Client(netip.Addr{}, h, proxies); err != nil || got.IsValid() {
		t.Errorf("Client of an unknown peer = %v, %v; want the invalid address", got, err)
	}
	if target.IsTrusted(peer, nil) || !target.IsTrusted(netip.MustParseAddr("::ffff:10.0.0.1"), proxies) {
		t.Error("IsTrusted is wrong")
	}
}

// Guarantee: whatever the header holds, the answer is an unmapped address without a
// zone, a refusal, or the peer; and a stranger's header never matters.
func FuzzClient(f *testing.F) {
	f.Add("198.51.100.1", "10.2.0.1:80", true)
	f.Add("[2001:db8::7]:443, ::ffff:10.0.0.1", "", true)
	f.Add("fe80::1%eth0", "unknown", false)
	f.Fuzz(func(t *testing.T, first, second string, trusted bool) {
		h := http.Header{"X-Forwarded-For": {first, second}}
		peer := netip.MustParseAddr("203.0.113.9")
		if trusted {
			peer = netip.MustParseAddr("10.0.0.1")
		}
		got, err := target.Client(peer, h, proxies)
		switch {
		case !trusted && (err != nil || got != peer):
			t.Fatalf("a stranger's header changed the address to %v, %v", got, err)
		case err != nil && got.IsValid():
			t.Fatalf("error with an address: %v", got)
		case err == nil && (!got.IsValid() || got.Is4In6() || got.Zone() != ""):
			t.Fatalf("address in a wrong form: %v", got)
		}
		if err == nil && trusted && !strings.Contains(second, ",") {
			// The last entry alone decides unless it is a trusted proxy.
			last, lastErr := target.Client(peer, http.Header{"X-Forwarded-For": {second}}, proxies)
			if lastErr != nil || (!target.IsTrusted(last, proxies) && last != got) {
				t.Fatalf("last entry says %v, all say %v", last, got)
			}
		}
	})
}

// TestOnlyATrustedProxyTellsTheScheme holds that nobody else can say that TLS was used,
// and that a proxy which says it twice is not believed.
func TestOnlyATrustedProxyTellsTheScheme(t *testing.T) {
	proxy, stranger := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.9")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		peer   netip.Addr
		says   []string
		tls    bool
		scheme string
	}{
		{proxy, []string{"https"}, false, "https"},
		{proxy, []string{"http"}, true, "http"},
		{proxy, []string{"https", "http"}, false, "http"},
		{proxy, []string{"https, http"}, false, "http"},
		{proxy, []string{"HTTPS"}, false, "http"},
		{proxy, nil, true, "https"},
		{stranger, []string{"https"}, false, "http"},
		{stranger, []string{"http"}, true, "https"},
	} {
		if got := target.Scheme(c.peer, http.Header{"X-Forwarded-Proto": c.says}, c.tls, trusted); got != c.scheme {
			t.Errorf("peer %s says %q, TLS %t: %s, want %s", c.peer, c.says, c.tls, got, c.scheme)
		}
	}
}
