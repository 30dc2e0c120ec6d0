package signing_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
)

const acme = `
cardea: 1
product: Acme
issuer: https://auth.acme.example
audience: https://api.acme.example
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
scopes: {read: Read}
plans: {free: {label: Free, per_minute: 60}}
default_plan: free
clients:
  secret: {prefix: cs_}
  grants: [client_credentials]
  authentication: [client_secret_basic]
tokens:
  access: {format: jwt, lifetime: 2h, algorithm: ES256}
endpoints:
  token: [{path: /oauth/token, grants: {client_credentials: client_credentials}}]
  jwks: {path: /.well-known/jwks.json}
routes:
  - {match: "GET /v1/", scopes: [read]}
`

// load compiles a contract that differs from acme in words.
func load(t testing.TB, replace ...string) *contract.Contract {
	t.Helper()
	c, err := contract.Load("acme.yaml", []byte(strings.NewReplacer(replace...).Replace(acme)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// world is a store with a clock that only the test moves.
type world struct {
	*testing.T
	db     *store.DB
	clock  atomic.Int64
	c      atomic.Pointer[contract.Contract]
	sealer *secret.Sealer
}

var me = cardea.Actor{Type: "operator", ID: "mt_1"}

// each runs a test on every engine.
func each(t *testing.T, test func(w *world)) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := &world{T: t}
		w.clock.Store(time.Unix(1_800_000_000, 0).UnixMicro())
		w.c.Store(load(t))
		sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
		if err != nil {
			t.Fatal(err)
		}
		w.sealer = sealer
		cfg.Now = w.now
		w.db = storetest.OpenConfig(t, cfg)
		test(w)
	})
}

