package manage

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// IsManagementToken reports whether a text has the form of a management token, good or
// not.
func IsManagementToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

// Authenticate returns the operator that a management token stands for. The error is
// of kind Unauthorized and the same for every token that does not work, or a
// [*ThrottledError].
//
// A token is looked up every time, so that a revoked one is refused at once. A typo
// costs no look-up: the checksum finds it. Failed look-ups are bounded per address; a
// token that has worked before is never held up by a neighbour's failures.
func (m *Manager) Authenticate(ctx context.Context, token string, address netip.Addr) (cardea.Actor, error) {
	if !secret.CheckPrefixed(token, tokenPrefix) {
		return cardea.Actor{}, errToken()
	}
	hash := secret.HashOf(token)
	now := m.now()
	if wait := m.failures.wait(address, hash, now); wait > 0 {
		return cardea.Actor{}, &ThrottledError{Wait: wait}
	}
	t, err := m.store.ManagementTokenByHash(ctx, hash)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		m.failures.add(address, now)
		return cardea.Actor{}, errToken()
	case err != nil:
		return cardea.Actor{}, err
	case !t.Hash.Equal(&hash), !t.RevokedAt.IsZero(), !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		m.failures.add(address, now)
		return cardea.Actor{}, errToken()
	}
	m.failures.worked(hash)
	m.touchToken(ctx, t, now)
	actor := cardea.Actor{Type: access.TypeOperator, ID: t.ID}
	if address.IsValid() {
		actor.Address = address.String()
	}
	return actor, nil
}

// errToken says nothing about which of the ways to fail it was.
func errToken() error {
	return cardea.Errorf(cardea.KindUnauthorized, "the management token is not valid")
}

// touchToken notes the use of a token, at most once a minute. That it could not be
// noted is no reason to refuse: the store's own callers hear of a store that fails.
func (m *Manager) touchToken(ctx context.Context, t store.ManagementToken, now time.Time) {
	if now.Sub(t.LastUsedAt) < time.Minute || !m.touched.first(t.ID, now) {
		return
	}
	_ = m.store.Touch(ctx, &store.Touch{Tokens: map[string]time.Time{t.ID: now}})
}

// touched remembers which tokens were noted in the present minute, so that callers at
// the same time write once. Its zero value is ready.
type touched struct {
	mu     sync.Mutex
	minute int64
	ids    map[string]bool
}

// first reports whether id was not noted in this minute yet.
func (t *touched) first(id string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if minute := now.Unix() / 60; minute != t.minute || t.ids == nil {
		t.minute, t.ids = minute, map[string]bool{}
	}
	if t.ids[id] {
		return false
	}
	t.ids[id] = true
	return true
}

// A ThrottledError refuses an attempt because its address failed too often.
type ThrottledError struct {
	Wait time.Duration // until the next attempt is looked at
}

// Error says so.
func (e *ThrottledError) Error() string {
	return "too many failed attempts from this address: try again later"
}

// Bounds of failures.
const (
	maxFailures  = 20   // per address and minute
	maxAddrs     = 4096 // addresses remembered; beyond, all others share one count
	maxKnownGood = 1024
)

// failures counts failed attempts per address in clock minutes. Its zero value is
// ready. What it remembers is bounded, and an attacker cannot make room in it for
// himself: when it is full, new addresses share one count.
type failures struct {
	mu     sync.Mutex
	minute int64
	counts map[netip.Addr]int
	good   map[secret.Hash]bool // tokens that worked
}

// key returns what an address is counted as: an IPv6 network of 64 bits is one
// customer.
func (f *failures) key(address netip.Addr) netip.Addr {
	if address.Is6() {
		if p, err := address.Prefix(64); err == nil {
			address = p.Addr()
		}
	}
	if _, seen := f.counts[address]; !seen && len(f.counts) >= maxAddrs {
		return netip.Addr{}
	}
	return address
}

// roll starts a new minute when it is time. The caller holds the lock.
func (f *failures) roll(now time.Time) {
	if minute := now.Unix() / 60; minute != f.minute || f.counts == nil {
		f.minute, f.counts = minute, map[netip.Addr]int{}
	}
}

// wait returns how long an attempt has to wait; 0 for a token that has worked.
func (f *failures) wait(address netip.Addr, hash secret.Hash, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roll(now)
	if f.good[hash] || f.counts[f.key(address)] < maxFailures {
		return 0
	}
	return time.Unix((f.minute+1)*60, 0).Sub(now)
}

// add counts a failure.
func (f *failures) add(address netip.Addr, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roll(now)
	f.counts[f.key(address)]++
}

// worked remembers a token that worked. Having worked only spares it the wait.
func (f *failures) worked(hash secret.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.good[hash] {
		return
	}
	if f.good == nil || len(f.good) >= maxKnownGood {
		f.good = map[secret.Hash]bool{}
	}
	f.good[hash] = true
}
