package interop

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// openBrowser starts a person's browser as a service: GET /?url=… opens the URL, signs in
// and agrees where it is asked to, and answers with the address that the person was sent
// to in the end, without going there.
func (w *world) openBrowser() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(l, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // ends with the test
		at, err := w.visit(r.URL.Query().Get("url"))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(rw, at) // a caller that left is its own business
	}))
	w.browser = "http://" + l.Addr().String()
	return nil
}

var (
	form    = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	hidden  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	refresh = regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]*)"`)
)

// visit goes from an address to where it ends. Each visit is another person's browser: it
// has no session yet.
func (w *world) visit(address string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var fields url.Values
	for range 12 {
		resp, text, err := load(client, address, fields)
		if err != nil {
			return "", err
		}
		next, filled := w.next(resp, text)
		if next == "" {
			if resp.StatusCode >= 400 {
				return "", fmt.Errorf("the page says %d: %s", resp.StatusCode, text)
			}
			return resp.Request.URL.String(), nil // a page to stay on
		}
		u, err := resp.Request.URL.Parse(next)
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(u.String(), w.Base+"/") {
			return u.String(), nil
		}
		address, fields = u.String(), filled
	}
	return "", errors.New("no end")
}

// load sends a form, or asks for a page where there is none to send.
func load(client *http.Client, address string, fields url.Values) (*http.Response, string, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if fields != nil {
		req, err = http.NewRequest(http.MethodPost, address, strings.NewReader(fields.Encode()))
	}
	if err != nil {
		return nil, "", err
	}
	if fields != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// next returns where a person goes from here, and the form they send there.
func (w *world) next(resp *http.Response, page string) (string, url.Values) {
	if to := resp.Header.Get("Location"); to != "" {
		return to, nil
	}
	if m := refresh.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(m[1]), nil
	}
	for _, m := range form.FindAllStringSubmatch(page, -1) {
		fields := url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(m[2], -1) {
			fields.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
		}
		switch {
		case strings.Contains(m[2], `name="decision"`):
			fields.Set("decision", "allow")
		case strings.Contains(m[2], `name="email"`) && strings.Contains(m[2], `name="password"`):
			fields.Set("email", w.Users[0].Email)
			fields.Set("password", w.Users[0].Password)
		case strings.Contains(m[2], `name="user_code"`):
			code := regexp.MustCompile(`name="user_code"[^>]*value="([^"]+)"`).FindStringSubmatch(m[2])
			if code == nil {
				continue
			}
			fields.Set("user_code", html.UnescapeString(code[1]))
		default:
			continue
		}
		return html.UnescapeString(m[1]), fields
	}
	return "", nil
}
