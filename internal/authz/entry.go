package authz

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/secret"
)

// An entry is one secret in the cache. It is 96 bytes: a million of them are warm in
// some servers. What many credentials have in common is in profile and account.
//
// It is immutable but for lastUsed and bucket.
type entry struct {
	// What every request reads comes first, in one cache line.

	hash    secret.Hash
	account *account
	profile *profile

	// until is the instant, in microseconds of Unix time, from which the secret is
	// refused: its credential's expiry, or the end of a rotation's overlap if that is
	// earlier. 0: never.
	until int64

	lastUsed atomic.Uint32 // Unix time in seconds, or that of creation
	flags    flags

	id     secret.PackedID // of the credential, see [entry.credentialID]
	member *string         // id of the member it belongs to, or nil

	// bucket counts the credential's own requests; nil when nothing limits it alone.
	bucket atomic.Pointer[limit.Bucket]
}

// flags are what a record says about a secret's standing.
type flags uint8

const (
	revoked    flags = 1 << iota
	disabled         // the credential, or the member it belongs to
	oldSecret        // replaced by a rotation
	superseded       // until is the end of the overlap, not the expiry
)

// A profile is what credentials have in common. It is immutable and shared.
type profile struct {
	kind   *contract.KeyKind
	env    *contract.Environment
	scopes contract.ScopeSet // implied ones included
	ruled  bool              // the credential has a rule of its own
	rule   limit.Rule

	// addresses are the only ones the credential works from, if limited is set: a
	// list without entries admits nobody.
	addresses []netip.Prefix
	limited   bool

	idPrefix string // what the packed id begins with
	idText   string // the whole id, where it could not be packed; such a profile is not shared
}

// An account is an organization in one environment. Its limits are apart from those
// of its other environments: a test key never eats the live quota.
type account struct {
	// The account is current while the generation of its slot is this one.
	slot, generation uint32

	suspended bool
	limited   bool // as in profile

	rule   limit.Rule // of the plan, or its own
	bucket atomic.Pointer[limit.Bucket]

	addresses    []netip.Prefix
	plan         *contract.Plan
	organization string
	owner        string // of its limits: "org_…/live"
}

// credentialID returns the id of the entry's credential.
func (e *entry) credentialID() string {
	if e.profile.idText != "" {
		return e.profile.idText
	}
	return e.id.Text(e.profile.idPrefix)
}

// touch notes a use, at most once a second.
func (e *entry) touch(now time.Time) {
	if s := uint32(now.Unix()); s > e.lastUsed.Load() { // good until 2106
		e.lastUsed.Store(s)
	}
}

// admits reports whether a list allows an address. Without a list everybody is
// allowed; with one, an unknown address is not.
func admits(limited bool, list []netip.Prefix, addr netip.Addr) bool {
	if !limited {
		return true
	}
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// normalize returns a list in the form that [admits] needs: masked, and with ranges
// of IPv4-mapped addresses as IPv4, because client addresses are unmapped.
func normalize(list []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(list))
	for _, p := range list {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		out = append(out, p.Masked())
	}
	return out
}
