package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// contractText is a contract with every limiter on and limits nobody reaches; %s is
// the upstream.
const contractText = `cardea: 1
product: Bench
hosts: {api: api.example.com}
environments:
  live: {label: Live, upstream: "%s"}
scopes:
  read: Read things
plans:
  large: {label: Large, per_minute: 100000000, burst: 10000000, per_day: 2000000000}
default_plan: large
keys:
  api_key:
    label: API key
    owner: organization
    format: {prefix: {live: bk_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    scopes: [read]
routes:
  - {match: GET /v1/things, scopes: [read]}
`

// keysPerOrganization spreads the keys as a product with many small customers would.
const keysPerOrganization = 100

// keysPerChange is how many keys one transaction creates; going through the use case
// one by one would take minutes for a million.
const keysPerChange = 10_000

// fill makes a data directory with n keys and returns their secrets.
func fill(b *testing.B, dir string, n int) []string {
	b.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	secrets := make([]string, 0, n)
	for len(secrets) < n {
		actor := cardea.Actor{Type: "system", ID: "bench"}
		_, err := db.Update(ctx, actor, func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "bench.fill", TargetType: "bench", TargetID: "keys"})
			for range min(keysPerChange, n-len(secrets)) / keysPerOrganization {
				made, err := fillOrganization(ctx, tx)
				if err != nil {
					return err
				}
				secrets = append(secrets, made...)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return secrets
}

// fillOrganization makes one organization with its keys.
func fillOrganization(ctx context.Context, tx *store.Tx) (secrets []string, err error) {
	org := store.Organization{ID: secret.NewID("org_"), Name: "Bench", Plan: "large", CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
	if err := tx.InsertOrganization(ctx, org); err != nil {
		return nil, err
	}
	for i := range keysPerOrganization {
		s := secret.New(secret.ShapePrefix, "bk_live_")
		c := store.Credential{
			ID: secret.NewID("key_"), Kind: "api_key", Environment: "live", Organization: org.ID,
			Name: fmt.Sprintf("key %d", i), Scopes: []string{"read"}, ExpiresAt: tx.Now().Add(365 * 24 * time.Hour),
			CreatedBy: "bench", CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		if err := tx.InsertCredential(ctx, c); err != nil {
			return nil, err
		}
		if err := tx.InsertSecret(ctx, store.CredentialSecret{Hash: s.Hash(), Credential: c.ID, Hint: s.Hint(), CreatedAt: tx.Now()}); err != nil {
			return nil, err
		}
		secrets = append(secrets, s.Reveal())
	}
	return secrets, nil
}