func (w *world) now() time.Time       { return time.UnixMicro(w.clock.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// node returns the keys as one process has them.
func (w *world) node() *signing.Keys {
	return signing.New(signing.Config{Store: w.db, Sealer: w.sealer, Contract: w.c.Load, Now: w.now})
}

// current returns the kid that signs.
func (w *world) current(k *signing.Keys, environment string) string {
	w.Helper()
	key, err := k.Current(w.Context(), environment, "ES256")
	if err != nil {
		w.Fatal(err)
	}
	return key.ID
}

// states describes all keys of an environment, oldest first.
func (w *world) states(k *signing.Keys, environment string) []string {
	w.Helper()
	list, err := k.List(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, i := range slices.Backward(list) {
		if i.Environment == environment {
			out = append(out, string(i.State))
		}
	}
	return out
}

// published returns the kids of the document.
func (w *world) published(k *signing.Keys) []string {
	w.Helper()
	var document struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(k.JWKS(), &document); err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, key := range document.Keys {
		if key["use"] != "sig" || key["alg"] == "" || key["d"] != "" {
			w.Errorf("published: %v", key)
		}
		out = append(out, key["kid"])
	}
	return out
}

// sign returns a token of an environment.
func (w *world) sign(k *signing.Keys, environment string) string {
	w.Helper()
	key, err := k.Current(w.Context(), environment, "ES256")
	if err != nil {
		w.Fatal(err)
	}
	key.KeyID = true
	text, err := k.Signer().Sign(w.Context(), key, []token.Member{
		{Name: "iss", Value: "acme"}, {Name: "sub", Value: "user"}, {Name: "aud", Value: "api"}, {Name: "exp", Value: w.now().Unix() + 7200},
	})
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// verify verifies a token and returns its environment.
func (w *world) verify(k *signing.Keys, text string) (string, error) {
	w.Helper()
	v, err := k.Verification(w.Context())
	if err != nil {
		return "", err
	}
	h, _, err := token.Peek(text)
	if err != nil {
		w.Fatal(err)
	}
	_, environment, _ := v.Lookup(h.KeyID)
	_, err = token.Verify(text, v.Find, token.Expect{Issuer: "acme", Audience: "api", Now: w.now()})
	return environment, err
}

// events returns what the audit log says was done to keys.
func (w *world) events() []string {
	w.Helper()
	list, _, err := w.db.AuditEvents(w.Context(), store.AuditFilter{}, store.Page{Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, e := range list {
		if strings.HasPrefix(e.Action, "signing_key.") {
			out = append(out, e.Actor.Type+" "+e.Action)
		}
	}
	slices.Sort(out)
	return out
}

// However many ask first, one key is made, and all sign with it.
func TestTheFirstKeyIsMadeOnce(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		if got := string(k.JWKS()); got != `{"keys":[]}` {
			w.Errorf("before the first key: %s", got)
		}
		kids := make([]string, 16)
		var all sync.WaitGroup
		for i := range kids {
			all.Go(func() { kids[i] = w.current(k, "live") })
		}
		all.Wait()
		for _, kid := range kids {
			if kid != kids[0] || !strings.HasPrefix(kid, "key-") {
				w.Errorf("signs with %s and %s", kids[0], kid)
			}
		}
		if diff := cmp.Diff([]string{"system signing_key.create"}, w.events()); diff != "" {
			w.Errorf("audit (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{kids[0]}, w.published(k)); diff != "" {
			w.Errorf("published (-want +got):\n%s", diff)
		}
		if again := w.current(w.node(), "live"); again != kids[0] {
			w.Errorf("after a restart %s signs", again)
		}
	})
}

// A key of one environment says nothing about another.
func TestAKeyBelongsToOneEnvironment(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		live, test := w.sign(k, "live"), w.sign(k, "test")
		for text, want := range map[string]string{live: "live", test: "test"} {
			if got, err := w.verify(k, text); got != want || err != nil {
				w.Errorf("a token of %s is one of %s: %v", want, got, err)
			}
		}
		v, err := k.Verification(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		e := token.Expect{Issuer: "acme", Audience: "api", Now: w.now()}
		if _, err := token.Verify(test, v.Environment("live").Find, e); !errors.Is(err, token.ErrUnknownKey) {
			w.Errorf("a token of test is good in live: %v", err)
		}
		if v.Environment("none") != nil {
			w.Error("an environment that is not there has keys")
		}
		if _, err := k.Current(w.Context(), "none", "ES256"); err == nil {
			w.Error("made a key for an environment that is not there")
		}
		if _, err := k.Current(w.Context(), "live", "HS256"); err == nil {
			w.Error("made a key for an algorithm that is not ours")
		}
	})
}

// A new key is published a cache time before it signs, the old one verifies until its
// last token has expired, and then it is gone: at no time is a good token refused, and
// at no time does a key sign that somebody may not know.
func TestRotationOverlaps(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		old := w.current(k, "live")
		w.sign(k, "test")
		w.pass(time.Hour)
		generation := k.Generation()
		fresh, err := k.Rotate(w.Context(), me, "live", false)
		if err != nil {
			w.Fatal(err)
		}
		if len(fresh) != 1 || fresh[0].State != signing.StatePending || fresh[0].SignsAt != w.now().Add(signing.CacheTime) {
			w.Fatalf("the new key is %+v", fresh)
		}
		step := func(name, signs string, published int, states ...string) {
			w.Helper()
			for who, node := range map[string]*signing.Keys{"": k, " after a restart": w.node()} {
				if got := w.current(node, "live"); got != signs {
					w.Errorf("%s%s: %s signs, want %s", name, who, got, signs)
				}
				if got := w.published(node); len(got) != published {
					w.Errorf("%s%s: published %q, want %d", name, who, got, published)
				}
				if diff := cmp.Diff(states, w.states(node, "live")); diff != "" {
					w.Errorf("%s%s (-want +got):\n%s", name, who, diff)
				}
			}
		}
		step("published", old, 3, "signing", "pending")
		w.pass(signing.CacheTime - time.Second)
		last := w.sign(k, "live")
		step("just before", old, 3, "signing", "pending")
		w.pass(time.Second)
		step("signs", fresh[0].ID, 3, "verifying", "signing")
		if w.current(k, "test") == fresh[0].ID || len(w.states(k, "test")) != 1 {
			w.Error("another environment was rotated too")
		}
		w.pass(2*time.Hour - 2*time.Second)
		if _, err := w.verify(k, last); err != nil {
			w.Errorf("the last token of the old key, in its last second: %v", err)
		}
		if k.Generation() != generation {
			w.Error("what was verified was forgotten before a key was gone")
		}
		w.pass(2*time.Second + time.Minute)
		step("gone", fresh[0].ID, 2, "gone", "signing")
		if k.Generation() == generation {
			w.Error("a key is gone and nobody noticed")
		}
		if _, err := w.verify(k, last); !errors.Is(err, token.ErrUnknownKey) {
			w.Errorf("a token of the key that is gone: %v", err)
		}
		want := []string{
			"operator signing_key.create", "operator signing_key.retire", "operator signing_key.rotate",
			"system signing_key.create", "system signing_key.create",
		}
		if diff := cmp.Diff(want, w.events()); diff != "" {
			w.Errorf("audit (-want +got):\n%s", diff)
		}
	})
}

// Who is in a hurry signs with the new key at once.
func TestImmediateRotation(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		before := w.sign(k, "live")
		if err := k.Ensure(w.Context()); err != nil {
			w.Fatal(err)
		}
		fresh, err := k.Rotate(w.Context(), me, "", true)
		if err != nil || len(fresh) != 2 {
			w.Fatal(fresh, err)
		}
		kids := map[string]string{fresh[0].Environment: fresh[0].ID, fresh[1].Environment: fresh[1].ID}
		if w.current(k, "live") != kids["live"] || w.current(k, "test") != kids["test"] {
			w.Error("the old keys sign")
		}
		if _, err := w.verify(k, before); err != nil {
			w.Errorf("a token of the old key: %v", err)
		}
	})
}

