package oauth

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// A ticket is what a grant lets be issued, to whom and within which bounds.
type ticket struct {
	terms *contract.AccessToken
	env   *contract.Environment
	actor cardea.Actor

	// holder is the credential that the token is issued to: a client, a service account
	// or an exchanged key. "" when nobody is known but the subject.
	holder string
	kind   string // of the holder

	subject      string // sub
	organization string
	member       string       // "" unless the subject is one
	person       store.Member // the member
	consent      string       // the consent that the token depends on, or ""

	// most bounds the scopes; fallback is what is granted when none are asked for, and
	// fallbackText its spelling, "" for the contract's. fixed: they were agreed on before
	// and cannot be asked for here.
	most, fallback contract.ScopeSet
	fallbackText   string
	fixed          bool
	scopes         grantedScopes // after step 4

	resource string // RFC 8707; "" for the contract's audience

	// proof is the thumbprint of the key that the token is bound to, "" for a bearer
	// token. bound is the one it must be: of the code or family.
	proof, bound string

	// notBefore is the latest watermark that concerns the token: it must be newer.
	notBefore time.Time

	// until is when it ends at the latest; zero: when its lifetime is over.
	until time.Time

	// refresh: a refresh token goes with it. family is whose it is; nil makes a new one.
	refresh bool
	family  *store.Family

	// kept is a refresh token that stays good and is returned again. again is what the
	// presented one was exchanged for a moment ago: the answer is to be the same.
	kept  string
	again *sealed

	// remember: the same request in the same second gets the same token again.
	remember bool

	authTime time.Time // when the member signed in, for ID tokens
	nonce    string
	identity bool // an ID token goes with it when the scopes say so

	exchanged bool   // RFC 8693: the answer says what was issued
	act       string // who acts for the subject, "" nobody else

	// bad is the answer when what was presented turns out not to be good.
	bad error

	// spend uses up what was presented, in the transaction that issues. Nil: there is
	// nothing to use up.
	spend func(ctx context.Context, tx *store.Tx, i *issued) (outcome, error)
}

// An outcome is what became of using something up. The zero value means that it was
// good, and the tokens may be issued. Otherwise nothing is issued, and what was done
// instead is kept: that is how a replay ends a family.
type outcome struct {
	answer error   // to be given in place of tokens
	again  *sealed // what somebody else was just issued for the same thing
}

// isZero reports whether tokens may be issued.
func (o outcome) isZero() bool { return o.answer == nil && o.again == nil }

// terms returns what the contract says about tokens of a person, or of a machine when
// member is "".
func terms(c *contract.Contract, member string) *contract.AccessToken {
	if member != "" {
		return c.Tokens().User
	}
	return c.Tokens().Machine
}

// latest returns the latest of times.
func latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}
