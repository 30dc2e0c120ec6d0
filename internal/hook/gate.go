package hook

import (
	"context"
	"fmt"
	"sync/atomic"
)

// A gate bounds the questions of one hook: some are asked, some wait, the rest is
// turned away. A slow hook holds up requests it is asked about and no others.
type gate struct {
	turns   chan struct{}
	waiting atomic.Int64
	most    int64
}

// waitingFor is how many questions may wait for each one that is asked.
const waitingFor = 4

// gate returns the gate of a hook.
func (a *Asker) gate(url string) *gate {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.gates[url]
	if g == nil {
		g = &gate{turns: make(chan struct{}, a.config.Parallel), most: int64(waitingFor * a.config.Parallel)}
		a.gates[url] = g
	}
	return g
}

// enter waits for a turn. Every nil error needs a leave.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.turns <- struct{}{}:
		return nil
	default:
	}
	if g.waiting.Add(1) > g.most {
		g.waiting.Add(-1)
		return ErrBusy
	}
	defer g.waiting.Add(-1)
	select {
	case g.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("hook: wait for a turn: %w", ctx.Err())
	}
}

// leave gives the turn to somebody else.
func (g *gate) leave() { <-g.turns }
