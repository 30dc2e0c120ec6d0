package examples_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// A browser is a person with a browser without JavaScript: it follows links and fills in
// the forms that Cardea shows.
type browser struct {
	http   *http.Client
	person user
	answer string // to a question for consent: "allow" or "deny"
	seen   []string
}

// newBrowser returns a browser that finds every host name at a running Cardea.
func newBrowser(d *dev) (*browser, error) {
	ca, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the development CA is no certificate")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{answer: "allow"}
	if len(d.Users) > 0 {
		b.person = d.Users[0]
	}
	b.http = &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, d.TLS)
			},
		},
	}
	return b, nil
}

// mostPages is how many pages lie between an address and where it ends.
const mostPages = 12

// visit opens an address and goes on, signing in and answering what it is asked, until it
// is sent to another site or shown a page without a form that it knows. It returns the
// address it was sent to, "" for none, and the last page.
func (b *browser) visit(address string, ours func(host string) bool) (sentTo, page string, err error) {
	method, form := http.MethodGet, url.Values(nil)
	for range mostPages {
		resp, text, err := b.load(method, address, form)
		if err != nil {
			return "", "", err
		}
		b.seen = append(b.seen, fmt.Sprintf("%s %s: %d", method, strings.SplitN(address, "?", 2)[0], resp.StatusCode))
		next, fields, err := b.next(resp, text)
		if err != nil || next == nil {
			return "", text, err
		}
		if !ours(next.Hostname()) {
			return next.String(), text, nil
		}
		method, address, form = http.MethodGet, next.String(), nil
		if fields != nil {
			method, form = http.MethodPost, fields
		}
	}
	return "", "", fmt.Errorf("no end after %d pages:\n%s", mostPages, strings.Join(b.seen, "\n"))
}

// load sends one request and returns its answer.
func (b *browser) load(method, address string, form url.Values) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if method == http.MethodPost {
		u := *req.URL
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", u.Scheme+"://"+u.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

var (
	postForm = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	hidden   = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	refresh  = regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]*)"`)
)

// next returns where a person goes from an answer: where it redirects, or the form they
// fill in; nil when there is nothing to do.
func (b *browser) next(resp *http.Response, page string) (*url.URL, url.Values, error) {
	here := resp.Request.URL
	if location := resp.Header.Get("Location"); location != "" {
		u, err := here.Parse(location)
		return u, nil, err
	}
	if m := refresh.FindStringSubmatch(page); m != nil {
		u, err := here.Parse(html.UnescapeString(m[1]))
		return u, nil, err
	}
	for _, m := range postForm.FindAllStringSubmatch(page, -1) {
		fields := url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(m[2], -1) {
			fields.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
		}
		if !b.fill(m[2], fields) {
			continue
		}
		u, err := here.Parse(html.UnescapeString(m[1]))
		return u, fields, err
	}
	return nil, nil, nil
}

// fill fills in a form that a person came for, and reports whether it is one.
func (b *browser) fill(form string, fields url.Values) bool {
	switch {
	case strings.Contains(form, `name="decision"`):
		fields.Set("decision", b.answer)
	case strings.Contains(form, `name="email"`) && strings.Contains(form, `name="password"`):
		fields.Set("email", b.person.Email)
		fields.Set("password", b.person.Password)
	case strings.Contains(form, `name="step" value="organization"`):
		fields.Set("organization", b.person.Organization)
	default:
		return false
	}
	return true
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
	s.browser.answer, s.browser.seen = args[0], nil
	// A browser encodes the blanks of an address that somebody typed.
	address, err := url.Parse(strings.ReplaceAll(args[1], " ", "%20"))
	ts.Check(err)
	sentTo, page, err := s.browser.visit(address.String(), func(host string) bool { return host == address.Hostname() })
	ts.Check(err)
	ts.Logf("%s", strings.Join(s.browser.seen, "\n"))
	s.output = []byte(page)
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), s.output, 0o600))
	ts.Setenv("LOCATION", sentTo)
	to, err := url.Parse(sentTo)
	ts.Check(err)
	for _, name := range []string{"code", "state", "iss", "error"} {
		ts.Setenv(strings.ToUpper(name), to.Query().Get(name))
	}
}
