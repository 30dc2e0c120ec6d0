package record

import (
	"context"
	"hash/maphash"
	"net/netip"

	"github.com/cardea-dev/cardea/internal/store"
)

// Bounds of what is kept in memory of the addresses that credentials were used from.
const (
	maxNoted = 1 << 20 // pairs that were noted today, 16 MB; then the memory starts anew
	maxFresh = 1 << 10 // pairs to be stored a second; the others are when they come again
)

// A pair is a credential and the neighbourhood of an address that it was used from.
type pair struct {
	credential string
	address    netip.Addr
}

// sightings collect the pairs that come up, each once a day: the store remembers them and
// tells of the first use from a new address. Only the writing goroutine has them, so that a
// request costs nothing more than it did.
type sightings struct {
	seed  maphash.Seed
	noted map[uint64]struct{} // :: hash of a pair; a new one is taken for an old one once in 2^44
	day   int64
	fresh []store.Sighting
}

// newSightings returns an empty collection.
func newSightings() sightings {
	return sightings{seed: maphash.MakeSeed(), noted: map[uint64]struct{}{}}
}

// add notes where an event's credential was used from, if that is news today.
func (s *sightings) add(e *Event) {
	if !e.passed() || !e.Client.IsValid() {
		return
	}
	p := pair{e.Credential, store.Neighbourhood(e.Client)}
	hash := maphash.Comparable(s.seed, p)
	if day := store.Day(e.At); day > s.day || len(s.noted) >= maxNoted {
		clear(s.noted)
		s.day = max(day, s.day)
	}
	if _, known := s.noted[hash]; known || len(s.fresh) >= maxFresh {
		return
	}
	s.noted[hash] = struct{}{}
	s.fresh = append(s.fresh, store.Sighting{Credential: p.credential, Address: p.address, At: e.At})
}

// write hands the fresh ones to the store. What is left after an error is tried again.
func (s *sightings) write(ctx context.Context, db *store.DB) (err error) {
	if len(s.fresh) > 0 {
		s.fresh, err = db.See(ctx, s.fresh)
	}
	return err
}
