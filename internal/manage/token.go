package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// tokenPrefix begins every management token, so that scanners and people know one
// when they see it. Tokens of the product never begin so: contracts choose theirs.
const tokenPrefix = "cardea_mt_"

func viewToken(t store.ManagementToken) ManagementToken {
	return ManagementToken{
		ID: t.ID, Name: t.Name, Hint: t.Hint, CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt,
		ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt, LastUsedAt: t.LastUsedAt,
	}
}

// CreateManagementToken creates a management token and returns its secret, once.
// Operators only; Cardea itself makes the first one.
func (m *Manager) CreateManagementToken(ctx context.Context, actor cardea.Actor, in CreateManagementToken) (ManagementTokenSecret, error) {
	if err := access.Operator(actor); err != nil {
		return ManagementTokenSecret{}, err
	}
	var p rules.Problems
	p.Add(rules.Name("name", in.Name))
	expires := in.ExpiresAt.UTC().Truncate(time.Microsecond)
	if !in.ExpiresAt.IsZero() && !expires.After(m.now()) {
		p.Add(cardea.Invalid("expires_at", "must be in the future"))
	}
	if err := p.Err(); err != nil {
		return ManagementTokenSecret{}, err
	}
	text := secret.New(secret.ShapePrefix, tokenPrefix)
	id := secret.NewID("mt_")
	var t store.ManagementToken
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		t = store.ManagementToken{
			ID: id, Name: in.Name, Hash: text.Hash(), Hint: text.Hint(), ExpiresAt: expires,
			CreatedBy: actor.Type + ":" + actor.ID, CreatedAt: tx.Now(),
		}
		access.Audit(tx, "management_token.create", "management_token", id, "", nil, viewToken(t))
		return tx.InsertManagementToken(ctx, t)
	})
	if err != nil {
		return ManagementTokenSecret{}, err
	}
	return ManagementTokenSecret{Token: viewToken(t), Secret: text}, nil
}

// ManagementTokens lists the management tokens, newest first. Operators only.
func (m *Manager) ManagementTokens(ctx context.Context, actor cardea.Actor, in Page) (List[ManagementToken], error) {
	if err := access.OperatorReads(actor); err != nil {
		return List[ManagementToken]{}, err
	}
	return access.Paged(in, []string{"management-tokens"}, func(p store.Page) ([]store.ManagementToken, string, error) {
		return m.store.ManagementTokens(ctx, p)
	}, viewToken)
}

// RevokeManagementToken ends a management token, also the one it is called with: it is
// refused from the moment this returns. Revoking a revoked one changes nothing.
// Operators only.
func (m *Manager) RevokeManagementToken(ctx context.Context, actor cardea.Actor, in ID) (ManagementToken, error) {
	if err := access.Operator(actor); err != nil {
		return ManagementToken{}, err
	}
	if !rules.ValidID(in.ID) {
		return ManagementToken{}, access.NotFound("management token")
	}
	var t store.ManagementToken
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if t, err = tx.ManagementToken(ctx, in.ID); err != nil || !t.RevokedAt.IsZero() {
			return err
		}
		before := viewToken(t)
		t.RevokedAt = tx.Now()
		access.Audit(tx, "management_token.revoke", "management_token", t.ID, "", before, viewToken(t))
		return tx.UpdateManagementToken(ctx, t)
	})
	if err != nil {
		return ManagementToken{}, err
	}
	return viewToken(t), nil
}
