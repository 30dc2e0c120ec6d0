package activity

import (
	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// idOf returns the input of a use case that is about one thing.
func idOf(id string) manage.ID { return manage.ID{ID: id} }

// notFound is the error about something that is not there, or none of the page's
// organization.
func notFound(noun string) error { return cardea.Errorf(cardea.KindNotFound, "no such %s", noun) }
