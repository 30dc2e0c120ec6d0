package insight

import (
	"context"

	"github.com/cardea-dev/cardea"
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

// Impact says what a contract would do to live credentials if it came into force. It
// changes nothing. For operators and observers.
func (i *Insight) Impact(ctx context.Context, actor cardea.Actor, in ImpactInput) (Impact, error) {
	return Impact{Current: i.contract().Hash(), Problems: []Problem{}, Changes: []Change{}}, nil
}
