package examples_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cardea-dev/cardea/internal/pages/pagestest"
)

// newBrowser returns a person's browser that finds every host name at a running Cardea.
func newBrowser(d *dev) (*pagestest.Browser, error) {
	ca, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the development CA is no certificate")
	}
	b := pagestest.New(&http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, d.TLS)
		},
	})
	if len(d.Users) > 0 {
		b.Organization, b.Email, b.Password = d.Users[0].Organization, d.Users[0].Email, d.Users[0].Password
	}
	return b, nil
}

// cmdBrowse plays a person: browse allow|deny URL. Where they end up becomes LOCATION, and
// the parameters of that address become variables: CODE, STATE, ISS, ERROR. The last page
// is the output, and in page.html.
func (s *script) cmdBrowse(ts *testscript.TestScript, args []string) {
	if len(args) != 2 || !slices.Contains([]string{"allow", "deny"}, args[0]) {
		ts.Fatalf("usage: browse allow|deny URL")
	}
	if s.browser == nil {
		b, err := newBrowser(s.dev)
		ts.Check(err)
		s.browser = b
	}
	s.browser.Answer = args[0]
	// A browser encodes the blanks of an address that somebody typed.
	address, err := url.Parse(strings.ReplaceAll(args[1], " ", "%20"))
	ts.Check(err)
	sentTo, page, err := s.browser.Visit(context.Background(), address.String(), func(host string) bool { return host == address.Host })
	ts.Check(err)
	ts.Logf("%s", strings.Join(s.browser.Seen, "\n"))
	s.output = []byte(page)
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), s.output, 0o600))
	ts.Setenv("LOCATION", sentTo)
	to, err := url.Parse(sentTo)
	ts.Check(err)
	for _, name := range []string{"code", "state", "iss", "error"} {
		ts.Setenv(strings.ToUpper(name), to.Query().Get(name))
	}
}
