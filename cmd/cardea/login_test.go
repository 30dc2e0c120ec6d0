package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/dev"
	"github.com/cardea-dev/cardea/internal/pages/pagestest"
)

// startDev runs a whole Cardea in this process.
func startDev(t *testing.T) dev.Ready {
	t.Helper()
	d, err := dev.New(t.Context(), dev.Config{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d.Ready()
}

// A person confirms the code that cardea login shows, in a browser where they sign in;
// from then on commands act as that person, until cardea logout ends the session.
func TestLoginSignsACommandLineIn(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	for _, name := range []string{"CARDEA_URL", "CARDEA_TOKEN", "CARDEA_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	ready := startDev(t)

	talk, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"login", ready.App}, nil, io.Discard, write)
		write.Close()
	}()
	lines := bufio.NewScanner(talk)
	var address, code string
	for lines.Scan() && code == "" {
		address = after(lines.Text(), "Open ", address)
		code = after(lines.Text(), "and type ", code)
		if code != "" {
			break
		}
	}
	go io.Copy(io.Discard, talk) // what else is said must not block
	if address == "" || code == "" {
		t.Fatal("no address and code were shown")
	}
	person := pagestest.New(nil)
	person.Email, person.Password = ready.Users[0].Email, ready.Users[0].Password
	ours := func(host string) bool { return strings.HasSuffix(ready.App, "//"+host) }
	if _, page, err := person.Visit(t.Context(), address+"?user_code="+code, ours); err != nil {
		t.Fatalf("%v\n%s\n%s", err, strings.Join(person.Seen, "\n"), page)
	}
	if got := <-ended; got != exitDone {
		t.Fatalf("cardea login ended with %d", got)
	}
	kept, err := os.Stat(filepath.Join(home, "cardea", "login.json"))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Fatalf("the session is kept in %v: %v", kept, err)
	}

	cardea := func(args ...string) (string, int) {
		var out, talk bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &out, &talk)
		return out.String() + talk.String(), code
	}
	// As the owner of their organization they see and make keys of it, and no more than that.
	if out, code := cardea("keys", "list", "--org", ready.Organization); code != exitDone {
		t.Errorf("keys list: %d, %s", code, out)
	}
	if out, code := cardea("keys", "create", "mine", "--org", ready.Organization, "--env", "test", "--scope", "read"); code != exitDone {
		t.Errorf("keys create: %d, %s", code, out)
	}
	if out, code := cardea("orgs", "create", "Another"); code != exitUnknown {
		t.Errorf("a member made an organization: %d, %s", code, out)
	}
	if out, code := cardea("signing-keys", "rotate"); code != exitUnknown {
		t.Errorf("a member rotated the signing keys: %d, %s", code, out)
	}
	text, err := os.ReadFile(filepath.Join(home, "cardea", "login.json"))
	if err != nil {
		t.Fatal(err)
	}
	if out, code := cardea("logout"); code != exitDone {
		t.Fatalf("logout: %d, %s", code, out)
	}
	// A copy of the file is worth nothing afterwards.
	if err := os.WriteFile(filepath.Join(home, "cardea", "login.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := cardea("keys", "list"); code != exitUnknown {
		t.Errorf("the session outlived its end: %d, %s", code, out)
	}
}

// Where nobody can sign in, cardea login says which address it wants; and no session travels
// where others could read it.
func TestLoginSaysWhichAddressItWants(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	ready := startDev(t)
	for address, want := range map[string]struct {
		code int
		says string
	}{
		ready.Management:             {exitUnknown, "the product's app host"},
		"app.example.com":            {exitUsage, "not a URL"},
		"http://app.example.com":     {exitUsage, "begin the address with https://"},
		"http://127.0.0.1.example/x": {exitUsage, "begin the address with https://"},
	} {
		var talk bytes.Buffer
		if got := run(t.Context(), []string{"login", address}, nil, io.Discard, &talk); got != want.code || !strings.Contains(talk.String(), want.says) {
			t.Errorf("cardea login %s: %d, %s", address, got, &talk)
		}
	}
}

// The person who is asked reads what program asks, and logging out says that it did.
func TestLoginNamesItself(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if got := userAgent(); !strings.HasPrefix(got, "cardea/") || !strings.Contains(got, "("+runtime.GOOS+")") {
		t.Errorf("the program calls itself %q", got)
	}
	var talk bytes.Buffer
	if got := run(t.Context(), []string{"logout"}, nil, io.Discard, &talk); got != exitDone || !strings.Contains(talk.String(), "not signed in") {
		t.Errorf("logout without a session: %d, %s", got, &talk)
	}
}

// after returns what follows a prefix, else what was there.
func after(line, prefix, old string) string {
	if rest, ok := strings.CutPrefix(line, prefix); ok {
		return strings.TrimSpace(rest)
	}
	return old
}
