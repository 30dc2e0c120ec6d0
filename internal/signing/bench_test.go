package signing_test

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// What every token that is made or verified pays for its key.
func BenchmarkKeys(b *testing.B) {
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		b.Fatal(err)
	}
	c := load(b)
	db := storetest.OpenConfig(b, store.Config{Dir: b.TempDir()})
	k := signing.New(signing.Config{Store: db, Sealer: sealer, Contract: func() *contract.Contract { return c }, Now: time.Now})
	key, err := k.Current(b.Context(), "live", "ES256")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("current", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.Current(b.Context(), "live", "ES256"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, err := k.Verification(b.Context())
			if err != nil || len(v.Find(key.ID, "ES256")) != 1 {
				b.Fatal("not found")
			}
		}
	})
	b.Run("document", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(k.JWKS()) < 100 {
				b.Fatal("no keys")
			}
		}
	})
}
