package rules

import (
	"net/url"
	"strings"
)

// Portal is the path of the dashboard; everything of it is below.
const Portal = "/dashboard"

// maxPortal bounds a path of the dashboard with its query, in bytes.
const maxPortal = 1000

// IsPortal reports whether a text is a path of the dashboard, perhaps with a query, that
// no browser reads as anything else: no ".", "..", "//", "\" or "%" in the path, no
// control characters, no fragment.
func IsPortal(text string) bool {
	path, query, _ := strings.Cut(text, "?")
	if len(text) > maxPortal || path != Portal && !strings.HasPrefix(path, Portal+"/") {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return false
		}
	}
	if strings.Contains(path, "//") || strings.Contains(path, "%") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	_, err := url.ParseQuery(query)
	return err == nil
}
