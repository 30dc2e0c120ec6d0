package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A noun is a sort of credential. Keys, clients and service accounts are all rows of the
// same table with the same rules; what differs is what they are called and what else
// belongs to them.
type noun struct {
	name string // in the audit log: the target's type, and how actions begin
	text string // in messages
	id   contract.IDKind
	kind string // the reserved kind; "" for keys, whose kinds are the contract's
}

// The sorts of credential.
var (
	keyNoun     = noun{name: "key", text: "key", id: contract.IDKey}
	clientNoun  = noun{name: "client", text: "client", id: contract.IDClient, kind: store.KindClient}
	accountNoun = noun{name: "service_account", text: "service account", id: contract.IDServiceAccount, kind: store.KindServiceAccount}
)

// nounOf returns the sort of a stored credential.
func nounOf(kind string) noun {
	switch kind {
	case clientNoun.kind:
		return clientNoun
	case accountNoun.kind:
		return accountNoun
	}
	return keyNoun
}

// kindOf returns what the contract says about credentials of a stored kind, nil when it
// no longer has it.
func kindOf(c *contract.Contract, kind string) *contract.KeyKind {
	switch kind {
	case clientNoun.kind:
		if c.Clients() == nil {
			return nil
		}
		return c.ClientKind()
	case accountNoun.kind:
		if c.ServiceAccounts() == nil {
			return nil
		}
		return c.AccountKind()
	}
	return c.Kind(kind)
}

// over narrows a right to change something to the sort of credential: who may create
// clients and service accounts may manage them.
func (n noun) over(c *contract.Contract, need access.Right) access.Right {
	if n.kind == "" {
		return need
	}
	if kind := kindOf(c, n.kind); kind != nil {
		return need.For(creators(kind))
	}
	return need.For(access.Admin)
}

// creators returns the right to create credentials of a kind. The contract does not say
// it of service accounts: they get what clients get unless told.
func creators(kind *contract.KeyKind) access.Right {
	if kind.Name == accountNoun.kind {
		return access.Secrets.For(access.Admin)
	}
	return access.Roles(kind.CreatedBy)
}

// A keyRow is what is stored about a credential.
type keyRow struct {
	credential store.Credential
	secrets    []store.CredentialSecret // newest first

	// client is the rest of a client; its Credential is not used.
	client store.Client

	// member is the person it belongs to; zero: nobody.
	member store.Member

	// ends says that a change ends the access tokens made from it, secret is the new
	// secret that a change made.
	ends   bool
	secret secret.Secret
}

// noun returns the sort of the credential.
func (k *keyRow) noun() noun { return nounOf(k.credential.Kind) }

// shown returns the view that is recorded of the credential.
func (k *keyRow) shown(c *contract.Contract, now time.Time) any {
	if k.noun() == clientNoun {
		return k.viewClient(c, now)
	}
	return k.view(c, now)
}

// insert stores a new credential.
func (k *keyRow) insert(ctx context.Context, tx *store.Tx) error {
	if k.noun() != clientNoun {
		return tx.InsertCredential(ctx, k.credential)
	}
	k.client.Credential = k.credential
	return tx.InsertClient(ctx, k.client)
}

// update stores a changed credential.
func (k *keyRow) update(ctx context.Context, tx *store.Tx) error {
	if k.noun() != clientNoun {
		return tx.UpdateCredential(ctx, k.credential)
	}
	k.client.Credential = k.credential
	return tx.UpdateClient(ctx, k.client)
}

// find returns a credential of a sort that actor has a right over.
func (m *Manager) find(ctx context.Context, r store.Reader, actor cardea.Actor, n noun, id string, need access.Right) (keyRow, error) {
	if !rules.ValidID(id) {
		return keyRow{}, access.NotFound(n.text)
	}
	c, err := r.Credential(ctx, id)
	if cardea.KindOf(err) == cardea.KindNotFound || err == nil && nounOf(c.Kind) != n {
		return keyRow{}, access.NotFound(n.text)
	}
	if err != nil {
		return keyRow{}, err
	}
	need = n.over(m.contract(), need).OverKey(actor, c.Member)
	if err := m.access.Allow(ctx, r, actor, c.Organization, n.text, need); err != nil {
		return keyRow{}, err
	}
	return m.readKey(ctx, r, c)
}

// readKey reads what else is stored about a credential.
func (m *Manager) readKey(ctx context.Context, r store.Reader, c store.Credential) (keyRow, error) {
	row := keyRow{credential: c}
	var err error
	if row.secrets, err = r.Secrets(ctx, c.ID); err != nil {
		return keyRow{}, err
	}
	if row.noun() == clientNoun {
		if row.client, err = r.Client(ctx, c.ID); err != nil {
			return keyRow{}, err
		}
	}
	if c.Member == "" {
		return row, nil
	}
	row.member, err = r.Member(ctx, c.Member)
	return row, err
}
