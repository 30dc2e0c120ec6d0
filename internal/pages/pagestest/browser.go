// Package pagestest plays a person with a browser without JavaScript, for tests.
package pagestest

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// A Browser follows redirects and fills in the forms that Cardea shows. It keeps cookies.
// It is used by one goroutine.
type Browser struct {
	// Organization, Email and Password are what the person types when asked.
	Organization, Email, Password string

	// Answer is what they say to a question for consent: "allow" or "deny".
	Answer string

	// Seen tells the requests of the last visit, one a line.
	Seen []string

	client *http.Client
}

// New returns a browser without cookies that sends its requests through transport; nil
// means the default one.
func New(transport http.RoundTripper) *Browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Browser{Answer: "allow", client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// mostPages is how many pages lie between an address and where it ends.
const mostPages = 12

// Visit opens an address and goes on, signing in and answering what it is asked, until it
// is sent to a host that is not ours, or shown a page without a form that it knows. It
// returns the address it was sent to, "" for none, and the last page.
func (b *Browser) Visit(ctx context.Context, address string, ours func(host string) bool) (sentTo, page string, err error) {
	b.Seen = nil
	var form url.Values // to send; nil: just look
	for range mostPages {
		resp, text, err := b.load(ctx, address, form)
		if err != nil {
			return "", "", err
		}
		b.Seen = append(b.Seen, fmt.Sprintf("%s %s: %d", resp.Request.Method, strings.SplitN(address, "?", 2)[0], resp.StatusCode))
		next, fields, err := b.next(resp, text)
		if err != nil || next == nil {
			return "", text, err
		}
		if !ours(next.Host) {
			return next.String(), text, nil
		}
		address, form = next.String(), fields
	}
	return "", "", fmt.Errorf("no end after %d pages:\n%s", mostPages, strings.Join(b.Seen, "\n"))
}

// load sends a form as a page of the same site would, or asks for a page.
func (b *Browser) load(ctx context.Context, address string, form url.Values) (*http.Response, string, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := b.client.Do(req)
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

// next returns where a person goes from an answer and the form they send there; nil when
// there is nothing to do.
func (b *Browser) next(resp *http.Response, page string) (*url.URL, url.Values, error) {
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

var userCode = regexp.MustCompile(`name="user_code"[^>]*value="([^"]+)"`)

// fill fills in a form that a person came for, and reports whether it is one.
func (b *Browser) fill(form string, fields url.Values) bool {
	code := userCode.FindStringSubmatch(form)
	switch {
	case strings.Contains(form, `name="decision"`):
		fields.Set("decision", b.Answer)
	case strings.Contains(form, `name="email"`) && strings.Contains(form, `name="password"`):
		fields.Set("email", b.Email)
		fields.Set("password", b.Password)
	case strings.Contains(form, `name="step" value="organization"`):
		fields.Set("organization", b.Organization)
	case code != nil:
		fields.Set("user_code", html.UnescapeString(code[1]))
	default:
		return false
	}
	return true
}
