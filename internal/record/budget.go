package record

import "time"

// How many rows a second go into the request log. A refusal is what people look up;
// of requests that went well a sample will do once there are more than anybody reads.
const (
	plainRows   = 500  // allowed, and answered below 400
	notableRows = 2000 // everything else: refusals, errors, uses of replaced secrets
	budgetBurst = 4    // seconds of rows that may come at once
)

// A budget is a number of rows that grows with time, up to the burst.
type budget struct {
	perSecond float64
	left      float64
	at        time.Time // of the last refill
}

// refill adds what the time since the last refill is worth.
func (b *budget) refill(now time.Time) {
	if !b.at.IsZero() {
		b.left = min(b.left+now.Sub(b.at).Seconds()*b.perSecond, b.perSecond*budgetBurst)
	}
	b.at = now
}

// take takes a row from the budget and reports whether there was one.
func (b *budget) take() bool {
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
