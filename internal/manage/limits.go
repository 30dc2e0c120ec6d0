package manage

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// errLimits: an object of limits lacks a member.
var errLimits = errors.New("limits lack a member")

// UnmarshalJSONFrom reads limits, all of them: 0 is no limit, so a member left out by
// mistake would be one too many opened.
func (l *Limits) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in struct {
		PerMinute *int64 `json:"per_minute"`
		Burst     *int64 `json:"burst"`
		PerDay    *int64 `json:"per_day"`
	}
	if err := json.UnmarshalDecode(d, &in); err != nil {
		return err
	}
	if in.PerMinute == nil || in.Burst == nil || in.PerDay == nil {
		return errLimits
	}
	*l = Limits{PerMinute: *in.PerMinute, Burst: *in.Burst, PerDay: *in.PerDay}
	return nil
}

// Upper bounds of limits: far above sense, far below overflow.
const (
	maxPerMinute = 1_000_000_000
	maxPerDay    = 1_000_000_000_000
)

// checkLimits reports what is wrong with limits of one's own; nil limits are none.
func checkLimits(p *rules.Problems, l *Limits) {
	if l == nil {
		return
	}
	inRange := func(field string, n, most int64) {
		if n < 0 || n > most {
			p.Add(cardea.Invalid(field, "must be from 0 (no limit) to %d", most))
		}
	}
	inRange("limits.per_minute", l.PerMinute, maxPerMinute)
	inRange("limits.burst", l.Burst, maxPerMinute)
	inRange("limits.per_day", l.PerDay, maxPerDay)
	if l.Burst > 0 && l.PerMinute == 0 {
		p.Add(cardea.Invalid("limits.burst", "needs per_minute: it limits how fast the minute's requests may come"))
	}
}

// toStore returns limits as the store keeps them.
func (l *Limits) toStore() *store.Limits {
	if l == nil {
		return nil
	}
	return &store.Limits{PerMinute: l.PerMinute, Burst: l.Burst, PerDay: l.PerDay}
}

// viewLimits returns the view of stored limits.
func viewLimits(l *store.Limits) *Limits {
	if l == nil {
		return nil
	}
	return &Limits{PerMinute: l.PerMinute, Burst: l.Burst, PerDay: l.PerDay}
}
