package cardea

import (
	"net/http"
	"net/netip"
	"time"
)

// A Decision is the answer to a [Request]. A denial is complete: it carries status,
// headers and body in the contract's own shape, so that doors hold no policy.
type Decision struct {
	// Allowed says whether the request may go on. The zero Decision refuses.
	Allowed bool

	// Reason is why; [ReasonAllowed] exactly when Allowed.
	Reason Reason

	// Step is the step of the pipeline that decided.
	Step Step

	// Environment is the name of the environment whose upstream serves the request,
	// or "" while unknown.
	Environment string

	// Client is the client's address after trusted proxies were taken into account.
	Client netip.Addr

	// Limit describes the caller's rate limit; its zero value means that there is
	// no known caller or no limit.
	Limit Limit

	// Denial is what to answer; nil exactly when Allowed.
	Denial *Denial
}

// A Denial is a refusal as it goes over the wire. Rate-limit headers are not in it:
// they belong to every response that has a known caller.
type Denial struct {
	Status int
	Header http.Header
	Body   []byte
}

// A Limit is the state of a caller's rate limit after a request was counted or
// refused. The zero value means no limit.
type Limit struct {
	// Limit is the number of requests in the window that the headers describe; 0
	// means that nothing limits the caller.
	Limit int64

	// Remaining is how many of them are left; never negative.
	Remaining int64

	// Reset is the Unix time, in seconds, at which the window ends.
	Reset int64

	// RetryAfter is how many seconds to wait after a refusal, rounded up; 0 when the
	// request was not refused by a limit.
	RetryAfter int64

	// Window names what the numbers describe or what refused: "minute", "burst" or
	// "day".
	Window string
}

// Step is a step of the decision's pipeline. The order is the order of checks.
type Step uint8

// The steps of the pipeline.
const (
	StepNone        Step = iota
	StepRoute            // 1: the target is canonical and a route matches
	StepCredential       // 2: exactly one credential is presented
	StepShape            // 3: its form is a known one and its checksum holds
	StepVerify           // 4: it exists
	StepStanding         // 5: it is not revoked, disabled, expired, idle or superseded
	StepEnvironment      // 6: it belongs to the environment it asks for
	StepAddress          // 7: the client's address is allowed
	StepScope            // 8: it has the scopes the route needs
	StepHook             // 9: no hook objects
	StepLimit            // 10: it is within its limits
	StepUpstream         // after the decision: the API behind Cardea failed
)

var stepNames = [...]string{"", "route", "credential", "shape", "verify", "standing",
	"environment", "address", "scope", "hook", "limit", "upstream"}

// String returns the step's name, "" for StepNone.
func (s Step) String() string {
	if int(s) < len(stepNames) {
		return stepNames[s]
	}
	return ""
}

// Clock tells the time. [time.Now] is one; `cardea dev` has one that can be advanced.
type Clock func() time.Time
