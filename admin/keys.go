package admin

import (
	"context"
	"iter"
	"net/http"
)

// CountKeys counts keys by status, whatever the filter's status and order.
func (c *Client) CountKeys(ctx context.Context, filter KeyFilter) (Counts, error) {
	filter.Status, filter.Sort, filter.Page = "", "", Page{}
	return get[Counts](ctx, c, "/v1/key-counts", filter)
}

// RevokeKeys revokes several keys in one act. When it returns nobody gets in with those
// that it names as revoked.
func (c *Client) RevokeKeys(ctx context.Context, in RevokeKeys) (Revoked, error) {
	return call[Revoked](ctx, c, http.MethodPost, "/v1/revoke-keys", in)
}

// ListKeys iterates over keys, newest first.
func (c *Client) ListKeys(ctx context.Context, filter KeyFilter) iter.Seq2[Key, error] {
	return all(filter.Page, func(p Page) (List[Key], error) {
		filter.Page = p
		return c.KeysPage(ctx, filter)
	})
}

// KeysPage returns one page of keys.
func (c *Client) KeysPage(ctx context.Context, filter KeyFilter) (List[Key], error) {
	return get[List[Key]](ctx, c, "/v1/keys", filter)
}

// CreateKey creates a key. The answer holds its secret; no other will, unless the
// key is revealable.
func (c *Client) CreateKey(ctx context.Context, in CreateKey) (KeySecret, error) {
	return call[KeySecret](ctx, c, http.MethodPost, "/v1/keys", in)
}

// GetKey returns a key, without its secret.
func (c *Client) GetKey(ctx context.Context, id string) (Key, error) {
	return call[Key](ctx, c, http.MethodGet, path("/v1/keys/", id), nil)
}

// UpdateKey changes name, scopes, addresses, limits or expiry.
func (c *Client) UpdateKey(ctx context.Context, in UpdateKey) (Key, error) {
	return call[Key](ctx, c, http.MethodPatch, path("/v1/keys/", in.ID), in)
}

// RotateKey gives a key a new secret; the old one works until the overlap ends.
func (c *Client) RotateKey(ctx context.Context, in RotateKey) (KeySecret, error) {
	return call[KeySecret](ctx, c, http.MethodPost, path("/v1/keys/", in.ID, "/rotate"), in)
}

// RegenerateKey gives a key a new secret and a new lifetime; the old secret is refused
// from now on.
func (c *Client) RegenerateKey(ctx context.Context, id string) (KeySecret, error) {
	return act[KeySecret](ctx, c, path("/v1/keys/", id, "/regenerate"))
}

// FinishKeyRotation ends the overlap of a rotation now.
func (c *Client) FinishKeyRotation(ctx context.Context, id string) (Key, error) {
	return act[Key](ctx, c, path("/v1/keys/", id, "/finish-rotation"))
}

// RevokeKey revokes a key. When it returns, no request is accepted with the key.
func (c *Client) RevokeKey(ctx context.Context, in RevokeKey) (Key, error) {
	return call[Key](ctx, c, http.MethodPost, path("/v1/keys/", in.ID, "/revoke"), in)
}

// DisableKey refuses a key until it is enabled again.
func (c *Client) DisableKey(ctx context.Context, id string) (Key, error) {
	return act[Key](ctx, c, path("/v1/keys/", id, "/disable"))
}

// EnableKey enables a disabled key.
func (c *Client) EnableKey(ctx context.Context, id string) (Key, error) {
	return act[Key](ctx, c, path("/v1/keys/", id, "/enable"))
}

// RevealKey shows the secret of a revealable key again.
func (c *Client) RevealKey(ctx context.Context, id string) (KeySecret, error) {
	return act[KeySecret](ctx, c, path("/v1/keys/", id, "/reveal"))
}

// IdentifyKey returns the key that a secret belongs to.
func (c *Client) IdentifyKey(ctx context.Context, in IdentifyKey) (Key, error) {
	return call[Key](ctx, c, http.MethodPost, "/v1/identify", in)
}

// GetAddressList returns the addresses that an organization's credentials of one
// environment work from.
func (c *Client) GetAddressList(ctx context.Context, id AddressListID) (AddressList, error) {
	return call[AddressList](ctx, c, http.MethodGet, listPath(id, ""), nil)
}

// SetAddressList replaces an address list; an empty one, or nil, admits every address.
func (c *Client) SetAddressList(ctx context.Context, in Addresses) (AddressList, error) {
	if in.Addresses == nil {
		in.Addresses = []string{} // the API knows no null
	}
	return call[AddressList](ctx, c, http.MethodPut, listPath(in.AddressListID, ""), in)
}

// AddAddresses adds addresses to a list.
func (c *Client) AddAddresses(ctx context.Context, in Addresses) (AddressList, error) {
	return call[AddressList](ctx, c, http.MethodPost, listPath(in.AddressListID, "/add"), in)
}

// RemoveAddresses removes addresses from a list.
func (c *Client) RemoveAddresses(ctx context.Context, in Addresses) (AddressList, error) {
	return call[AddressList](ctx, c, http.MethodPost, listPath(in.AddressListID, "/remove"), in)
}

// listPath returns the path of an address list and an action on it.
func listPath(id AddressListID, action string) string {
	return path("/v1/address-lists/", id.Organization, "/", id.Environment) + action
}
