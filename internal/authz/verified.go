package authz

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// A verified is what an access token says, once its signature was verified or the
// database knew its hash. It is immutable but for when its keys were last asked for, and
// outlives the entries made from it: what changes is the standing of those it names, which
// is read again.
type verified struct {
	text   string // a signed token as it was sent; "" for an opaque one
	origin origin
	kind   *contract.KeyKind
	env    *contract.Environment

	// scopes are those it was given, implied ones included and cut to what its issuer
	// may give.
	scopes contract.ScopeSet

	id      string // see [token.ID]
	subject string // whom it speaks for
	client  string // whom it was issued to: a client, key, account or issuer
	jkt     string // thumbprint of the key it is bound to (RFC 9449 §6.1), or ""
	plan    string // the plan that its issuer says, or ""
	issuer  string // of a token of somebody else's: what the issuer is called here
	place   string // of an organization's issuer: see [store.ChangeIssuer]
	until   int64  // exp, in microseconds of Unix time
	iat     time.Time

	// organization is the one that the token itself names, or "".
	organization string

	query store.PrincipalQuery // finds those it names

	// What the signature was verified with.

	generation atomic.Uint64 // of our own keys, or of all issuers'
	source     token.Source  // of an issuer's
	keyID      string        // its kid
	set        *token.KeySet // the issuer's keys
	checked    atomic.Int64  // Unix time in seconds when they were last asked for
}

// An origin is who vouches for a token.
type origin uint8

const (
	fromDatabase     origin = iota // an opaque token of ours
	fromUs                         // one of our signing keys
	fromAccount                    // a key of a service account
	fromIssuer                     // an issuer that the contract trusts
	fromOrganization               // an issuer that an organization trusts
)

// external reports whether the token is of somebody else's issuer: its subject is nobody
// we know.
func (t *verified) external() bool { return t.origin == fromIssuer || t.origin == fromOrganization }

// Places of the guards that are asked for by name.
const (
	guardToken = 2 // by the id under which it is revoked
	guardKey   = 5 // the key that signed it, or the trust in who did
)

// A live is a token in the cache, with what its standing depends on.
type live struct {
	*verified
	guards [6]guard // of what the token stands and falls with besides organization and member
	owner  string   // whose requests are counted together when each credential counts, "": the credential's
}

// A fault is what is wrong with a token that is nobody's, for the request log. Callers
// are told no more than that it is not good: RFC 6750 §3.1 has one word for all of them.
type fault uint8

const (
	sound fault = iota
	faultForm
	faultIssuer
	faultKey
	faultSignature
	faultType
	faultAudience
	faultSubject
	faultClaims
	faultLifetime
	faultNotYet
	faultCaller
	faultAmbiguous
	faultBound
	faultUnbound
	faultProof
	faultReplayed
)

// faults words them.
var faults = [...]string{
	faultForm:      "the text is no token: its form, header or claims are not as they must be",
	faultIssuer:    "nobody whose tokens are accepted here issued the token",
	faultKey:       "its issuer has no key of that name and algorithm",
	faultSignature: "the token's signature is not its issuer's",
	faultType:      "the token is of another type: an ID token, an assertion or a proof is no access token",
	faultAudience:  "the token is for another audience",
	faultSubject:   "the token says nobody whom it may speak for",
	faultClaims:    "a claim that the contract needs is missing, or contradicts what is known",
	faultLifetime:  "the token is good for longer than the contract allows, or does not say since when",
	faultNotYet:    "the token is not good yet: the clock of whoever made it is ahead",
	faultCaller:    "the token is about somebody who does not exist here",
	faultAmbiguous: "several organizations trust the token's issuer, and it does not say which it is for",
	faultBound:     "the token is bound to a key, and was sent without proof that the sender has it",
	faultUnbound:   "the token is bound to no key, and was sent as if it were",
	faultProof:     "the proof of possession is missing or is not one for this request and token",
	faultReplayed:  "the proof of possession was used before",
}

// String returns the fault in words, "" for sound.
func (f fault) String() string {
	if int(f) < len(faults) {
		return faults[f]
	}
	return ""
}

// passing reports whether the fault goes away by itself, so that it is not remembered.
func (f fault) passing() bool { return f == faultNotYet || f == faultKey }

// faultsByError maps what verifying a token may say.
var faultsByError = []struct {
	err   error
	fault fault
}{
	{token.ErrSignature, faultSignature}, {token.ErrUnknownKey, faultKey},
	{token.ErrType, faultType}, {token.ErrIssuer, faultIssuer}, {token.ErrAudience, faultAudience},
	{token.ErrSubject, faultSubject}, {token.ErrLifetime, faultLifetime}, {token.ErrNotYet, faultNotYet},
}

// faultOf returns what is wrong with a token that could not be verified.
func faultOf(err error) fault {
	for _, f := range faultsByError {
		if errors.Is(err, f.err) {
			return f.fault
		}
	}
	return faultForm
}
