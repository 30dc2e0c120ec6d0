package insight

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
)

// addressOf returns the canonical form of a filter's address, "" for none.
func addressOf(p *rules.Problems, text string) string {
	if text == "" {
		return ""
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		p.Add(cardea.Invalid("address", "is not an IP address"))
		return ""
	}
	return addr.Unmap().String()
}

// period checks that a period, of which either end may be open, does not end before it
// begins, and that its times can be stored.
func period(p *rules.Problems, from, to time.Time) {
	for field, t := range map[string]time.Time{"from": from, "to": to} {
		if !t.IsZero() && (t.Year() < 1970 || t.Year() > 9999) {
			p.Add(cardea.Invalid(field, "must be a time from 1970 to 9999"))
		}
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		p.Add(cardea.Invalid("from", "must be before the end"))
	}
}

// instant returns a time as part of a cursor's scope.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 36)
}
