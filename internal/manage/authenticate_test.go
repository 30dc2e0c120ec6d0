package manage_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
)

func TestManagementTokensWorkUntilRevokedOrExpired(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		from := netip.MustParseAddr("192.0.2.7")
		system := cardea.Actor{Type: "system", ID: "init"}
		tok := must(w.CreateManagementToken(w.ctx, system, manage.CreateManagementToken{Name: "first", ExpiresAt: start.Add(time.Hour)}))(t)
		actor := must(w.Authenticate(w.ctx, tok.Secret.Reveal(), from))(t)
		if want := (cardea.Actor{Type: "operator", ID: tok.Token.ID, Address: "192.0.2.7"}); actor != want {
			t.Errorf("actor %+v", actor)
		}
		if used := must(w.ManagementTokens(w.ctx, operator, manage.Page{}))(t).Items[0].LastUsedAt; used.IsZero() {
			t.Errorf("the use left no trace")
		}
		w.advance(time.Hour)
		_, err := w.Authenticate(w.ctx, tok.Secret.Reveal(), from)
		wantKind(t, err, cardea.KindUnauthorized)

		again := must(w.CreateManagementToken(w.ctx, system, manage.CreateManagementToken{Name: "second"}))(t)
		must(w.Authenticate(w.ctx, again.Secret.Reveal(), from))(t)
		must(w.RevokeManagementToken(w.ctx, operator, manage.ID{ID: again.Token.ID}))(t)
		_, err = w.Authenticate(w.ctx, again.Secret.Reveal(), from)
		wantKind(t, err, cardea.KindUnauthorized)
		must(w.RevokeManagementToken(w.ctx, operator, manage.ID{ID: again.Token.ID}))(t) // idempotent

		key := w.key(w.organization("Acme").ID, "k")
		for _, text := range []string{"", "x", "cardea_mt_", key.Secret.Reveal(), secret.New(secret.ShapePrefix, "cardea_mt_").Reveal(), again.Token.ID} {
			_, err := w.Authenticate(w.ctx, text, from)
			wantKind(t, err, cardea.KindUnauthorized)
		}
	})
}

// Guessing is slowed down per address; a token that works is not held up by others who
// share its address.
func TestFailedAttemptsAreThrottled(t *testing.T) {
	w := sqlite(t)
	here, there := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::1")
	good := must(w.CreateManagementToken(w.ctx, operator, manage.CreateManagementToken{Name: "a"}))(t).Secret.Reveal()
	must(w.Authenticate(w.ctx, good, here))(t)
	guess := func(from netip.Addr) error {
		_, err := w.Authenticate(w.ctx, secret.New(secret.ShapePrefix, "cardea_mt_").Reveal(), from)
		return err
	}
	var throttled *manage.ThrottledError
	for i := range 40 {
		err := guess(netip.MustParseAddr("2001:db8::1").Next())
		if got := errors.As(err, &throttled); got != (i >= 20) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if throttled.Wait != 30*time.Second { // the clock minute has half a minute left
		t.Errorf("wait %v", throttled.Wait)
	}
	must(w.Authenticate(w.ctx, good, here))(t)
	wantKind(t, guess(there), cardea.KindUnauthorized)
	w.advance(30 * time.Second)
	wantKind(t, guess(here), cardea.KindUnauthorized)
}