// A key in wrong hands is good for nothing from the moment Revoke returns, and another
// signs.
func TestARevokedKeyIsGoodForNothing(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		kid, text := w.current(k, "live"), w.sign(k, "live")
		generation := k.Generation()
		w.pass(time.Second)
		info, err := k.Revoke(w.Context(), me, kid)
		if err != nil || info.State != signing.StateRevoked {
			w.Fatal(info, err)
		}
		for who, node := range map[string]*signing.Keys{"": k, " after a restart": w.node()} {
			if _, err := w.verify(node, text); !errors.Is(err, token.ErrUnknownKey) {
				w.Errorf("its token%s: %v", who, err)
			}
			if slices.Contains(w.published(node), kid) {
				w.Errorf("it is published%s", who)
			}
		}
		if k.Generation() == generation {
			w.Error("what it verified is not forgotten")
		}
		if diff := cmp.Diff([]string{"revoked", "signing"}, w.states(k, "live")); diff != "" {
			w.Errorf("the next one was not ready (-want +got):\n%s", diff)
		}
		if got := w.current(k, "live"); got == kid {
			w.Error("it signs")
		}
		if _, err := k.Revoke(w.Context(), me, kid); cardea.KindOf(err) != cardea.KindConflict {
			w.Errorf("again: %v", err)
		}
		if _, err := k.Revoke(w.Context(), me, "key-none"); cardea.KindOf(err) != cardea.KindNotFound {
			w.Errorf("of nobody: %v", err)
		}
	})
}

// When a new key is published already, it takes over from the revoked one.
func TestThePublishedKeyTakesOver(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		kid := w.current(k, "live")
		fresh, err := k.Rotate(w.Context(), me, "live", false)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := k.Revoke(w.Context(), me, kid); err != nil {
			w.Fatal(err)
		}
		if got := w.current(k, "live"); got != fresh[0].ID {
			w.Errorf("%s signs, want %s", got, fresh[0].ID)
		}
		// And one that does not sign may be revoked without any other being made.
		again, err := k.Rotate(w.Context(), me, "live", false)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := k.Revoke(w.Context(), me, again[0].ID); err != nil {
			w.Fatal(err)
		}
		if got := w.current(k, "live"); got != fresh[0].ID {
			w.Errorf("%s signs, want %s", got, fresh[0].ID)
		}
		w.pass(signing.CacheTime)
		if got := w.current(k, "live"); got == again[0].ID || got == kid {
			w.Errorf("a revoked key signs")
		}
	})
}

