package proxy

import (
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// secretTail is how many letters and digits behind a secret's prefix make it look like a
// secret: far more than names have, fewer than any secret that was cut off.
const secretTail = 20

// scrub returns a path in which what looks like one of the contract's secrets is cut off
// behind its prefix. Secrets do not belong into paths, but people put them there, and
// paths are kept. Only secrets with a prefix can be told from ids.
func scrub(path string, c *contract.Contract) string {
	if c == nil || len(path) <= secretTail {
		return path
	}
	for _, kind := range c.Kinds() {
		path = scrubPrefixes(path, kind.Prefixes)
	}
	path = scrubPrefixes(path, c.ClientKind().Prefixes)
	tokens := c.Tokens()
	for _, t := range []*contract.AccessToken{tokens.Machine, tokens.User} {
		if t != nil {
			path = scrubPrefixes(path, t.Prefixes)
		}
	}
	if tokens.Refresh != nil {
		path = scrubPrefixes(path, tokens.Refresh.Prefixes)
	}
	return scrubSigned(scrubPrefixes(path, ours))
}

// ours begin the secrets that are the same under every contract: one-time links, management
// tokens, sessions, authorization and device codes.
var ours = []string{"cardea_link_", "cardea_mt_", "cst_", "ac_", "cdc_", "dc_"}

// scrubPrefixes does so for secrets with one of these prefixes, by environment.
func scrubPrefixes(path string, prefixes []string) string {
	for i, prefix := range prefixes {
		if prefix != "" && (i == 0 || prefix != prefixes[i-1]) {
			path = scrubPrefix(path, prefix)
		}
	}
	return path
}

// signedHead is what a JWT begins with: base64url of `{"`.
const signedHead = "eyJ"

// scrubSigned cuts off what looks like a signed token, whoever issued it.
func scrubSigned(path string) string {
	for from := 0; ; {
		i := strings.Index(path[from:], signedHead)
		if i < 0 {
			return path
		}
		start := from + i + len(signedHead)
		end := start
		for end < len(path) && (isAlphanumeric(path[end]) || strings.IndexByte("-_.", path[end]) >= 0) {
			end++
		}
		from = start
		if end-start >= secretTail && strings.IndexByte(path[start:end], '.') >= 0 {
			path = path[:start] + "…" + path[end:]
		}
	}
}

// scrubPrefix does so for one prefix, wherever it stands.
func scrubPrefix(path, prefix string) string {
	for from := 0; ; {
		i := strings.Index(path[from:], prefix)
		if i < 0 {
			return path
		}
		start := from + i + len(prefix)
		end := start
		for end < len(path) && isAlphanumeric(path[end]) {
			end++
		}
		from = start
		if end-start >= secretTail {
			path = path[:start] + "…" + path[end:]
		}
	}
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}
