// Package condition compiles and evaluates conditions of a contract: short expressions
// in the Common Expression Language (https://cel.dev) that look at a request and its
// caller and say yes or no.
//
// A condition cannot do anything: it has no clock, network or state, it ends, and what
// one evaluation may cost is bounded. It is as trusted as the contract it stands in,
// and its input is as hostile as the internet.
package condition

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Bounds of a condition. They are far above any sensible one; together they keep the
// dearest evaluation that is possible at some milliseconds. The price of a step is known
// after it: one match of a header of 32 KiB is the dearest step there is.
const (
	maxSize      = 4096   // characters of the expression
	maxDepth     = 50     // nesting
	maxNodes     = 1000   // operators, names and constants
	maxCost      = 50_000 // units of CEL's cost model an evaluation may use
	maxRegexSize = 1000   // instructions of a regular expression
	checkEvery   = 100    // elements of a comprehension between looks at the context
)

// A Condition is a compiled expression. It is immutable and safe for concurrent use.
type Condition struct {
	text    string
	program cel.Program
}

// An Error says what is wrong with an expression, and where.
type Error struct {
	Message string

	// Offset is where in the text, in characters from 0. It is at most the length of
	// the text.
	Offset int
}

// Error returns the message alone: whoever prints it knows the text.
func (e *Error) Error() string { return e.Message }

// environment is what every condition is checked against. Making it takes
// milliseconds, so that it is made when the first condition is.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(
		cel.StdLib(),
		cel.Macros(cel.StandardMacros...),
		cel.ParserExpressionSizeLimit(maxSize),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNestingDepthLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegexSize),
		cel.ParserErrorRecoveryLimit(1),
		cel.DefaultUTCTimeZone(true),
		cel.ExtendedValidations(),
		cel.VariableDecls(variables()...),
	)
})

// Compile checks an expression and prepares it. The error is of type [*Error]; it
// quotes nothing but names of the expression itself.
func Compile(text string) (*Condition, error) {
	if utf8.RuneCountInString(text) > maxSize {
		return nil, &Error{Message: fmt.Sprintf("longer than %d characters", maxSize)}
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("set up the expression language: %w", err)
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, problem(text, issues.Errors()[0])
	}
	if out := ast.OutputType(); !out.IsExactType(types.BoolType) {
		return nil, &Error{Message: "this is of type " + out.String() + "; a condition is true or false"}
	}
	program, err := env.Program(ast,
		cel.EvalOptions(cel.OptOptimize),
		cel.CostLimit(maxCost),
		cel.CostTrackerOptions(
			cost.OverloadTracker(overloads.MatchesString, matchCost), cost.OverloadTracker(overloads.Matches, matchCost),
		),
		cel.InterruptCheckFrequency(checkEvery),
	)
	if err != nil {
		return nil, &Error{Message: "this cannot be evaluated: " + oneLine(err.Error())}
	}
	return &Condition{text: text, program: program}, nil
}

// matchCost prices a regular expression's work: text times pattern. The library's own
// price is a tenth of it, far below what this costs in comparison with everything else.
func matchCost(args []ref.Val, _ ref.Val) *uint64 {
	price := uint64(1)
	for _, arg := range args {
		text, _ := arg.(types.String)
		price *= uint64(len(text) + 1)
	}
	price /= 4
	return &price
}

// problem turns what the library found into an error with a place.
func problem(text string, e *common.Error) *Error {
	out := &Error{Message: oneLine(e.Message)}
	line := 1
	for i, c := range []rune(text) {
		if line == e.Location.Line() {
			out.Offset = min(i+max(e.Location.Column(), 0), utf8.RuneCountInString(text))
			break
		}
		if c == '\n' {
			line++
		}
	}
	out.Offset = nameStart([]rune(text), out.Offset, out.Message)
	return out
}

// nameStart moves an offset from the last dot of an unknown name, where the library
// sees it, to where the name begins.
func nameStart(text []rune, offset int, message string) int {
	_, name, _ := strings.Cut(message, "undeclared reference to '")
	name, _, _ = strings.Cut(name, "'")
	start := offset - max(strings.LastIndex(name, "."), 0)
	if start >= 0 && strings.HasPrefix(string(text[start:]), name) {
		return start
	}
	return offset
}

// oneLine keeps a message of the library on one line of reasonable length, in words
// for people who never saw a grammar.
func oneLine(s string) string {
	s = strings.TrimPrefix(strings.Join(strings.Fields(s), " "), "Syntax error: ")
	s, _, _ = strings.Cut(s, " expecting ")
	if strings.HasSuffix(s, "input '<EOF>'") {
		s = "the expression ends too early"
	}
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200]) + "…"
	}
	return s
}

// Text returns the expression as it was written.
func (c *Condition) Text() string { return c.text }

// errUndecided is the error of an evaluation that failed. What the expression met on
// its way came from a stranger's request and is not repeated.
var errUndecided = errors.New("the condition could not be evaluated")

// Eval evaluates the condition. An error means that it said neither yes nor no: a
// missing header was read, the cost bound was reached, the context ended. Callers
// treat it as a refusal.
func (c *Condition) Eval(ctx context.Context, in *Input) (bool, error) {
	value, _, err := c.program.ContextEval(ctx, (*activation)(in))
	if err != nil {
		if ctx.Err() != nil {
			return false, fmt.Errorf("%w: %w", errUndecided, ctx.Err())
		}
		return false, errUndecided
	}
	yes, ok := value.(types.Bool)
	if !ok {
		return false, errUndecided
	}
	return bool(yes), nil
}

// Input is what a condition sees. The zero value of a field is what an expression sees
// when there is nothing: "" or an empty list or map.
type Input struct {
	Method      string              // request.method
	Path        string              // request.path, canonical
	Host        string              // request.host, lower case, without port
	Query       map[string][]string // request.query
	Header      map[string]string   // request.headers, names in lower case
	Address     string              // request.address: the client's
	Environment string              // request.environment
	Credential  Credential
	Time        time.Time // now
}

// A Credential is what a condition sees of the caller; its zero value when there is
// none.
type Credential struct {
	Subject, Organization, Kind, Plan string
	Scopes                            []string
}
