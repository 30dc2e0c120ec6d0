package admin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// A Secret is the text of a credential. However it is printed, logged or marshalled
// it shows its prefix only; [Secret.Reveal] is the one way to the text.
//
// The text is behind a pointer because fmt calls no methods on unexported fields of
// other structs: it would print a string there, and prints an address here.
type Secret struct{ text *string }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String returns what may be shown: the part up to the last underscore, and "…".
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	prefix := ""
	if i := strings.LastIndexByte(*s.text, '_'); i >= 0 {
		prefix = (*s.text)[:i+1]
	}
	return prefix + "…"
}

// GoString returns what [Secret.String] does.
func (s Secret) GoString() string { return s.String() }

// Format prints [Secret.String] for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(s.String())) // a formatter has no way to report the error
}

// LogValue returns what [Secret.String] does, for [log/slog].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what [Secret.String] does, so that encoders show the prefix only.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalJSON reads the text from an answer of the API.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	s.text = &text
	return nil
}
