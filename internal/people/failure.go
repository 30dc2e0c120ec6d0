package people

import (
	"context"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// failuresPerMinute bounds how many failed attempts get an audit event of their own: the
// log is for ever, and whoever attacks does not decide how much of it there is.
const failuresPerMinute = 30

// failures decides which failed attempts are recorded. Its zero value is ready.
type failures struct {
	mu       sync.Mutex
	minute   int64
	recorded int
	left     int // not recorded since the last one that was
}

// next reports whether a failure is to be recorded, and how many before it were not.
func (f *failures) next(now time.Time) (left int, record bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if minute := now.Unix() / 60; minute != f.minute {
		f.minute, f.recorded = minute, 0
	}
	if f.recorded >= failuresPerMinute {
		f.left++
		return 0, false
	}
	f.recorded++
	left, f.left = f.left, 0
	return left, true
}

// failureDetail is what the audit log keeps of a failed attempt: never what was typed.
type failureDetail struct {
	Method string `json:"method"`
	Others int    `json:"others_not_recorded,omitzero"`
}

// failed records an attempt that did not work. It does the same for nobody as for a
// member, so that the answer takes as long; m is zero then.
func (p *People) failed(ctx context.Context, m store.Member, method string, from From) {
	left, record := p.failures.next(p.now())
	if !record {
		return
	}
	err := p.change(ctx, from.nobody(), func(tx *store.Tx) error {
		tx.Audit(event("signin.fail", m, failureDetail{method, left}))
		return nil
	})
	if err != nil {
		p.log.LogAttrs(ctx, levelWarn, "a failed sign-in could not be recorded", errorAttr(err))
	}
}
