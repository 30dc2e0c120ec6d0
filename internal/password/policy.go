package password

import (
	_ "embed" // for the list
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-dev/cardea"
)

// The length of a password in characters (code points after normalisation). Ten because
// a passkey is offered beside it, and no rule about what it is made of: such rules make
// passwords worse (NIST SP 800-63B-4 §3.1.1.2).
const (
	MinLength = 10
	MaxLength = 128
)

//go:embed common.txt
var commonText string

// common holds the passwords that everybody tries first, folded as folded does.
var common = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if word := strings.TrimSpace(line); word != "" {
			set[folded(word)] = true
		}
	}
	return set
}()

// Check reports what is wrong with a password that somebody chose, as a KindInvalid
// error about the member "password"; nil when it may be used. context are words that a
// guesser tries for this person in particular: their address, name and organization, and
// the product.
func Check(password string, context ...string) error {
	if !utf8.ValidString(password) {
		return cardea.Invalid("password", "The password is not text.")
	}
	password = norm.NFC.String(password)
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return cardea.Invalid("password", "Choose a password of at least %d characters.", MinLength)
	case n > MaxLength:
		return cardea.Invalid("password", "Choose a password of at most %d characters.", MaxLength)
	}
	core := folded(password)
	if core == "" || common[core] || monotonous(core) {
		return cardea.Invalid("password", "This password is one of the first that anybody would try. Choose another.")
	}
	for _, word := range context {
		for _, part := range append(strings.Split(word, "@"), word) {
			if part != "" && core == folded(part) {
				return cardea.Invalid("password", "The password is your name, address, organization or this product. Choose another.")
			}
		}
	}
	return nil
}

// folded returns what is left of a password when it is stripped of what people add to a
// word to please a rule: case, and digits and marks at its ends. A password of nothing
// else is left as it is.
func folded(password string) string {
	lower := strings.ToLower(password)
	if core := strings.Trim(lower, "0123456789!?.,:;-_*#$%&+= "); core != "" {
		return core
	}
	return lower
}

// monotonous reports whether text is one piece of at most four characters again and
// again, or characters in a row, up or down.
func monotonous(text string) bool {
	runes := []rune(text)
	for period := 1; period <= 4 && period < len(runes); period++ {
		same := true
		for i := period; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-period]
		}
		if same {
			return true
		}
	}
	for _, step := range []rune{1, -1} {
		row := len(runes) > 2
		for i := 1; i < len(runes) && row; i++ {
			row = runes[i] == runes[i-1]+step || runes[i-1] == '9' && runes[i] == '0'
		}
		if row {
			return true
		}
	}
	return false
}
