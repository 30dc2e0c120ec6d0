package admin

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// ListTrustedIssuers returns the identity providers that the contract trusts.
func (c *Client) ListTrustedIssuers(ctx context.Context) ([]TrustedIssuer, error) {
	list, err := get[List[TrustedIssuer]](ctx, c, "/v1/trusted-issuers", empty{})
	return list.Items, err
}

// ListIssuers iterates over the issuers that organizations have named, newest first.
func (c *Client) ListIssuers(ctx context.Context, filter IssuerFilter) iter.Seq2[OrganizationIssuer, error] {
	return all(filter.Page, func(p Page) (List[OrganizationIssuer], error) {
		filter.Page = p
		return c.IssuersPage(ctx, filter)
	})
}

// IssuersPage returns one page of the issuers that organizations have named.
func (c *Client) IssuersPage(ctx context.Context, filter IssuerFilter) (List[OrganizationIssuer], error) {
	return get[List[OrganizationIssuer]](ctx, c, "/v1/issuers", filter)
}

// SetIssuer names the issuer of an organization's environment; an empty URL removes it.
func (c *Client) SetIssuer(ctx context.Context, in SetIssuer) (OrganizationIssuer, error) {
	return call[OrganizationIssuer](ctx, c, http.MethodPut, "/v1/issuers", in)
}

// ListHooks returns the contract's hooks.
func (c *Client) ListHooks(ctx context.Context) ([]Hook, error) {
	list, err := get[List[Hook]](ctx, c, "/v1/hooks", empty{})
	return list.Items, err
}

// TestHook asks a hook about a request that nobody sent.
func (c *Client) TestHook(ctx context.Context, in TestHook) (HookAnswer, error) {
	return call[HookAnswer](ctx, c, http.MethodPost, path("/v1/hooks/", strconv.Itoa(in.ID), "/test"), in)
}

// RevealHookSecret shows the key that receivers of hooks check signatures with.
func (c *Client) RevealHookSecret(ctx context.Context) (HookSecret, error) {
	return act[HookSecret](ctx, c, "/v1/hook-secret/reveal")
}

// ListSigningKeys returns the keys that the server signs tokens with, newest first.
func (c *Client) ListSigningKeys(ctx context.Context) ([]SigningKey, error) {
	list, err := get[List[SigningKey]](ctx, c, "/v1/signing-keys", empty{})
	return list.Items, err
}

// RotateSigningKeys replaces the keys that the server signs with, and returns the new
// ones. No token is refused for it.
func (c *Client) RotateSigningKeys(ctx context.Context, in RotateSigningKeys) ([]SigningKey, error) {
	list, err := call[List[SigningKey]](ctx, c, http.MethodPost, "/v1/signing-keys/rotate", in)
	return list.Items, err
}

// RevokeSigningKey ends a key that got into wrong hands. When it returns, every token it
// signed is refused.
func (c *Client) RevokeSigningKey(ctx context.Context, id string) (SigningKey, error) {
	return act[SigningKey](ctx, c, path("/v1/signing-keys/", id, "/revoke"))
}

// GetConnection returns the OpenID provider through which an organization signs in.
func (c *Client) GetConnection(ctx context.Context, organization string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodGet, path("/v1/connections/", organization), nil)
}

// SetConnection names an organization's OpenID provider.
func (c *Client) SetConnection(ctx context.Context, in SetConnection) (Connection, error) {
	return call[Connection](ctx, c, http.MethodPut, path("/v1/connections/", in.Organization), in)
}

// DeleteConnection removes an organization's OpenID provider and returns what it was.
func (c *Client) DeleteConnection(ctx context.Context, organization string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodDelete, path("/v1/connections/", organization), nil)
}

// GetEnvironment summarizes what an organization has in one environment.
func (c *Client) GetEnvironment(ctx context.Context, id AddressListID) (EnvironmentSummary, error) {
	return call[EnvironmentSummary](ctx, c, http.MethodGet, path("/v1/environments/", id.Organization, "/", id.Environment), nil)
}
