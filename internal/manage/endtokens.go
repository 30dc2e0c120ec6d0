package manage

import (
	"context"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// endTokens makes worthless, from the commit on, every access token that was issued to a
// credential. Refresh tokens are not touched: those of a credential that is revoked or
// disabled are refused with it.
//
// An access token that does not name whom it was issued to (contracts may leave client_id
// out) can only be told by its member. Then all access tokens of every member concerned
// end, those of other programs too: these refresh theirs, and nothing stays open.
func (m *Manager) endTokens(ctx context.Context, tx *store.Tx, c *contract.Contract, cr *store.Credential) error {
	if err := tx.EndTokens(ctx, cr.ID); err != nil {
		return err
	}
	if !anonymous(c.Tokens().User) {
		return nil
	}
	var members []string
	switch {
	case cr.Kind == store.KindClient:
		var err error
		if members, err = tx.ConsentMembers(ctx, cr.ID); err != nil {
			return err
		}
	case cr.Member != "" && exchanged(c, cr.Kind):
		members = []string{cr.Member}
	}
	for _, id := range members {
		if err := tx.EndMemberTokens(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// anonymous reports whether access tokens of a sort do not name whom they were issued to.
// Opaque ones are rows, which do.
func anonymous(t *contract.AccessToken) bool {
	return t != nil && t.Format == contract.TokenJWT && t.ClientIDClaim == ""
}

// exchanged reports whether keys of a kind are exchanged for access tokens; of one that
// the contract no longer has it may have been so.
func exchanged(c *contract.Contract, name string) bool {
	kind := kindOf(c, name)
	if kind == nil || kind.ExchangeOnly {
		return true
	}
	for _, e := range c.Endpoints().Token {
		for _, g := range e.Grants {
			if g.Kind == kind {
				return true
			}
		}
	}
	return false
}
