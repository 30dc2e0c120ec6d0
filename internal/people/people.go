package people

import (
	"log/slog"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Config is what [New] needs.
type Config struct {
	// Store keeps everything. Required.
	Store *store.DB

	// Contract returns the contract in force. Each use case asks once. Required.
	Contract func() *contract.Contract

	// Hasher hashes passwords. Nil: one of its own with the default bounds.
	Hasher *password.Hasher

	// Sealer encrypts the secrets of identity providers and what browsers carry between
	// two steps. Nil: a key that dies with the process; what needs the master key then
	// does not work.
	Sealer *secret.Sealer

	// Fetch fetches from identity providers. Nil: one with the default rules.
	Fetch *fetch.Client

	// Apply makes the parts of Cardea that keep credentials in memory forget what
	// changed; see manage.Config. Nil: there are none.
	Apply func(store.Changes)

	// Now tells the time. Nil: [time.Now].
	Now cardea.Clock

	// Logger gets what nobody is told. Nil: nothing is logged.
	Logger *slog.Logger
}

// People carries out what people do about themselves. It is safe for concurrent use.
type People struct {
	store    *store.DB
	contract func() *contract.Contract
	hasher   *password.Hasher
	sealer   *secret.Sealer
	apply    func(store.Changes)
	now      cardea.Clock
	log      *slog.Logger
	fetch    *fetch.Client

	attempts  *throttle
	providers providers
	failures  failures
}

// New returns the People for a configuration.
func New(c Config) *People {
	p := &People{
		store: c.Store, contract: c.Contract, hasher: c.Hasher, sealer: c.Sealer, apply: c.Apply, now: c.Now, log: c.Logger,
		fetch: c.Fetch, attempts: newThrottle(),
	}
	if p.hasher == nil {
		p.hasher = password.New(password.Config{})
	}
	if p.sealer == nil {
		p.sealer = ownSealer()
	}
	if p.fetch == nil {
		p.fetch = fetch.New(fetch.Config{})
	}
	if p.apply == nil {
		p.apply = func(store.Changes) {}
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p
}
