package rules

import "github.com/cardea-dev/cardea"

// ValidID reports whether text could be an id or a name of the contract. Everything
// else, such as a NUL that one database refuses and the other stores, is turned away
// before it becomes a parameter of a query.
func ValidID(text string) bool {
	if text == "" || len(text) > 100 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}

// Filter reports a filter's member that could not be an id or a name.
func Filter(field, text string) *cardea.Error {
	if text != "" && !ValidID(text) {
		return cardea.Invalid(field, "is not an id or a name")
	}
	return nil
}

// Target is Filter for targets, which may be an address list: an
// organization, a slash and an environment.
func Target(field, text string) *cardea.Error {
	for i := range len(text) {
		if text[i] == '/' {
			if err := Filter(field, text[:i]); err != nil {
				return err
			}
			return Filter(field, text[i+1:])
		}
	}
	return Filter(field, text)
}
