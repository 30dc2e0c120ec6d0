package insight

import (
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/store"
)

// Config is what [New] needs.
type Config struct {
	// Store has everything that is told. Required.
	Store *store.DB

	// Contract returns the contract in force. Each use case asks once. Required.
	Contract func() *contract.Contract

	// ContractText returns the text of the contract in force, to show the line that
	// decided. Nil: lines are numbers only.
	ContractText func() []byte

	// Manager shows callers as they are managed. Required.
	Manager *manage.Manager

	// Authorizer tells what is left of limits. Nil: only what the store knows is told.
	Authorizer *authz.Authorizer

	// Recorder tells how many records wait. Nil: it is not known.
	Recorder *record.Recorder

	// Process tells about the program that runs, for [Insight.Health]. Nil: nothing is
	// known.
	Process func() Process

	// Now tells the time. Nil: [time.Now].
	Now cardea.Clock
}

// Insight carries out the use cases. It is safe for concurrent use.
type Insight struct {
	store    *store.DB
	contract func() *contract.Contract
	text     func() []byte
	manager  *manage.Manager
	authz    *authz.Authorizer
	recorder *record.Recorder
	process  func() Process
	now      cardea.Clock
	access   *access.Access
}

// New returns the Insight for a configuration.
func New(c Config) *Insight {
	i := &Insight{store: c.Store, contract: c.Contract, text: c.ContractText, manager: c.Manager, authz: c.Authorizer,
		recorder: c.Recorder, process: c.Process, now: c.Now, access: access.New(c.Store)}
	if i.text == nil {
		i.text = func() []byte { return nil }
	}
	if i.process == nil {
		i.process = func() Process { return Process{} }
	}
	if i.now == nil {
		i.now = time.Now
	}
	return i
}
