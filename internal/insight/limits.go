package insight

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
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

// Bounds of [Insight.LimitsNow].
const (
	maxOwners   = 50
	maxRefusals = 20
)

// LimitsNow tells what is left of the limits of an organization, and of its credentials
// that have limits of their own, or of one credential and its organization. Where limits
// are counted for credentials, those with the most requests of the last day are told. It
// reads what counts requests in this process and charges nothing. A member sees those of
// their organization.
func (i *Insight) LimitsNow(ctx context.Context, actor cardea.Actor, in LimitsQuery) (Limits, error) {
	var p rules.Problems
	p.Add(rules.Filter("key", in.Key))
	p.Add(rules.Filter("environment", in.Environment))
	if err := p.Err(); err != nil {
		return Limits{}, err
	}
	l := limitReader{i: i, contract: i.contract(), environment: in.Environment}
	if err := l.find(ctx, actor, in); err != nil {
		return Limits{}, err
	}
	if err := l.readCounts(ctx); err != nil {
		return Limits{}, err
	}
	out := Limits{At: i.now().UTC(), Per: string(l.contract.LimitsPer()), Owners: l.owners()}
	filter := store.RequestFilter{
		Organization: l.organization.ID, Credential: in.Key, Environment: in.Environment, Errors: true, Limited: true,
		Since: out.At.Add(-groupSpan),
	}
	rows, _, err := i.store.Requests(ctx, filter, store.Page{Limit: maxRefusals})
	out.Refusals = make([]Request, len(rows))
	for n, row := range rows {
		out.Refusals[n] = viewRequest(row)
	}
	return out, err
}

// A limitReader collects whose limits are told.
type limitReader struct {
	i            *Insight
	contract     *contract.Contract
	environment  string // "": each
	organization store.Organization
	credentials  []store.Credential
	counts       map[string]int64 // :: owner → requests of the day that the database knows of
}

// find finds the organization and the credentials that the actor asks for and may see.
func (l *limitReader) find(ctx context.Context, actor cardea.Actor, in LimitsQuery) error {
	db, organization := l.i.store, in.Organization
	if in.Key != "" {
		c, err := db.Credential(ctx, in.Key)
		if err != nil {
			return err
		}
		if err := l.i.access.Allow(ctx, db.Reader, actor, c.Organization, "credential", access.Read); err != nil {
			return err
		}
		if organization != "" && organization != c.Organization {
			return access.NotFound("credential")
		}
		organization, l.environment, l.credentials = c.Organization, c.Environment, []store.Credential{c}
	}
	organization, err := l.i.access.Scope(ctx, actor, organization)
	if err != nil {
		return err
	}
	if organization == "" {
		return cardea.Invalid("organization", "is required")
	}
	if l.organization, err = db.Organization(ctx, organization); err != nil || in.Key != "" {
		return err
	}
	if l.contract.LimitsPer() == contract.LimitsPerCredential {
		return l.findBusy(ctx)
	}
	l.credentials, err = db.LimitedCredentials(ctx, organization, maxOwners)
	return err
}

// findBusy finds the credentials with the most requests of the last day.
func (l *limitReader) findBusy(ctx context.Context) error {
	until := l.i.now().UTC().Truncate(time.Hour).Add(time.Hour)
	f := store.UsageFilter{Organization: l.organization.ID, Environment: l.environment, Since: until.Add(-usageSpan), Until: until}
	rows, _, err := l.i.store.TopUsage(ctx, f, nil, maxOwners)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c, err := l.i.store.Credential(ctx, row.Credential)
		switch {
		case err == nil:
			l.credentials = append(l.credentials, c)
		case cardea.KindOf(err) != cardea.KindNotFound:
			return err
		}
	}
	return nil
}

// readCounts reads what the database knows of the day's requests.
func (l *limitReader) readCounts(ctx context.Context) error {
	var owners []string
	for _, e := range l.contract.Environments() {
		owners = append(owners, authz.LimitOwner(l.organization.ID, e.Name))
	}
	for i := range l.credentials {
		owners = append(owners, l.credentials[i].ID)
	}
	counts, err := l.i.store.DayCounts(ctx, store.Day(l.i.now()), owners...)
	l.counts = map[string]int64{}
	for _, c := range counts {
		l.counts[c.Owner] = c.N
	}
	return err
}

// owners returns everybody with a limit: the organization in each environment, then
// credentials.
func (l *limitReader) owners() []LimitOwner {
	owners := []LimitOwner{}
	if l.i.authz == nil {
		return owners
	}
	o := &l.organization
	for _, e := range l.contract.Environments() {
		if l.environment != "" && l.environment != e.Name {
			continue
		}
		found := l.i.authz.OrganizationGauges(o, e.Name, l.counts[authz.LimitOwner(o.ID, e.Name)])
		if len(found) > 0 {
			owners = append(owners, l.owner(LimitOwner{Environment: e.Name, Own: o.Limits != nil}, found))
		}
	}
	for i := range l.credentials {
		c := &l.credentials[i]
		if l.environment != "" && l.environment != c.Environment {
			continue
		}
		if found := l.i.authz.CredentialGauges(o, c, l.counts[c.ID]); len(found) > 0 {
			owners = append(owners, l.owner(LimitOwner{Environment: c.Environment, Key: c.ID, Name: c.Name, Own: c.Limits != nil}, found))
		}
	}
	return owners
}

// owner completes an owner.
func (l *limitReader) owner(out LimitOwner, found []limit.Gauge) LimitOwner {
	out.Organization, out.Plan = l.organization.ID, l.organization.Plan
	if plan := l.contract.Plan(out.Plan); plan != nil {
		out.PlanLabel = plan.Label
	}
	out.Gauges = make([]Gauge, len(found))
	for n, g := range found {
		out.Gauges[n] = Gauge{Window: g.Window, Limit: g.Limit, Used: g.Used, Remaining: g.Limit - g.Used, ResetAt: g.Reset.UTC()}
	}
	return out
}
