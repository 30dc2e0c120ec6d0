package store

import "context"

// A Client is an application that asks for tokens. It is a credential of the kind
// [KindClient], whose id is the client_id and whose secrets are the client's, with what
// OAuth wants to know besides.
type Client struct {
	Credential     Credential
	RedirectURIs   []string
	Grants         []string
	Public         bool     // it has no way to keep a secret
	Authentication []string // the ways in which it may prove who it is
	PublicKeys     []byte   // its JSON Web Key Set; nil: it has none here
	JWKSURL        string   // where its key set is; "": nowhere
	Origins        []string // web origins that may ask on its behalf
	LogoURL        string
	HomeURL        string
	PolicyURL      string
	TermsURL       string
	FirstParty     bool   // members are not asked for consent
	MetadataURL    string // of its metadata document, when that is its client_id; else ""
	DPoPRequired   bool   // its tokens are bound to a key of its own (RFC 9449)
	RequirePushed  bool   // it sends its authorization requests ahead (RFC 9126 §6)
}

// Columns that no column of credential is named like, so that both can be selected
// together without prefixes.
const clientColumns = "credential, redirect_uris, grants, is_public, authentication, public_keys, jwks_url, origins, " +
	"logo_url, home_url, policy_url, terms_url, first_party, metadata_url, dpop_required, require_pushed"

func (c *Client) details() []any {
	return []any{
		&c.Credential.ID, (*words)(&c.RedirectURIs), (*words)(&c.Grants), (*flag)(&c.Public),
		(*words)(&c.Authentication), &c.PublicKeys, &c.JWKSURL, (*words)(&c.Origins), &c.LogoURL,
		&c.HomeURL, &c.PolicyURL, &c.TermsURL, (*flag)(&c.FirstParty), (*text)(&c.MetadataURL),
		(*flag)(&c.DPoPRequired), (*flag)(&c.RequirePushed),
	}
}

var clientDetails = newTable("client", "client", clientColumns, (*Client).details)

// clients reads credential and details in one row.
var clients = &table[Client]{
	noun:   "client",
	head:   `SELECT ` + credentialColumns + `, ` + clientColumns + ` FROM credential JOIN client ON credential = id`,
	fields: func(c *Client) []any { return append(c.Credential.scan(), c.details()...) },
}

// Client returns one client, whatever its standing, or a KindNotFound error.
func (r Reader) Client(ctx context.Context, id string) (Client, error) {
	return clients.one(ctx, r, clients.where("id = ?", id))
}

// ClientByMetadata returns the client that an organization has for a metadata document in
// an environment, the newest when there are several, or a KindNotFound error. An empty
// organization or environment means any.
func (r Reader) ClientByMetadata(ctx context.Context, url, organization, environment string) (Client, error) {
	s := clients.where("metadata_url = ?", url).and("organization = ?", organization)
	s.and("environment = ?", environment).add(" ORDER BY created_at DESC, id DESC LIMIT 1")
	return clients.one(ctx, r, s)
}

// Clients lists clients and returns the cursor of the next page. The filter's Kind is
// not looked at.
func (r Reader) Clients(ctx context.Context, f CredentialFilter, p Page) ([]Client, string, error) {
	f.Kind = KindClient
	ids, next, err := r.credentialIDs(ctx, f, p)
	if err != nil || len(ids) == 0 {
		return []Client{}, "", err
	}
	list, err := clients.all(ctx, r, sel(clients.head).in("id", ids))
	return inOrder(list, ids, func(c *Client) string { return c.Credential.ID }), next, err
}

// InsertClient stores a new client, without secrets, as [Tx.InsertCredential] does. Its
// credential's kind is set.
func (tx *Tx) InsertClient(ctx context.Context, c Client) error {
	c.Credential.Kind = KindClient
	if err := tx.InsertCredential(ctx, c.Credential); err != nil {
		return err
	}
	return clientDetails.put(ctx, tx, &c)
}

// UpdateClient stores everything that may change about a client, its credential as
// [Tx.UpdateCredential] does. KindNotFound when there is none.
func (tx *Tx) UpdateClient(ctx context.Context, c Client) error {
	if err := tx.UpdateCredential(ctx, c.Credential); err != nil {
		return err
	}
	if err := tx.becomesClient(ctx, &c); err != nil {
		return err
	}
	return tx.change(ctx, "client", `UPDATE client
		SET redirect_uris = $1, grants = $2, is_public = $3, authentication = $4, public_keys = $5, jwks_url = $6,
		    origins = $7, logo_url = $8, home_url = $9, policy_url = $10, terms_url = $11, first_party = $12,
		    metadata_url = $13, dpop_required = $14, require_pushed = $15
		WHERE credential = $16`, append(c.details()[1:], c.Credential.ID)...)
}
