package webhook

import (
	"context"
	"sync"
	"time"
)

// SetTimeout bounds attempts in tests of receivers that never answer.
func (w *Webhooks) SetTimeout(d time.Duration) { w.timeout = d }

// SetPlaces bounds the attempts in the brisk lane.
func (w *Webhooks) SetPlaces(n int) { w.lanes.places = n }

// Drain delivers what is due at this moment and returns how many attempts that took.
func (w *Webhooks) Drain(ctx context.Context) (attempts int) {
	for {
		var running sync.WaitGroup
		n := w.dispatch(ctx, ctx, &running)
		running.Wait()
		if n == 0 {
			return attempts
		}
		attempts += n
	}
}

// Claim takes deliveries from the queue as a worker does that then dies.
func (w *Webhooks) Claim(ctx context.Context, endpoint string) int {
	return len(w.claim(ctx, endpoint, 100))
}

// RetryAfter is retryAfter.
func RetryAfter(text string, now time.Time) time.Duration { return retryAfter(text, now) }

// GoodURL reports whether an endpoint of a server may have a URL.
func GoodURL(text string) bool { return (&Webhooks{}).checkURL(text) == nil }
