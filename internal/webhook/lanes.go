package webhook

import "sync"

// How many attempts are under way at once. The endpoints whose last attempt failed or took
// long share a lane of their own: however many there are, the others go on.
const (
	briskAttempts = 32 // together
	briskEach     = 4  // to one endpoint
	slowAttempts  = 16
	slowEach      = 1
)

// lanes hand out the places. They are safe for concurrent use.
type lanes struct {
	mu          sync.Mutex
	brisk, slow int
	running     map[string]*traffic // by endpoint
	freed       chan struct{}       // a place became free
}

// traffic is what is known of an endpoint while it matters.
type traffic struct {
	brisk, slow int  // attempts under way in each lane
	slowed      bool // the last attempt failed or took long
}

func newLanes() lanes {
	return lanes{running: map[string]*traffic{}, freed: make(chan struct{}, 1)}
}

// enter takes up to n places for attempts to an endpoint and returns how many it got, and
// whether they are in the slow lane. Every place needs a leave.
func (l *lanes) enter(endpoint string, n int) (got int, slow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.running[endpoint]
	if t == nil {
		t = &traffic{}
	}
	if t.slowed {
		got = min(n, slowEach-t.slow-t.brisk, slowAttempts-l.slow)
	} else {
		got = min(n, briskEach-t.brisk-t.slow, briskAttempts-l.brisk)
	}
	if got <= 0 {
		return 0, t.slowed
	}
	if t.slowed {
		t.slow, l.slow = t.slow+got, l.slow+got
	} else {
		t.brisk, l.brisk = t.brisk+got, l.brisk+got
	}
	l.running[endpoint] = t
	return got, t.slowed
}

// leave gives a place back.
func (l *lanes) leave(endpoint string, slow bool) {
	l.mu.Lock()
	t := l.running[endpoint]
	if slow {
		t.slow, l.slow = t.slow-1, l.slow-1
	} else {
		t.brisk, l.brisk = t.brisk-1, l.brisk-1
	}
	if t.brisk+t.slow == 0 && !t.slowed {
		delete(l.running, endpoint)
	}
	l.mu.Unlock()
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

// found notes how an attempt went.
func (l *lanes) found(endpoint string, slowed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.running[endpoint]
	if t == nil {
		t = &traffic{}
		l.running[endpoint] = t
	}
	t.slowed = slowed
	if t.brisk+t.slow == 0 && !slowed {
		delete(l.running, endpoint)
	}
}

// gone forgets an endpoint that has nothing under way and will get nothing any more.
func (l *lanes) gone(endpoint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.running[endpoint]; t != nil && t.brisk+t.slow == 0 {
		delete(l.running, endpoint)
	}
}
