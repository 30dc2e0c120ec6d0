package store

import "context"

// What is taken back takes with it what was made from it. A token's own standing is in
// its row or, for a JWT, in its id; beyond that it stands and falls with its credential,
// its member, its family and its consent, which look-ups read along. The cascades here are
// for what would otherwise come back to life, or never come to an end.

// A TokenOwner names whose tokens are meant. Members that are set must all apply.
type TokenOwner struct {
	Client string // a credential: client, key or service account
	Member string
	Family string
}

// RevokeAccessTokensOf revokes the opaque access tokens of an owner, and throws away the
// codes that could be exchanged for more of them; families stay. An owner of nothing is
// nobody's. JWTs are not reached: see [Tx.EndTokens] and [Tx.EndMemberTokens].
func (tx *Tx) RevokeAccessTokensOf(ctx context.Context, o TokenOwner) error {
	if o == (TokenOwner{}) {
		return nil
	}
	switch { // the narrowest that reaches them all: a client may have many members
	case o.Family != "":
		tx.Changed(ChangeToken, o.Family)
	case o.Member != "":
		tx.Changed(ChangeMember, o.Member)
	default:
		tx.Changed(ChangeCredential, o.Client)
	}
	narrow := func(s *selection) *selection {
		return s.and("client = ?", o.Client).and("member = ?", o.Member)
	}
	head := &selection{}
	head.add("UPDATE access_token SET revoked_at = ? WHERE revoked_at IS NULL", stamp(tx.now))
	if err := tx.run(ctx, narrow(head).and("family = ?", o.Family)); err != nil || o.Family != "" {
		return err
	}
	if err := tx.run(ctx, narrow(sel("DELETE FROM code").and("used_at IS NULL"))); err != nil {
		return err
	}
	denied := &selection{}
	denied.add("UPDATE device_code SET status = ? WHERE status = ?", DeviceDenied, DeviceApproved)
	return tx.run(ctx, narrow(denied))
}

// run runs a statement that was put together.
func (tx *Tx) run(ctx context.Context, s *selection) error {
	_, err := tx.exec(ctx, s.text.String(), s.args...)
	return err
}

// EndTokens makes every access token worthless that was issued to a credential up to
// now: a client, a service account or a key. Refresh tokens stay: see
// [Tx.RevokeFamilies]. KindNotFound when there is no such credential.
func (tx *Tx) EndTokens(ctx context.Context, credential string) error {
	if err := tx.RevokeAccessTokensOf(ctx, TokenOwner{Client: credential}); err != nil {
		return err
	}
	tx.happened(credential, EventUpdated, "tokens")
	return tx.change(ctx, "credential",
		`UPDATE credential SET tokens_not_before = $1 WHERE id = $2`, stamp(tx.now), credential)
}

// EndMemberTokens makes every access token worthless that speaks for a member up to now.
// Refresh tokens stay: see [Tx.RevokeFamilies]. KindNotFound when there is no such member.
func (tx *Tx) EndMemberTokens(ctx context.Context, member string) error {
	if err := tx.RevokeAccessTokensOf(ctx, TokenOwner{Member: member}); err != nil {
		return err
	}
	return tx.change(ctx, "member",
		`UPDATE member SET tokens_not_before = $1 WHERE id = $2`, stamp(tx.now), member)
}

// ConsentMembers returns the members for whom a client may hold tokens: those with a
// consent for it or a family of it that is not revoked.
func (r Reader) ConsentMembers(ctx context.Context, client string) ([]string, error) {
	s := &selection{}
	s.add(`SELECT member FROM consent WHERE client = ? AND revoked_at IS NULL
		UNION SELECT member FROM token_family WHERE client = ? AND revoked_at IS NULL AND member IS NOT NULL
		ORDER BY member`, client, client)
	return collect(ctx, r, s, func(id *string) []any { return []any{id} })
}
