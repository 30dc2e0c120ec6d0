package people

import (
	"context"
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// An Attempt is somebody trying to sign in with a password.
type Attempt struct {
	Organization string // its id or name; "" when the person belongs to one only
	Email        string
	Password     string
	Address      netip.Addr
	UserAgent    string
	RequestID    string
}

// SignIn starts a session for whoever proves to be a member with their password. Every
// attempt that does not work gets the same error of kind Unauthorized after the same
// work, whoever it named; a [*ThrottledError] or a KindUnavailable error (too many at
// once) says nothing about the account either.
func (p *People) SignIn(ctx context.Context, a Attempt) (secret.Secret, Session, error) {
	return secret.Secret{}, Session{}, errRefused()
}

// errRefused says nothing about which of the ways to fail it was.
func errRefused() error {
	return cardea.Errorf(cardea.KindUnauthorized, "That did not work. Check the email address and the password, and name your organization if you belong to several.")
}

// A ThrottledError refuses an attempt because there were too many before.
type ThrottledError struct {
	Wait time.Duration // until the next attempt is looked at
}

// Error says so.
func (e *ThrottledError) Error() string { return "too many attempts: try again later" }
