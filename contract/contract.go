// Package contract reads a product's contract: one YAML file that says what its
// "Authentication" page promises.
//
// [Load] turns text into an immutable [*Contract], or into every problem the text
// has, each with its place. Loading takes three steps: the decoder mirrors the file
// in a document, compilation checks it and resolves names, and the result is what
// the rest of Cardea reads.
package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// A Contract is a loaded contract. It is immutable and safe for concurrent use; what
// its methods return must not be changed.
type Contract struct {
	source           string // file name, for messages
	hash             string // SHA-256 of the text, in hexadecimal
	warnings         Problems
	product          string
	hosts            Hosts
	issuer, audience string
	ids              [idKinds]string
	requestIDHex     bool
	requestIDHeader  string

	environments  []*Environment
	scopes        []*Scope
	scopeIndex    map[string]int // by name and alias
	implied       []ScopeSet     // by scope index: the scope and all it implies
	permissions   []Permission
	plans         []*Plan
	defaultPlan   *Plan
	limitsPer     LimitsPer
	kinds         []*KeyKind
	reserved      []*KeyKind // see ClientKind
	presentations []Presentation
	routes        []*Route
	table         routeTable
	ipListPer     IPListPer
	limitHeaders  LimitHeaders
	forwarding    Forwarding
	denials       denials

	clients             *Clients
	serviceAccounts     *ServiceAccounts
	tokens              Tokens
	endpoints           Endpoints
	trustedIssuers      []*TrustedIssuer
	organizationIssuers *OrganizationIssuers
	hooks               []*Hook
	signIn              SignIn
	pages               []Page
	cli                 *CLI
	docs                Docs
}

// Hosts are the product's host names, lower case, without port. Empty ones are not
// set: a server then takes any host.
type Hosts struct {
	API  string // the API behind Cardea
	Auth string // token endpoint, JWKS; the API host unless the contract says otherwise
	App  string // dashboard and authorization page; the API host unless it says otherwise
}

// Knows reports whether one of the hosts has the name, in lower case and without port.
func (h Hosts) Knows(name string) bool {
	return name != "" && (name == h.API || name == h.Auth || name == h.App)
}

// LoadFile reads and compiles the contract in a file. See [Load].
func LoadFile(name string) (*Contract, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open contract: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read contract %s: %w", filepath.Base(name), err)
	}
	return Load(name, data)
}

// Load compiles the text of a contract; name is used in messages. The error is of
// type [Problems] and holds everything wrong with the text, warnings included. A
// contract that loads keeps its warnings: see [Contract.Warnings].
//
// The text may come from anywhere: its size, depth and number of values are bounded,
// it is never expanded, and Load reads nothing else.
func Load(name string, data []byte) (*Contract, error) {
	if len(data) > strictyaml.MaxSize {
		return nil, Problems{{
			File: name, Line: 1, Column: 1, Width: 1,
			Message: fmt.Sprintf("the file is larger than %d bytes", strictyaml.MaxSize), Suggestion: "one contract is one product",
		}}
	}
	r := strictyaml.New(name, string(data))
	root := strictyaml.Parse(r, string(data))
	if root == nil {
		return nil, r.Problems()
	}
	var doc document
	(&decoder{r: r}).into(root, &doc)
	sum := sha256.Sum256(data)
	c := compile(r, &doc)
	if r.Failed() {
		return nil, r.Problems()
	}
	c.source, c.hash, c.warnings = name, hex.EncodeToString(sum[:]), r.Problems()
	return c, nil
}

// Source returns the name of the file the contract came from.
func (c *Contract) Source() string { return c.source }

// Hash returns the SHA-256 of the contract's text in hexadecimal.
func (c *Contract) Hash() string { return c.hash }

// Warnings returns what somebody should look at although the contract loads.
func (c *Contract) Warnings() Problems { return c.warnings }

// Product returns the product's name.
func (c *Contract) Product() string { return c.product }

// Hosts returns the product's host names.
func (c *Contract) Hosts() Hosts { return c.hosts }

// Issuer returns the iss claim of tokens, or "". It need not be a URL.
func (c *Contract) Issuer() string { return c.issuer }

// Audience returns the aud claim of tokens, or "".
func (c *Contract) Audience() string { return c.audience }
