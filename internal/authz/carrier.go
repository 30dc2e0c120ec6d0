package authz

import (
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
)

// A carrier is a header that may bring a credential, and in which forms.
type carrier struct {
	header  string // canonical name
	schemes []scheme
}

// A scheme is an authentication scheme of Authorization, or the one nameless scheme
// of a header that holds the bare secret.
type scheme struct {
	name   string
	forms  []form
	signed bool // tokens that prove themselves are sent this way
	proof  bool // with a proof of possession (RFC 9449 §7.1)
	bare   bool // no request comes with the credential: who asks looks at proofs
}

// A form is what the secrets of one kind, in one environment where their text tells
// it, look like.
type form struct {
	prefix string
	length int
	dash   int // where a shape without prefix has a "-", which no prefixed secret has
	shape  string
	kind   *contract.KeyKind
	env    *contract.Environment // nil: the text does not tell
}

// newCarriers compiles the contract's presentations, one carrier for each header.
func newCarriers(c *contract.Contract) []carrier {
	var carriers []carrier
	for _, p := range c.Presentations() {
		at := -1
		for i := range carriers {
			if carriers[i].header == p.Header {
				at = i
			}
		}
		if at < 0 {
			at = len(carriers)
			carriers = append(carriers, carrier{header: p.Header})
		}
		s := scheme{name: p.Scheme}
		for _, kind := range p.Kinds {
			s.forms = append(s.forms, formsOf(c, kind)...)
		}
		carriers[at].schemes = append(carriers[at].schemes, s)
	}
	return withTokens(c, carriers)
}

// withTokens adds access tokens to what Authorization brings: as Bearer (RFC 6750 §2.1)
// and, where the contract has it, as DPoP (RFC 9449 §7.1).
func withTokens(c *contract.Contract, carriers []carrier) []carrier {
	tokens := scheme{forms: tokenForms(c), signed: hasSigned(c)}
	if len(tokens.forms) == 0 && !tokens.signed {
		return carriers
	}
	at := slices.IndexFunc(carriers, func(c carrier) bool { return c.header == "Authorization" })
	if at < 0 {
		at = len(carriers)
		carriers = append(carriers, carrier{header: "Authorization"})
	}
	schemes := carriers[at].schemes
	i := slices.IndexFunc(schemes, func(s scheme) bool { return strings.EqualFold(s.name, "Bearer") })
	if i < 0 {
		i = len(schemes)
		schemes = append(schemes, scheme{name: "Bearer"})
	}
	schemes[i].forms = append(schemes[i].forms, tokens.forms...)
	schemes[i].signed = tokens.signed
	if clients := c.Clients(); clients != nil && clients.DPoP != contract.DPoPOff {
		tokens.name, tokens.proof = "DPoP", true
		schemes = append(schemes, tokens)
	}
	carriers[at].schemes = schemes
	return carriers
}

// tokenForms returns the forms of opaque access tokens.
func tokenForms(c *contract.Contract) []form {
	var forms []form
	for _, t := range []*contract.AccessToken{c.Tokens().Machine, c.Tokens().User} {
		if t != nil && t.Format == contract.TokenOpaque {
			forms = append(forms, prefixed(c, c.TokenKind(), t.Prefixes)...)
		}
	}
	return forms
}

// hasSigned reports whether the contract accepts tokens that prove themselves.
func hasSigned(c *contract.Contract) bool {
	for _, t := range []*contract.AccessToken{c.Tokens().Machine, c.Tokens().User} {
		if t != nil && t.Format == contract.TokenJWT {
			return true
		}
	}
	return c.ServiceAccounts() != nil || len(c.TrustedIssuers()) > 0 || c.OrganizationIssuers() != nil
}

// Lengths of the shapes, without prefix.
const (
	lengthPrefixed = 38
	lengthUUID     = 36
	lengthHex      = 45
)

// formsOf returns the forms of a kind: one for each prefix, or a single one.
func formsOf(c *contract.Contract, kind *contract.KeyKind) []form {
	switch kind.Shape {
	case contract.ShapeUUID:
		return []form{{length: lengthUUID, dash: 8, shape: secret.ShapeUUID, kind: kind}}
	case contract.ShapeHex:
		return []form{{length: lengthHex, dash: 32, shape: secret.ShapeHex, kind: kind}}
	}
	return prefixed(c, kind, kind.Prefixes)
}

// prefixed returns the forms of secrets with these prefixes, by environment index. One
// prefix may serve several environments: then the text does not tell which it is.
func prefixed(c *contract.Contract, kind *contract.KeyKind, prefixes []string) []form {
	var forms []form
	for _, env := range c.Environments() {
		prefix := prefixes[env.Index]
		if prefix == "" {
			continue
		}
		if i := slices.IndexFunc(forms, func(f form) bool { return f.prefix == prefix }); i >= 0 {
			forms[i].env = nil
			continue
		}
		forms = append(forms, form{
			prefix: prefix, length: len(prefix) + lengthPrefixed,
			shape: secret.ShapePrefix, kind: kind, env: env,
		})
	}
	return forms
}

// recognize returns the one form that a text can have by its length and prefix, or nil.
// Whether its checksum holds is checked where it matters: before the database is asked.
func (s *scheme) recognize(text string) *form {
	for i := range s.forms {
		f := &s.forms[i]
		if len(text) == f.length && strings.HasPrefix(text, f.prefix) && (f.dash == 0 || text[f.dash] == '-') {
			return f
		}
	}
	return nil
}

// holds reports whether a text is one that [secret.New] could have made.
func (f *form) holds(text string) bool { return secret.Check(f.shape, f.prefix, text) }

// maxCredential is the longest credential that is looked at, in bytes: no key is
// longer than 100, and a JWT has at most this.
const maxCredential = 8 << 10

// token returns what follows the scheme's name in an Authorization value (RFC 9110
// §11.4: one or more spaces between them), and whether the value has this scheme.
// Schemes are compared without case: §11.1.
func (s *scheme) token(value string) (token string, ok bool) {
	n := len(s.name)
	if len(value) < n || !equalFold(value[:n], s.name) {
		return "", false
	}
	for i := n; ; i++ {
		if i == len(value) {
			return "", true
		}
		if value[i] != ' ' {
			return value[i:], i > n
		}
	}
}

// isMalformed reports whether a text cannot be a credential of any kind: empty, too
// long, or with bytes that are not visible ASCII.
func isMalformed(text string) bool {
	if text == "" || len(text) > maxCredential {
		return true
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return true
		}
	}
	return false
}
