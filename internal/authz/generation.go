package authz

import "hash/maphash"

// generationSlots is how many generations there are. Whatever decisions depend on shares
// them by its id's hash: organizations, members, clients, service accounts, tokens. Two
// that share one make each other's entries stale, which costs a look-up.
const generationSlots = 1 << 14

// A guard makes an entry stale when the thing it guards changes: it holds the generation
// at which the thing was read. The zero guard guards nothing.
type guard struct {
	slot       uint32 // counted from 1; 0: none
	generation uint32
}

// guardOf returns the guard of a thing as it is now, none for the id "". The caller holds
// the lock, so that no change is applied between the reading of a record and this.
func (a *Authorizer) guardOf(id string) guard {
	if id == "" {
		return guard{}
	}
	slot := a.slot(id)
	return guard{slot: slot + 1, generation: a.generations[slot].Load()}
}

// slot returns the place of an id's generation.
func (a *Authorizer) slot(id string) uint32 {
	return uint32(maphash.String(a.seed, id)) % generationSlots
}

// changed makes every entry stale that depends on the id.
func (a *Authorizer) changed(id string) {
	if id != "" {
		a.generations[a.slot(id)].Add(1)
	}
}

// broken reports whether what the guard guards changed since.
func (a *Authorizer) broken(g guard) bool {
	return g.slot != 0 && a.generations[g.slot-1].Load() != g.generation
}

// stale reports whether something that the entry depends on changed since it was read.
func (a *Authorizer) stale(e *entry) bool {
	if a.broken(e.account.guard) {
		return true
	}
	h := e.holder
	if h == nil {
		return false
	}
	if a.broken(h.guard) {
		return true
	}
	if h.token != nil {
		for _, g := range h.token.guards {
			if a.broken(g) {
				return true
			}
		}
	}
	return false
}
