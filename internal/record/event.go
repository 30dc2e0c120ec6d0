package record

import (
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// An Event is one request that was answered. Its texts are kept until they are
// written, a tenth of a second as a rule.
type Event struct {
	At           time.Time // when the request arrived
	RequestID    string
	Credential   string      // id of the verified credential, "" when the caller is not known
	Organization string      // its organization
	Environment  string      // its environment
	Secret       secret.Hash // hash of the presented secret, zero when it is not known
	OldSecret    bool        // the secret is one that a rotation replaced
	AccountKey   string      // the service account's key that signed the token, or ""
	NoteUse      bool        // to be written as the last use of credential and secret or key
	Method       string
	Host         string
	Route        string // the contract's pattern, "" when none matched
	Path         string // as received, without the query; cut when it is stored
	Status       int
	Reason       cardea.Reason
	Step         cardea.Step
	Client       netip.Addr
	Latency      time.Duration
	BytesOut     int64 // of the response's body
	ContractLine int   // line of the contract that decided, 0 when none did
	Detail       string
}

// row returns the event as the request log stores it.
func (e *Event) row() store.RequestRow {
	return store.RequestRow{
		At: e.At, RequestID: e.RequestID, Credential: e.Credential, Organization: e.Organization,
		Environment: e.Environment, OldSecret: e.OldSecret, Method: e.Method, Host: e.Host,
		Route: e.Route, Path: e.Path, Status: e.Status, Reason: e.Reason, Step: e.Step,
		Client: e.Client, Latency: e.Latency, BytesOut: e.BytesOut,
		ContractLine: e.ContractLine, Detail: e.Detail,
	}
}

// used reports whether the request is to be written as the last use of its credential.
// Refusals never are: they must not keep an idle credential alive.
func (e *Event) used() bool {
	return e.NoteUse && e.passed()
}

// passed reports whether a credential's request was let through to the API.
func (e *Event) passed() bool {
	switch e.Reason {
	case cardea.ReasonAllowed, cardea.ReasonUpstream, cardea.ReasonUpstreamTimeout:
		return e.Credential != ""
	}
	return false
}

// Sizes of the buffer: its capacity, in chunks that are made when they are first
// needed, so that an idle server does not hold 20 MB for busier times.
const (
	capacity  = 65536
	chunkSize = 1024
)

// A buffer holds events in order of arrival.
type buffer struct {
	chunks [capacity / chunkSize]*[chunkSize]Event
	n      int
}

// add appends an event and reports whether there was room.
func (b *buffer) add(e *Event) bool {
	if b.n == capacity {
		return false
	}
	chunk := b.chunks[b.n/chunkSize]
	if chunk == nil {
		chunk = new([chunkSize]Event)
		b.chunks[b.n/chunkSize] = chunk
	}
	chunk[b.n%chunkSize] = *e
	b.n++
	return true
}

// drain calls fn for every event in order and empties the buffer. Half of the chunks
// that were not needed are let go.
func (b *buffer) drain(fn func(*Event)) {
	used := (b.n + chunkSize - 1) / chunkSize
	for i := range b.n {
		fn(&b.chunks[i/chunkSize][i%chunkSize])
	}
	made := used
	for i := range used {
		clear(b.chunks[i][:]) // let go of the texts
	}
	for made < len(b.chunks) && b.chunks[made] != nil {
		made++
	}
	clear(b.chunks[max(used, made/2):])
	b.n = 0
}
