package oauth

import (
	"crypto/rand"
	"net/http"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/clientdoc"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
)

// browser is what the endpoints for browsers keep in memory. None of it must survive:
// after a restart people are asked once more.
type browser struct {
	people     *people.People
	sealer     *secret.Sealer // of what travels through the browser and back
	protection *http.CrossOriginProtection

	origins   *origins
	documents *clientdoc.Cache // nil: there are no such clients
	guesses   *attempts        // at user codes
	starts    *attempts        // of devices
}

// newBrowser returns the state for a configuration.
func newBrowser(cfg Config, now cardea.Clock) browser {
	b := browser{
		people: cfg.People, sealer: cfg.Sealer, protection: http.NewCrossOriginProtection(),
		origins: &origins{},
		guesses: newAttempts(), starts: newAttempts(),
	}
	if cfg.Fetch != nil {
		b.documents = clientdoc.New(clientdoc.Config{Fetch: cfg.Fetch, Now: now, Algorithms: assertionAlgorithms})
	}
	if b.sealer == nil {
		// A key that dies with the process: what was sealed before is asked for again.
		key := make([]byte, secret.MasterKeySize)
		_, _ = rand.Read(key) // never fails: it stops the process instead
		b.sealer, _ = secret.NewSealer(key)
	}
	return b
}
