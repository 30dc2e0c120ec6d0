package manage

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/store"
)

// errNoClients: the contract has no clients section.
var errNoClients = cardea.Errorf(cardea.KindConflict, "the contract has no OAuth clients (clients)")

// CreateClient creates an OAuth 2.0 client and returns its secret, once. It is the only
// place where people create clients.
//
// Operators may create clients in any organization, members in their own if the contract
// gives their role the right to.
func (m *Manager) CreateClient(ctx context.Context, actor cardea.Actor, in CreateClient) (ClientSecret, error) {
	plan, err := m.planClient(actor, in)
	return m.asClientSecret(m.create(ctx, actor, plan, err))
}

// planClient checks everything about an input that needs no database.
func (m *Manager) planClient(actor cardea.Actor, in CreateClient) (keyPlan, error) {
	c := m.contract()
	if c.Clients() == nil {
		return keyPlan{}, errNoClients
	}
	if in.FirstParty {
		if err := access.Operator(actor); err != nil {
			return keyPlan{}, err
		}
	}
	kind := c.ClientKind()
	if in.Scopes == nil && in.Permissions == nil && kind.DefaultScopes.IsEmpty() {
		in.Scopes = c.ScopeNames(kind.Scopes)
	}
	plan, err := m.plan(clientNoun, kind, CreateKey{
		Environment: in.Environment, Organization: in.Organization, Name: in.Name, Scopes: in.Scopes,
		Permissions: in.Permissions, Addresses: in.Addresses, Limits: in.Limits, ExpiresAt: in.ExpiresAt,
	})
	client, faults := newClient(c, in)
	plan.client = client
	return plan, errors.Join(err, faults)
}

// newClient returns what is stored of a new client beside its credential.
func newClient(c *contract.Contract, in CreateClient) (store.Client, error) {
	client := store.Client{Public: in.Public}
	err := editClient(c, &client, UpdateClient{
		Grants: in.Grants, Authentication: in.Authentication, RedirectURIs: in.RedirectURIs, Origins: in.Origins,
		JWKS: in.JWKS, JWKSURL: &in.JWKSURL, FirstParty: &in.FirstParty, DPoPRequired: &in.DPoPRequired,
		LogoURL: &in.LogoURL, HomeURL: &in.HomeURL, PolicyURL: &in.PolicyURL, TermsURL: &in.TermsURL,
	})
	return client, err
}

// viewClient returns what is shown of a client.
func (k *keyRow) viewClient(c *contract.Contract, now time.Time) Client {
	s := &k.client
	return Client{
		Key: k.view(c, now), Grants: orEmpty(s.Grants), Authentication: orEmpty(s.Authentication), Public: s.Public,
		RedirectURIs: orEmpty(s.RedirectURIs), Origins: orEmpty(s.Origins), FirstParty: s.FirstParty,
		DPoPRequired: s.DPoPRequired, JWKS: jsontext.Value(s.PublicKeys), JWKSURL: s.JWKSURL, MetadataURL: s.MetadataURL,
		LogoURL: s.LogoURL, HomeURL: s.HomeURL, PolicyURL: s.PolicyURL, TermsURL: s.TermsURL,
	}
}

// orEmpty returns a list that is never nil, since a list is never absent from a view.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// asClient and asClientSecret turn the outcome of a change of a client into its answer.
func (m *Manager) asClient(row keyRow, err error) (Client, error) {
	if err != nil {
		return Client{}, err
	}
	return row.viewClient(m.contract(), m.now()), nil
}

func (m *Manager) asClientSecret(row keyRow, err error) (ClientSecret, error) {
	client, err := m.asClient(row, err)
	return ClientSecret{Client: client, Secret: row.secret}, err
}

// Client returns a client.
func (m *Manager) Client(ctx context.Context, actor cardea.Actor, in ID) (Client, error) {
	return m.asClient(m.find(ctx, m.store.Reader, actor, clientNoun, in.ID, access.Read))
}

// Clients lists clients, newest first.
func (m *Manager) Clients(ctx context.Context, actor cardea.Actor, in ClientFilter) (List[Client], error) {
	return listKeys(ctx, m, actor, clientNoun, in.keys(), (*keyRow).viewClient)
}