// Another node knows of a change as soon as it has heard of it, and of a new key as
// soon as it meets it.
func TestNodesAgree(t *testing.T) {
	each(t, func(w *world) {
		one, two := w.node(), w.node()
		text := w.sign(one, "live")
		kid := w.current(one, "live")
		if got := w.current(two, "live"); got != kid {
			w.Errorf("the other node made a key of its own")
		}
		if _, err := one.Revoke(w.Context(), me, kid); err != nil {
			w.Fatal(err)
		}
		two.Applied(store.Changes{{Kind: store.ChangeOrganization}})
		if _, err := w.verify(two, text); err != nil {
			w.Errorf("before it has heard: %v", err)
		}
		two.Applied(store.Changes{{Kind: store.ChangeKeys, Target: kid}})
		if _, err := w.verify(two, text); !errors.Is(err, token.ErrUnknownKey) {
			w.Errorf("after: %v", err)
		}
		fresh, err := one.Rotate(w.Context(), me, "live", true)
		if err != nil {
			w.Fatal(err)
		}
		v, err := two.VerificationFor(w.Context(), fresh[0].ID)
		if err != nil {
			w.Fatal(err)
		}
		if _, environment, ok := v.Lookup(fresh[0].ID); !ok || environment != "live" {
			w.Error("a new key of another node is unknown")
		}
		again, err := one.Rotate(w.Context(), me, "live", true)
		if err != nil {
			w.Fatal(err)
		}
		for range 2 { // a stranger may not make us ask more than once a second
			if v, err = two.VerificationFor(w.Context(), again[0].ID); err != nil {
				w.Fatal(err)
			}
			if _, _, ok := v.Lookup(again[0].ID); ok {
				w.Error("the store was asked twice in a second")
			}
		}
		w.pass(time.Second)
		if v, err = two.VerificationFor(w.Context(), again[0].ID); err != nil {
			w.Fatal(err)
		}
		if _, _, ok := v.Lookup(again[0].ID); !ok {
			w.Error("and not a second later")
		}
	})
}

// When the keys have changed and cannot be read, nothing is said about any token.
func TestAnOutageClosesTheDoorOnceKeysHaveChanged(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		text := w.sign(k, "live")
		gone, cancel := context.WithCancel(w.Context())
		cancel() // a store that does not answer
		if v, err := k.Verification(gone); err != nil || v == nil {
			w.Errorf("nothing has changed: %v", err)
		}
		if err := k.Maintain(gone); err == nil {
			w.Error("Maintain read nothing and said nothing")
		}
		if _, err := k.VerificationFor(gone, "key-unknown"); err == nil {
			w.Error("an unknown key is called unknown without asking")
		}
		if v, err := k.Verification(gone); err != nil || v == nil {
			w.Errorf("still nothing has changed: %v", err)
		}
		k.Applied(store.Changes{{Kind: store.ChangeAll}})
		if v, err := k.Verification(gone); err == nil || v != nil {
			w.Error("old keys are trusted")
		}
		if _, err := k.Current(gone, "live", "ES256"); err == nil {
			w.Error("old keys sign")
		}
		if _, err := w.verify(k, text); err != nil {
			w.Errorf("when it is back: %v", err)
		}
	})
}

