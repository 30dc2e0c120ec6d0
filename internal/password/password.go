package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"runtime"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// ErrBusy refuses a hash because too many wait already. Try again in a second.
var ErrBusy = errors.New("too many passwords are being checked: try again in a moment")

// ErrHash reports a stored text that is no hash of a sort this package makes or can
// afford to check.
var ErrHash = errors.New("password: not a hash of a known form")

// Config is what [New] needs; its zero value is good for a server.
type Config struct {
	Parallel int // hashes at once; 0: half of the processors, at least one and at most two
	Queue    int // hashes that wait; 0: 64

	// Params are the cost of new hashes. Zero: 19 MiB, 2 passes, 1 lane, which is what
	// OWASP asks for and the whole cost a small server can bear.
	Params Params
}

// A Hasher hashes passwords, a few at a time. It is safe for concurrent use.
type Hasher struct {
	params Params
	slots  chan struct{} // a token each for those at work
	line   chan struct{} // a token each for those at work or waiting
	dummy  string        // what is checked for people who are not there
}

// New returns a Hasher.
func New(c Config) *Hasher {
	if c.Parallel <= 0 {
		// A hash keeps a processor busy for a twentieth of a second. Whoever tries passwords
		// without a pause must leave the other ones to those who use the API.
		c.Parallel = min(2, max(1, runtime.GOMAXPROCS(0)/2))
	}
	if c.Queue <= 0 {
		c.Queue = 64
	}
	if c.Params == (Params{}) {
		c.Params = Params{Memory: 19 << 10, Passes: 2, Lanes: 1}
	}
	h := &Hasher{
		params: c.Params, slots: make(chan struct{}, c.Parallel), line: make(chan struct{}, c.Parallel+c.Queue),
	}
	var salt [saltSize]byte
	var key [keySize]byte
	_, _ = rand.Read(salt[:]) // never fails: it stops the process instead
	_, _ = rand.Read(key[:])  // no password has this hash that anybody could find
	h.dummy = phc{c.Params, salt[:], key[:]}.String()
	return h
}

// Hash returns the hash of a password. The error is ErrBusy or the context's.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	var salt [saltSize]byte
	_, _ = rand.Read(salt[:]) // never fails: it stops the process instead
	return phc{h.params, salt[:], derive(h.params, salt[:], password, keySize)}.String(), nil
}

// Verify reports whether password is the one that was hashed. With a hash of "" it does
// the work of a check and says no: what callers do for people who do not exist or have
// no password, so that their answer takes as long. The error is ErrBusy, ErrHash or the
// context's.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	stored, err := parse(hash)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	key := derive(stored.params, stored.salt, password, uint32(len(stored.key)))
	same := subtle.ConstantTimeCompare(key, stored.key) == 1
	return same && known, nil
}

// Outdated reports whether a hash was made with another cost than new ones are, so that
// it should be replaced when its password is at hand.
func (h *Hasher) Outdated(hash string) bool {
	stored, err := parse(hash)
	return err != nil || stored.params != h.params || len(stored.salt) != saltSize || len(stored.key) != keySize
}

// enter waits for a turn.
func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.line <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-h.line
		return ctx.Err()
	}
}

func (h *Hasher) leave() {
	<-h.slots
	<-h.line
}

// derive hashes a password. It is normalised first (RFC 8265 §4.2.2), because the same
// characters arrive composed from one keyboard and decomposed from another.
func derive(p Params, salt []byte, password string, size uint32) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.Passes, p.Memory, p.Lanes, size)
}
