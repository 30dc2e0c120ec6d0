package store_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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

// benchParties stores what the benchmarks of tokens look up: n clients with a consent and
// an opaque token of one member each.
func benchParties(b *testing.B, db *store.DB, n int) {
	b.Helper()
	ctx := b.Context()
	keys(b, db, 1)
	end := db.Now().Add(time.Hour)
	for i := 0; i < n; i += 500 {
		storetest.Change(b, db, func(tx *store.Tx) error {
			for k := i; k < min(n, i+500); k++ {
				client, member, family := fmt.Sprintf("client_%d", k), fmt.Sprintf("usr_%d", k), fmt.Sprintf("fam_%d", k)
				err := errors.Join(
					tx.InsertMember(ctx, store.Member{ID: member, Organization: "org_1", Email: member + "@example.com"}),
					tx.InsertClient(ctx, store.Client{Credential: store.Credential{ID: client, Organization: "org_1", Environment: "live"}}),
					tx.InsertFamily(ctx, store.Family{ID: family, Client: client, Member: member, Organization: "org_1", Environment: "live", ExpiresAt: end}),
					tx.InsertAccessToken(ctx, store.AccessToken{
						Hash: secret.HashOf(family), ID: family, Family: family, Client: client, Member: member, Organization: "org_1",
						Environment: "live", ExpiresAt: end,
					}))
				if err != nil {
					return err
				}
				if _, err := tx.SaveConsent(ctx, store.Consent{ID: "grt_" + member, Member: member, Client: client, Organization: "org_1"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func BenchmarkLookupToken(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		const n = 5000
		benchParties(b, db, n)
		hashes, i := make([]secret.Hash, n), 0
		for i := range hashes {
			hashes[i] = secret.HashOf(fmt.Sprintf("fam_%d", i))
		}
		b.ReportAllocs()
		for b.Loop() {
			if l, err := db.LookupToken(b.Context(), hashes[i%n]); err != nil || !l.Found || l.Consent == "" {
				b.Fatal(l.Found, err)
			}
			i += 7
		}
	})
}

func BenchmarkLookupPrincipal(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		const n = 5000
		benchParties(b, db, n)
		queries, i := make([]store.PrincipalQuery, n), 0
		for i := range queries {
			queries[i] = store.PrincipalQuery{
				Credential: fmt.Sprintf("client_%d", i), Member: fmt.Sprintf("usr_%d", i), Organization: "org_1",
				TokenID: fmt.Sprintf("jti_%d", i), Environment: "live",
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if l, err := db.LookupPrincipal(b.Context(), queries[i%n]); err != nil || !l.Found || l.Consent == "" {
				b.Fatal(l.Found, err)
			}
			i += 7
		}
	})
}

// BenchmarkConsumeRefresh is a whole rotation: the use of a refresh token, its successor
// and the audit event, committed.
func BenchmarkConsumeRefresh(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			eachBench(b, func(b *testing.B, db *store.DB) {
				benchParties(b, db, 1)
				var chains atomic.Int64
				b.SetParallelism(writers)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					chain, i := chains.Add(1), 0
					name := func() secret.Hash { return secret.HashOf(fmt.Sprintf("rt %d %d", chain, i)) }
					storetest.Change(b, db, func(tx *store.Tx) error {
						return tx.InsertRefresh(b.Context(), store.RefreshToken{Hash: name(), Family: "fam_0"})
					})
					for pb.Next() {
						_, err := db.Update(b.Context(), storetest.Actor, func(tx *store.Tx) error {
							tx.Audit(store.Event{Action: "token.refresh", TargetType: "family", TargetID: "fam_0"})
							if _, first, err := tx.ConsumeRefresh(b.Context(), name(), make([]byte, 100)); err != nil || !first {
								return fmt.Errorf("first %t, %w", first, err)
							}
							i++
							return tx.InsertRefresh(b.Context(), store.RefreshToken{Hash: name(), Family: "fam_0", ExpiresAt: tx.Now()})
						})
						if err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		})
	}
}
