package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/clientdoc"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a client
// whose id is the address of a document that describes it. Nobody has registered such a
// client, and nobody here vouches for what it says of itself.
//
// What the document says is used while a person is asked and while the client
// authenticates. When a member first agrees, the client gets a row in the member's
// organization, whose administrators can see it and turn it off; tokens, consents and
// the audit log know it by that row's id.

// isRow reports whether the client is the row of a document in one organization: such an
// id is none that a client may name itself by.
func (c *client) isRow() bool { return c.MetadataURL != "" && c.Credential.ID != c.MetadataURL }

// errNoDocument: the address has no good metadata document.
var errNoDocument = cardea.Errorf(cardea.KindNotFound, "no such client")

// metadataClient returns the client that a document describes, or a KindNotFound error.
// It belongs to no organization and works in the first environment.
func (s *Server) metadataClient(ctx context.Context, c *contract.Contract, id string) (store.Client, error) {
	terms := c.Clients()
	if terms == nil || !terms.MetadataDocuments || s.documents == nil {
		return store.Client{}, errNoDocument
	}
	d, err := s.documents.Get(ctx, id)
	switch {
	case errors.Is(err, clientdoc.ErrNone):
		return store.Client{}, errNoDocument
	case errors.Is(err, clientdoc.ErrBusy):
		return store.Client{}, errFetching
	case err != nil:
		return store.Client{}, err
	}
	return documentClient(c, d)
}

// fetchesPerPerson is how many documents are fetched for one person in a minute. There are
// few fetches at a time, and slow addresses are easily had.
const fetchesPerPerson = 20

// errManyClients: somebody has tried too many addresses.
var errManyClients = &Error{
	Code: codeTemporarilyUnavailable, Description: "too many applications were tried", status: http.StatusTooManyRequests, after: 60,
}

// mayFetch reports whether the document at an address may be fetched for a person, if it
// has to be.
func (s *Server) mayFetch(r *request, id string, who people.Session) bool {
	return s.documents == nil || s.documents.Has(id) || s.starts.take("fetch "+who.Member.ID, fetchesPerPerson, r.now)
}

// calling returns the client that a request to an endpoint for programs says it comes
// from. An address is fetched only when somebody here has agreed to its client before:
// strangers must not make Cardea reach out to where they choose.
func (s *Server) calling(ctx context.Context, r *request, id string) (*client, error) {
	if clientdoc.IsURL(id) && s.documents != nil && !s.documents.Has(id) {
		_, err := s.store.ClientByMetadata(ctx, id, "", "")
		switch {
		case cardea.KindOf(err) == cardea.KindNotFound:
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	return s.client(ctx, r.contract, id)
}

// errFetching: too many documents are being fetched.
var errFetching = &Error{
	Code: codeTemporarilyUnavailable, Description: "try again in a moment", status: http.StatusServiceUnavailable, after: retryAfter,
}

// documentClient returns the client that a document describes under a contract.
func documentClient(c *contract.Contract, d *clientdoc.Document) (store.Client, error) {
	if rules.Name("client_name", d.Name) != nil {
		return store.Client{}, errNoDocument // as if somebody had registered it
	}
	scopes := c.Clients().Scopes
	if d.Scopes != nil {
		asked, _ := c.ScopeSet(d.Scopes...) // what the contract does not have is nothing
		scopes = asked.Intersect(c.Expand(scopes))
	}
	row := store.Client{
		Credential: store.Credential{
			ID: d.ID, Kind: store.KindClient, Name: d.Name, Environment: c.Environments()[0].Name, Scopes: c.ScopeNames(scopes),
		},
		RedirectURIs: d.RedirectURIs, Public: d.Public, PublicKeys: d.Keys, JWKSURL: d.KeysURL, MetadataURL: d.ID,
		HomeURL: d.HomeURL, PolicyURL: d.PolicyURL, TermsURL: d.TermsURL, DPoPRequired: d.DPoP,
	}
	if !d.Public {
		row.Authentication = []string{string(contract.PrivateKeyJWT)}
	}
	// The grants that a person takes part in, at the authorization page.
	for _, g := range []contract.Grant{contract.GrantAuthorizationCode, contract.GrantRefreshToken} {
		named := len(d.GrantTypes) == 0 || slices.Contains(d.GrantTypes, string(g))
		if named && slices.Contains(c.Clients().Grants, g) {
			row.Grants = append(row.Grants, string(g))
		}
	}
	if len(row.Grants) == 0 {
		return store.Client{}, errNoDocument
	}
	return row, nil
}

// registered returns the id of the row that a client has in a person's organization, ""
// when it has none yet. blocked: an administrator has turned it off there.
func (s *Server) registered(ctx context.Context, c *client, who people.Session) (id string, blocked bool, err error) {
	if c.MetadataURL == "" {
		return c.id(), false, nil
	}
	row, err := s.store.ClientByMetadata(ctx, c.MetadataURL, who.Organization.ID, c.env.Name)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	return row.Credential.ID, row.Credential.Status(s.now()) != store.StatusActive, nil
}

// ensureRow returns the id of the client's row in an organization, making it when it is
// the first time.
func ensureRow(ctx context.Context, tx *store.Tx, c *client, organization string) (string, error) {
	if c.MetadataURL == "" {
		return c.id(), nil
	}
	row, err := tx.ClientByMetadata(ctx, c.MetadataURL, organization, c.env.Name)
	if err == nil && row.Credential.Status(tx.Now()) != store.StatusActive {
		return "", errBlocked
	}
	if err == nil || cardea.KindOf(err) != cardea.KindNotFound {
		return row.Credential.ID, err
	}
	row = c.Client
	row.Credential = store.Credential{
		ID: secret.NewID(c.contract.IDPrefix(contract.IDClient)), Kind: store.KindClient, Environment: c.env.Name,
		Organization: organization, Name: c.Credential.Name, Scopes: c.contract.ScopeNames(c.contract.Clients().Scopes),
		CreatedBy: tx.Actor().ID,
	}
	tx.Audit(store.Event{
		Action: "client.discover", TargetType: "client", TargetID: row.Credential.ID, Organization: organization,
		Detail: discoverDetail{URL: c.MetadataURL, Name: row.Credential.Name},
	})
	return row.Credential.ID, tx.InsertClient(ctx, row)
}

// A discoverDetail is what the audit log says of a client that a document describes.
type discoverDetail struct {
	URL  string `json:"metadata_url"`
	Name string `json:"name"`
}

// ownedBy returns the client that something was issued to, given the id it was stored
// under, when that client is the one that asks; nil when it is not, or may do nothing
// any more. What is issued from it is issued to the client that is returned.
func (s *Server) ownedBy(ctx context.Context, r *request, id string) (*client, error) {
	caller := r.caller.client
	if caller == nil {
		return nil, nil
	}
	if caller.MetadataURL == "" {
		if caller.id() != id {
			return nil, nil
		}
		return caller, nil
	}
	row, err := s.client(ctx, r.contract, id)
	if err != nil || row == nil || row.MetadataURL != caller.MetadataURL || !row.good(r.now) || !row.admits(r.address) {
		return nil, err
	}
	// The row says who the client is here, the document what it is like today.
	out := *row
	out.Public, out.Authentication, out.Grants = caller.Public, caller.Authentication, caller.Grants
	out.scopes, out.defaults = row.scopes.Intersect(caller.contract.Expand(caller.scopes)), caller.defaults
	return &out, nil
}
