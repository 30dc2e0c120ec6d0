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
// It is immutable but for use and bucket.
type entry struct {
	// What every request reads comes first, in one cache line.

	hash    secret.Hash
	account *account
	profile *profile

	// until is the instant, in microseconds of Unix time, from which the secret is
	// refused: its credential's expiry, or the end of a rotation's overlap if that is
	// earlier. 0: never.
	until int64

	// use is when the secret was last used, or made, in its upper half, and when such a
	// use was last handed on to be written in its lower half; both in seconds of Unix
	// time, good until 2106.
	use atomic.Uint64

	id     secret.PackedID // of the credential, see [entry.credentialID]
	holder *holder         // nil for most: what keys of organizations do not have

	// bucket counts the credential's own requests; nil when nothing limits it alone.
	bucket atomic.Pointer[limit.Bucket]
}

// A holder is what an entry has besides when it belongs to a person or is a token.
type holder struct {
	member string // id of the member it belongs to, or ""
	guard  guard  // of the member
	token  *live  // nil for keys

	// mark is up to when tokens made from the credential, or for the member, were
	// revoked; zero: they never were.
	mark time.Time
}

// member returns the id of the member that the entry belongs to, or "".
func (e *entry) member() string {
	if e.holder == nil {
		return ""
	}
	return e.holder.member
}

// token returns what is known of an access token, nil for a key.
func (e *entry) token() *live {
	if e.holder == nil {
		return nil
	}
	return e.holder.token
}

// flags are what a record says about a secret's standing.
type flags uint8

const (
	revoked    flags = 1 << iota
	disabled         // the credential, or the member it belongs to
	oldSecret        // replaced by a rotation
	superseded       // until is the end of the overlap, not the expiry
	suspended        // the organization that a token's client belongs to
)

// A profile is what credentials have in common. It is immutable and shared.
type profile struct {
	kind   *contract.KeyKind
	env    *contract.Environment
	flags  flags
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
	guard guard // of the organization

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

// owner returns whose requests are counted together where each credential counts for
// itself.
func (e *entry) owner() string {
	if t := e.token(); t != nil && t.owner != "" {
		return t.owner
	}
	return e.credentialID()
}

// setID says which credential the entry is of; the profile is set before.
func (e *entry) setID(id string) {
	if e.profile.idText == "" {
		e.id, _ = secret.PackID(id, e.profile.idPrefix)
	}
}

// lastUsed returns when the secret was last used, or made, in seconds of Unix time.
func (e *entry) lastUsed() uint32 { return uint32(e.use.Load() >> 32) }

// setUse says what the database knows: when the secret was last used, or made, and
// which use of it is written, 0 for none.
func (e *entry) setUse(used, written uint32) { e.use.Store(uint64(used)<<32 | uint64(written)) }

// touch notes a use. It returns true when the last one that was written is every
// seconds ago, so that this one should be; of several at the same time one is told so.
func (e *entry) touch(now time.Time, every uint32) (write bool) {
	s := uint32(now.Unix())
	for {
		old := e.use.Load()
		used, written := uint32(old>>32), uint32(old)
		if write = s >= written && s-written >= every; write {
			written = s
		} else if s <= used {
			return false // this second is noted, or the clock stepped back
		}
		if e.use.CompareAndSwap(old, uint64(max(s, used))<<32|uint64(written)) {
			return write
		}
	}
}

// writeUses is how many last uses may be written in a second. With more active secrets
// than a minute has room for, each is written less often.
const writeUses = 200

// writeEvery returns how many seconds lie between two writes of one secret's last use:
// a minute, or longer with many secrets in memory, up to an hour. An idle time is
// never blurred by more than a hundredth.
func writeEvery(secrets int64, idle time.Duration) uint32 {
	every := min(max(60, secrets/writeUses), 3600)
	if idle > 0 {
		every = max(1, min(every, int64(idle/time.Second)/100))
	}
	return uint32(every)
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

// UseAccuracy returns how exact last uses are right now: of one secret's uses, one in this
// time is written. Kinds with an idle time are written more often.
func (a *Authorizer) UseAccuracy() time.Duration {
	return time.Duration(writeEvery(a.view.Load().table.count.Load(), 0)) * time.Second
}
