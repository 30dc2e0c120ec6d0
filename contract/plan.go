package contract

// A Plan is a set of limits. A limit of 0 means none.
type Plan struct {
	Name, Label string
	PerMinute   int64
	Burst       int64
	PerDay      int64
	Custom      bool   // its limits are set per organization
	Note        string // shown instead of figures: "Contact sales"
	Index       int
	Line        int
}

// LimitsPer says whose requests are counted together.
type LimitsPer string

// What limits are counted for.
const (
	LimitsPerOrganization LimitsPer = "organization"
	LimitsPerCredential   LimitsPer = "credential"
)

// Plans returns the plans in the file's order.
func (c *Contract) Plans() []*Plan { return c.plans }

// Plan returns the plan with the given name, or nil.
func (c *Contract) Plan(name string) *Plan {
	for _, p := range c.plans {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// DefaultPlan returns the plan of organizations that have not been given one; nil
// when the contract has no plans.
func (c *Contract) DefaultPlan() *Plan { return c.defaultPlan }

// LimitsPer returns whose requests are counted together.
func (c *Contract) LimitsPer() LimitsPer { return c.limitsPer }

// plans compiles the plans and how they are applied.
func (k *compiler) plans() {
	for i, e := range k.d.Plans.entries {
		v := e.value
		k.name(e.key, "a plan")
		p := &Plan{
			Name: e.key.value, Label: v.Label.or(e.key.value), Note: v.Note.value, Index: i, Line: e.key.Line,
			PerMinute: v.PerMinute.value, Burst: v.Burst.value, PerDay: v.PerDay.value, Custom: v.Custom.value,
		}
		k.c.plans = append(k.c.plans, p)
		k.checkPlan(v)
	}
	k.c.limitsPer = LimitsPer(k.d.Limits.Per.or(string(LimitsPerOrganization)))
	k.choosePlan()
}

// checkPlan reports limits that contradict each other: one that can never be reached is
// nearly always a slip in another.
func (k *compiler) checkPlan(v planDoc) {
	for _, n := range []number{v.PerMinute, v.Burst, v.PerDay} {
		if n.given && n.value == 0 {
			k.r.Errorf(n.pos, "a limit of 0 would refuse everything").Suggest("remove the line for no limit")
		}
	}
	switch {
	case v.Burst.given && v.PerMinute.Line == 0:
		k.r.Errorf(v.Burst.pos, "a burst needs per_minute").Suggest("a burst limits how fast the minute's requests may come")
	case v.Burst.given && v.Burst.value > v.PerMinute.value && v.PerMinute.value > 0:
		k.r.Errorf(v.Burst.pos, "the burst is larger than per_minute, so it never limits")
	case v.PerDay.given && v.PerMinute.given && v.PerDay.value < v.PerMinute.value && v.PerDay.value > 0:
		k.r.Errorf(v.PerDay.pos, "per_day is smaller than per_minute, so per_minute never limits")
	case v.Custom.Line == 0 && v.PerMinute.Line == 0 && v.PerDay.Line == 0 && v.Line > 0:
		k.r.Errorf(v.pos, "this plan limits nothing").Suggest("give it per_minute or per_day, or custom: true")
	}
}

// choosePlan finds the plan of organizations that have none.
func (k *compiler) choosePlan() {
	wanted := k.d.DefaultPlan
	if !wanted.given {
		if len(k.c.plans) > 0 {
			k.c.defaultPlan = k.c.plans[0]
		}
		return
	}
	k.c.defaultPlan = k.c.Plan(wanted.value)
	if k.c.defaultPlan == nil {
		k.r.Errorf(wanted.pos, "there is no plan %s", quote(wanted.value)).
			DidYouMean(wanted.value, k.d.Plans.names())
	}
}
