package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// loopbackRedirect is where the flow waits for its code unless told; servers compare such
// addresses without the port (RFC 8252 §7.3).
const loopbackRedirect = "http://127.0.0.1/callback"

// authorizationCode: RFC 6749 §4.1 with PKCE (RFC 7636) and the issuer's name in the
// answer (RFC 9207).
func (f *flow) authorizationCode() error {
	if f.endpoints.authorize == "" {
		return notFoundf("the server has no authorization endpoint")
	}
	listener, redirect, err := f.listen()
	if err != nil {
		return err
	}
	verifier, state := rand.Text()+rand.Text(), rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	request := form{
		{"response_type", "code"}, {"client_id", f.clientID}, {"redirect_uri", redirect}, {"scope", f.scope}, {"state", state},
		{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])}, {"code_challenge_method", "S256"},
	}
	f.step++
	f.say("\n%d. Send the person to the authorization page\n   Open %s?%s", f.step, f.endpoints.authorize, request.encode())
	answer, err := f.wait(listener, state)
	if err != nil {
		return err
	}
	f.step++
	f.say("\n%d. The browser came back\n   code %s", f.step, shorten(answer.Get("code")))
	got, err := f.token("Exchange the code", form{
		{"grant_type", "authorization_code"}, {"code", answer.Get("code")}, {"redirect_uri", redirect}, {"code_verifier", verifier},
	})
	if err != nil {
		return err
	}
	if err := f.finish(got); err != nil {
		return err
	}
	if next := got.text("refresh_token"); next != "" {
		_, err = f.token("Exchange the refresh token for new ones", form{{"grant_type", "refresh_token"}, {"refresh_token", next}})
	}
	return err
}

// listen opens the redirect URI on this machine and returns it with its port.
func (f *flow) listen() (net.Listener, string, error) {
	u, err := url.Parse(firstOf(f.redirect, loopbackRedirect))
	if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" && u.Hostname() != "localhost" {
		return nil, "", usagef("--redirect-uri must be http:// on this machine, where the code can be waited for")
	}
	l, err := net.Listen("tcp", net.JoinHostPort(u.Hostname(), firstOf(u.Port(), "0")))
	if err != nil {
		return nil, "", err
	}
	if f.redirect == "" {
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, "", err
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return l, u.String(), nil
}

// personTime is how long a person may take to sign in and agree.
const personTime = 10 * time.Minute

// comeBack is the page on which the browser's part ends. Its icon is empty, or the browser
// would ask for one.
const comeBack = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Back to the command line</title>
<style>body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 15vh auto; padding: 0 1.5rem } h1 { font-size: 1.5rem }</style>
<main><h1>Back to the command line</h1>
<p>The answer has arrived there. You can close this page.</p></main>
`

// wait returns the answer that the browser brings. One that was not asked for is
// ignored: its state is another.
func (f *flow) wait(l net.Listener, state string) (url.Values, error) {
	answers := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("state") != state {
			http.Error(w, "This is not the answer that was waited for.", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, comeBack) // a browser that has gone needs no page
		select {
		case answers <- q:
		default:
		}
	})}
	go server.Serve(l) // ends with Shutdown
	defer server.Shutdown(f.ctx)
	select {
	case q := <-answers:
		if code := q.Get("error"); code != "" {
			return nil, &oauthRefusal{code, q.Get("error_description")}
		}
		return q, nil
	case <-f.ctx.Done():
		return nil, f.ctx.Err()
	case <-time.After(personTime):
		return nil, errors.New("nobody came back in time")
	}
}
