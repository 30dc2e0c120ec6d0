package people

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// A Session is a person signed in on one browser or command line.
type Session struct {
	ID           string
	Member       store.Member
	Organization store.Organization
	Method       string    // how they signed in: one of the Method constants
	AuthTime     time.Time // when they last proved who they are
	CreatedAt    time.Time
	SeenAt       time.Time // to the minute
	ExpiresAt    time.Time // whatever they do
	UserAgent    string
	Address      string
}

// The ways to sign in.
const (
	MethodPassword = "password"
	MethodPasskey  = "passkey"
	MethodSSO      = "sso"
	MethodDevice   = "device" // a command line, by a signed-in person's approval
	MethodLink     = "link"   // an invitation or a reset link
)

// Session returns the session of a token, false when it is none, has ended, was idle for
// too long, or its person may not be there any more. It is read from the store each
// time, so that a session ended on any node is ended on every node.
func (p *People) Session(ctx context.Context, token string) (Session, bool, error) {
	return Session{}, false, nil
}
