package manage

import (
	"context"
	"crypto"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// maxAccountKeys is how many keys of a service account may work at once: enough to rotate
// several programs one by one.
const maxAccountKeys = 10

// errNoAccounts: the contract has no service_accounts section.
var errNoAccounts = cardea.Errorf(cardea.KindConflict, "the contract has no service accounts (service_accounts)")

// CreateServiceAccount creates a service account, which can do nothing before it has a
// key: [Manager.CreateServiceAccountKey].
func (m *Manager) CreateServiceAccount(ctx context.Context, actor cardea.Actor, in CreateServiceAccount) (ServiceAccount, error) {
	c := m.contract()
	if c.ServiceAccounts() == nil {
		return ServiceAccount{}, errNoAccounts
	}
	kind := c.AccountKind()
	if in.Scopes == nil && in.Permissions == nil && !kind.Scopes.IsEmpty() {
		return ServiceAccount{}, cardea.Invalid("scopes", "is required: what the service account may do, of: %s",
			rules.OrNone(c.ScopeNames(kind.Scopes)))
	}
	plan, err := m.plan(accountNoun, kind, CreateKey{
		Environment: in.Environment, Organization: in.Organization, Name: in.Name, Scopes: in.Scopes,
		Permissions: in.Permissions, Addresses: in.Addresses, Limits: in.Limits, ExpiresAt: in.ExpiresAt,
	})
	return m.asAccount(m.create(ctx, actor, plan, err))
}

// viewAccount returns what is shown of a service account.
func (k *keyRow) viewAccount(c *contract.Contract, now time.Time) ServiceAccount {
	return ServiceAccount{Key: k.view(c, now)}
}

// asAccount turns the outcome of a change of a service account into its answer.
func (m *Manager) asAccount(row keyRow, err error) (ServiceAccount, error) {
	if err != nil {
		return ServiceAccount{}, err
	}
	return row.viewAccount(m.contract(), m.now()), nil
}

// ServiceAccount returns a service account.
func (m *Manager) ServiceAccount(ctx context.Context, actor cardea.Actor, in ID) (ServiceAccount, error) {
	return m.asAccount(m.find(ctx, m.store.Reader, actor, accountNoun, in.ID, access.Read))
}

// ServiceAccounts lists service accounts, newest first.
func (m *Manager) ServiceAccounts(ctx context.Context, actor cardea.Actor, in ClientFilter) (List[ServiceAccount], error) {
	return listKeys(ctx, m, actor, accountNoun, in.keys(), (*keyRow).viewAccount)
}

// UpdateServiceAccount changes a service account. Its tokens may never do more than it.
func (m *Manager) UpdateServiceAccount(ctx context.Context, actor cardea.Actor, in UpdateKey) (ServiceAccount, error) {
	return m.asAccount(m.update(ctx, actor, accountNoun, in, nil))
}

// RevokeServiceAccount ends a service account for good: every token that it signed or got
// is refused from the moment it returns.
func (m *Manager) RevokeServiceAccount(ctx context.Context, actor cardea.Actor, in RevokeKey) (ServiceAccount, error) {
	return m.asAccount(m.revoke(ctx, actor, accountNoun, in))
}

// DisableServiceAccount refuses a service account until [Manager.EnableServiceAccount].
func (m *Manager) DisableServiceAccount(ctx context.Context, actor cardea.Actor, in ID) (ServiceAccount, error) {
	return m.asAccount(m.disable(ctx, actor, accountNoun, in))
}

// EnableServiceAccount ends what [Manager.DisableServiceAccount] began.
func (m *Manager) EnableServiceAccount(ctx context.Context, actor cardea.Actor, in ID) (ServiceAccount, error) {
	return m.asAccount(m.enable(ctx, actor, accountNoun, in))
}

// viewAccountKey returns what is shown of a service account's key.
func viewAccountKey(k store.ServiceAccountKey, now time.Time) ServiceAccountKey {
	v := ServiceAccountKey{
		ID: k.ID, ServiceAccount: k.Account, Algorithm: k.Algorithm, Status: StatusActive,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt,
	}
	switch {
	case !k.RevokedAt.IsZero():
		v.Status = StatusRevoked
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		v.Status = StatusExpired
	}
	return v
}

// ServiceAccountKeys lists the keys of a service account, newest first.
func (m *Manager) ServiceAccountKeys(ctx context.Context, actor cardea.Actor, in ServiceAccountKeyFilter) (List[ServiceAccountKey], error) {
	row, err := m.find(ctx, m.store.Reader, actor, accountNoun, in.ServiceAccount, access.Read)
	if err != nil {
		return List[ServiceAccountKey]{}, err
	}
	found, err := m.store.AccountKeys(ctx, row.credential.ID)
	if err != nil {
		return List[ServiceAccountKey]{}, err
	}
	out := List[ServiceAccountKey]{Items: make([]ServiceAccountKey, len(found))}
	for i, k := range found {
		out.Items[i] = viewAccountKey(k, m.now())
	}
	return out, nil
}

// CreateServiceAccountKey makes a key pair for a service account and returns the file
// with its private half, once: Cardea keeps the public half only.
func (m *Manager) CreateServiceAccountKey(ctx context.Context, actor cardea.Actor, in CreateServiceAccountKey) (ServiceAccountKeyFile, error) {
	c := m.contract()
	terms := c.ServiceAccounts()
	if terms == nil {
		return ServiceAccountKeyFile{}, errNoAccounts
	}
	if in.Algorithm == "" && len(terms.Algorithms) > 0 {
		in.Algorithm = terms.Algorithms[0]
	}
	var p rules.Problems
	if !slices.Contains(terms.Algorithms, in.Algorithm) {
		p.Add(cardea.Invalid("algorithm", "must be one of these: %s", strings.Join(terms.Algorithms, ", ")))
	}
	expires := in.ExpiresAt.UTC().Truncate(time.Microsecond)
	if !in.ExpiresAt.IsZero() && !expires.After(m.now()) {
		p.Add(cardea.Invalid("expires_at", "must be in the future"))
	}
	if err := p.Err(); err != nil {
		return ServiceAccountKeyFile{}, err
	}
	// Before the work: an RSA key takes a third of a second, which is no gift to strangers.
	if _, err := m.find(ctx, m.store.Reader, actor, accountNoun, in.ServiceAccount, access.Secrets); err != nil {
		return ServiceAccountKeyFile{}, err
	}
	private, err := token.Generate(in.Algorithm)
	if err != nil {
		return ServiceAccountKeyFile{}, err
	}
	public, err := token.MarshalPublic(private.Public())
	if err != nil {
		return ServiceAccountKeyFile{}, err
	}
	key := store.ServiceAccountKey{
		ID: secret.NewID(accountKeyPrefix), Account: in.ServiceAccount, Algorithm: in.Algorithm, PublicKey: public, ExpiresAt: expires,
	}
	var account store.Credential
	err = m.change(ctx, actor, func(tx *store.Tx) error {
		key.CreatedAt = tx.Now()
		account, err = m.insertAccountKey(ctx, tx, actor, key)
		return err
	})
	if err != nil {
		return ServiceAccountKeyFile{}, err
	}
	file, err := m.keyFile(c, account, key, private)
	if err != nil {
		return ServiceAccountKeyFile{}, err
	}
	return ServiceAccountKeyFile{Key: viewAccountKey(key, m.now()), Name: terms.File, File: file}, nil
}

// accountKeyPrefix begins the ids of service accounts' keys.
const accountKeyPrefix = "sak_"

// insertAccountKey stores a new key of a service account that may have one.
func (m *Manager) insertAccountKey(ctx context.Context, tx *store.Tx, actor cardea.Actor, key store.ServiceAccountKey) (store.Credential, error) {
	row, err := m.find(ctx, tx.Reader, actor, accountNoun, key.Account, access.Secrets)
	if err != nil {
		return store.Credential{}, err
	}
	if !row.credential.RevokedAt.IsZero() {
		return store.Credential{}, cardea.Errorf(cardea.KindConflict, "the service account is revoked, which is final: create a new one")
	}
	all, err := tx.AccountKeys(ctx, key.Account)
	if err != nil {
		return store.Credential{}, err
	}
	working := slices.DeleteFunc(all, func(k store.ServiceAccountKey) bool { return viewAccountKey(k, tx.Now()).Status != StatusActive })
	if len(working) >= maxAccountKeys {
		return store.Credential{}, cardea.Errorf(cardea.KindConflict, "there are %d keys already, which is the most: revoke one first", len(working))
	}
	access.Audit(tx, "service_account_key.create", "service_account_key", key.ID, row.credential.Organization, nil, viewAccountKey(key, tx.Now()))
	return row.credential, tx.InsertAccountKey(ctx, key)
}

// keyFile returns the content of a new key's file.
func (m *Manager) keyFile(c *contract.Contract, account store.Credential, key store.ServiceAccountKey, private crypto.Signer) (KeyFile, error) {
	der, err := token.MarshalPrivate(private)
	if err != nil {
		return KeyFile{}, err
	}
	terms := c.ServiceAccounts()
	file := KeyFile{
		Type: accountNoun.kind, ClientID: account.ID, Organization: account.Organization, Environment: account.Environment,
		KeyID: key.ID, Algorithm: key.Algorithm,
		PrivateKey: secret.Known("", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
		Issuer:     terms.Issuer, Audience: terms.Audience, ScopeClaim: terms.ScopeClaim, Claims: map[string]string{},
		MaxLifetimeSeconds: int64(terms.MaxLifetime / time.Second),
	}
	for _, claim := range terms.Claims {
		if value, ok := accountFact(claim.Fact, account); ok {
			file.Claims[claim.Name] = value
		}
	}
	for _, e := range c.Endpoints().Token {
		if slices.ContainsFunc(e.Grants, func(g contract.TokenGrant) bool { return g.Grant == contract.GrantJWTBearer }) {
			file.TokenURI = c.EndpointURL(&e.Endpoint, m.origin())
			break
		}
	}
	return file, nil
}

// Reveal returns the file as it is kept, JSON with the private key in it: the way a new key
// leaves the process, once.
func (f KeyFile) Reveal() ([]byte, error) {
	return json.Marshal(f, json.Deterministic(true), jsontext.WithIndent("  "),
		json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, s secret.Secret) error {
			return e.WriteToken(jsontext.String(s.Reveal()))
		})))
}