// A private half opens with the master key, in its own row, and nowhere else.
func TestPrivateHalvesAreSealed(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		kid := w.current(k, "live")
		row, err := w.db.SigningKey(w.Context(), kid)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := token.UnmarshalPrivate(row.Sealed); err == nil {
			w.Error("it lies open in the database")
		}
		if _, err := w.sealer.Open(secret.AAD("signing_key", kid, 1), row.Sealed); err != nil {
			w.Errorf("in its row: %v", err)
		}
		if _, err := w.sealer.Open(secret.AAD("signing_key", "key-other", 1), row.Sealed); err == nil {
			w.Error("it opens in another row")
		}
		master := sha256.Sum256([]byte("another"))
		if w.sealer, err = secret.NewSealer(master[:]); err != nil {
			w.Fatal(err)
		}
		if _, err := w.node().Current(w.Context(), "live", "ES256"); !errors.Is(err, secret.ErrForeignKey) {
			w.Errorf("with another master key: %v", err)
		}
	})
}

// A contract that changes its algorithm signs with the new one from then on; what was
// signed with the old one is good until it has expired.
func TestAContractMayChangeItsAlgorithm(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		if err := k.Ensure(w.Context()); err != nil {
			w.Fatal(err)
		}
		text, kid := w.sign(k, "live"), w.current(k, "live")
		w.c.Store(load(t, "algorithm: ES256", "algorithm: EdDSA", "  test: {label", "  dev: {label"))
		if err := k.Maintain(w.Context()); err != nil {
			w.Fatal(err)
		}
		if err := k.Ensure(w.Context()); err != nil {
			w.Fatal(err)
		}
		if _, err := k.Current(w.Context(), "live", "EdDSA"); err != nil {
			w.Error(err)
		}
		if got := w.published(k); len(got) != 4 {
			w.Errorf("published %q", got)
		}
		w.pass(2*time.Hour - time.Second)
		if _, err := w.verify(k, text); err != nil {
			w.Errorf("a token of the old algorithm: %v", err)
		}
		w.c.Store(load(t))
		if got := w.current(k, "live"); got == kid {
			w.Error("back at the old algorithm, a retired key signs")
		}
		w.c.Store(load(t, "algorithm: ES256", "algorithm: EdDSA", "  test: {label", "  dev: {label"))
		if err := k.Maintain(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.pass(25 * time.Hour)
		if got := w.published(k); len(got) != 2 {
			w.Errorf("a day later %q are published", got)
		}
		w.c.Store(load(t, "algorithm: ES256", "algorithm: RS256"))
		if key, err := k.Current(w.Context(), "live", "RS256"); err != nil || key.Algorithm != "RS256" {
			w.Errorf("RS256: %v", err)
		}
	})
}

// The document never grows beyond what others accept.
func TestRotationHasAnEnd(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		refused := false
		for range 20 {
			if _, err := k.Rotate(w.Context(), me, "live", true); err != nil {
				refused = refused || cardea.KindOf(err) == cardea.KindConflict
			}
		}
		if n := len(w.published(k)); !refused || n > 8 {
			w.Errorf("%d keys are published, refused: %t", n, refused)
		}
		w.pass(3 * time.Hour)
		if _, err := k.Rotate(w.Context(), me, "live", true); err != nil {
			w.Errorf("when the old ones are gone: %v", err)
		}
		if _, err := k.Rotate(w.Context(), me, "none", false); cardea.KindOf(err) != cardea.KindNotFound {
			w.Errorf("of no environment: %v", err)
		}
		w.c.Store(load(t, "format: jwt", "format: opaque", ", algorithm: ES256", ", prefix: at_"))
		if _, err := k.Rotate(w.Context(), me, "", false); cardea.KindOf(err) != cardea.KindConflict {
			w.Errorf("without signed tokens: %v", err)
		}
	})
}

// What a server does at its start returns at once, and makes what is needed.
func TestStartMakesWhatIsNeeded(t *testing.T) {
	each(t, func(w *world) {
		k := w.node()
		k.Start(w.Context())
		if err := k.Ensure(w.Context()); err != nil {
			w.Fatal(err)
		}
		if got := w.published(k); len(got) != 2 {
			w.Errorf("published %q", got)
		}
		if got := w.events(); len(got) != 2 {
			w.Errorf("made %d keys", len(got))
		}
	})
}
