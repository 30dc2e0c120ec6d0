package admin

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
)

// ListClients iterates over OAuth clients, newest first.
func (c *Client) ListClients(ctx context.Context, filter ClientFilter) iter.Seq2[OAuthClient, error] {
	return all(filter.Page, func(p Page) (List[OAuthClient], error) {
		filter.Page = p
		return c.ClientsPage(ctx, filter)
	})
}

// ClientsPage returns one page of OAuth clients.
func (c *Client) ClientsPage(ctx context.Context, filter ClientFilter) (List[OAuthClient], error) {
	return get[List[OAuthClient]](ctx, c, "/v1/clients", filter)
}

// CreateClient creates an OAuth client. The answer holds its secret; no other will,
// unless the contract keeps secrets viewable.
func (c *Client) CreateClient(ctx context.Context, in CreateClient) (ClientSecret, error) {
	return call[ClientSecret](ctx, c, http.MethodPost, "/v1/clients", in)
}

// GetClient returns an OAuth client, without its secret.
func (c *Client) GetClient(ctx context.Context, id string) (OAuthClient, error) {
	return call[OAuthClient](ctx, c, http.MethodGet, path("/v1/clients/", id), nil)
}

// UpdateClient changes an OAuth client.
func (c *Client) UpdateClient(ctx context.Context, in UpdateClient) (OAuthClient, error) {
	return call[OAuthClient](ctx, c, http.MethodPatch, path("/v1/clients/", in.ID), in)
}

// RotateClientSecret gives a client a new secret; the old one works until the overlap
// ends.
func (c *Client) RotateClientSecret(ctx context.Context, in RotateKey) (ClientSecret, error) {
	return call[ClientSecret](ctx, c, http.MethodPost, path("/v1/clients/", in.ID, "/rotate"), in)
}

// RegenerateClientSecret gives a client a new secret; the old one and the access tokens
// that the client has are refused from now on.
func (c *Client) RegenerateClientSecret(ctx context.Context, id string) (ClientSecret, error) {
	return act[ClientSecret](ctx, c, path("/v1/clients/", id, "/regenerate"))
}

// FinishClientRotation ends the overlap of a rotation now.
func (c *Client) FinishClientRotation(ctx context.Context, id string) (OAuthClient, error) {
	return act[OAuthClient](ctx, c, path("/v1/clients/", id, "/finish-rotation"))
}

// RevealClientSecret shows the secret of a client again, where the contract keeps them
// viewable.
func (c *Client) RevealClientSecret(ctx context.Context, id string) (ClientSecret, error) {
	return act[ClientSecret](ctx, c, path("/v1/clients/", id, "/reveal"))
}

// RevokeClient revokes a client. When it returns, every token it got is refused.
func (c *Client) RevokeClient(ctx context.Context, in RevokeKey) (OAuthClient, error) {
	return call[OAuthClient](ctx, c, http.MethodPost, path("/v1/clients/", in.ID, "/revoke"), in)
}

// DisableClient refuses a client until it is enabled again.
func (c *Client) DisableClient(ctx context.Context, id string) (OAuthClient, error) {
	return act[OAuthClient](ctx, c, path("/v1/clients/", id, "/disable"))
}

// EnableClient enables a disabled client.
func (c *Client) EnableClient(ctx context.Context, id string) (OAuthClient, error) {
	return act[OAuthClient](ctx, c, path("/v1/clients/", id, "/enable"))
}

// ListServiceAccounts iterates over service accounts, newest first.
func (c *Client) ListServiceAccounts(ctx context.Context, filter ClientFilter) iter.Seq2[ServiceAccount, error] {
	return all(filter.Page, func(p Page) (List[ServiceAccount], error) {
		filter.Page = p
		return c.ServiceAccountsPage(ctx, filter)
	})
}

// ServiceAccountsPage returns one page of service accounts.
func (c *Client) ServiceAccountsPage(ctx context.Context, filter ClientFilter) (List[ServiceAccount], error) {
	return get[List[ServiceAccount]](ctx, c, "/v1/service-accounts", filter)
}

// CreateServiceAccount creates a service account, which has no key yet.
func (c *Client) CreateServiceAccount(ctx context.Context, in CreateServiceAccount) (ServiceAccount, error) {
	return call[ServiceAccount](ctx, c, http.MethodPost, "/v1/service-accounts", in)
}

// GetServiceAccount returns a service account.
func (c *Client) GetServiceAccount(ctx context.Context, id string) (ServiceAccount, error) {
	return call[ServiceAccount](ctx, c, http.MethodGet, path("/v1/service-accounts/", id), nil)
}

// UpdateServiceAccount changes name, scopes, addresses, limits or expiry.
func (c *Client) UpdateServiceAccount(ctx context.Context, in UpdateKey) (ServiceAccount, error) {
	return call[ServiceAccount](ctx, c, http.MethodPatch, path("/v1/service-accounts/", in.ID), in)
}

// RevokeServiceAccount revokes a service account. When it returns, every token that it
// signed or got is refused.
func (c *Client) RevokeServiceAccount(ctx context.Context, in RevokeKey) (ServiceAccount, error) {
	return call[ServiceAccount](ctx, c, http.MethodPost, path("/v1/service-accounts/", in.ID, "/revoke"), in)
}

// DisableServiceAccount refuses a service account until it is enabled again.
func (c *Client) DisableServiceAccount(ctx context.Context, id string) (ServiceAccount, error) {
	return act[ServiceAccount](ctx, c, path("/v1/service-accounts/", id, "/disable"))
}

// EnableServiceAccount enables a disabled service account.
func (c *Client) EnableServiceAccount(ctx context.Context, id string) (ServiceAccount, error) {
	return act[ServiceAccount](ctx, c, path("/v1/service-accounts/", id, "/enable"))
}

// ListServiceAccountKeys returns the keys of a service account, newest first.
func (c *Client) ListServiceAccountKeys(ctx context.Context, filter ServiceAccountKeyFilter) ([]ServiceAccountKey, error) {
	list, err := get[List[ServiceAccountKey]](ctx, c, path("/v1/service-accounts/", filter.ServiceAccount, "/keys"), empty{})
	return list.Items, err
}

// CreateServiceAccountKey makes a key for a service account. The answer holds the key
// file; no other will.
func (c *Client) CreateServiceAccountKey(ctx context.Context, in CreateServiceAccountKey) (ServiceAccountKeyFile, error) {
	return call[ServiceAccountKeyFile](ctx, c, http.MethodPost, path("/v1/service-accounts/", in.ServiceAccount, "/keys"), in)
}

// RevokeServiceAccountKey revokes a key. When it returns, every token that it signed is
// refused.
func (c *Client) RevokeServiceAccountKey(ctx context.Context, id ServiceAccountKeyID) (ServiceAccountKey, error) {
	return act[ServiceAccountKey](ctx, c, path("/v1/service-accounts/", id.ServiceAccount, "/keys/", id.ID, "/revoke"))
}

// Reveal returns the file as it is kept: JSON with the private key in it. Write it where
// only its owner can read.
func (f KeyFile) Reveal() ([]byte, error) {
	return json.MarshalIndent(struct {
		KeyFile
		PrivateKey string `json:"private_key"` // in place of the redacted one
	}{f, f.PrivateKey.Reveal()}, "", "  ")
}
