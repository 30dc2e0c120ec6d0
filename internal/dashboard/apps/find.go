package apps

import (
	"slices"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/web"
)

// here returns what was found if it belongs to the organization whose pages these are, or
// answers. What is another's is not here, whoever asks: an operator opens that
// organization's pages.
func here[T any](v *web.Visit, found T, organization, noun string, err error) (T, bool) {
	if err == nil && organization != v.Organization.ID {
		err = access.NotFound(noun)
	}
	if err != nil {
		v.Fail(err)
		var none T
		return none, false
	}
	return found, true
}

// pick returns the one of a list that is meant, or answers.
func pick[T any](v *web.Visit, list []T, err error, noun string, is func(T) bool) (T, bool) {
	i := slices.IndexFunc(list, is)
	if err == nil && i < 0 {
		err = access.NotFound(noun)
	}
	if err != nil {
		v.Fail(err)
		var none T
		return none, false
	}
	return list[i], true
}
