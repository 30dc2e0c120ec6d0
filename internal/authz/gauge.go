package authz

import (
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/store"
)

// OrganizationGauges returns how much of its limits an organization has used in an
// environment, where limits are counted for organizations; none where nothing limits it.
// used is what the database knows of its requests of the day. It only looks: nothing is
// charged, and no request waits for it.
func (a *Authorizer) OrganizationGauges(o *store.Organization, environment string, used int64) []limit.Gauge {
	c := a.cfg.Contract()
	if c.LimitsPer() == contract.LimitsPerCredential {
		return nil
	}
	_, rule := planOf(c, o)
	return a.limits.Gauges(LimitOwner(o.ID, environment), rule, a.now(), used)
}

// CredentialGauges returns how much a credential has used of the limits that count for it
// alone: its own, and where limits are counted for credentials its organization's too; none
// where there are none.
func (a *Authorizer) CredentialGauges(o *store.Organization, c *store.Credential, used int64) []limit.Gauge {
	var rule limit.Rule
	if c.Limits != nil {
		rule = limit.Rule{PerMinute: c.Limits.PerMinute, Burst: c.Limits.Burst, PerDay: c.Limits.PerDay}
	}
	if current := a.cfg.Contract(); current.LimitsPer() == contract.LimitsPerCredential {
		_, outer := planOf(current, o)
		rule = stricter(outer, rule)
	}
	return a.limits.Gauges(c.ID, rule, a.now(), used)
}

// LimitOwner returns as what the requests of an organization in an environment are
// counted.
func LimitOwner(organization, environment string) string { return organization + "/" + environment }
