package contract

import (
	"net/http"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// keys compiles the kinds of key, in the order of the file.
func (k *compiler) keys() {
	for i, e := range k.d.Keys.entries {
		k.name(e.key, "a kind of key")
		if _, taken := find(reservedKinds, e.key.value); taken {
			k.r.Errorf(e.key.pos, "%s is a kind that every contract has", quote(e.key.value)).Suggest("choose another name")
		}
		kind := k.key(e)
		kind.Index = i
		k.c.kinds = append(k.c.kinds, kind)
	}
}

// key compiles one kind. Whatever is left out falls on the careful side: the secret is
// shown once, the old one of a rotation stops at once, no scopes are given unasked.
func (k *compiler) key(e entry[keyDoc]) *KeyKind {
	v := e.value
	kind := &KeyKind{
		Name: e.key.value, Line: e.key.Line,
		Label: v.Label.or(e.key.value), Plural: v.Plural.or(v.Label.or(e.key.value) + "s"),
		Owner:        Owner(v.Owner.or(string(OwnerOrganization))),
		RevealAlways: v.Reveal.value == "always",
		Scopes:       k.scopeSetOr(v.Scopes, k.c.AllScopes()), DefaultScopes: k.scopeSet(v.DefaultScopes),
		ExchangeOnly: v.ExchangeOnly.value, RefuseBrowsers: v.RefuseBrowsers.value,
		CreatedBy:   roles(v.CreatedBy, cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper),
		MaxPerOwner: v.MaxPerOwner.value,
		Overlap:     k.duration(v.Overlap, 0),
	}
	k.within(v.DefaultScopes, kind.Scopes, "this kind")
	k.format(kind, v)
	k.expiry(kind, v.Expiry)
	if m := kind.MaxLifetime; !m.IsZero() && kind.Overlap > m.atMost() {
		k.r.Errorf(v.Overlap.pos, "the overlap, %s, is longer than a key may live, %s", v.Overlap.value, m)
	}
	for _, p := range v.Present.items {
		if way, ok := k.present(p); ok {
			kind.Present = append(kind.Present, way)
		}
	}
	if v.Present.given && len(v.Present.items) == 0 {
		k.r.Errorf(v.Present.pos, "there is no way to send this kind of key").
			Suggest("write present: [{header: Authorization, scheme: Bearer}]")
	}
	if v.MaxPerOwner.given && v.MaxPerOwner.value == 0 {
		k.r.Errorf(v.MaxPerOwner.pos, "nobody could have one").Suggest("remove the line for no limit")
	}
	return kind
}

// format compiles the secret's form and where the kind exists.
func (k *compiler) format(kind *KeyKind, v keyDoc) {
	kind.Environments = k.environmentSet(v.Environments)
	kind.Prefixes = make([]string, len(k.c.environments))
	if v.Format.shape.given {
		kind.Shape = Shape(v.Format.shape.value)
		switch kind.Shape {
		case ShapeUUID:
			k.r.Warnf(v.Format.shape.pos, "a UUID has 122 random bits and no checksum").
				Suggest("a prefixed secret has 190 and is recognised without a look-up")
		case ShapeHex:
		default:
			k.r.Errorf(v.Format.shape.pos, "%s is not a form of secret", quote(v.Format.shape.value)).
				DidYouMean(v.Format.shape.value, []string{string(ShapeUUID), string(ShapeHex), "{prefix: …}"})
		}
		return
	}
	kind.Shape = ShapePrefix
	for i, t := range k.spread(v.Format.Prefix) {
		if !t.given {
			kind.Environments[i] = false
			continue
		}
		if kind.Environments[i] {
			kind.Prefixes[i] = t.value
			k.usePrefix(t, kind.Name, k.c.environments[i].Name)
		} else {
			k.r.Errorf(t.pos, "the kind does not exist in the environment %s", quote(k.c.environments[i].Name))
		}
	}
	if by := v.Format.Prefix.by; by.given && len(by.entries) == 0 {
		k.r.Errorf(by.pos, "this kind of key would exist in no environment")
	}
}

// expiry compiles and compares a kind's lengths of time.
func (k *compiler) expiry(kind *KeyKind, v expiryDoc) {
	for _, l := range []length{v.Default, v.Max, v.Idle} {
		if l.given && l.value.IsZero() {
			k.r.Errorf(l.pos, "a length of 0 would refuse every key").Suggest("remove the line for no limit")
		}
	}
	kind.ExpiryRequired = v.Required.value
	kind.MaxLifetime, kind.DefaultLifetime = v.Max.value, v.Default.value
	kind.Idle = k.duration(v.Idle, 0)
	if v.Max.given {
		longest := v.Max.value.atMost()
		if v.Default.given && v.Default.value.atLeast() > longest {
			k.r.Errorf(v.Default.pos, "the default, %s, is longer than the longest allowed, %s", v.Default.value, v.Max.value)
		}
		if v.Idle.given && v.Idle.value.atLeast() > longest {
			k.r.Errorf(v.Idle.pos, "idle, %s, is longer than the longest life, %s, so it never ends a key", v.Idle.value, v.Max.value)
		}
	}
	if v.Required.value && v.Default.given {
		k.r.Warnf(v.Default.pos, "the default is never used: an expiry is required")
	}
}

// present compiles one way to send a key.
func (k *compiler) present(v presentDoc) (Presentation, bool) {
	if !v.Header.given || !k.headerName(v.Header) {
		return Presentation{}, false
	}
	header := http.CanonicalHeaderKey(v.Header.value)
	switch {
	case header == "Authorization" && !v.Scheme.given:
		k.r.Errorf(v.Header.pos, "Authorization needs a scheme (RFC 9110 §11.6.2)").Suggest("add scheme: Bearer")
		return Presentation{}, false
	case header != "Authorization" && v.Scheme.given:
		k.r.Errorf(v.Scheme.pos, "only Authorization has a scheme").Suggest("remove it: the header holds the bare secret")
		return Presentation{}, false
	case header == "Cookie" || header == "Proxy-Authorization":
		k.r.Errorf(v.Header.pos, "credentials are not taken from %s", header)
		return Presentation{}, false
	case v.Scheme.given && !isToken(v.Scheme.value):
		k.r.Errorf(v.Scheme.pos, "%s is not a scheme", quote(v.Scheme.value))
		return Presentation{}, false
	case strings.EqualFold(v.Scheme.value, "Basic"):
		k.r.Errorf(v.Scheme.pos, "keys are not sent by Basic").Suggest("use Bearer (RFC 6750)")
		return Presentation{}, false
	case header != "Authorization" && callersOwn[header]:
		k.r.Errorf(v.Header.pos, "%s has a meaning of its own; a key cannot be sent in it", header)
		return Presentation{}, false
	}
	return Presentation{Header: header, Scheme: v.Scheme.value}, true
}

// presentations gathers the ways of all kinds and reports kinds that cannot be told
// apart where they meet.
func (k *compiler) presentations() {
	for i, e := range k.d.Keys.entries {
		kind := k.c.kinds[i]
		for _, way := range kind.Present {
			if way.Header == "Authorization" && kind.Shape != ShapePrefix {
				k.r.Warnf(e.value.Present.pos, "a %s in Authorization is recognised by its form alone", kind.Shape).
					Suggest("a prefixed secret is unmistakable; so is a header of its own")
			}
			k.addPresentation(e, kind, way)
		}
	}
	bearer := k.d.Clients != nil || k.d.Accounts != nil || len(k.d.Issuers.entries) > 0 || k.d.OwnIssuers != nil
	if bearer && k.presentation("Authorization", "Bearer") == nil {
		k.c.presentations = append(k.c.presentations, Presentation{Header: "Authorization", Scheme: "Bearer"})
	}
}

// presentation returns the way with this header and scheme. Schemes are compared
// without regard to case (RFC 9110 §11.1).
func (k *compiler) presentation(header, scheme string) *Presentation {
	for i := range k.c.presentations {
		if p := &k.c.presentations[i]; p.Header == header && strings.EqualFold(p.Scheme, scheme) {
			return p
		}
	}
	return nil
}

// addPresentation adds a kind to a way of sending. Kinds may share one if the secret
// itself tells them apart: by its prefix, or by its form.
func (k *compiler) addPresentation(e entry[keyDoc], kind *KeyKind, way Presentation) {
	shared := k.presentation(way.Header, way.Scheme)
	if shared == nil {
		way.Kinds = []*KeyKind{kind}
		k.c.presentations = append(k.c.presentations, way)
		return
	}
	for _, other := range shared.Kinds {
		switch {
		case other == kind:
			k.r.Errorf(e.value.Present.pos, "%s is listed twice", quote(way.Header))
			return
		case other.Shape == kind.Shape && kind.Shape != ShapePrefix:
			k.r.Errorf(e.value.Present.pos, "%s and %s are both sent in %s and look the same",
				quote(kind.Name), quote(other.Name), way.Header).
				Suggest("give one a prefix, or a header of its own")
		}
	}
	shared.Kinds = append(shared.Kinds, kind)
}

// duration returns a length that must not depend on the calendar.
func (k *compiler) duration(l length, fallback time.Duration) time.Duration {
	if !l.given {
		return fallback
	}
	if l.value.Months != 0 {
		k.r.Errorf(l.pos, "months and years differ in length").Suggest("write days here: 30d")
	}
	return l.value.Duration
}

// roles returns the roles a list names, the fallback when it is not given. The words
// were checked by the decoder.
func roles(l list[text], fallback ...cardea.Role) []cardea.Role {
	if !l.given {
		return fallback
	}
	var out []cardea.Role
	for _, r := range l.items {
		out = append(out, cardea.Role(r.value))
	}
	return out
}

// A usedPrefix is a prefix of a secret and who has it.
type usedPrefix struct {
	text        text
	kind        string
	environment string // "" for tokens that exist in every environment alike
}

// usePrefix notes a prefix for [compiler.prefixClashes], after a check of its form.
func (k *compiler) usePrefix(t text, kind, environment string) {
	if !isPrefix(t.value) {
		k.r.Errorf(t.pos, "%s cannot be a prefix", quote(t.value)).
			Suggest("use 2 to 24 letters, digits and %s, ending in %s: sk_live_", quote("_"), quote("_"))
	}
	k.prefixes = append(k.prefixes, usedPrefix{t, kind, environment})
}

// isPrefix reports whether s can begin a secret: one word for editors, unmistakable
// for scanners.
func isPrefix(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(s) >= 2 && len(s) <= 24 && s[len(s)-1] == '_' && s[0] != '_'
}

// prefixClashes reports prefixes that do not tell whose secret it is.
func (k *compiler) prefixClashes() {
	for i, a := range k.prefixes {
		for _, b := range k.prefixes[:i] {
			switch {
			case a.text.value == b.text.value:
				k.r.Errorf(a.text.pos, "the prefix %s is also that of %s", quote(a.text.value), b.who(a)).
					Suggest("the other is on line %d; a prefix must tell kind and environment", b.text.Line)
			case strings.HasPrefix(a.text.value, b.text.value) || strings.HasPrefix(b.text.value, a.text.value):
				k.r.Errorf(a.text.pos, "the prefixes %s and %s overlap: one begins with the other",
					quote(a.text.value), quote(b.text.value)).
					Suggest("the other, of %s, is on line %d", b.who(a), b.text.Line)
			}
		}
	}
}

// who names a prefix's holder as seen from another one.
func (u usedPrefix) who(from usedPrefix) string {
	switch {
	case u.kind == from.kind:
		return "the environment " + quote(u.environment)
	case u.environment == "":
		return u.kind
	}
	return u.kind + " in " + quote(u.environment)
}
