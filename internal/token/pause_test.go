package token

import (
	"testing"
	"time"
)

// While others wait, a signature that took long is followed by a pause; one that is a
// moment's work, or the last one, is not.
func TestLongSignaturesLeaveTheProcessorToOthers(t *testing.T) {
	for _, c := range []struct {
		name    string
		waiting int // operations that run or wait, beside the one that has just ended
		took    time.Duration
		want    time.Duration
	}{
		{"RSA, others wait", 3, time.Millisecond, 500 * time.Microsecond},
		{"RSA, nobody waits", 0, time.Millisecond, 0},
		{"elliptic curve, others wait", 3, 30 * time.Microsecond, 0},
	} {
		s := NewSigner(1, 8)
		s.running <- struct{}{} // the one that has just ended
		for range c.waiting {
			s.waiting <- struct{}{}
		}
		if got := s.pause(c.took); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
