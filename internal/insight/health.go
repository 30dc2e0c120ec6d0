package insight

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
)

// A Process is what the running program knows of itself; zero members are not known.
type Process struct {
	Version   string    // of the program
	StartedAt time.Time // when it started

	LoadedAt   time.Time // when the contract in force came into force
	LastReload time.Time // the last attempt to load another
	ReloadErr  error     // why that did not take; nil: it did
}

// Health is how Cardea is: the answer of [Insight.Health].
type Health struct {
	At        time.Time      `json:"at"`
	Version   string         `json:"version,omitzero"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	Contract  ContractHealth `json:"contract"`
	Store     StoreHealth    `json:"store"`
	Queues    QueueHealth    `json:"queues"`

	// SigningKeys are the keys that sign tokens, Issuers those that the contract trusts,
	// with the state of their key sets.
	SigningKeys []manage.SigningKey    `json:"signing_keys,omitzero"`
	Issuers     []manage.TrustedIssuer `json:"issuers,omitzero"`
}

// ContractHealth says which contract is in force and how the last reload went.
type ContractHealth struct {
	Source     string    `json:"source"`
	Hash       string    `json:"hash"`
	LoadedAt   time.Time `json:"loaded_at,omitzero"`
	LastReload time.Time `json:"last_reload,omitzero"` // the last attempt

	// Problems are why the last reload did not take and an older contract is in force.
	Problems []Problem `json:"problems,omitzero"`

	// Warnings are what somebody should look at in the contract in force.
	Warnings []Problem `json:"warnings,omitzero"`
}

// StoreHealth says how the database is.
type StoreHealth struct {
	Engine    string `json:"engine"` // "sqlite" or "postgres"
	Reachable bool   `json:"reachable"`
	LatencyUS int64  `json:"latency_us"` // of the smallest query
	Bytes     int64  `json:"bytes,omitzero"`

	// RequestLogDays and RequestLogBytes are what the request log holds.
	RequestLogDays  int   `json:"request_log_days"`
	RequestLogBytes int64 `json:"request_log_bytes"`
}

// QueueHealth says what waits to be written, and what was lost. Counts are from the
// start of the program.
type QueueHealth struct {
	Buffered int    `json:"buffered"` // requests whose records wait
	Written  uint64 `json:"written"`  // rows of the request log
	Dropped  uint64 `json:"dropped"`  // requests counted, but without a row
	Failures uint64 `json:"failures"` // attempts to write that the store refused
}

// Health says how Cardea is. For operators and observers.
func (i *Insight) Health(ctx context.Context, actor cardea.Actor, _ access.None) (Health, error) {
	if err := access.OperatorReads(actor); err != nil {
		return Health{}, err
	}
	p, c := i.process(), i.contract()
	h := Health{
		At: i.now().UTC(), Version: p.Version, StartedAt: p.StartedAt.UTC(),
		Contract: ContractHealth{
			Source: c.Source(), Hash: c.Hash(), LoadedAt: p.LoadedAt.UTC(), LastReload: p.LastReload.UTC(),
			Problems: problemsOf(p.ReloadErr), Warnings: problemsOf(c.Warnings()),
		},
		Store: StoreHealth{Engine: i.store.Engine()},
	}
	start := time.Now() // the clock of the wall: how long something takes is no matter of policy
	h.Store.Reachable = i.store.Ping(ctx) == nil
	h.Store.LatencyUS = time.Since(start).Microseconds()
	if size, err := i.store.Size(ctx); err == nil { // a store that does not answer is told above
		h.Store.Bytes, h.Store.RequestLogDays, h.Store.RequestLogBytes = size.Bytes, size.RequestLogDays, size.RequestLogBytes
	}
	if i.recorder != nil {
		s := i.recorder.Stats()
		h.Queues = QueueHealth{Buffered: s.Buffered, Written: s.Rows, Dropped: s.Dropped, Failures: s.Failures}
	}
	// Who signs nothing and trusts nobody has neither; who cannot be asked has the reason
	// above.
	if keys, err := i.manager.SigningKeys(ctx, actor, access.None{}); err == nil {
		h.SigningKeys = keys.Items
	}
	if issuers, err := i.manager.TrustedIssuers(ctx, actor, access.None{}); err == nil {
		h.Issuers = issuers.Items
	}
	return h, nil
}
