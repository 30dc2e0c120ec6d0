package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Config is what [New] needs.
type Config struct {
	// Store keeps everything. Required.
	Store *store.DB

	// Contract returns the contract in force. Each use case asks once. Required.
	Contract func() *contract.Contract

	// LoadedAt returns when the contract in force was loaded. Nil: not known.
	LoadedAt func() time.Time

	// Apply makes the parts of Cardea that keep credentials in memory forget what
	// changed. It is called after the commit and before a use case returns, never with
	// an empty list. Nil: there are no such parts in this process.
	Apply func(store.Changes)

	// Sealer encrypts secrets of kinds that stay viewable. Nil: keys of such kinds
	// cannot be created or revealed.
	Sealer *secret.Sealer

	// Hasher hashes passwords. Nil: none can be set.
	Hasher *password.Hasher

	// Keys are the keys that Cardea signs with. Nil: it signs nothing.
	Keys *signing.Keys

	// Issuers holds the key sets of other issuers. Nil: organizations cannot name issuers
	// of their own.
	Issuers *token.Cache

	// PrivateIssuers lets organizations name issuers on private addresses and without TLS:
	// for development.
	PrivateIssuers bool

	// Hooks asks the contract's hooks. Nil: they cannot be tested.
	Hooks *hook.Asker

	// Origin returns scheme, host and port at which callers reach endpoints that the
	// contract gives no host, such as "http://127.0.0.1:8080". Nil: it is not known.
	Origin func() string

	// AppOrigin returns scheme, host and port at which people sign in, for links that are
	// sent to them. Nil: https at the contract's app host, else Origin.
	AppOrigin func() string

	// Now tells the time. Nil: [time.Now].
	Now cardea.Clock
}

// Manager carries out the use cases. It is safe for concurrent use.
type Manager struct {
	store    *store.DB
	contract func() *contract.Contract
	loadedAt func() time.Time
	apply    func(store.Changes)
	sealer   *secret.Sealer
	hasher   *password.Hasher
	signing  *signing.Keys
	issuers  *token.Cache
	private  bool
	hooks    *hook.Asker
	origin   func() string
	app      func() string
	now      cardea.Clock
	access   *access.Access
	failures failures
	touched  touched
}

// New returns the Manager for a configuration.
func New(c Config) *Manager {
	m := &Manager{store: c.Store, contract: c.Contract, loadedAt: c.LoadedAt, apply: c.Apply, sealer: c.Sealer, now: c.Now,
		hasher: c.Hasher, signing: c.Keys, issuers: c.Issuers, private: c.PrivateIssuers, hooks: c.Hooks, origin: c.Origin, app: c.AppOrigin, access: access.New(c.Store)}
	if m.origin == nil {
		m.origin = func() string { return "" }
	}
	if m.loadedAt == nil {
		m.loadedAt = func() time.Time { return time.Time{} }
	}
	if m.apply == nil {
		m.apply = func(store.Changes) {}
	}
	if m.now == nil {
		m.now = time.Now
	}
	return m
}

// appOrigin returns where people sign in, "" when it is not known.
func (m *Manager) appOrigin() string {
	if m.app != nil {
		return m.app()
	}
	if host := m.contract().Hosts().App; host != "" {
		return "https://" + host
	}
	return m.origin()
}

// Healthy reports whether the store answers.
func (m *Manager) Healthy(ctx context.Context) error { return m.store.Ping(ctx) }

// change makes a change: commit, evict, answer. fn may run more than once, so it
// assigns what it returns and appends to nothing outside.
//
// A caller who got an error repeats the call, and the first one may have been committed
// after all. So a repetition that finds nothing left to change still tells the caches
// ([store.Tx.Changed]): otherwise a revocation whose answer was lost would be answered
// "done" while a cache goes on accepting the key.
func (m *Manager) change(ctx context.Context, actor cardea.Actor, fn func(tx *store.Tx) error) error {
	changes, err := m.store.Update(ctx, actor, fn)
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		m.apply(changes)
	}
	return nil
}

// Problems returns every [cardea.Error] that err consists of: one for most errors,
// several for an input with several faults, none for an error nobody classified.
func Problems(err error) []*cardea.Error { return rules.Split(err) }
