package password_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/password"
)

// cheap costs next to nothing: these tests are about the bounds, not about the cost.
var cheap = password.Params{Memory: 64, Passes: 1, Lanes: 1}

func hash(t *testing.T, h *password.Hasher, text string) string {
	t.Helper()
	out, err := h.Hash(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func verify(t *testing.T, h *password.Hasher, stored, text string) bool {
	t.Helper()
	ok, err := h.Verify(t.Context(), stored, text)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// Guarantee: what is stored is argon2id with 19 MiB, two passes and a salt of its own.
func TestHashIsArgon2idOfTheCostPromised(t *testing.T) {
	h := password.New(password.Config{})
	one, two := hash(t, h, "correct horse"), hash(t, h, "correct horse")
	if !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored form %s", one)
	}
	if one == two {
		t.Error("the same password has the same hash twice: there is no salt")
	}
	if strings.Contains(one, "correct") {
		t.Error("the hash holds the password")
	}
	if !verify(t, h, one, "correct horse") || verify(t, h, one, "correct horsf") || verify(t, h, one, "") {
		t.Error("the hash does not tell its password from others")
	}
}

// Guarantee: hashes of other programs in the same form are understood (the vector is
// argon2-cffi's, made by the reference implementation).
func TestHashOfTheReferenceImplementationIsUnderstood(t *testing.T) {
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := password.New(password.Config{Params: cheap})
	if !verify(t, h, reference, "password") || verify(t, h, reference, "Password") {
		t.Error("the reference hash of “password” is not understood")
	}
	if !h.Outdated(reference) || h.Outdated(hash(t, h, "x")) {
		t.Error("only hashes of another cost are outdated")
	}
}

// Guarantee: composed and decomposed spellings of the same characters are one password.
func TestSpellingOfTheSameCharactersDoesNotMatter(t *testing.T) {
	h := password.New(password.Config{Params: cheap})
	if stored := hash(t, h, "caf\u00e9 au lait"); !verify(t, h, stored, "cafe\u0301 au lait") {
		t.Error("a decomposed letter is another password")
	}
}

// Guarantee: checking the password of nobody says no, for every password, after the work
// of a real check.
func TestNobodyHasNoPasswordAndTakesAsLong(t *testing.T) {
	h := password.New(password.Config{Params: password.Params{Memory: 4 << 10, Passes: 2, Lanes: 1}})
	stored := hash(t, h, "somebody's password")
	took := func(stored string) time.Duration {
		best := time.Hour
		for range 9 {
			began := time.Now()
			if verify(t, h, stored, "a wrong password") {
				t.Fatal("a wrong password was accepted")
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	real, nobody := took(stored), took("")
	if nobody < real/2 || nobody > real*2 {
		t.Errorf("a check takes %v for a member and %v for nobody", real, nobody)
	}
}

// Guarantee: never more than the configured number of hashes at once, and beyond the
// queue callers are told so at once instead of waiting.
func TestStormIsBounded(t *testing.T) {
	h := password.New(password.Config{Parallel: 2, Queue: 3, Params: password.Params{Memory: 32 << 10, Passes: 3, Lanes: 1}})
	var busy, done atomic.Int64
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range 40 {
		wg.Go(func() {
			<-begin
			switch _, err := h.Hash(t.Context(), "a password"); {
			case errors.Is(err, password.ErrBusy):
				busy.Add(1)
			case err == nil:
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	wg.Wait()
	if done.Load() < 5 || busy.Load() == 0 || done.Load()+busy.Load() != 40 {
		t.Errorf("%d done, %d refused", done.Load(), busy.Load())
	}
}

// Guarantee: who stops waiting frees the place in the queue.
func TestWaiterThatLeavesFreesItsPlace(t *testing.T) {
	h := password.New(password.Config{Parallel: 1, Queue: 1, Params: cheap})
	free := password.Occupy(h)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want the context's", err)
		}
	}
	free()
	hash(t, h, "x")
}

// Guarantee: the memory of hashes is not kept.
func TestMemoryIsReturned(t *testing.T) {
	h := password.New(password.Config{})
	for range 6 {
		hash(t, h, "a password")
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 16<<20 {
		t.Errorf("%d MiB are still in use after the hashes", m.HeapAlloc>>20)
	}
}

// Guarantee: a stored text that is damaged, foreign or ruinously expensive is an error
// and never a match.
func TestStrangeHashesAreRefused(t *testing.T) {
	h := password.New(password.Config{Params: cheap})
	good := hash(t, h, "password")
	for name, bad := range map[string]string{
		"argon2i":         strings.Replace(good, "argon2id", "argon2i", 1),
		"old version":     strings.Replace(good, "v=19", "v=16", 1),
		"memory of hosts": strings.Replace(good, "m=64", "m=4294967295", 1),
		"endless":         strings.Replace(good, "t=1", "t=4000000000", 1),
		"no passes":       strings.Replace(good, "t=1", "t=0", 1),
		"no lanes":        strings.Replace(good, "p=1", "p=0", 1),
		"leading zero":    strings.Replace(good, "t=1", "t=01", 1),
		"sign":            strings.Replace(good, "t=1", "t=+1", 1),
		"cut":             good[:len(good)-30],
		"padded":          good + "=",
		"more parts":      good + "$x",
		"plain text":      "password",
		"bcrypt":          "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		ok, err := h.Verify(t.Context(), bad, "password")
		if ok || !errors.Is(err, password.ErrHash) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func TestPolicyAsksForLengthAndNothingElse(t *testing.T) {
	context := []string{"marianne.weber@example.com", "Umbrella Corporation", "Acme"}
	for text, good := range map[string]bool{
		"short":                                 false,
		"ninechars":                             false,
		"violet tram at dusk":                   true,
		"kjhgpoiwnq":                            true,
		"ÄÖÜäöüßéèê":                            true,
		"密码密码很长的一句话啊":                           true,
		"Password123!":                          false,
		"P@SSW0RD2026!!":                        false,
		"qwertyuiop":                            false,
		"1234567890":                            false,
		"9876543210":                            false,
		"0000000000":                            false,
		"abababababab":                          false,
		"!!!!!!!!!!":                            false,
		"abcdefghijklm":                         false,
		"marianne.weber":                        false,
		"Marianne.Weber2026":                    false,
		"Marianne.Weber@example.com":            false,
		"umbrella corporation1":                 false,
		"bad\xfftext that is long":              false,
		strings.Repeat("é", 128):                false, // monotonous
		strings.Repeat("vw xyzé9q", 14) + "é!":  true,  // 128
		strings.Repeat("vw xyzé9q", 14) + "é!!": false, // 129
	} {
		err := password.Check(text, context...)
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && (cardea.KindOf(err) != cardea.KindInvalid || strings.Contains(err.Error(), text)) {
			t.Errorf("%q: error %q", text, err)
		}
	}
}

func FuzzVerifyNeverPanicsNorRuins(f *testing.F) {
	h := password.New(password.Config{Params: cheap})
	stored, err := h.Hash(f.Context(), "password")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored, "password")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "x")
	f.Add("$$$$$", "")
	f.Fuzz(func(t *testing.T, hash, text string) {
		_ = password.Check(text, hash)
		if strings.Contains(hash, "m=") && len(hash) > 12 && !strings.Contains(hash, "m=64,t=1,p=1$") && !strings.Contains(hash, "m=8,t=1,p=1$") {
			return // affordable ones take long enough to make fuzzing useless
		}
		if ok, err := h.Verify(t.Context(), hash, text); err != nil && ok {
			t.Fatal("an error and a match")
		}
	})
}
