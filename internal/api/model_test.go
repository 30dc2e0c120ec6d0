package api_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// A model is what should be true of one organization's keys after any sequence of
// management calls and any passing of time. After every step each secret that was ever
// handed out is tried, twice: from the store and from memory.
type model struct {
	manager *manage.Manager
	authz   *authz.Authorizer
	now     time.Time

	organization string
	suspended    bool
	keys         []*modelKey
}

type modelKey struct {
	id                string
	revoked, disabled bool
	expires           time.Time
	made              time.Time // the current secret
	secrets           []modelSecret
}

type modelSecret struct {
	text string
	end  time.Time // of the overlap; zero: current
}

// want is the reason for which a request with a secret is answered.
func (m *model) want(k *modelKey, s modelSecret) cardea.Reason {
	switch {
	case k.revoked:
		return cardea.ReasonRevoked
	case k.disabled:
		return cardea.ReasonDisabled
	case m.suspended:
		return cardea.ReasonSuspended
	case !s.end.IsZero() && s.end.Before(k.expires) && !m.now.Before(s.end):
		return cardea.ReasonSuperseded
	case !m.now.Before(k.expires):
		return cardea.ReasonExpired
	}
	return cardea.ReasonAllowed
}

// rotating reports whether a key has two working secrets.
func (m *model) rotating(k *modelKey) bool {
	for _, s := range k.secrets {
		if !s.end.IsZero() && m.now.Before(s.end) {
			return true
		}
	}
	return false
}

// endSecrets ends the secrets that would be good after end.
func (k *modelKey) endSecrets(end time.Time, oldOnly bool) {
	for i := range k.secrets {
		s := &k.secrets[i]
		if s.end.IsZero() && !oldOnly || !s.end.IsZero() && s.end.After(end) {
			s.end = end
		}
	}
}

var modelOperator = cardea.Actor{Type: "operator", ID: "mt_model"}

// pick returns a key of the model; it skips the step when there is none.
func (m *model) pick(t *rapid.T) *modelKey {
	if len(m.keys) == 0 {
		t.Skip("no key yet")
	}
	return rapid.SampledFrom(m.keys).Draw(t, "key")
}

// conflict fails the test unless err is a conflict exactly when want is true, and
// reports want.
func conflict(t *rapid.T, err error, want bool) bool {
	if (cardea.KindOf(err) == cardea.KindConflict && err != nil) != want || err != nil && !want {
		t.Fatalf("error %v, want conflict=%v", err, want)
	}
	return want
}

func (m *model) create(t *rapid.T) {
	expires := m.now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
	k, err := m.manager.CreateKey(t.Context(), modelOperator, manage.CreateKey{
		Kind: "api_key", Environment: "live", Organization: m.organization, Name: "k", ExpiresAt: expires,
	})
	if conflict(t, err, m.suspended) {
		return
	}
	m.keys = append(m.keys, &modelKey{id: k.Key.ID, expires: expires, made: m.now, secrets: []modelSecret{{text: k.Secret.Reveal()}}})
}

func (m *model) rotate(t *rapid.T) {
	k := m.pick(t)
	overlap := time.Duration(rapid.IntRange(0, 120).Draw(t, "overlap")) * time.Minute
	seconds := int64(overlap.Seconds())
	got, err := m.manager.RotateKey(t.Context(), modelOperator, manage.RotateKey{ID: k.id, OverlapSeconds: &seconds})
	if conflict(t, err, k.revoked || !m.now.Before(k.expires) || overlap > 0 && m.rotating(k)) {
		return
	}
	end := m.now.Add(overlap)
	if k.expires.Before(end) {
		end = k.expires
	}
	k.endSecrets(end, false)
	k.secrets, k.made = append(k.secrets, modelSecret{text: got.Secret.Reveal()}), m.now
}

func (m *model) finish(t *rapid.T) {
	k := m.pick(t)
	_, err := m.manager.FinishKeyRotation(t.Context(), modelOperator, manage.ID{ID: k.id})
	if !conflict(t, err, k.revoked) {
		k.endSecrets(m.now, true)
	}
}

func (m *model) regenerate(t *rapid.T) {
	k := m.pick(t)
	got, err := m.manager.RegenerateKey(t.Context(), modelOperator, manage.ID{ID: k.id})
	if conflict(t, err, k.revoked) {
		return
	}
	k.endSecrets(m.now, false)
	k.secrets, k.made, k.expires = append(k.secrets, modelSecret{text: got.Secret.Reveal()}), m.now, m.now.AddDate(1, 0, 0)
}

func (m *model) revoke(t *rapid.T) {
	k := m.pick(t)
	_, err := m.manager.RevokeKey(t.Context(), modelOperator, manage.RevokeKey{ID: k.id})
	conflict(t, err, false)
	k.revoked = true
}

func (m *model) toggle(t *rapid.T) {
	k := m.pick(t)
	call, disable := m.manager.EnableKey, rapid.Bool().Draw(t, "disable")
	if disable {
		call = m.manager.DisableKey
	}
	_, err := call(t.Context(), modelOperator, manage.ID{ID: k.id})
	if !conflict(t, err, k.revoked) {
		k.disabled = disable
	}
}

func (m *model) suspend(t *rapid.T) {
	call := m.manager.ResumeOrganization
	if m.suspended = rapid.Bool().Draw(t, "suspend"); m.suspended {
		call = m.manager.SuspendOrganization
	}
	_, err := call(t.Context(), modelOperator, manage.ID{ID: m.organization})
	conflict(t, err, false)
}

func (m *model) wait(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "minutes")) * time.Minute)
}

// check tries every secret.
func (m *model) check(t *rapid.T) {
	for _, k := range m.keys {
		for i, s := range k.secrets {
			for range 2 {
				d, err := m.authz.Authorize(t.Context(), &cardea.Request{
					ID: "req_1", Method: "GET", Host: "api.test", Target: "/v1/things", Peer: netip.MustParseAddr("203.0.113.7"),
					Header: http.Header{"Authorization": {"Bearer " + s.text}},
				})
				if want := m.want(k, s); err != nil || d.Reason != want {
					t.Fatalf("key %s, secret %d: %v, %v; want %v", k.id, i, d.Reason, err, want)
				}
			}
		}
	}
}

// Whatever is done to keys in whatever order, each secret works exactly as long as the
// rules say.
func TestAnySequenceOfCallsDecidesAsTheModelSays(t *testing.T) {
	c, err := contract.Load("cardea.yaml", []byte(acme))
	if err != nil {
		t.Fatal(err)
	}
	current := func() *contract.Contract { return c }
	m := &model{}
	clock := func() time.Time { return m.now }
	m.now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	db := storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: clock})
	rapid.Check(t, func(t *rapid.T) {
		a := authz.New(authz.Config{Contract: current, Store: db, Now: clock})
		*m = model{now: m.now, authz: a}
		m.manager = manage.New(manage.Config{Store: db, Contract: current, Now: clock, Apply: a.Apply})
		o, err := m.manager.CreateOrganization(t.Context(), modelOperator, manage.CreateOrganization{Name: "Acme", Limits: &manage.Limits{}})
		if err != nil {
			t.Fatal(err)
		}
		m.organization = o.ID
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "create": m.create, "rotate": m.rotate, "finish": m.finish, "regenerate": m.regenerate,
			"revoke": m.revoke, "toggle": m.toggle, "suspend": m.suspend, "wait": m.wait,
		})
	})
}
