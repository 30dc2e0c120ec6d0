package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// eachBench runs a benchmark on every engine there is.
func eachBench(b *testing.B, bench func(b *testing.B, db *store.DB)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, storetest.Open(b)) })
	if storetest.HasPostgres(b) {
		b.Run("postgres", func(b *testing.B) {
			bench(b, storetest.OpenConfig(b, store.Config{DSN: storetest.Postgres(b)}))
		})
	}
}

// keys stores n keys and returns their hashes.
func keys(b *testing.B, db *store.DB, n int) []secret.Hash {
	b.Helper()
	hashes := make([]secret.Hash, n)
	for i := 0; i < n; i += 1000 {
		storetest.Change(b, db, func(tx *store.Tx) error {
			if i == 0 {
				if err := tx.InsertOrganization(b.Context(), store.Organization{ID: "org_1"}); err != nil {
					return err
				}
			}
			for k := i; k < min(n, i+1000); k++ {
				id := fmt.Sprintf("key_%d", k)
				hashes[k] = secret.HashOf(id)
				if err := tx.InsertCredential(b.Context(), store.Credential{ID: id, Organization: "org_1", Environment: "live"}); err != nil {
					return err
				}
				if err := tx.InsertSecret(b.Context(), store.CredentialSecret{Hash: hashes[k], Credential: id}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return hashes
}

func BenchmarkLookupSecret(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		hashes, i := keys(b, db, 10_000), 0
		b.ReportAllocs()
		for b.Loop() {
			if l, err := db.LookupSecret(b.Context(), hashes[i%len(hashes)]); err != nil || !l.Found {
				b.Fatal(l.Found, err)
			}
			i += 7
		}
	})
}

func BenchmarkRevoke(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			eachBench(b, func(b *testing.B, db *store.DB) {
				keys(b, db, 1000)
				var next atomic.Int64
				b.SetParallelism(writers) // times GOMAXPROCS, which is set to 1 by -cpu 1
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := revoke(b.Context(), db, fmt.Sprintf("key_%d", next.Add(1)%1000)); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		})
	}
}