// accountFact returns what is so about a service account for as long as it exists.
func accountFact(f contract.Fact, account store.Credential) (string, bool) {
	switch f {
	case contract.FactOrganization:
		return account.Organization, true
	case contract.FactEnvironment:
		return account.Environment, true
	case contract.FactKind:
		return account.Kind, true
	case contract.FactSubject, contract.FactCredential:
		return account.ID, true
	}
	return "", false
}

// RevokeServiceAccountKey ends a key of a service account: every token that it signed is
// refused from the moment it returns. The account's other keys go on.
func (m *Manager) RevokeServiceAccountKey(ctx context.Context, actor cardea.Actor, in ServiceAccountKeyID) (ServiceAccountKey, error) {
	if !rules.ValidID(in.ID) {
		return ServiceAccountKey{}, access.NotFound("key of the service account")
	}
	var key store.ServiceAccountKey
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		row, err := m.find(ctx, tx.Reader, actor, accountNoun, in.ServiceAccount, access.Keys)
		if err != nil {
			return err
		}
		key, err = tx.AccountKey(ctx, in.ID)
		switch {
		case cardea.KindOf(err) == cardea.KindNotFound, err == nil && key.Account != row.credential.ID:
			return access.NotFound("key of the service account")
		case err != nil:
			return err
		case !key.RevokedAt.IsZero():
			tx.Changed(store.ChangeCredential, key.Account) // evict again, see [Manager.change]
			return nil
		}
		before := viewAccountKey(key, tx.Now())
		key.RevokedAt = tx.Now()
		access.Audit(tx, "service_account_key.revoke", "service_account_key", key.ID, row.credential.Organization,
			before, viewAccountKey(key, tx.Now()))
		return tx.UpdateAccountKey(ctx, key)
	})
	if err != nil {
		return ServiceAccountKey{}, err
	}
	return viewAccountKey(key, m.now()), nil
}
