package rules

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
)

// Lengths in characters (runes), not bytes: a name in Japanese is as long as one in
// English. An address of mail is bounded by RFC 5321 §4.5.3.1.3.
const (
	MaxName   = 100
	MaxReason = 200
	MaxEmail  = 254
)

// Name reports what is wrong with a name that people give to something, nil if
// nothing is. A name is one line of 1 to 100 characters.
func Name(field, text string) *cardea.Error {
	if text == "" {
		return cardea.Invalid(field, "a name is required")
	}
	return Line(field, text, MaxName)
}

// Line reports what is wrong with a line of text that may be empty.
//
// Refused are characters that make a line look like another one or like two: names
// stand in tables, logs and mails. The text is never quoted back: its kind of fault is
// named instead.
func Line(field, text string, runes int) *cardea.Error {
	if !utf8.ValidString(text) {
		return cardea.Invalid(field, "must be valid UTF-8")
	}
	if utf8.RuneCountInString(text) > runes {
		return cardea.Invalid(field, "must have at most %d characters", runes)
	}
	if strings.TrimSpace(text) != text {
		return cardea.Invalid(field, "must not begin or end with a space")
	}
	for _, r := range text {
		if fault := faultOf(r); fault != "" {
			return cardea.Invalid(field, "must not contain %s", fault)
		}
	}
	return nil
}

// faultOf names what is wrong with a character, "" if nothing is.
func faultOf(r rune) string {
	switch {
	case r == 0:
		return "a NUL character"
	case unicode.IsControl(r):
		return "control characters, such as tabs or line breaks"
	case unicode.Is(unicode.Bidi_Control, r):
		return "characters that change the direction of text (bidirectional controls)"
	case r == '\u2028' || r == '\u2029':
		return "line or paragraph separators"
	case r == '\u200c' || r == '\u200d':
		return "" // joiners: Persian and emoji are spelled with them
	case unicode.Is(unicode.Cf, r):
		return "invisible characters"
	case unicode.Is(unicode.Noncharacter_Code_Point, r), r == utf8.RuneError:
		return "characters that Unicode does not assign"
	}
	return ""
}

// Email reports what is wrong with an address of mail, nil if nothing is. Only
// the bare form passes: no display name, no comments, no angle brackets.
func Email(field, text string) *cardea.Error {
	if len(text) > MaxEmail {
		return cardea.Invalid(field, "must have at most %d bytes", MaxEmail)
	}
	if err := Line(field, text, MaxEmail); err != nil {
		return err
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return cardea.Invalid(field, "must be an e-mail address, such as ada@example.com")
	}
	return nil
}
