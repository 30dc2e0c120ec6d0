package people

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A ticket is what a browser carries, sealed, from the first step of a ceremony to the
// second: nothing is kept for visitors who may never come back, so nobody can use up the
// room for it, and any node can take the second step. What makes it single use is that
// its ID is remembered in the transaction that the second step ends with.
type ticket[T any] struct {
	ID      string `json:"id"`
	Expires int64  `json:"expires"` // seconds since 1970
	Body    T      `json:"body"`
}

// maxTicket is the largest ticket that is opened; browsers keep cookies of 4 KiB.
const maxTicket = 4096

// seal returns the text of a new ticket for a purpose.
func seal[T any](p *People, purpose string, lifetime time.Duration, body T) (string, error) {
	t := ticket[T]{ID: secret.NewID(""), Expires: p.now().Add(lifetime).Unix(), Body: body}
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(p.sealer.Seal(ticketAAD(purpose), plain)), nil
}

// open returns the ticket of a text, false when it is none, is for another purpose, or
// its time is over.
func open[T any](p *People, purpose, text string) (t ticket[T], ok bool) {
	if len(text) > maxTicket {
		return t, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return t, false
	}
	plain, err := p.sealer.Open(ticketAAD(purpose), sealed)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return ticket[T]{}, false
	}
	return t, p.now().Unix() < t.Expires
}

func ticketAAD(purpose string) string { return secret.AAD("ticket", purpose, 1) }

// ownSealer returns a Sealer whose key dies with the process, for servers without a
// master key.
func ownSealer() *secret.Sealer {
	key := make([]byte, secret.MasterKeySize)
	_, _ = rand.Read(key) // never fails: it stops the process instead
	s, err := secret.NewSealer(key)
	if err != nil {
		panic(err) // the key has the right size
	}
	return s
}
