package dev

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/api"
)

// clock is a clock that can be moved forward and stopped. Its zero value tells the
// machine's time.
type clock struct{ state atomic.Pointer[reading] }

// A reading is how a clock differs from the machine's; nil: not at all.
type reading struct {
	offset  time.Duration
	stopped time.Time // what the clock shows while it stands; zero: it runs
}

// load returns the reading.
func (c *clock) load() reading {
	if r := c.state.Load(); r != nil {
		return *r
	}
	return reading{}
}

// now is a [cardea.Clock].
func (c *clock) now() time.Time {
	r := c.load()
	if !r.stopped.IsZero() {
		return r.stopped
	}
	return time.Now().Add(r.offset)
}

// maxAdvance is how far a clock moves in all: time that overflows tests nothing.
const maxAdvance = 100 * 365 * 24 * time.Hour

// advance moves the clock forward. It refuses to go back: time that runs backwards
// would test nothing that can happen. stop, when not nil, stops the clock there or lets
// it go on from there.
func (c *clock) advance(by time.Duration, stop *bool) error {
	for {
		old := c.state.Load()
		r := c.load()
		if by < 0 || by > maxAdvance || r.offset+by > maxAdvance {
			return cardea.Invalid("advance", "must be a time forward, a century in all at most")
		}
		shows := c.now().Add(by)
		stands := !r.stopped.IsZero()
		if stop != nil {
			stands = *stop
		}
		next := &reading{offset: time.Until(shows)}
		if stands {
			next.stopped = shows
		}
		if c.state.CompareAndSwap(old, next) {
			return nil
		}
	}
}

// A clockState is what the clock's endpoint answers.
type clockState struct {
	Now     time.Time `json:"now"`
	Offset  string    `json:"offset"` // from the machine's time, as [time.Duration] prints it
	Stopped bool      `json:"stopped"`
}

// handler serves GET and POST /v1/dev/clock.
func (c *clock) handler(management *api.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := management.Authenticate(r); err != nil {
			management.Fail(w, r, err)
			return
		}
		if r.Method == http.MethodPost {
			if err := c.read(w, r); err != nil {
				management.Fail(w, r, err)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		now := c.now().UTC()
		state := clockState{Now: now, Offset: time.Until(now).Round(time.Millisecond).String(), Stopped: !c.load().stopped.IsZero()}
		// The status has gone out; a reader that left is not an error of ours.
		_ = json.MarshalWrite(w, state)
	}
}

// read moves the clock as a request's body asks.
func (c *clock) read(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Advance string `json:"advance"`
		Stopped *bool  `json:"stopped"`
	}
	if err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, 1<<10), &in, json.RejectUnknownMembers(true)); err != nil {
		return cardea.Errorf(cardea.KindInvalid, `the body must be {"advance": "720h", "stopped": false}; both members are optional`)
	}
	var by time.Duration
	if in.Advance != "" {
		var err error
		if by, err = time.ParseDuration(in.Advance); err != nil {
			return cardea.Invalid("advance", "must be a time such as 90s, 15m or 720h")
		}
	}
	return c.advance(by, in.Stopped)
}
