package oauth

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
)

// TestNothingIssuedIsKeptInTheClear holds RFC 6749 §10.3 and §10.4, and RFC 9700 §4.9: who
// takes the database's files or the log has nothing that can be used.
func TestNothingIssuedIsKeptInTheClear(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := newWorldOn(t, acme(t, changes...), store.Config{Dir: dir})
			c, p, m := w.register(), w.register(public), w.member()
			b := w.signedIn(m)
			code := b.code(c)
			first := w.redeem(c, code).want(200, "")
			again := w.renew(c, first.text("refresh_token")).want(200, "")
			device := w.deviceRequest(p)
			issued := map[string]string{
				"code": code, "access token": first.text("access_token"), "refresh token": first.text("refresh_token"),
				"next access token": again.text("access_token"), "next refresh token": again.text("refresh_token"),
				"machine's token": w.as(c, "grant_type", "client_credentials").text("access_token"),
				"device code":     device.text("device_code"), "request_uri": w.pushAs(c).text("request_uri"),
				"client secret": c.secret.Reveal(), "session": b.cookie,
			}
			w.redeem(c, code).want(400, "invalid_grant")
			var kept []byte
			err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				text, err := os.ReadFile(name)
				kept = append(kept, text...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(kept, []byte(c.id())) {
				t.Fatal("these are not the database's files")
			}
			kept = append(kept, w.logged()...)
			for what, text := range issued {
				if len(text) < 30 {
					t.Fatalf("%s: %q", what, text)
				}
				// The middle: prefixes are no secret, and a JWT's begins alike.
				if middle := text[len(text)-28 : len(text)-6]; bytes.Contains(kept, []byte(middle)) {
					t.Errorf("the %s is kept in the clear", what)
				}
			}
		})
	}
}

// TestRefreshTokensAreForThoseWhoMayHaveThem holds RFC 9700 §4.14.2: a client that was not
// registered for them gets none and can use none.
func TestRefreshTokensAreForThoseWhoMayHaveThem(t *testing.T) {
	w := full(t)
	m := w.member()
	c := w.register(func(c *store.Client) { c.Grants = []string{"authorization_code", "device_code"} })
	for name, a := range map[string]answered{"code": w.redeem(c, w.code(c, m)), "device": w.poll(c, w.device(c, m))} {
		if a.want(200, ""); a.text("refresh_token") != "" {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	w.renew(c, "rt_x").want(400, "unauthorized_client")
}
