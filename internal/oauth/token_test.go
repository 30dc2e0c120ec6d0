package oauth

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// TestErrorsOfTheTokenEndpoint: every row of RFC 6749 §5.2, in the flat shape whatever the
// contract's API errors look like (threats D10).
func TestErrorsOfTheTokenEndpoint(t *testing.T) {
	w := newWorld(t, acme(t))
	c, p, m := w.register(), w.register(public), w.member()
	only := w.register(func(c *store.Client) { c.Grants = []string{"authorization_code"} })
	for _, one := range []struct {
		name   string
		answer answered
		status int
		code   string
	}{
		{"no grant_type", w.as(c), 400, "invalid_request"},
		{"an empty grant_type", w.as(c, "grant_type", ""), 400, "invalid_request"},
		{"a repeated parameter", w.as(c, "grant_type", "client_credentials", "scope", "read", "scope", "write"), 400, "invalid_request"},
		{"no client", w.post("/oauth/token", "grant_type", "client_credentials"), 400, "invalid_request"},
		{"unknown client", w.post("/oauth/token", "grant_type", "refresh_token", "client_id", "client_x", "refresh_token", "x"), 401, "invalid_client"},
		{"bad code", w.as(c, "grant_type", "authorization_code", "code", "x", "redirect_uri", callback), 400, "invalid_grant"},
		{"bad refresh token", w.as(c, "grant_type", "refresh_token", "refresh_token", "x"), 400, "invalid_grant"},
		{"client may not", w.as(only, "grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"public client alone", w.as(p, "grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"password", w.as(c, "grant_type", "password", "username", m.Email, "password", "x"), 400, "unsupported_grant_type"},
		{"implicit", w.as(c, "grant_type", "implicit"), 400, "unsupported_grant_type"},
		{"the contract's own word", w.as(c, "grant_type", "device_code"), 400, "unsupported_grant_type"},
		{"unknown scope", w.as(c, "grant_type", "client_credentials", "scope", "root"), 400, "invalid_scope"},
		{"unknown resource", w.as(c, "grant_type", "client_credentials", "resource", "https://evil.test"), 400, "invalid_target"},
		{"one unknown resource of two", w.as(c, "grant_type", "client_credentials", "resource", "https://api.example.test", "resource", "https://evil.test"), 400, "invalid_target"},
	} {
		if one.answer.status != one.status || one.answer.text("error") != one.code {
			t.Errorf("%s: %d %s, want %d %s", one.name, one.answer.status, one.answer.body, one.status, one.code)
		}
		if len(one.answer.members()) != 2 || one.answer.header.Get("Pragma") != "no-cache" || one.answer.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %v", one.name, one.answer.body, one.answer.header)
		}
	}
	w.as(c, "grant_type", "client_credentials", "resource", "https://api.example.test").want(200, "")
}

// TestErrorsQuoteNothing: whatever comes in, none of it comes back or is logged.
func TestErrorsQuoteNothing(t *testing.T) {
	w := newWorld(t, acme(t))
	const mark = "zq<script>\"'"
	for _, name := range []string{"grant_type", "client_id", "client_secret", "scope", "code", "redirect_uri", "refresh_token", mark} {
		for _, grant := range []string{"client_credentials", "authorization_code", "refresh_token"} {
			a := w.post("/oauth/token", "grant_type", grant, "client_id", "x", name, mark)
			if strings.Contains(a.body, "zq") {
				t.Errorf("%s: %s", name, a.body)
			}
		}
	}
	if strings.Contains(w.logged(), "zq") {
		t.Errorf("the log quotes input: %s", w.logged())
	}
}

// TestNoRefreshTokenForMachines: RFC 6749 §4.4.3.
func TestNoRefreshTokenForMachines(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register()
	a := w.as(c, "grant_type", "client_credentials", "scope", "offline_access read").want(200, "")
	if a.text("refresh_token") != "" || a.text("id_token") != "" {
		t.Errorf("answer %s", a.body)
	}
}

// TestIssuedAfterAWatermark: what is issued in the second of a revocation is newer than
// the revocation.
func TestIssuedAfterAWatermark(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	w.advance(300 * time.Millisecond)
	machine := w.as(c, "grant_type", "client_credentials").want(200, "")
	user := w.redeem(c, w.code(c, m)).want(200, "")
	w.advance(300 * time.Millisecond)
	w.change(func(tx *store.Tx) error {
		if err := tx.EndTokens(t.Context(), c.id()); err != nil {
			return err
		}
		return tx.EndMemberTokens(t.Context(), m.ID)
	})
	for name, a := range map[string]answered{"machine": machine, "user": user} {
		if got := w.reason(a.text("access_token")); got != cardea.ReasonRevoked {
			t.Errorf("%s token from before: %v", name, got)
		}
	}
	machine = w.as(c, "grant_type", "client_credentials").want(200, "")
	user = w.redeem(c, w.code(c, m)).want(200, "")
	for name, a := range map[string]answered{"machine": machine, "user": user} {
		if got := w.reason(a.text("access_token")); got != cardea.ReasonAllowed {
			t.Errorf("%s token from after: %v", name, got)
		}
	}
}

