package activity

import (
	"time"

	"github.com/cardea-dev/cardea/internal/web"
)

// A period is a span of time up to now.
type period struct {
	name, text string
	length     time.Duration
}

// periods are those that pages offer, each its own.
var periods = []period{
	{"1h", "Last hour", time.Hour},
	{"24h", "Last 24 hours", 24 * time.Hour},
	{"7d", "Last 7 days", 7 * 24 * time.Hour},
	{"30d", "Last 30 days", 30 * 24 * time.Hour},
	{"90d", "Last 90 days", 90 * 24 * time.Hour},
}

// offered returns the period that an address names out of those from the first to the
// last, or otherwise the one that stands in, and the choices there are.
func offered(name, first, last, otherwise string) (chosen period, choices []web.Option) {
	in := false
	for _, p := range periods {
		in = in || p.name == first
		if in {
			choices = append(choices, web.Option{Value: p.name, Text: p.text})
			if p.name == name || p.name == otherwise && chosen.name == "" {
				chosen = p
			}
		}
		in = in && p.name != last
	}
	return chosen, choices
}

// exact is how addresses of our own hold a time.
const exact = time.RFC3339Nano

// layouts are the forms in which an address may name a time: exactly, as a field of a
// form sends it, or as a day.
var layouts = []string{exact, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// instant reads a time, in UTC where it does not say; ok is false for what is none.
func instant(text string) (t time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1970 && t.Year() < 3000 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// field returns a time as the value of a field of a form.
func field(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04")
}
