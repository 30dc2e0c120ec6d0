package people

import (
	"context"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Enter is the step of signing in after the password was found to be right.
func Enter(p *People, ctx context.Context, a Attempt, member, hash string) (secret.Secret, Session, error) {
	return p.enter(ctx, a, found{store.Member{ID: member}, hash})
}

// Opens reports whether a text is a ticket for signing in with a passkey.
func Opens(p *People, text string) bool {
	_, ok := open[ceremony](p, purposeLogin, text)
	return ok
}