// keys returns the filter as one of credentials.
func (f ClientFilter) keys() KeyFilter {
	return KeyFilter{Organization: f.Organization, Environment: f.Environment, Narrow: f.Narrow, Page: f.Page}
}

// UpdateClient changes a client. What it may no longer ask for, it does not get from the
// moment UpdateClient returns; losing scopes ends the access tokens it has.
func (m *Manager) UpdateClient(ctx context.Context, actor cardea.Actor, in UpdateClient) (Client, error) {
	if in.FirstParty != nil {
		if err := access.Operator(actor); err != nil {
			return Client{}, err
		}
	}
	return m.asClient(m.update(ctx, actor, clientNoun, UpdateKey{
		ID: in.ID, Name: in.Name, Scopes: in.Scopes, Permissions: in.Permissions, Addresses: in.Addresses,
		Limits: in.Limits, InheritLimits: in.InheritLimits, ExpiresAt: in.ExpiresAt, NeverExpires: in.NeverExpires,
	}, func(c *contract.Contract, row *keyRow) error {
		if !in.describes() {
			return nil
		}
		if row.client.MetadataURL != "" {
			return cardea.Errorf(cardea.KindConflict, "the client describes itself, at its metadata URL: change it there")
		}
		return editClient(c, &row.client, in)
	}))
}

// describes reports whether an update is about more than what every credential has.
func (in *UpdateClient) describes() bool {
	return in.Grants != nil || in.Authentication != nil || in.RedirectURIs != nil || in.Origins != nil || in.JWKS != nil ||
		in.JWKSURL != nil || in.FirstParty != nil || in.DPoPRequired != nil || in.LogoURL != nil || in.HomeURL != nil ||
		in.PolicyURL != nil || in.TermsURL != nil
}

// RotateClientSecret gives a client a new secret, returned once. The old one works until
// the overlap ends. See [Manager.RotateKey].
func (m *Manager) RotateClientSecret(ctx context.Context, actor cardea.Actor, in RotateKey) (ClientSecret, error) {
	return m.asClientSecret(m.rotate(ctx, actor, clientNoun, in))
}

// RegenerateClientSecret gives a client a new secret. The old one, and the access tokens
// that the client got, are refused from the moment it returns; refresh tokens still work,
// with the new secret.
func (m *Manager) RegenerateClientSecret(ctx context.Context, actor cardea.Actor, in ID) (ClientSecret, error) {
	return m.asClientSecret(m.regenerate(ctx, actor, clientNoun, in))
}

// FinishClientRotation ends a rotation's overlap.
func (m *Manager) FinishClientRotation(ctx context.Context, actor cardea.Actor, in ID) (Client, error) {
	return m.asClient(m.finishRotation(ctx, actor, clientNoun, in))
}

// RevealClientSecret shows the current secret of a client, where the contract keeps them
// viewable.
func (m *Manager) RevealClientSecret(ctx context.Context, actor cardea.Actor, in ID) (ClientSecret, error) {
	return m.asClientSecret(m.reveal(ctx, actor, clientNoun, in))
}

// RevokeClient ends a client for good: from the moment it returns it gets no token, and
// every token it got is refused.
func (m *Manager) RevokeClient(ctx context.Context, actor cardea.Actor, in RevokeKey) (Client, error) {
	return m.asClient(m.revoke(ctx, actor, clientNoun, in))
}

// DisableClient refuses a client, and ends the access tokens it has, until
// [Manager.EnableClient].
func (m *Manager) DisableClient(ctx context.Context, actor cardea.Actor, in ID) (Client, error) {
	return m.asClient(m.disable(ctx, actor, clientNoun, in))
}

// EnableClient ends what [Manager.DisableClient] began.
func (m *Manager) EnableClient(ctx context.Context, actor cardea.Actor, in ID) (Client, error) {
	return m.asClient(m.enable(ctx, actor, clientNoun, in))
}

// hasSecret reports whether a client authenticates with a secret.
func hasSecret(c *store.Client) bool {
	return slices.Contains(c.Authentication, string(contract.ClientSecretPost)) ||
		slices.Contains(c.Authentication, string(contract.ClientSecretBasic))
}
