package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/server"
)

// self is the actor of what `cardea dev` creates.
var self = cardea.Actor{Type: "system", ID: "dev"}

// demo is what `cardea dev` creates to be tried: an organization, its owner, and a
// secret of every kind in every environment. It is kept in the data directory, secrets
// included, so that the next start shows the same ones: they open nothing but the
// sandbox of somebody's own machine.
type demo struct {
	Organization string                       `json:"organization"`
	Owner        string                       `json:"owner"`
	Password     string                       `json:"password"` // everybody's
	People       map[string]string            `json:"people"`   // :: role → member
	Staff        string                       `json:"staff"`    // the operator
	Secrets      map[string]map[string]string `json:"secrets"`  // :: kind → environment → secret
	Clients      map[string]Client            `json:"clients"`  // :: grant → client
	AccountFile  string                       `json:"account_file"`
}

// demoName is the name of the demo organization, as people type it.
const demoName = "Demo"

// demoFile is the file of the demo in the data directory, mode 0600.
const demoFile = "demo.json"

// seed reads the demo of a data directory and creates what is missing of it for the
// contract: everything on the first start, a kind that a later edit brought, a secret
// that was revoked or has expired.
func seed(ctx context.Context, m *manage.Manager, c *contract.Contract, dir string, now time.Time) (*demo, error) {
	d := &demo{}
	name := filepath.Join(dir, demoFile)
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, d); err != nil {
			return nil, fmt.Errorf("%s is damaged; delete it to have a new demo: %w", name, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := errors.Join(d.complete(ctx, m, c, now), d.completeOAuth(ctx, m, c, dir)); err != nil {
		return nil, fmt.Errorf("demo data: %w", err)
	}
	if text, err = json.MarshalIndent(d, "", "  "); err != nil {
		return nil, err
	}
	return d, server.WritePrivate(name, append(text, '\n'))
}

// complete creates what is missing.
func (d *demo) complete(ctx context.Context, m *manage.Manager, c *contract.Contract, now time.Time) error {
	if d.Organization == "" {
		o, err := m.CreateOrganization(ctx, self, manage.CreateOrganization{Name: demoName})
		if err != nil {
			return err
		}
		owner, err := m.CreateMember(ctx, self, manage.CreateMember{
			Organization: o.ID, Email: emailOf(cardea.RoleOwner), Name: "Demo Owner", Role: cardea.RoleOwner,
		})
		if err != nil {
			return err
		}
		d.Organization, d.Owner = o.ID, owner.ID
	}
	if err := d.completePeople(ctx, m); err != nil {
		return err
	}
	if d.Secrets == nil {
		d.Secrets = map[string]map[string]string{}
	}
	for _, kind := range c.Kinds() {
		if d.Secrets[kind.Name] == nil {
			d.Secrets[kind.Name] = map[string]string{}
		}
		for _, e := range c.Environments() {
			if !kind.Environments[e.Index] || works(ctx, m, d.Secrets[kind.Name][e.Name], kind, e) {
				continue
			}
			text, err := d.create(ctx, m, c, kind, e, now)
			if err != nil {
				return fmt.Errorf("a secret of kind %s: %w", kind.Name, err)
			}
			d.Secrets[kind.Name][e.Name] = text
		}
	}
	return nil
}

// works reports whether a secret is one of this kind and environment, and still good.
func works(ctx context.Context, m *manage.Manager, text string, kind *contract.KeyKind, e *contract.Environment) bool {
	if text == "" {
		return false
	}
	k, err := m.IdentifyKey(ctx, self, manage.IdentifyKey{Secret: text})
	good := k.Status == manage.StatusActive || k.Status == manage.StatusExpiring
	return err == nil && good && k.Kind == kind.Name && k.Environment == e.Name
}

// create creates a key with every scope that its kind may have.
func (d *demo) create(ctx context.Context, m *manage.Manager, c *contract.Contract, kind *contract.KeyKind, e *contract.Environment, now time.Time) (string, error) {
	in := manage.CreateKey{
		Kind: kind.Name, Environment: e.Name, Organization: d.Organization,
		Name: "Demo " + e.Name, Scopes: c.ScopeNames(kind.Scopes),
	}
	if kind.Owner == contract.OwnerMember {
		in.Member = d.Owner
	}
	if kind.ExpiryRequired {
		in.ExpiresAt = now.AddDate(1, 0, 0)
		if !kind.MaxLifetime.IsZero() {
			in.ExpiresAt = kind.MaxLifetime.After(now)
		}
	}
	made, err := m.CreateKey(ctx, self, in)
	if err != nil {
		return "", err
	}
	return made.Secret.Reveal(), nil
}
