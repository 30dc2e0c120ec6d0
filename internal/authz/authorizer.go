package authz

import (
	"hash/maphash"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Config is what an [Authorizer] works with.
type Config struct {
	// Contract returns the contract in force. It is called for every request and must
	// be cheap: an atomic load.
	Contract func() *contract.Contract

	// Store has the credentials.
	Store *store.DB

	// Limits counts requests; nil means a table of its own, whose day counts nobody
	// writes to the database.
	Limits *limit.Table

	// Keys are the keys that sign Cardea's own tokens; nil: there are none.
	Keys *signing.Keys

	// Issuers has the keys of other issuers; nil: none is trusted.
	Issuers *token.Cache

	// Hooks asks the contract's hooks; nil: what a hook is asked about is refused.
	Hooks *hook.Asker

	// Origin returns scheme, host and port that a request was sent to, such as
	// "https://api.example.com"; nil works it out from the request: see
	// [cardea.Request].
	Origin func(*cardea.Request) string

	// Now tells the time; nil means time.Now.
	Now cardea.Clock

	// TrustedProxies are the peers whose X-Forwarded-For is believed; none by default.
	TrustedProxies []netip.Prefix

	// CacheSize is about how many secrets are kept in memory; 0 means 2^20. A bound,
	// not a reservation: an idle Authorizer needs little.
	CacheSize int

	// TokenCacheSize is about how many signed tokens are kept in memory; 0 means 2^16.
	TokenCacheSize int

	// MaxLookups bounds the look-ups in the database at the same time; 0 means 32.
	MaxLookups int

	// RefusedPerMinute is how many unknown or mistyped credentials an address (an
	// IPv6 /64) may present in a minute before it is answered 429; 0 means 300,
	// less means no bound.
	RefusedPerMinute int
}

// An Authorizer judges requests. It is safe for concurrent use.
type Authorizer struct {
	cfg     Config
	now     cardea.Clock
	limits  *limit.Table
	refused *refusals
	lookups chan struct{} // one token for each look-up under way
	slow    chan struct{} // the same, for addresses that exceed RefusedPerMinute

	verifying, slowVerifying chan struct{} // the same, for signatures

	proofs *token.Replays // proofs of possession that were used
	flaky  flaky          // see magic.go

	queueTime time.Duration // how long a look-up waits for its turn

	seed        maphash.Seed
	generations [generationSlots]atomic.Uint32

	// applied is the sequence number of the last change applied.
	applied atomic.Int64

	view atomic.Pointer[view]

	// mu serializes whatever changes the cache: fills, evictions, a new contract.
	mu sync.Mutex

	stats counters
}

// A view is everything that depends on the contract, the cache included: a new
// contract starts with an empty one, because scopes, kinds and plans have new meanings.
type view struct {
	contract    *contract.Contract
	carriers    []carrier
	hosts       []hostEnvironment
	hooks       []*contract.Hook              // those that are always asked
	lastResort  []*contract.Hook              // those asked when no credential was sent
	tokenScheme scheme                        // access tokens, for token endpoints
	secrets     map[*contract.KeyKind]*scheme // :: kind → its forms, for token endpoints
	table       *table                        // by the hash of the text: secrets and opaque tokens
	tokens      *table                        // by [Authorizer.tokenHash]: signed tokens
	unknown     *unknowns
	flights     flights

	// Interned parts of entries; guarded by Authorizer.mu. Both may be emptied at any
	// time: entries hold what they need.
	accounts map[string]*account // :: organization "/" environment → account
	profiles map[profileKey]*profile
}

// New returns an Authorizer. It reads nothing yet: it is ready at once, however many
// credentials there are.
func New(cfg Config) *Authorizer {
	a := &Authorizer{cfg: cfg, now: cfg.Now, limits: cfg.Limits, seed: maphash.MakeSeed(), queueTime: queueTime}
	if a.now == nil {
		a.now = time.Now
	}
	if a.limits == nil {
		a.limits = limit.NewTable(0)
	}
	if a.cfg.CacheSize <= 0 {
		a.cfg.CacheSize = 1 << 20
	}
	if a.cfg.TokenCacheSize <= 0 {
		a.cfg.TokenCacheSize = maxTokens
	}
	if a.cfg.MaxLookups <= 0 {
		a.cfg.MaxLookups = 32
	}
	if a.cfg.RefusedPerMinute == 0 {
		a.cfg.RefusedPerMinute = 300
	}
	a.refused = newRefusals(a.seed, a.cfg.RefusedPerMinute)
	a.lookups = make(chan struct{}, a.cfg.MaxLookups)
	a.slow = make(chan struct{}, max(1, a.cfg.MaxLookups/8))
	// Half of the processors at most, so that whoever sends signatures that are worth
	// nothing does not take them from those who send keys; an address that is known for
	// it gets one at a time.
	a.verifying = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	a.slowVerifying = make(chan struct{}, 1)
	a.proofs = token.NewReplays(0, a.now)
	a.view.Store(a.newView(cfg.Contract()))
	return a
}

// newView returns an empty view of a contract.
func (a *Authorizer) newView(c *contract.Contract) *view {
	var hooks, lastResort []*contract.Hook
	for _, h := range c.Hooks() {
		if h.OnlyUncredential {
			lastResort = append(lastResort, h)
		} else {
			hooks = append(hooks, h)
		}
	}
	return &view{
		contract: c,
		hooks:    hooks, lastResort: lastResort,
		carriers:    newCarriers(c),
		hosts:       newHosts(c),
		secrets:     newSecrets(c),
		tokenScheme: scheme{forms: tokenForms(c), signed: hasSigned(c), bare: true},
		table:       newTable(a.cfg.CacheSize),
		tokens:      newTable(a.cfg.TokenCacheSize),
		unknown:     newUnknowns(),
		accounts:    map[string]*account{},
		profiles:    map[profileKey]*profile{},
	}
}

// kind returns a kind of credential by its name: one of the contract's, or a reserved
// one; nil for others.
func (v *view) kind(name string) *contract.KeyKind {
	if k := v.contract.Kind(name); k != nil {
		return k
	}
	c := v.contract
	for _, k := range []*contract.KeyKind{c.ClientKind(), c.AccountKind(), c.TokenKind(), c.IssuerKind()} {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// newSecrets returns the forms of what token endpoints take, by kind.
func newSecrets(c *contract.Contract) map[*contract.KeyKind]*scheme {
	out := map[*contract.KeyKind]*scheme{c.ClientKind(): {forms: formsOf(c, c.ClientKind())}}
	for _, k := range c.Kinds() {
		out[k] = &scheme{forms: formsOf(c, k)}
	}
	return out
}

// current returns the view of the contract in force, making it after a reload. The
// request keeps it to its end.
func (a *Authorizer) current() *view {
	v := a.view.Load()
	if v.contract == a.cfg.Contract() {
		return v
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// Both are read again under the lock: an older contract never replaces a newer.
	if c := a.cfg.Contract(); a.view.Load().contract != c {
		a.view.Store(a.newView(c))
	}
	return a.view.Load()
}

// Apply makes the cache forget what changed. Whoever changes something calls it with
// what the store's Update returned, after the commit and before saying that the change
// is done: from then on no request is judged by the old state. Every change is
// reported, creations too: a secret tried before it existed is remembered as unknown.
func (a *Authorizer) Apply(changes store.Changes) {
	if len(changes) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// First, so that whatever was read before these changes is not kept from here on.
	if seq := changes.Seq(); seq > a.applied.Load() {
		a.applied.Store(seq)
	}
	if a.cfg.Keys != nil {
		a.cfg.Keys.Applied(changes)
	}
	v := a.view.Load()
	for _, c := range changes {
		switch c.Kind {
		case store.ChangeCredential:
			for i := range c.Hashes {
				v.table.remove(&c.Hashes[i])
			}
			a.changed(c.Target)
		case store.ChangeKeys:
			a.changed(c.Target)
			a.changed(anyKey)
		case store.ChangeOrganization, store.ChangeMember, store.ChangeToken, store.ChangeIssuer:
			a.changed(c.Target)
		default:
			// ChangeAll, or a kind this program does not know: forget everything.
			a.view.Store(a.newView(v.contract))
			return
		}
	}
}

// counters are what [Stats] is made of.
type counters struct {
	lookups, joined, unknown, failed, throttled, verified atomic.Uint64
}

// Stats are figures for metrics, counted from the start but for Entries.
type Stats struct {
	Entries   int    // secrets and opaque tokens in the cache
	Signed    int    // signed tokens in the cache
	Lookups   uint64 // look-ups in the database
	Joined    uint64 // requests that shared another one's look-up
	Unknown   uint64 // requests refused by the memory of unknown secrets
	Failed    uint64 // look-ups that failed
	Throttled uint64 // requests refused because of their address's earlier attempts
	Verified  uint64 // signatures looked at
}

// Stats returns the figures.
func (a *Authorizer) Stats() Stats {
	return Stats{
		Entries: int(a.view.Load().table.count.Load()), Lookups: a.stats.lookups.Load(), Joined: a.stats.joined.Load(),
		Unknown: a.stats.unknown.Load(), Failed: a.stats.failed.Load(), Throttled: a.stats.throttled.Load(),
		Signed: int(a.view.Load().tokens.count.Load()), Verified: a.stats.verified.Load(),
	}
}
