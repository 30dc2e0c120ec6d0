package store_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// crowd is the keys of an organization that never deletes any.
const crowd = 100_000

// crowded fills an organization with keys, a hundredth of them in each unusual state.
func crowded(t testing.TB, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	storetest.Change(t, db, func(tx *store.Tx) error {
		return tx.InsertOrganization(ctx, store.Organization{ID: "org_1", Name: "Crowd"})
	})
	for from := 0; from < crowd; from += 5000 {
		storetest.Change(t, db, func(tx *store.Tx) error {
			for i := from; i < from+5000; i++ {
				if err := insertNth(ctx, tx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// insertNth stores the nth key of the crowd.
func insertNth(ctx context.Context, tx *store.Tx, i int) error {
	id := fmt.Sprintf("key_%026d", i*7919%crowd)
	c := store.Credential{
		ID: id, Kind: "api_key", Environment: []string{"live", "test"}[i%2], Organization: "org_1",
		Name: fmt.Sprintf("Production backend %d", i*31%crowd), Scopes: []string{"read", "things:write"}, CreatedBy: "member:usr_1",
		CreatedAt: tx.Now().Add(time.Duration(i) * time.Second), LastUsedAt: tx.Now().Add(time.Duration(i*37%crowd) * time.Minute),
		ExpiresAt: tx.Now().Add(time.Duration(i*71%crowd+1) * time.Hour),
	}
	switch i % 100 {
	case 1:
		c.RevokedAt = tx.Now()
	case 2:
		c.DisabledAt = tx.Now()
	case 3:
		c.ExpiresAt = tx.Now()
	case 4:
		c.ExpiresAt, c.LastUsedAt = time.Time{}, time.Time{}
	}
	if err := tx.InsertCredential(ctx, c); err != nil {
		return err
	}
	return tx.InsertSecret(ctx, store.CredentialSecret{Hash: secret.HashOf(id), Credential: id, Hint: fmt.Sprintf("ck_live_…%04x", i%65536)})
}

// lists are pages of the crowd that are hard to find: what is searched for is rare or not
// there at all.
var lists = map[string]store.CredentialFilter{
	"newest":            {},
	"name":              {Sort: store.SortName},
	"last used":         {Sort: store.SortLastUsed},
	"expires":           {Sort: store.SortExpires},
	"search nothing":    {Contains: "no such name"},
	"search the end":    {Contains: "zzzz"},
	"search one":        {Contains: "backend 99999"},
	"search and sort":   {Contains: "no such name", Sort: store.SortName},
	"no such kind":      {Kind: "other"},
	"no client":         {Kind: store.KindClient},
	"revoked":           {Status: store.StatusRevoked},
	"disabled, by name": {Status: store.StatusDisabled, Sort: store.SortName},
	"no such scope":     {Scope: "admin"},
}

func BenchmarkLists(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		crowded(b, db)
		for name, f := range lists {
			f.Organization = "org_1"
			b.Run(name, timed(func() error {
				_, _, err := db.Credentials(b.Context(), f, store.Page{})
				return err
			}))
		}
		b.Run("counts", timed(func() error {
			_, err := db.CountCredentials(b.Context(), store.CredentialFilter{Organization: "org_1"}, db.Now())
			return err
		}))
	})
}

// timed measures the time on the processor too, which a busy machine does not stretch.
func timed(read func() error) func(b *testing.B) {
	return func(b *testing.B) {
		begin := processor(b)
		for b.Loop() {
			if err := read(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(processor(b)-begin)/float64(b.N)/1e6, "cpu-ms/op")
	}
}

// processor returns the time that this process has had a processor.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
