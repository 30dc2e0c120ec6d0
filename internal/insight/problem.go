package insight

import (
	"errors"

	"github.com/cardea-dev/cardea/contract"
)

// A Problem is one thing wrong with a contract, and where.
type Problem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Text     string `json:"text"`
	Hint     string `json:"hint,omitzero"` // how to mend it
}

// problemsOf returns the problems of a contract that an error consists of. Any other
// error of reading one is a problem without a place and without its text, which may name
// files.
func problemsOf(err error) []Problem {
	var list contract.Problems
	switch {
	case errors.As(err, &list):
	case err != nil:
		return []Problem{{Severity: contract.SeverityError.String(), Text: "the contract could not be read; the server's log says why"}}
	}
	problems := make([]Problem, 0, len(list))
	for _, p := range list {
		problems = append(problems, Problem{
			Severity: p.Severity.String(), Line: p.Line, Column: p.Column, Text: p.Message, Hint: p.Suggestion,
		})
	}
	return problems
}
