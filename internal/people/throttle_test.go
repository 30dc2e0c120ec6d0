package people

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"
)

// Guarantee: nothing an attacker does makes room for himself in the table: what was
// counted stays counted until the window ends.
func TestNothingIsEvictedFromTheThrottle(t *testing.T) {
	th := newThrottle()
	now := time.Date(2027, 3, 14, 9, 0, 0, 0, time.UTC)
	victim := claim{"account ada", 10}
	for range 10 {
		if _, wait := th.take(now, victim); wait > 0 {
			t.Fatal("throttled too early")
		}
	}
	for i := range 200_000 {
		th.take(now, claim{fmt.Sprintf("account %d", i), math.MaxUint16})
	}
	if _, wait := th.take(now.Add(time.Minute), victim); wait != 14*time.Minute {
		t.Errorf("after 200,000 others the wait is %v, want 14m", wait)
	}
	if _, wait := th.take(now.Add(throttleWindow), victim); wait > 0 {
		t.Error("throttled in the next window")
	}
}

// Guarantee: as many failures as passwords can be hashed in a window do not throttle
// somebody who has not failed.
func TestOthersFailuresDoNotThrottle(t *testing.T) {
	th := newThrottle()
	now := time.Date(2027, 3, 14, 9, 0, 0, 0, time.UTC)
	const hashes = 35 * 15 * 60 // two at once, 57 ms each
	for i := range hashes {
		th.take(now, claim{fmt.Sprintf("account %d", i), perAccountNetwork}, claim{fmt.Sprintf("address %d", i/50), perAddress})
	}
	refused := 0
	for i := range 10_000 {
		if _, wait := th.take(now, claim{fmt.Sprintf("honest %d", i), perAccountNetwork}); wait > 0 {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d of 10,000 who never failed are throttled", refused)
	}
}

// Guarantee: an attempt that one claim refuses counts against none.
func TestRefusedAttemptCountsAgainstNothing(t *testing.T) {
	th := newThrottle()
	now := time.Date(2027, 3, 14, 9, 0, 0, 0, time.UTC)
	full, other := claim{"full", 1}, claim{"other", 1}
	th.take(now, full)
	for range 5 {
		th.take(now, other, full)
	}
	back, wait := th.take(now, other)
	if wait > 0 {
		t.Fatal("the other claim was counted")
	}
	back()
	if _, wait := th.take(now, other); wait > 0 {
		t.Error("what was given back is still counted")
	}
}

func TestNeighbourhoods(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"203.0.113.7", "203.0.113.200", true},
		{"203.0.113.7", "::ffff:203.0.113.9", true},
		{"203.0.113.7", "203.0.114.7", false},
		{"2001:db8:1:2::1", "2001:db8:1:ffff::1", true},
		{"2001:db8:1:2::1", "2001:db8:2:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		a, b := netip.MustParseAddr(c.a), netip.MustParseAddr(c.b)
		if (neighbourhood(a) == neighbourhood(b)) != c.same {
			t.Errorf("%s and %s: %v and %v", c.a, c.b, neighbourhood(a), neighbourhood(b))
		}
	}
	if (neighbourhood(netip.Addr{}) != netip.Prefix{}) {
		t.Error("the zero address has a neighbourhood of others")
	}
}
