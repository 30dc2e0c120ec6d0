package rules

import (
	"errors"

	"github.com/cardea-dev/cardea"
)

// Problems collects what is wrong with an input, so that its author learns of all of
// it at once.
type Problems []error

// Add notes a problem; nil is none.
func (p *Problems) Add(err *cardea.Error) {
	if err != nil {
		*p = append(*p, err)
	}
}

// Err returns the problems as one error, nil if there are none. [Split] takes it apart
// again.
func (p Problems) Err() error {
	if len(p) == 1 {
		return p[0]
	}
	return errors.Join(p...)
}

// Split returns every [cardea.Error] that err consists of: one for most errors,
// several for an input with several faults, none for an error nobody classified.
func Split(err error) []*cardea.Error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*cardea.Error
		for _, e := range several.Unwrap() {
			all = append(all, Split(e)...)
		}
		return all
	}
	var one *cardea.Error
	if errors.As(err, &one) {
		return []*cardea.Error{one}
	}
	return nil
}
