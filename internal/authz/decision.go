package authz

import (
	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
)

// A Decision is the answer to a request, with what doors and records need besides.
// It is returned by value: the usual one costs no allocation.
type Decision struct {
	cardea.Decision

	// Contract is the contract that the request was judged by; never nil.
	Contract *contract.Contract

	// Route is the route that matched, or nil.
	Route *contract.Route

	// OldSecret is true when the caller used a secret that a rotation has replaced:
	// somebody has not taken up the new one. See [cardea.ReasonSuperseded] for when it
	// is no longer good.
	OldSecret bool

	// NoteUse is true for a use of the credential that should be written as its last
	// one. Most are not: the database is told now and then.
	NoteUse bool

	// Preflight is true for a CORS preflight of a route that has CORS: it is allowed,
	// carries no credential and was charged to nobody.
	Preflight bool

	requestID  string
	env        *contract.Environment
	entry      *entry
	fault      fault    // of a token that is nobody's
	test       string   // the word of a test credential that decided
	hookFailed bool     // a hook did not answer
	allow      []string // methods of a 405
}

// Identified reports whether the caller's credential exists. It may be refused all
// the same: a revoked key is identified.
func (d *Decision) Identified() bool { return d.entry != nil }

// Principal returns the caller; ok is false when nobody was identified. On a denial
// it says who was refused: for records, never for the upstream.
func (d *Decision) Principal() (p cardea.Principal, ok bool) {
	e := d.entry
	if e == nil {
		return cardea.Principal{}, false
	}
	p = cardea.Principal{
		Organization: e.account.organization,
		Credential:   e.credentialID(),
		Kind:         e.profile.kind.Name,
		Environment:  e.profile.env.Name,
		Scopes:       d.Contract.ScopeNames(e.profile.scopes),
	}
	p.Subject = d.Subject()
	if e.account.plan != nil {
		p.Plan = e.account.plan.Name
	}
	return p, true
}

// Credential returns the id of the caller's credential, "" when nobody was identified.
func (d *Decision) Credential() string {
	if d.entry == nil {
		return ""
	}
	return d.entry.credentialID()
}

// Scopes returns what the caller was granted, implied scopes included; empty when
// nobody was identified.
func (d *Decision) Scopes() contract.ScopeSet {
	if d.entry == nil {
		return contract.ScopeSet{}
	}
	return d.entry.profile.scopes
}

// Kind returns the caller's kind of key, or nil.
func (d *Decision) Kind() *contract.KeyKind {
	if d.entry == nil {
		return nil
	}
	return d.entry.profile.kind
}

// Plan returns the plan of the caller's organization; nil when nobody was identified
// or the contract has no plans.
func (d *Decision) Plan() *contract.Plan {
	if d.entry == nil {
		return nil
	}
	return d.entry.account.plan
}

// Member returns the id of the member that the caller's credential belongs to, "" when
// it belongs to an organization as a whole.
func (d *Decision) Member() string {
	if d.entry == nil {
		return ""
	}
	return d.entry.member()
}

// Subject returns whom the caller's credential speaks for: see [cardea.Principal]. It is
// "" when nobody was identified.
func (d *Decision) Subject() string {
	e := d.entry
	if e == nil {
		return ""
	}
	if t := e.token(); t != nil {
		return t.subject
	}
	if member := e.member(); member != "" {
		return member
	}
	return e.credentialID()
}

// AccountKey returns the id of the service account's key that has signed the caller's
// token, "" for all others.
func (d *Decision) AccountKey() string {
	if d.entry == nil {
		return ""
	}
	if t := d.entry.token(); t != nil && t.origin == fromAccount {
		return t.keyID
	}
	return ""
}

// Organization returns the id of the caller's organization, "" when nobody was
// identified.
func (d *Decision) Organization() string {
	if d.entry == nil {
		return ""
	}
	return d.entry.account.organization
}

// SecretHash returns the hash of the secret that was used, zero when nobody was
// identified and when the caller sent a token: tokens have no last use of their own.
func (d *Decision) SecretHash() secret.Hash {
	if d.entry == nil || d.entry.token() != nil {
		return secret.Hash{}
	}
	return d.entry.hash
}

// Upstream returns the base URL that serves the request; "" when the decision is no
// or the route has no upstream.
func (d *Decision) Upstream() string {
	if !d.Allowed || d.env == nil {
		return ""
	}
	return d.Route.Upstreams[d.env.Index]
}
