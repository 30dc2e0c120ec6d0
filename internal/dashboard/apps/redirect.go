package apps

import (
	"net/url"
	"strings"
)

// redirectDifference says in what one redirect URI differs from a registered one, when it
// is one thing that people overlook; "" for anything else.
func redirectDifference(registered, asked string) string {
	a, errA := url.Parse(registered)
	b, errB := url.Parse(asked)
	if errA != nil || errB != nil {
		return ""
	}
	sameHost, samePath, sameQuery := a.Host == b.Host, a.EscapedPath() == b.EscapedPath(), a.RawQuery == b.RawQuery
	switch {
	case a.Scheme != b.Scheme && sameHost && samePath && sameQuery:
		return "It begins with " + b.Scheme + "://, and the registered one with " + a.Scheme + "://."
	case a.Scheme != b.Scheme:
		return ""
	case sameHost && sameQuery && strings.TrimSuffix(a.EscapedPath(), "/") == strings.TrimSuffix(b.EscapedPath(), "/"):
		return "Only the slash at the end differs, and that is enough: " + which(strings.HasSuffix(registered, "/"), "the registered one ends with it", "the registered one has none") + "."
	case sameHost && samePath:
		return "What follows the question mark differs: it is compared as well."
	case a.Hostname() == b.Hostname() && samePath && sameQuery:
		return "The port differs: " + which(a.Port() == "", "the registered one has none", "the registered one has "+a.Port()) + "."
	case sameHost && sameQuery && strings.EqualFold(a.EscapedPath(), b.EscapedPath()):
		return "Upper and lower case differ."
	case sameHost:
		return "The path differs: the registered one is " + a.EscapedPath() + "."
	case samePath && strings.TrimPrefix(a.Hostname(), "www.") == strings.TrimPrefix(b.Hostname(), "www."):
		return "One has www. in front and the other has not."
	}
	return ""
}

// which returns one of two texts.
func which(yes bool, one, other string) string {
	if yes {
		return one
	}
	return other
}
