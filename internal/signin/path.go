package signin

import (
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/rules"
)

// maxContinue bounds where to continue: it travels in a cookie of 4 KiB.
const maxContinue = 2400

// onward returns text when it is a path of ours that people may be sent on to, else "".
// Only paths that this host serves to people count, compared byte for byte, so that no
// reading of "//", "/\", "%2f" or a control character by any browser leads elsewhere.
func (v *visit) onward(text string) string {
	if len(text) > maxContinue || !strings.HasPrefix(text, "/") {
		return ""
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return ""
		}
	}
	path, query, _ := strings.Cut(text, "?")
	if _, err := url.ParseQuery(query); err != nil {
		return ""
	}
	if rules.IsPortal(text) {
		return text
	}
	if r, ok := v.routes[path]; ok && r.get != nil && path != "/signin" && path != "/signout" && !strings.HasPrefix(path, "/signin/sso") {
		return text
	}
	e := v.contract.Endpoints()
	for _, endpoint := range []*contract.Endpoint{e.Authorize, e.DevicePage} {
		if endpoint != nil && endpoint.Path == path {
			return text
		}
	}
	return ""
}

// next returns where to go after signing in.
func next(path string) string {
	if path == "" {
		return rules.Portal
	}
	return path
}

// isLink reports whether a path is that of a one-time link.
func isLink(path string) bool {
	text := linkText(path)
	return text != "" && len(text) <= 200 && !strings.Contains(text, "/")
}

// linkText returns the text of a one-time link in its path.
func linkText(path string) string {
	for _, prefix := range []string{"/invite/", "/reset/", "/handoff/", "/setup/"} {
		if text, ok := strings.CutPrefix(path, prefix); ok {
			return text
		}
	}
	return ""
}
