// Command fill puts one organization of a data directory under load: keys by the hundred
// thousand, and a request log and usage that they could have left. Going through the use
// cases one by one would take an hour. The server on the directory must not be running.
//
//	go run ./bench/fill -data DIR -organization org_… -keys 100000 -requests 1000000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// perChange is how many rows one transaction writes.
const perChange = 10_000

// days is how far back the request log and the usage go.
const days = 3

// A filler knows what it made, for what follows to refer to.
type filler struct {
	db           *store.DB
	organization string
	kind         string
	environment  string
	prefix       string
	scope        string
	path         string
	keys         []string // ids
	random       *rand.Rand
}

func main() {
	f := &filler{random: rand.New(rand.NewPCG(1, 2))}
	data := flag.String("data", "", "the data directory")
	keys := flag.Int("keys", 100_000, "how many keys")
	requests := flag.Int("requests", 1_000_000, "how many rows of the request log")
	flag.StringVar(&f.organization, "organization", "", "the organization's id")
	flag.StringVar(&f.kind, "kind", "api_key", "the keys' kind")
	flag.StringVar(&f.environment, "environment", "live", "the keys' environment")
	flag.StringVar(&f.prefix, "prefix", "ck_live_", "what the secrets begin with")
	flag.StringVar(&f.scope, "scope", "read", "the scope of every key")
	flag.StringVar(&f.path, "path", "/v1/things", "the path of the requests")
	flag.Parse()
	if err := f.run(*data, *keys, *requests); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

// run fills the directory.
func (f *filler) run(data string, keys, requests int) error {
	if data == "" || f.organization == "" {
		return errors.New("-data and -organization are needed")
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Dir: data})
	if err != nil {
		return err
	}
	f.db = db
	return errors.Join(f.fill(ctx, keys, requests), db.Close())
}

func (f *filler) fill(ctx context.Context, keys, requests int) error {
	for len(f.keys) < keys {
		if err := f.makeKeys(ctx, min(perChange, keys-len(f.keys))); err != nil {
			return err
		}
	}
	now := f.db.Now()
	for n := 0; n < requests; n += perChange {
		if err := f.logRequests(ctx, min(perChange, requests-n), now); err != nil {
			return err
		}
	}
	return f.countUsage(ctx, now)
}

// words make up the names of keys, as people give them.
var words = []string{"Production", "Staging", "Nightly", "Warehouse", "Billing", "Mobile", "Partner", "Reporting", "Import", "Backup"}

// makeKeys creates n keys in one change.
func (f *filler) makeKeys(ctx context.Context, n int) error {
	_, err := f.db.Update(ctx, cardea.Actor{Type: "system", ID: "bench"}, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "bench.fill", TargetType: "bench", TargetID: "keys", Organization: f.organization})
		for range n {
			i := len(f.keys)
			age := time.Duration(f.random.IntN(300)) * 24 * time.Hour
			c := store.Credential{
				ID: secret.NewID("key_"), Kind: f.kind, Environment: f.environment, Organization: f.organization,
				Name: fmt.Sprintf("%s %s %d", words[i%len(words)], words[i/len(words)%len(words)], i), Scopes: []string{f.scope},
				ExpiresAt: tx.Now().Add(time.Duration(1+f.random.IntN(300)) * 24 * time.Hour),
				CreatedBy: "bench", CreatedAt: tx.Now().Add(-age), UpdatedAt: tx.Now().Add(-age),
			}
			s := secret.New(secret.ShapePrefix, f.prefix)
			if err := tx.InsertCredential(ctx, c); err != nil {
				return err
			}
			if err := tx.InsertSecret(ctx, store.CredentialSecret{Hash: s.Hash(), Credential: c.ID, Hint: s.Hint(), CreatedAt: tx.Now()}); err != nil {
				return err
			}
			f.keys = append(f.keys, c.ID)
		}
		return nil
	})
	return err
}

// outcomes are how requests end; most succeed.
var outcomes = []struct {
	status int
	reason cardea.Reason
}{
	{200, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed}, {201, cardea.ReasonAllowed},
	{200, cardea.ReasonAllowed}, {404, cardea.ReasonAllowed}, {401, cardea.ReasonExpired}, {403, cardea.ReasonScope}, {429, cardea.ReasonRateLimited},
}

// logRequests appends n requests of the last days.
func (f *filler) logRequests(ctx context.Context, n int, now time.Time) error {
	rows := make([]store.RequestRow, n)
	for i := range rows {
		outcome := outcomes[f.random.IntN(len(outcomes))]
		rows[i] = store.RequestRow{
			At: now.Add(-time.Duration(f.random.Int64N(int64(days * 24 * time.Hour)))), RequestID: secret.NewID("req_"),
			Credential: f.anyKey(), Organization: f.organization, Environment: f.environment,
			Method: "GET", Host: "api.example.com", Route: "GET " + f.path, Path: f.path,
			Status: outcome.status, Reason: outcome.reason, Client: netip.AddrFrom4([4]byte{203, 0, 113, byte(f.random.IntN(256))}),
			Latency: time.Duration(f.random.IntN(80_000)) * time.Microsecond, BytesOut: int64(f.random.IntN(20_000)),
		}
	}
	return f.db.AppendRequests(ctx, rows, nil)
}

// anyKey returns a key, some of them far more often than others.
func (f *filler) anyKey() string {
	if len(f.keys) == 0 {
		return ""
	}
	if f.random.IntN(2) == 0 {
		return f.keys[f.random.IntN(min(20, len(f.keys)))]
	}
	return f.keys[f.random.IntN(len(f.keys))]
}

// countUsage adds an hour's usage, for each hour of thirty days, to the keys that are used
// most, and one day's to the rest.
func (f *filler) countUsage(ctx context.Context, now time.Time) error {
	hour := now.Truncate(time.Hour)
	var deltas []store.UsageDelta
	add := func(key string, at time.Time) {
		for _, o := range outcomes[5:] {
			deltas = append(deltas, store.UsageDelta{
				Credential: key, Organization: f.organization, Environment: f.environment, Hour: at, Route: "GET " + f.path,
				StatusClass: o.status / 100, Reason: o.reason, Requests: int64(1 + f.random.IntN(200)), Latency: time.Second,
			})
		}
	}
	for i, key := range f.keys {
		if i < 20 {
			for h := range 30 * 24 {
				add(key, hour.Add(-time.Duration(h)*time.Hour))
			}
		} else if i < perChange {
			add(key, hour.Add(-time.Duration(f.random.IntN(30*24))*time.Hour))
		}
		if len(deltas) >= perChange || i == len(f.keys)-1 {
			if err := f.db.AddUsage(ctx, deltas); err != nil {
				return err
			}
			deltas = deltas[:0]
		}
	}
	return nil
}
