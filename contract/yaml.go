package contract

import (
	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// What is wrong with a contract, and where.
type (
	// A Problem is one thing wrong with a contract, and where.
	Problem = strictyaml.Problem
	// Problems are all the problems of a contract in the order of the file. As an
	// error it holds at least one of SeverityError.
	Problems = strictyaml.Problems
	// Severity says whether a problem keeps a contract from loading.
	Severity = strictyaml.Severity
)

// The severities.
const (
	SeverityError   = strictyaml.SeverityError   // the contract is refused
	SeverityWarning = strictyaml.SeverityWarning // the contract loads; somebody should look
)

type (
	pos      = strictyaml.Pos
	reporter = strictyaml.Reporter
)

// quote renders a name from the file for a message.
func quote(s string) string { return strictyaml.Quote(s) }

// nodePos returns where a node is.
func nodePos(n *yaml.Node) pos { return strictyaml.NodePos(n) }
