package authz

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Guarantee: over any sequence of changes, clock steps and requests, each decision is
// the one that follows from the state the last change left: the cache cannot be told
// from no cache.
func TestDecisionsAgreeWithModel(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.CacheSize, c.RefusedPerMinute = 1, -1 })
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{w: w, t: t}
		m.organization = store.Organization{ID: secret.NewID("org_"), Plan: "standard", Limits: &store.Limits{}}
		m.change(func(tx *store.Tx) error { return tx.InsertOrganization(context.Background(), m.organization) })
		for range 3 {
			m.create()
		}
		for range rapid.IntRange(10, 80).Draw(t, "steps") {
			m.step()
		}
	})
}

// A machine is an organization with keys, and what is known about them.
type machine struct {
	w            *world
	t            *rapid.T
	organization store.Organization
	keys         []*modelKey
}

// A modelKey is one key; ends holds when each of its secrets ends, zero for never.
type modelKey struct {
	store.Credential
	secrets []secret.Secret
	ends    []time.Time
}

func (m *machine) change(fn func(tx *store.Tx) error) {
	changes, err := m.w.db.Update(context.Background(), storetest.Actor, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.change", TargetType: "test", TargetID: "test"})
		return fn(tx)
	})
	if err != nil {
		m.t.Fatalf("Update: %v", err)
	}
	m.w.Apply(changes)
}

func (m *machine) create() {
	k := &modelKey{Credential: store.Credential{
		ID: secret.NewID("key_"), Kind: "api_key", Environment: "live", Organization: m.organization.ID,
		Scopes: []string{"read"}, CreatedAt: m.w.now(),
	}}
	m.change(func(tx *store.Tx) error { return tx.InsertCredential(context.Background(), k.Credential) })
	m.keys = append(m.keys, k)
	m.rotate(k, 0)
}

// rotate gives the key a new secret and lets the old ones live on for a while.
func (m *machine) rotate(k *modelKey, overlap time.Duration) {
	s, end := secret.New(secret.ShapePrefix, "ck_live_"), m.w.now().Add(overlap)
	m.change(func(tx *store.Tx) error {
		if err := tx.EndSecrets(context.Background(), k.ID, end); err != nil {
			return err
		}
		return tx.InsertSecret(context.Background(), store.CredentialSecret{Hash: s.Hash(), Credential: k.ID, CreatedAt: m.w.now()})
	})
	for i, at := range k.ends {
		if at.IsZero() || end.Before(at) {
			k.ends[i] = end
		}
	}
	k.secrets, k.ends = append(k.secrets, s), append(k.ends, time.Time{})
}

func (m *machine) step() {
	k := rapid.SampledFrom(m.keys).Draw(m.t, "key")
	toggle := func(at *time.Time) {
		if *at = m.w.now(); rapid.Bool().Draw(m.t, "off") {
			*at = time.Time{}
		}
	}
	update := true
	switch rapid.IntRange(0, 19).Draw(m.t, "step") {
	case 0:
		toggle(&k.RevokedAt)
	case 1:
		toggle(&k.DisabledAt)
	case 2:
		k.ExpiresAt = m.w.now().Add(time.Duration(rapid.IntRange(0, 120).Draw(m.t, "minutes")) * time.Minute)
	case 3:
		k.Scopes = rapid.SampledFrom([][]string{{}, {"read"}, {"write"}, {"delete"}, {"admin"}}).Draw(m.t, "scopes")
	case 4:
		k.Addresses = rapid.SampledFrom([][]netip.Prefix{nil, {}, {netip.PrefixFrom(client, 24)}}).Draw(m.t, "list")
	case 5:
		toggle(&m.organization.SuspendedAt)
		m.change(func(tx *store.Tx) error { return tx.UpdateOrganization(context.Background(), m.organization) })
		update = false
	case 6:
		m.rotate(k, time.Duration(rapid.IntRange(0, 60).Draw(m.t, "overlap"))*time.Minute)
		update = false
	case 7, 8:
		m.w.advance(time.Duration(rapid.IntRange(-10, 60).Draw(m.t, "clock")) * time.Minute)
		update = false
	default:
		m.ask(k)
		update = false
	}
	if update {
		m.change(func(tx *store.Tx) error { return tx.UpdateCredential(context.Background(), k.Credential) })
	}
}

// ask compares a decision with what follows from the model.
func (m *machine) ask(k *modelKey) {
	i := rapid.IntRange(0, len(k.secrets)-1).Draw(m.t, "secret")
	d, err := m.w.Authorize(context.Background(), request("GET", "/v1/records", "Authorization", "Bearer "+k.secrets[i].Reveal()))
	if want := m.expected(k, i); err != nil || d.Reason != want {
		m.t.Fatalf("%v (%v), want %v", d.Reason, err, want)
	}
	if d.OldSecret != (i < len(k.secrets)-1) || d.Credential() != k.ID {
		m.t.Fatalf("old %v of %s, want secret %d of %s", d.OldSecret, d.Credential(), i, k.ID)
	}
}

// expected is the reason by the rules as they are written, without a cache.
func (m *machine) expected(k *modelKey, i int) cardea.Reason {
	over := func(t time.Time) bool { return !t.IsZero() && !m.w.now().Before(t) }
	end := k.ends[i]
	switch {
	case !k.RevokedAt.IsZero():
		return cardea.ReasonRevoked
	case !k.DisabledAt.IsZero():
		return cardea.ReasonDisabled
	case !m.organization.SuspendedAt.IsZero():
		return cardea.ReasonSuspended
	case over(end) && (k.ExpiresAt.IsZero() || end.Before(k.ExpiresAt)):
		return cardea.ReasonSuperseded
	case over(k.ExpiresAt):
		return cardea.ReasonExpired
	case k.Addresses != nil && len(k.Addresses) == 0:
		return cardea.ReasonAddress
	case len(k.Scopes) == 0 || k.Scopes[0] == "delete":
		return cardea.ReasonScope
	}
	return cardea.ReasonAllowed
}
