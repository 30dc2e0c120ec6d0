package api_test

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/manage"
)

// decide puts a real Authorizer behind the API: what is managed decides requests.
func (w *world) decide() *authz.Authorizer {
	w.t.Helper()
	c, err := contract.Load("cardea.yaml", []byte(acme))
	if err != nil {
		w.t.Fatal(err)
	}
	current := func() *contract.Contract { return c }
	a := authz.New(authz.Config{Contract: current, Store: w.store, Now: w.clock})
	w.manager = manage.New(manage.Config{Store: w.store, Contract: current, Now: w.clock, Apply: a.Apply})
	*w.handler = *api.New(api.Config{Manager: w.manager})
	return a
}

// ask asks the Authorizer about a request with a secret.
func (w *world) ask(a *authz.Authorizer, secret string) cardea.Reason {
	w.t.Helper()
	d, err := a.Authorize(w.t.Context(), &cardea.Request{
		ID: "req_1", Method: "GET", Host: "api.test", Target: "/v1/things", Peer: netip.MustParseAddr("203.0.113.7"),
		Header: http.Header{"Authorization": {"Bearer " + secret}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Reason
}

// advance moves the clock.
func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// From the moment a call returns, decisions are made by what it changed, although they
// were made from memory before.
func TestChangesDecideFromTheMomentTheyReturn(t *testing.T) {
	w := newWorld(t)
	a, ctx, c := w.decide(), t.Context(), w.client
	o := must(c.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme", Plan: "pro"}))(t)
	m := must(c.CreateMember(ctx, admin.CreateMember{Organization: o.ID, Email: "a@example.com", Name: "A", Role: cardea.RoleOwner}))(t)
	k := must(c.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Member: m.ID, Name: "k"}))(t)
	list := admin.AddressListID{Organization: o.ID, Environment: "live"}
	for _, step := range []struct {
		name string
		do   func() error
		want cardea.Reason
	}{
		{"created", func() error { return nil }, cardea.ReasonAllowed},
		{"disabled", func() error { return second(c.DisableKey(ctx, k.Key.ID)) }, cardea.ReasonDisabled},
		{"enabled", func() error { return second(c.EnableKey(ctx, k.Key.ID)) }, cardea.ReasonAllowed},
		{"scopes taken", func() error {
			return second(c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Scopes: []string{"write"}}))
		}, cardea.ReasonScope},
		{"scopes given", func() error { return second(c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Scopes: []string{"read"}})) }, cardea.ReasonAllowed},
		{"own list", func() error {
			return second(c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Addresses: []string{"10.0.0.0/8"}}))
		}, cardea.ReasonAddress},
		{"own list gone", func() error { return second(c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Addresses: []string{}})) }, cardea.ReasonAllowed},
		{"list of the environment", func() error {
			return second(c.SetAddressList(ctx, admin.Addresses{AddressListID: list, Addresses: []string{"10.0.0.0/8"}}))
		}, cardea.ReasonAddress},
		{"address added", func() error {
			return second(c.AddAddresses(ctx, admin.Addresses{AddressListID: list, Addresses: []string{"203.0.113.7"}}))
		}, cardea.ReasonAllowed},
		{"member disabled", func() error { return second(c.DisableMember(ctx, m.ID)) }, cardea.ReasonDisabled},
		{"member enabled", func() error { return second(c.EnableMember(ctx, m.ID)) }, cardea.ReasonAllowed},
		{"suspended", func() error { return second(c.SuspendOrganization(ctx, o.ID)) }, cardea.ReasonSuspended},
		{"resumed", func() error { return second(c.ResumeOrganization(ctx, o.ID)) }, cardea.ReasonAllowed},
		{"revoked", func() error { return second(c.RevokeKey(ctx, admin.RevokeKey{ID: k.Key.ID})) }, cardea.ReasonRevoked},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for range 2 { // from the store, then from memory
			if got := w.ask(a, k.Secret.Reveal()); got != step.want {
				t.Errorf("%s: %v, want %v", step.name, got, step.want)
			}
		}
		if shown := must(c.GetKey(ctx, k.Key.ID))(t).Status; (shown == admin.StatusActive) != (step.want != cardea.ReasonDisabled && step.want != cardea.ReasonRevoked) {
			t.Errorf("%s: shown as %s", step.name, shown)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestBothSecretsOfARotationWorkUntilTheOverlapEnds(t *testing.T) {
	w := newWorld(t)
	a, ctx, c := w.decide(), t.Context(), w.client
	o := must(c.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme", Plan: "pro"}))(t)
	old := must(c.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)
	check := func(what string, secret admin.Secret, want cardea.Reason) {
		t.Helper()
		if got := w.ask(a, secret.Reveal()); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("before", old.Secret, cardea.ReasonAllowed)
	next := must(c.RotateKey(ctx, admin.RotateKey{ID: old.Key.ID}))(t) // 1 hour, by the contract
	check("old in the overlap", old.Secret, cardea.ReasonAllowed)
	check("new in the overlap", next.Secret, cardea.ReasonAllowed)
	w.advance(time.Hour - time.Microsecond)
	check("old at the end", old.Secret, cardea.ReasonAllowed)
	w.advance(time.Microsecond)
	check("old after", old.Secret, cardea.ReasonSuperseded)
	check("new after", next.Secret, cardea.ReasonAllowed)

	third := must(c.RotateKey(ctx, admin.RotateKey{ID: old.Key.ID}))(t)
	check("second in the overlap", next.Secret, cardea.ReasonAllowed)
	must(c.FinishKeyRotation(ctx, old.Key.ID))(t)
	check("second, finished early", next.Secret, cardea.ReasonSuperseded)
	check("third", third.Secret, cardea.ReasonAllowed)
	fourth := must(c.RegenerateKey(ctx, old.Key.ID))(t)
	check("third, regenerated", third.Secret, cardea.ReasonSuperseded)
	check("fourth", fourth.Secret, cardea.ReasonAllowed)

	w.advance(30*24*time.Hour + time.Second)
	check("idle", fourth.Secret, cardea.ReasonIdle)
	fifth := must(c.RegenerateKey(ctx, old.Key.ID))(t)
	check("fresh idle time", fifth.Secret, cardea.ReasonAllowed)
	w.advance(366 * 24 * time.Hour)
	check("a year later", fifth.Secret, cardea.ReasonExpired)
}

// While callers hammer on, no request that starts after the revocation returned is let
// through: not from memory, not by a look-up that raced with it.
func TestNoRequestPassesAfterARevocationReturned(t *testing.T) {
	w := newWorld(t)
	a, ctx, c := w.decide(), t.Context(), w.client
	o := must(c.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme", Limits: &admin.Limits{}}))(t)
	for round := range 20 {
		k := must(c.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)
		var revoked, stop atomic.Bool
		var late atomic.Int64
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for !stop.Load() {
					after := revoked.Load()
					if w.ask(a, k.Secret.Reveal()) == cardea.ReasonAllowed && after {
						late.Add(1)
					}
				}
			})
		}
		var noise sync.WaitGroup // other changes move the sequence meanwhile
		noise.Go(func() {
			_, err := c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Addresses: []string{"203.0.113.0/24"}})
			if err != nil {
				var e *admin.Error
				if !errors.As(err, &e) || e.Status != http.StatusConflict {
					t.Errorf("update: %v", err)
				}
			}
		})
		must(c.RevokeKey(ctx, admin.RevokeKey{ID: k.Key.ID}))(t)
		revoked.Store(true)
		noise.Wait()
		for range 200 {
			if w.ask(a, k.Secret.Reveal()) == cardea.ReasonAllowed {
				late.Add(1)
			}
		}
		stop.Store(true)
		callers.Wait()
		if n := late.Load(); n > 0 {
			t.Fatalf("round %d: %d requests passed after the revocation returned", round, n)
		}
	}
}
