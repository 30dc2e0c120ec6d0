package secret

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// The shapes of a secret, spelled as in a contract.
const (
	ShapePrefix = "prefix"
	ShapeUUID   = "uuid"
	ShapeHex    = "hex-32-12"
)

// elision stands for the part of a secret that is not shown.
const elision = "…"

// hintLen is how many characters of a secret's end its hint shows. In the prefix
// form they are checksum; a UUID keeps 106 unknown bits.
const hintLen = 4

// A Secret is the text of a credential on its way out of the process. Whatever way it
// is printed, logged or marshalled it shows its prefix only; [Secret.Reveal] is the
// one way to the text. The zero value is no secret.
//
// The text is kept in a closure because fmt calls no methods on unexported fields of
// other structs: it would print a string there, follows even pointers for verbs it
// does not know, and prints a function as its address.
type Secret struct{ parts func() (prefix, text string) }

// New returns a fresh secret of the given shape, from the system's random source.
// Only [ShapePrefix] has a use for prefix; it panics on a shape that does not exist,
// which a compiled contract cannot contain.
func New(shape, prefix string) Secret {
	switch shape {
	case ShapePrefix:
		body := prefix + randomBase62(bodyLen)
		return Known(prefix, body+checksum(body))
	case ShapeUUID:
		return Known("", newUUID())
	case ShapeHex:
		return Known("", newHex())
	}
	panic("secret: no such shape")
}

// Known returns the Secret whose text exists already: one that was unsealed, or given
// by an operator. prefix is the part that may be shown; text must begin with it.
func Known(prefix, text string) Secret {
	if len(text) < len(prefix) || text[:len(prefix)] != prefix {
		panic("secret: text does not begin with its prefix")
	}
	return Secret{func() (string, string) { return prefix, text }}
}

// Reveal returns the text. Call it where the secret leaves the process, once.
func (s Secret) Reveal() string {
	if s.parts == nil {
		return ""
	}
	_, text := s.parts()
	return text
}

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.parts == nil }

// Hash returns the hash that is stored in the secret's place.
func (s Secret) Hash() Hash { return HashOf(s.Reveal()) }

// Hint returns what people recognise the secret by: its prefix and its last four
// characters.
func (s Secret) Hint() string {
	if s.parts == nil {
		return ""
	}
	prefix, text := s.parts()
	if len(text) < len(prefix)+2*hintLen {
		return s.String() // too short to show a part of it
	}
	return prefix + elision + text[len(text)-hintLen:]
}

// String returns the prefix and "…".
func (s Secret) String() string {
	if s.parts == nil {
		return ""
	}
	prefix, _ := s.parts()
	return prefix + elision
}

// GoString returns what [Secret.String] does.
func (s Secret) GoString() string { return s.String() }

// Format prints [Secret.String] for every verb: %d and its like would otherwise walk
// the fields.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(s.String())) // a formatter has no way to report the error
}

// LogValue returns what [Secret.String] does, for [log/slog].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what [Secret.String] does, so that JSON, XML and YAML encoders
// show the prefix only.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// NewID returns a fresh identifier: prefix and 128 random bits as 22 base62
// characters. An id names an object and never authenticates.
func NewID(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it stops the process instead
	return PackedID(b).Text(prefix)
}

// newUUID returns a random UUID (RFC 9562 §5.4), lower case.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it stops the process instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newHex returns 32 and 12 random hexadecimal digits.
func newHex() string {
	var b [22]byte
	_, _ = rand.Read(b[:]) // as above
	h := hex.EncodeToString(b[:])
	return h[:32] + "-" + h[32:]
}
