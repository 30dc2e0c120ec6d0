package oauth

import (
	"context"
	"sync"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// A memoKey is everything that the answer to a request for a machine token depends on.
type memoKey struct {
	contract *contract.Contract
	endpoint *contract.TokenEndpoint
	holder   string
	asked    string // scopes as they are told to the caller
	proof    string
	second   int64 // iat, which a watermark may have moved
}

// maxMemo bounds the remembered answers. They are good for a second.
const maxMemo = 4096

// A memo remembers answers with machine tokens for the second they were made in. The
// same claims signed with RS256 are the same bytes, so making them again would be work
// for nothing. Requests for the same token at the same time share one signature.
type memo struct {
	mu     sync.Mutex
	second int64
	known  map[memoKey]*answer
}

// An answer is one remembered response body, or one being made. It may be read once done
// is closed.
type answer struct {
	done chan struct{}
	body []byte
	err  error
}

// get returns the answer for a key in the present second, making it when nobody has. It
// is made for everybody who waits, so it goes on when the request that began it is
// abandoned. Errors are not remembered.
func (m *memo) get(ctx context.Context, second int64, key memoKey, build func(context.Context) ([]byte, error)) ([]byte, error) {
	m.mu.Lock()
	if second != m.second || m.known == nil {
		m.second, m.known = second, map[memoKey]*answer{}
	}
	if a := m.known[key]; a != nil {
		m.mu.Unlock()
		select {
		case <-a.done:
			return a.body, a.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(m.known) >= maxMemo {
		m.mu.Unlock()
		return build(ctx)
	}
	a := &answer{done: make(chan struct{}), err: errUnavailable}
	m.known[key] = a
	m.mu.Unlock()
	defer func() {
		if a.err != nil {
			m.drop(key, a)
		}
		close(a.done)
	}()
	a.body, a.err = build(context.WithoutCancel(ctx))
	return a.body, a.err
}

// drop forgets an answer that came to nothing.
func (m *memo) drop(key memoKey, a *answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[key] == a {
		delete(m.known, key)
	}
}

// forget drops every answer that changes may concern. Which tokens those are is not
// worth finding out: everything is a second old at most.
func (m *memo) forget(changes store.Changes) {
	if len(changes) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = nil
}
