package admin

import (
	"context"
	"iter"
	"net/http"
)

// SetPassword gives a member a password and signs them out everywhere.
func (c *Client) SetPassword(ctx context.Context, in SetPassword) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, path("/v1/members/", in.Member, "/password"), in)
}

// CreateInvitation makes a one-time link for a member who cannot sign in yet.
func (c *Client) CreateInvitation(ctx context.Context, member string) (Link, error) {
	return act[Link](ctx, c, path("/v1/members/", member, "/invite"))
}

// CreateResetLink makes a one-time link for a member who has lost what they sign in with.
func (c *Client) CreateResetLink(ctx context.Context, member string) (Link, error) {
	return act[Link](ctx, c, path("/v1/members/", member, "/reset"))
}

// CreateHandoff makes a one-time link that signs a member in for a day.
func (c *Client) CreateHandoff(ctx context.Context, in CreateHandoff) (Link, error) {
	return call[Link](ctx, c, http.MethodPost, path("/v1/members/", in.Member, "/handoff"), in)
}

// CreateSetupLink makes the one-time link with which the first of the company's own
// people sets Cardea up.
func (c *Client) CreateSetupLink(ctx context.Context) (Link, error) {
	return act[Link](ctx, c, "/v1/setup/link")
}

// SetUp makes the first of the company's own people, with a password.
func (c *Client) SetUp(ctx context.Context, in SetUp) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/setup", in)
}

// ListSessions returns where a member is signed in, newest first.
func (c *Client) ListSessions(ctx context.Context, filter SessionFilter) ([]Session, error) {
	list, err := get[List[Session]](ctx, c, "/v1/sessions", filter)
	return list.Items, err
}

// EndSession signs a member out in one place.
func (c *Client) EndSession(ctx context.Context, id string) (Session, error) {
	return act[Session](ctx, c, path("/v1/sessions/", id, "/end"))
}

// EndOtherSessions signs the member of a session out everywhere else.
func (c *Client) EndOtherSessions(ctx context.Context, id string) (Session, error) {
	return act[Session](ctx, c, path("/v1/sessions/", id, "/end-others"))
}

// EndSessions signs a member out everywhere.
func (c *Client) EndSessions(ctx context.Context, member string) (Member, error) {
	return act[Member](ctx, c, path("/v1/members/", member, "/end-sessions"))
}

// ListConsents iterates over what members have agreed to, newest first.
func (c *Client) ListConsents(ctx context.Context, filter GrantFilter) iter.Seq2[Consent, error] {
	return all(filter.Page, func(p Page) (List[Consent], error) {
		filter.Page = p
		return c.ConsentsPage(ctx, filter)
	})
}

// ConsentsPage returns one page of consents.
func (c *Client) ConsentsPage(ctx context.Context, filter GrantFilter) (List[Consent], error) {
	return get[List[Consent]](ctx, c, "/v1/consents", filter)
}

// WithdrawConsent takes a member's word back. When it returns, the client's tokens for
// them are refused.
func (c *Client) WithdrawConsent(ctx context.Context, id string) (Consent, error) {
	return act[Consent](ctx, c, path("/v1/consents/", id, "/withdraw"))
}

// ListGrants iterates over authorizations, newest first.
func (c *Client) ListGrants(ctx context.Context, filter GrantFilter) iter.Seq2[Grant, error] {
	return all(filter.Page, func(p Page) (List[Grant], error) {
		filter.Page = p
		return c.GrantsPage(ctx, filter)
	})
}

// GrantsPage returns one page of authorizations.
func (c *Client) GrantsPage(ctx context.Context, filter GrantFilter) (List[Grant], error) {
	return get[List[Grant]](ctx, c, "/v1/grants", filter)
}

// RevokeGrant ends an authorization, its refresh token and its access tokens.
func (c *Client) RevokeGrant(ctx context.Context, in RevokeKey) (Grant, error) {
	return call[Grant](ctx, c, http.MethodPost, path("/v1/grants/", in.ID, "/revoke"), in)
}

// RevokeToken ends one access or refresh token.
func (c *Client) RevokeToken(ctx context.Context, in RevokeToken) (RevokedToken, error) {
	return call[RevokedToken](ctx, c, http.MethodPost, "/v1/tokens/revoke", in)
}

// RevokeTokens ends every token that was issued to a credential or speaks for a member.
func (c *Client) RevokeTokens(ctx context.Context, in RevokeTokens) (RevokedTokens, error) {
	return call[RevokedTokens](ctx, c, http.MethodPost, "/v1/tokens/revoke-all", in)
}