// TestMachineTokenIsRememberedForItsSecond: the same request in the same second is the
// same token, audited once; anything else is another.
func TestMachineTokenIsRememberedForItsSecond(t *testing.T) {
	w := newWorld(t, acme(t))
	c, other := w.register(), w.register()
	first := w.as(c, "grant_type", "client_credentials").want(200, "")
	again := w.as(c, "grant_type", "client_credentials").want(200, "")
	if first.body != again.body || w.events("token.issue") != 1 {
		t.Errorf("%d events\n%s\n%s", w.events("token.issue"), first.body, again.body)
	}
	seen := map[string]bool{first.text("access_token"): true}
	fresh := func(name string, a answered) {
		if a.want(200, ""); seen[a.text("access_token")] {
			t.Errorf("%s: the same token", name)
		}
		seen[a.text("access_token")] = true
	}
	fresh("other scopes", w.as(c, "grant_type", "client_credentials", "scope", "read"))
	fresh("another client", w.as(other, "grant_type", "client_credentials"))
	w.change(func(tx *store.Tx) error { return tx.EndTokens(t.Context(), c.id()) })
	fresh("after a revocation", w.as(c, "grant_type", "client_credentials"))
	w.advance(2 * time.Second)
	fresh("later", w.as(c, "grant_type", "client_credentials"))
}

// TestRevokedTokenIsNotHandedOutAgain: a token that was revoked by its id is forgotten
// with the second it was made in.
func TestRevokedTokenIsNotHandedOutAgain(t *testing.T) {
	w := newWorld(t, acme(t))
	c := w.register()
	first := w.as(c, "grant_type", "client_credentials").want(200, "")
	w.post("/oauth/revoke", "client_id", c.id(), "client_secret", c.secret.Reveal(), "token", first.text("access_token")).want(200, "")
	again := w.as(c, "grant_type", "client_credentials").want(200, "")
	if got := w.reason(again.text("access_token")); got != cardea.ReasonAllowed {
		t.Errorf("the next token: %v", got)
	}
}

// TestOneSignatureForManyRequests: requests for the same token at the same time share it.
func TestOneSignatureForManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo
		var made int
		begin := make(chan struct{})
		build := func(context.Context) ([]byte, error) {
			made++
			<-begin
			return []byte("token"), nil
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				body, err := m.get(t.Context(), 1, memoKey{}, build)
				if err != nil || string(body) != "token" {
					t.Errorf("%q, %v", body, err)
				}
			})
		}
		synctest.Wait()
		close(begin)
		all.Wait()
		if made != 1 {
			t.Errorf("made %d times", made)
		}
	})
}

// TestMemoIsBoundedAndForgetsErrors holds the size, and that an error is not remembered.
func TestMemoIsBoundedAndForgetsErrors(t *testing.T) {
	var m memo
	for i := range 2 * maxMemo {
		key := memoKey{holder: secret.NewID("client_")}
		_, err := m.get(t.Context(), 1, key, func(context.Context) ([]byte, error) {
			if i%2 == 0 {
				return nil, errUnavailable
			}
			return []byte("x"), nil
		})
		if (err != nil) != (i%2 == 0) {
			t.Fatal(err)
		}
	}
	if len(m.known) != maxMemo {
		t.Errorf("%d answers are remembered, want %d", len(m.known), maxMemo)
	}
	_, _ = m.get(t.Context(), 2, memoKey{}, func(context.Context) ([]byte, error) { return nil, nil })
	if len(m.known) != 1 {
		t.Errorf("%d answers in a new second", len(m.known))
	}
}

// TestNoTokenWithoutItsEvent: when the audit event cannot be written, nothing is issued
// and nothing is used up.
func TestNoTokenWithoutItsEvent(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	code := w.code(c, m)
	w.change(func(tx *store.Tx) error { return nil })
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]answered{
		"machine": w.as(c, "grant_type", "client_credentials"),
		"code":    w.redeem(c, code),
	} {
		if a.status != 503 || a.text("error") != "temporarily_unavailable" || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
