package keys

import (
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/rules"
)

// An expiryField is the date at whose end a key ends, as a form asks for it. Days are
// those of UTC.
type expiryField struct {
	Required bool
	Min, Max string // "" for no maximum
	Hint     string
	Never    bool // "no expiry" can be chosen, and is not what an empty date means
	Presets  []dayPreset
}

// A dayPreset fills in a date.
type dayPreset struct{ Text, Day string }

// newExpiryField returns the field for a kind of key whose secret was made at a time.
// required says that the product's page asks for a date where the kind does not. keeps
// says that an empty date leaves the expiry as it is.
func newExpiryField(kind *contract.KeyKind, made, now time.Time, required, keeps bool) expiryField {
	f := expiryField{Required: (required || kind.ExpiryRequired) && !keeps, Min: now.UTC().Format(time.DateOnly)}
	var last time.Time
	if !kind.MaxLifetime.IsZero() {
		last = kind.MaxLifetime.After(made)
		f.Max = last.UTC().Format(time.DateOnly)
	}
	f.Never = last.IsZero() && !f.Required && !kind.ExpiryRequired && (keeps || !kind.DefaultLifetime.IsZero())
	switch {
	case f.Max != "" && (f.Required || keeps):
		f.Hint = "At most " + rules.Words(kind.MaxLifetime) + ": until " + f.Max + "."
	case f.Max != "" && kind.DefaultLifetime.IsZero():
		f.Hint = "At most " + rules.Words(kind.MaxLifetime) + ", which is what an empty date means."
	case !kind.DefaultLifetime.IsZero() && !f.Required && !keeps:
		f.Hint = "An empty date means " + rules.Words(kind.DefaultLifetime) + "."
	case !f.Required && !keeps:
		f.Hint = "Optional but recommended: without a date it works until it is revoked."
	}
	if f.Hint != "" {
		f.Hint += " "
	}
	f.Hint += "It stops at the end of that day, UTC."
	if keeps {
		f.Hint += " Empty: the end stays as it is."
	}
	for _, days := range []int{30, 90, 365} {
		day := now.AddDate(0, 0, days)
		if last.IsZero() || !day.After(last) {
			f.Presets = append(f.Presets, dayPreset{plural(days, "day"), day.UTC().Format(time.DateOnly)})
		}
	}
	return f
}

// endOf returns the instant that a date of a form stands for: the end of that day, or the
// last moment that a kind of key allows on it. made is when the key's secret was made.
func endOf(kind *contract.KeyKind, made time.Time, date string) (time.Time, *cardea.Error) {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, cardea.Invalid("expires_at", "must be a date, such as 2030-12-31")
	}
	end := day.AddDate(0, 0, 1).Add(-time.Second)
	if !kind.MaxLifetime.IsZero() {
		if last := kind.MaxLifetime.After(made).UTC().Truncate(time.Microsecond); last.Format(time.DateOnly) == date && last.Before(end) {
			return last, nil
		}
	}
	return end, nil
}

// dateOf reads what an address says about the end: a date, an instant, or how long from
// now ("90d"). ok is false when it is none of them.
func dateOf(text string, now time.Time) (date string, ok bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Format(time.DateOnly), true
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC().Format(time.DateOnly), true
	}
	if p, err := contract.ParsePeriod(text); err == nil && !p.IsZero() {
		return p.After(now).UTC().Format(time.DateOnly), true
	}
	return "", false
}
