package authz

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// unknowns remembers credentials that do not exist, so that a client which repeats a
// dead one does not repeat the query, or for a token the verification. It is a table of its own and of fixed size:
// junk cannot displace credentials.
//
// It never hides a new credential: what it remembers holds only until the next
// change of anything, and for a few seconds.
type unknowns struct {
	slots [unknownSlots]atomic.Pointer[unknown]
}

const (
	unknownSlots = 1 << 12
	unknownTime  = 5 * time.Second
)

type unknown struct {
	hash  secret.Hash
	seq   int64 // the last change that the look-up saw
	at    int64 // nanoseconds of Unix time
	fault fault // what is wrong with a token
}

func newUnknowns() *unknowns { return &unknowns{} }

func (u *unknowns) slot(h *secret.Hash) *atomic.Pointer[unknown] {
	return &u.slots[binary.LittleEndian.Uint64(h[16:24])%unknownSlots]
}

func (u *unknowns) add(h *secret.Hash, seq int64, now time.Time, f fault) {
	u.slot(h).Store(&unknown{*h, seq, now.UnixNano(), f})
}

// has reports whether the credential was looked up lately and nothing changed since
// then, and what was wrong with it; applied is the last change applied. A clock that
// stepped back ends the memory.
func (u *unknowns) has(h *secret.Hash, applied int64, now time.Time) (fault, bool) {
	m := u.slot(h).Load()
	if m == nil || m.seq < applied || m.hash != *h {
		return sound, false
	}
	age := now.UnixNano() - m.at
	return m.fault, age >= 0 && age < int64(unknownTime)
}
