package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// commandLineClient is the name under which this program asks to be signed in.
const commandLineClient = "cardea-cli"

// A login is a signed-in person, kept for the next command.
type login struct {
	URL       string    `json:"url"` // of the management API; the token goes nowhere else
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// loginCommand is `cardea login`.
func loginCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "login [URL]", Short: "Sign in as a person, with a code that you confirm in a browser", Args: cobra.MaximumNArgs(1),
		Long: `Signs you in at the product's app host (RFC 8628): the command shows a code, you confirm
it in a browser, and from then on management commands act as you, with your role in your
organization, until the session ends or you run cardea logout.

URL is the address of the app host; without it that of cardea dev, http://127.0.0.1:8080.`,
		Example: "  cardea login https://app.example.com",
		RunE: func(c *cobra.Command, args []string) error {
			base := "http://127.0.0.1:8080"
			if len(args) > 0 {
				base = strings.TrimSuffix(args[0], "/")
			}
			return signIn(c, base)
		},
	}
	return c
}

// logoutCommand is `cardea logout`.
func logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the session that cardea login began", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			saved, err := savedLogin()
			if err != nil {
				return err
			}
			if saved == nil {
				fmt.Fprintln(c.ErrOrStderr(), "You are not signed in.")
				return nil
			}
			// The session ends at the server first: a copy of the file is then worth nothing.
			f := loginFlow(c)
			_, err = f.post("End the session", strings.TrimSuffix(saved.URL, "/cardea")+"/signin/revoke", form{{"token", saved.Token}})
			var refused *oauthRefusal
			if err != nil && !errors.As(err, &refused) {
				return err
			}
			name, err := loginFile()
			if err != nil {
				return err
			}
			if err := os.Remove(name); err != nil {
				return err
			}
			fmt.Fprintln(c.ErrOrStderr(), "Signed out.")
			return nil
		},
	}
}

// loginFlow returns a flow that shows only what is for the person.
func loginFlow(c *cobra.Command) *flow {
	f := newQuietFlow(c)
	f.clientID, f.hint = commandLineClient, loginHint
	return f
}

// loginHint is for addresses at which nobody signs in.
const loginHint = "Name the address of the product's app host: cardea login https://app.example.com"

// checkLoginAddress refuses what is no address of a server, and one where others could read
// the session on its way.
func checkLoginAddress(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return usagef("the server's address is not a URL\n%s", loginHint)
	}
	name := u.Hostname()
	ip, _ := netip.ParseAddr(name)
	if u.Scheme == "http" && !ip.IsLoopback() && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
		return usagef("others could read the session on its way: begin the address with https://")
	}
	return nil
}

// signIn asks for a code, shows it, and waits for the session.
func signIn(c *cobra.Command, base string) error {
	if err := checkLoginAddress(base); err != nil {
		return err
	}
	f := loginFlow(c)
	f.endpoints = endpointURLs{device: base + "/signin/device", token: base + "/signin/token"}
	answer, err := f.post("", f.endpoints.device, nil)
	var refused *oauthRefusal
	if errors.Is(err, errNoObject) || errors.As(err, &refused) && answer.text("error") == "" {
		return notFoundf("nobody signs in at this address\n%s", loginHint)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "Open %s\nand type %s\n", cell(answer.text("verification_uri")), cell(answer.text("user_code")))
	got, err := f.poll(answer, "urn:ietf:params:oauth:grant-type:device_code")
	if err != nil {
		return err
	}
	saved := login{
		URL: base + "/cardea", Token: got.text("access_token"),
		ExpiresAt: time.Now().Add(time.Duration(got.number("expires_in")) * time.Second),
	}
	if err := saved.write(); err != nil {
		return err
	}
	fmt.Fprintln(c.ErrOrStderr(), "Signed in.")
	return nil
}

// loginFile returns the file that keeps the session: the user's own, mode 0600.
func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", usagef("no directory to keep the session in: %w", err)
	}
	return filepath.Join(dir, "cardea", "login.json"), nil
}

// write keeps a session.
func (l *login) write() error {
	name, err := loginFile()
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(name), "login-") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = fresh.Write(append(text, '\n'))
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return nil
}

// savedLogin returns the session of the last cardea login, nil when there is none that
// could still be good.
func savedLogin() (*login, error) {
	name, err := loginFile()
	if err != nil {
		return nil, nil // no such directory, no session
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usagef("the session of cardea login cannot be read: %w", err)
	}
	var l login
	if json.Unmarshal(text, &l) != nil || l.Token == "" || l.URL == "" {
		return nil, usagef("%s is damaged; run cardea login again", name)
	}
	if !time.Now().Before(l.ExpiresAt) {
		return nil, nil
	}
	return &l, nil
}
