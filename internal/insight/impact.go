package insight

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/store"
)

// An Impact is what a changed contract would do to the credentials there are: the answer
// of [Insight.Impact].
type Impact struct {
	// Valid says that the text is a contract; Problems are what is wrong with it, and its
	// warnings.
	Valid    bool      `json:"valid"`
	Problems []Problem `json:"problems"`

	Hash    string `json:"hash,omitzero"` // of the text
	Current string `json:"current"`       // of the contract in force

	// Breaks says that one of the changes is of severity [Breaks].
	Breaks bool `json:"breaks"`

	// Changes are the differences that matter, the worst first.
	Changes []Change `json:"changes"`
}

// A Severity says how bad a change is for those who call the API.
type Severity string

// The severities, the worst first.
const (
	Breaks  Severity = "breaks" // something that works now is refused
	Warns   Severity = "warns"  // nobody is refused today; somebody will be, or must act
	Informs Severity = "informs"
)

// A Change is one difference between two contracts and whom it concerns.
type Change struct {
	Severity Severity `json:"severity"`
	Effect   string   `json:"effect"`        // what happens, in a sentence
	What     string   `json:"what"`          // "scope", "kind", "plan", "route", …
	Where    string   `json:"where"`         // its name
	Line     int      `json:"line,omitzero"` // in the new contract, 0 when it is not there

	// Credentials and Organizations say how many it concerns; -1: not counted.
	Credentials   int `json:"credentials"`
	Organizations int `json:"organizations"`

	// Examples are names of some that it concerns.
	Examples []string `json:"examples,omitzero"`
}

// ImpactInput is the text of a contract.
type ImpactInput struct {
	Contract string `json:"contract"`
}

// maxContract bounds the text of a contract in bytes.
const maxContract = 1 << 20

// Impact says what a contract would do to live credentials if it came into force. It
// changes nothing. For operators and observers. It reads every live credential, and of the
// routes that change who used them in the last 30 days: a matter of seconds where there
// are hundreds of thousands.
func (i *Insight) Impact(ctx context.Context, actor cardea.Actor, in ImpactInput) (Impact, error) {
	if err := access.OperatorReads(actor); err != nil {
		return Impact{}, err
	}
	if in.Contract == "" || len(in.Contract) > maxContract {
		return Impact{}, cardea.Invalid("contract", "must be the text of a contract, of at most 1 MiB")
	}
	current := i.contract()
	out := Impact{Current: current.Hash(), Problems: []Problem{}, Changes: []Change{}}
	proposed, err := contract.Load(current.Source(), []byte(in.Contract))
	if err != nil {
		out.Problems = problemsOf(err)
		return out, nil
	}
	out.Valid, out.Hash, out.Problems = true, proposed.Hash(), problemsOf(proposed.Warnings())
	c := comparison{old: current, new: proposed, now: i.now(), notes: map[noteKey]*note{}, losers: map[string]bool{}}
	c.contracts()
	if err := i.store.EachLiveCredential(ctx, c.credential); err != nil {
		return Impact{}, err
	}
	for _, count := range []func(context.Context, *store.DB) error{c.organizations, c.clients, c.usedRoutes} {
		if err := count(ctx, i.store); err != nil {
			return Impact{}, err
		}
	}
	out.Changes = c.changes()
	out.Breaks = slices.ContainsFunc(out.Changes, func(c Change) bool { return c.Severity == Breaks })
	return out, nil
}

// maxExamples is how many names a change shows.
const maxExamples = 5

// A comparison collects what is different between two contracts, and then whom it
// concerns.
type comparison struct {
	old, new *contract.Contract
	now      time.Time
	notes    map[noteKey]*note
	order    []*note             // as they were found
	lost     map[string][]string // :: granted scope → what it no longer grants
	losers   map[string]bool     // :: a scope and what it is granted with → whether anything is lost with it
	routes   []*routeChange
}

// A noteKey tells changes apart.
type noteKey struct{ what, where, effect string }

// A note is a change that may concern somebody.
type note struct {
	Change
	worst Severity // what it is if it concerns anybody
}

// note returns the change of a sort, a new one that concerns nobody yet when it is the
// first. A severity of [Breaks] or [Warns] is for when somebody is concerned.
func (c *comparison) note(worst Severity, what, where string, line int, effect string) *note {
	key := noteKey{what, where, effect}
	n := c.notes[key]
	if n == nil {
		n = &note{Change: Change{Effect: effect, What: what, Where: where, Line: line}, worst: worst}
		c.notes[key] = n
		c.order = append(c.order, n)
	}
	return n
}

// uncounted says that nobody knows how many a change concerns: it counts as concerning
// somebody.
func (n *note) uncounted() { n.Credentials, n.Organizations = -1, -1 }

// concerns counts a credential.
func (n *note) concerns(name string) {
	n.Credentials++
	n.example(name)
}

func (n *note) example(name string) {
	if len(n.Examples) < maxExamples && !slices.Contains(n.Examples, name) {
		n.Examples = append(n.Examples, name)
	}
}

// changes returns what was found, the worst first and then what concerns the most.
func (c *comparison) changes() []Change {
	list := make([]Change, len(c.order))
	for i, n := range c.order {
		n.Severity = n.worst
		if n.Credentials == 0 && n.Organizations == 0 {
			n.Severity = Informs
		}
		list[i] = n.Change
	}
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(severities[a.Severity], severities[b.Severity]), cmp.Compare(b.Credentials, a.Credentials),
			cmp.Compare(b.Organizations, a.Organizations))
	})
	return list
}

var severities = map[Severity]int{Breaks: 0, Warns: 1, Informs: 2}
