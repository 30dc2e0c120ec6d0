package dev

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/server"
)

const (
	// loopbackRedirect is where a program on this machine waits for a code; the port is
	// its own choice (RFC 8252 §7.3).
	loopbackRedirect = "http://127.0.0.1/callback"
)

// completeOAuth creates what is missing of the clients and the service account.
func (d *demo) completeOAuth(ctx context.Context, m *manage.Manager, c *contract.Contract, dir string) error {
	if d.Clients == nil {
		d.Clients = map[string]Client{}
	}
	if err := d.createClients(ctx, m, c); err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	if c.ServiceAccounts() != nil && d.AccountFile == "" {
		if err := d.createAccount(ctx, m, c, dir); err != nil {
			return fmt.Errorf("a service account: %w", err)
		}
	}
	return nil
}

// createClients creates a client for each grant that starts with one, or a single client
// for all of them where an organization may have no more.
func (d *demo) createClients(ctx context.Context, m *manage.Manager, c *contract.Contract) error {
	if c.Clients() == nil {
		return nil
	}
	starts := []contract.Grant{contract.GrantClientCredentials, contract.GrantAuthorizationCode, contract.GrantDeviceCode}
	for _, grant := range starts {
		if !slices.Contains(c.Clients().Grants, grant) || d.Clients[string(grant)].ClientID != "" {
			continue
		}
		if c.Clients().MaxPerOwner == 1 && len(d.Clients) > 0 {
			for _, other := range d.Clients {
				d.Clients[string(grant)] = other
			}
			continue
		}
		client, err := d.createClient(ctx, m, c, grant)
		if err != nil {
			return err
		}
		d.Clients[string(grant)] = client
	}
	return nil
}

// demoClients are what people read who are asked for consent.
var demoClients = map[contract.Grant]string{
	contract.GrantClientCredentials: "Demo program",
	contract.GrantAuthorizationCode: "Demo application",
	contract.GrantDeviceCode:        "Demo device",
}

// createClient creates a client for one grant and what follows from it.
func (d *demo) createClient(ctx context.Context, m *manage.Manager, c *contract.Contract, grant contract.Grant) (Client, error) {
	in := manage.CreateClient{
		Environment: c.Environments()[0].Name, Organization: d.Organization, Name: demoClients[grant],
		Grants: []string{string(grant)},
	}
	if c.Clients().MaxPerOwner == 1 {
		in.Name, in.Grants = "Demo", nil
	}
	if grant != contract.GrantClientCredentials && slices.Contains(c.Clients().Grants, contract.GrantRefreshToken) && in.Grants != nil {
		in.Grants = append(in.Grants, string(contract.GrantRefreshToken))
	}
	if grant == contract.GrantAuthorizationCode || in.Grants == nil && slices.Contains(c.Clients().Grants, contract.GrantAuthorizationCode) {
		if uri := c.Docs().RedirectURI; uri != "" {
			in.RedirectURIs = append(in.RedirectURIs, uri)
		}
		in.RedirectURIs = append(in.RedirectURIs, loopbackRedirect)
	}
	made, err := m.CreateClient(ctx, self, in)
	if err != nil {
		return Client{}, err
	}
	client := Client{ClientID: made.Client.ID}
	if !made.Secret.IsZero() {
		client.ClientSecret = made.Secret.Reveal()
	}
	if len(in.RedirectURIs) > 0 {
		client.RedirectURI = in.RedirectURIs[0]
	}
	return client, nil
}

// createAccount creates a service account with every scope there is for one, and writes
// its key file as somebody would have downloaded it.
func (d *demo) createAccount(ctx context.Context, m *manage.Manager, c *contract.Contract, dir string) error {
	account, err := m.CreateServiceAccount(ctx, self, manage.CreateServiceAccount{
		Environment: c.Environments()[0].Name, Organization: d.Organization, Name: "Demo",
		Scopes: c.ScopeNames(c.ServiceAccounts().Scopes),
	})
	if err != nil {
		return err
	}
	key, err := m.CreateServiceAccountKey(ctx, self, manage.CreateServiceAccountKey{ServiceAccount: account.ID})
	if err != nil {
		return err
	}
	text, err := key.File.Reveal()
	if err != nil {
		return err
	}
	name := filepath.Join(dir, key.Name)
	if err := server.WritePrivate(name, text); err != nil {
		return err
	}
	d.AccountFile = name
	return nil
}
