package authz

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The first use of a secret is written at once, later ones once a minute, however many
// come at the same time; what is judged is always the very last use.
func TestUseIsWrittenOnceAMinute(t *testing.T) {
	e := &entry{}
	made := time.Unix(1_700_000_000, 0)
	e.setUse(uint32(made.Unix()), 0)
	at := func(s int) time.Time { return made.Add(time.Duration(s) * time.Second) }
	for _, step := range []struct {
		second int
		write  bool
	}{{1, true}, {1, false}, {30, false}, {60, false}, {61, true}, {62, false}, {20, false}, {500, true}} {
		var writes atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if e.touch(at(step.second), 60) {
					writes.Add(1)
				}
			})
		}
		all.Wait()
		if want := map[bool]int64{true: 1, false: 0}[step.write]; writes.Load() != want {
			t.Errorf("second %d: written %d times, want %d", step.second, writes.Load(), want)
		}
	}
	if got := e.lastUsed(); got != uint32(at(500).Unix()) {
		t.Errorf("last used at %d", got)
	}
	e.touch(at(499), 60)
	if got := e.lastUsed(); got != uint32(at(500).Unix()) {
		t.Errorf("a clock that stepped back took a use away: %d", got)
	}
}

// With more secrets than a minute has room for, uses are written less often, but never so
// seldom that an idle time would be judged wrongly after a restart.
func TestUsesOfManySecretsAreWrittenLessOften(t *testing.T) {
	for _, c := range []struct {
		secrets int64
		idle    time.Duration
		want    uint32
	}{
		{1, 0, 60}, {12_000, 0, 60}, {100_000, 0, 500}, {1_000_000, 0, 3600},
		{1_000_000, 30 * 24 * time.Hour, 3600}, {1_000_000, time.Hour, 36}, {1, time.Minute, 1},
	} {
		if got := writeEvery(c.secrets, c.idle); got != c.want {
			t.Errorf("%d secrets, idle %v: every %d s, want %d", c.secrets, c.idle, got, c.want)
		}
	}
}
