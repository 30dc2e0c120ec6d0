package webhook

import (
	"sync"
	"time"
)

// How many attempts are under way at once. Those that take long leave the brisk lane for a
// slow one while they run, and the endpoints whose last attempt failed or took long start
// in it: however many there are, the others go on.
const (
	briskAttempts = 64  // together
	slowAttempts  = 16  // together, those that became slow not counted
	allAttempts   = 256 // in both lanes
	briskEach     = 8   // to one endpoint that answers; to one that has not answered yet, one
	slowAttempt   = 2 * time.Second
)

// lanes hand out the places. They are safe for concurrent use.
type lanes struct {
	mu          sync.Mutex
	brisk, slow int
	places      int                 // of the brisk lane
	known       map[string]*traffic // by endpoint
	freed       chan struct{}       // a place became free
}

// traffic is what is known of an endpoint while it matters.
type traffic struct {
	running  int
	answered bool // since it became busy
	slowed   bool // the last attempt failed or took long
}

// A seat is a place for one attempt.
type seat struct {
	endpoint string

	// Guarded by the lanes' lock.
	slow, left bool
}

func newLanes() lanes {
	return lanes{places: briskAttempts, known: map[string]*traffic{}, freed: make(chan struct{}, 1)}
}

// enter takes the places that an endpoint may have at this moment. Every seat needs a
// leave.
func (l *lanes) enter(endpoint string) []*seat {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.known[endpoint]
	if t == nil {
		t = &traffic{}
	}
	each, left := 1, l.places-l.brisk
	if t.slowed {
		left = slowAttempts - l.slow
	} else if t.answered {
		each = briskEach
	}
	n := min(each-t.running, left, allAttempts-l.brisk-l.slow)
	if n <= 0 {
		return nil
	}
	seats := make([]*seat, n)
	for i := range seats {
		seats[i] = &seat{endpoint: endpoint, slow: t.slowed}
	}
	if t.slowed {
		l.slow += n
	} else {
		l.brisk += n
	}
	t.running += n
	l.known[endpoint] = t
	return seats
}

// linger moves an attempt that takes long out of the others' way.
func (l *lanes) linger(s *seat) {
	l.mu.Lock()
	if !s.left {
		l.known[s.endpoint].slowed = true
	}
	if !s.left && !s.slow {
		s.slow = true
		l.brisk, l.slow = l.brisk-1, l.slow+1
	}
	l.mu.Unlock()
	l.free()
}

// found notes how an attempt went.
func (l *lanes) found(s *seat, slowed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.known[s.endpoint]
	t.slowed, t.answered = slowed, t.answered || !slowed
}

// leave gives a place back.
func (l *lanes) leave(s *seat) {
	l.mu.Lock()
	t := l.known[s.endpoint]
	s.left = true
	if s.slow {
		l.slow--
	} else {
		l.brisk--
	}
	if t.running--; t.running == 0 && !t.slowed {
		delete(l.known, s.endpoint)
	}
	l.mu.Unlock()
	l.free()
}

// free tells the worker that it may find a place.
func (l *lanes) free() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}
