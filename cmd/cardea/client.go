package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

// defaultURL is where `cardea serve` and `cardea dev` have the management API.
const defaultURL = "http://127.0.0.1:8081"

// A session is one management command at work: the server it speaks to and the form in
// which it answers.
type session struct {
	*admin.Client
	printer
}

// remote gives a command and its subcommands the flags of a management command.
func remote(c *cobra.Command) *cobra.Command {
	f := c.PersistentFlags()
	f.String("url", "", "base `URL` of the management API (CARDEA_URL; default "+defaultURL+")")
	f.String("token-file", "", "`FILE` with the management token (CARDEA_TOKEN_FILE; without it CARDEA_TOKEN)")
	f.StringP("output", "o", "table", "table or json")
	return c
}

// connect returns the session that a command's flags and environment describe. Nothing
// is sent yet.
func connect(c *cobra.Command) (*session, error) {
	format := c.Flag("output").Value.String()
	if format != "table" && format != "json" {
		return nil, usagef("-o must be table or json")
	}
	base, token, err := credentials(c)
	if err != nil {
		return nil, err
	}
	// No time limit of the client's own: a backup may take as long as it needs.
	client, err := admin.New(admin.Config{
		URL: base, Token: token, HTTPClient: http.DefaultClient,
	})
	if err != nil {
		return nil, usagef("the URL of the management API: %w", err)
	}
	return &session{Client: client, printer: printer{out: c.OutOrStdout(), talk: c.ErrOrStderr(), json: format == "json"}}, nil
}

// credentials returns where the management API is and the token for it: a management
// token, or the session of whoever signed in with cardea login.
func credentials(c *cobra.Command) (base, token string, err error) {
	base = firstOf(c.Flag("url").Value.String(), os.Getenv("CARDEA_URL"))
	file := c.Flag("token-file").Value.String()
	if file == "" && os.Getenv("CARDEA_TOKEN") == "" && os.Getenv("CARDEA_TOKEN_FILE") == "" {
		saved, err := savedLogin()
		if err != nil {
			return "", "", err
		}
		// The session goes to the server that began it and to no other.
		if saved != nil && (base == "" || base == saved.URL) {
			return saved.URL, saved.Token, nil
		}
	}
	token, err = managementToken(file)
	return firstOf(base, defaultURL), token, err
}

// managementToken returns the token. It never comes from an argument, since every user
// of a machine can read the arguments of every process.
func managementToken(file string) (string, error) {
	if token := os.Getenv("CARDEA_TOKEN"); file == "" && token != "" {
		return token, nil
	}
	if file = firstOf(file, os.Getenv("CARDEA_TOKEN_FILE")); file == "" {
		return "", &codedError{code: exitUnknown, err: errors.New("no management token: set CARDEA_TOKEN, name a file with --token-file, or sign in with cardea login\n" +
			"(cardea serve writes the first one to DATA/management.token, cardea dev shows it)")}
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", usagef("the token file does not exist: %s", file)
	case err != nil:
		return "", usagef("the token file cannot be read: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", usagef("the token file is empty: %s", file)
	}
	return token, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// with returns what cobra runs for a management command: connect, act, and say what an
// error means for the person at the keyboard.
func with(act func(s *session, c *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		s, err := connect(c)
		if err != nil {
			return err
		}
		return advise(act(s, c, args))
	}
}

// advise adds what to do to errors that everybody meets.
func advise(err error) error {
	var coded *codedError
	var network *url.Error
	switch {
	case err == nil, errors.As(err, &coded):
		return err
	case errors.As(err, &network):
		return fmt.Errorf("%w\nIs the server running? Its management address goes into CARDEA_URL or --url", err)
	case status(err) == http.StatusUnauthorized:
		return fmt.Errorf("%w\nThe management token is not accepted: check CARDEA_TOKEN or --token-file, and that CARDEA_URL names the server it belongs to", err)
	}
	return err
}
