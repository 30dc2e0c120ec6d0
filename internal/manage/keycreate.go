package manage

import (
	"context"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A keyPlan is a checked [CreateKey], or the part of another input that is like one.
type keyPlan struct {
	in          CreateKey
	noun        noun
	client      store.Client // the rest of a client
	contract    *contract.Contract
	kind        *contract.KeyKind
	environment *contract.Environment
	scopes      []string
	addresses   []netip.Prefix
}

// planKey checks everything about an input that needs no database. The expiry is
// checked for the present time and chosen in the transaction.
func (m *Manager) planKey(in CreateKey) (keyPlan, error) {
	kind, invalid := rules.Kind(m.contract(), in.Kind)
	if invalid != nil {
		return keyPlan{}, invalid // everything else depends on the kind
	}
	return m.plan(keyNoun, kind, in)
}

// plan checks an input for a known kind.
func (m *Manager) plan(n noun, kind *contract.KeyKind, in CreateKey) (keyPlan, error) {
	c := m.contract()
	plan := keyPlan{in: in, noun: n, contract: c, kind: kind}
	var p rules.Problems
	p.Add(rules.Name("name", in.Name))
	var invalid *cardea.Error
	plan.environment, invalid = rules.Environment(c, plan.kind, in.Environment)
	p.Add(invalid)
	p.Add(rules.Filter("organization", in.Organization))
	p.Add(rules.Filter("member", in.Member))
	p.Add(checkOwner(plan.kind, in))
	var faults rules.Problems
	plan.scopes, faults = rules.Grant(c, plan.kind, in.Scopes, in.Permissions)
	p = append(p, faults...)
	plan.addresses, invalid = keyAddresses(c, in.Addresses)
	p.Add(invalid)
	checkLimits(&p, in.Limits)
	_, invalid = rules.Expiry(plan.kind, m.now(), m.now(), in.ExpiresAt, in.NeverExpires)
	p.Add(invalid)
	return plan, p.Err()
}

// checkOwner reports an owner that does not fit the kind.
func checkOwner(kind *contract.KeyKind, in CreateKey) *cardea.Error {
	switch {
	case kind.Owner == contract.OwnerMember && in.Member == "":
		return cardea.Invalid("member", "is required: this kind of key belongs to a person")
	case kind.Owner == contract.OwnerEnvironment && in.Member != "":
		return cardea.Invalid("member", "must be absent: this kind of key belongs to an environment")
	case in.Organization == "" && in.Member == "":
		return cardea.Invalid("organization", "is required: the id of an organization")
	}
	return nil
}

// keyAddresses reads a key's address list; nil is none. Whether keys have lists is the
// contract's to say.
func keyAddresses(c *contract.Contract, texts []string) ([]netip.Prefix, *cardea.Error) {
	if len(texts) == 0 {
		return nil, nil
	}
	switch c.IPListPer() {
	case contract.IPListPerCredential, contract.IPListPerBoth:
		return rules.Addresses("addresses", texts)
	}
	return nil, cardea.Invalid("addresses", "must be absent: the contract gives no address lists to keys (ip_lists)")
}

// CreateKey creates a key and returns its secret, once. It is the only place that
// creates keys.
//
// Operators may create any key. Members may create keys in their own organization if
// the contract gives their role the right to that kind, and in no other person's name.
func (m *Manager) CreateKey(ctx context.Context, actor cardea.Actor, in CreateKey) (KeySecret, error) {
	plan, err := m.planKey(in)
	return m.asKeySecret(m.create(ctx, actor, plan, err))
}

// create creates a credential that was planned without an error.
func (m *Manager) create(ctx context.Context, actor cardea.Actor, plan keyPlan, err error) (keyRow, error) {
	if plan.in.Limits != nil { // limits of its own are a matter of what was sold
		if err := access.Operator(actor); err != nil {
			return keyRow{}, err
		}
	}
	if err != nil {
		return keyRow{}, err
	}
	var text secret.Secret
	if plan.noun == keyNoun || hasSecret(&plan.client) {
		if plan.kind.RevealAlways && m.sealer == nil {
			return keyRow{}, errNoMasterKey
		}
		text = newSecret(plan.kind, plan.environment)
	}
	id := secret.NewID(plan.contract.IDPrefix(plan.noun.id))
	var row keyRow
	err = m.change(ctx, actor, func(tx *store.Tx) error {
		organization, err := m.checkKeyOwner(ctx, tx, actor, &plan)
		if err != nil {
			return err
		}
		row, err = m.insertKey(ctx, tx, actor, &plan, id, organization, text)
		return err
	})
	if err != nil {
		return keyRow{}, err
	}
	return row, nil
}

// errNoMasterKey: the contract wants secrets that stay viewable, the server has nothing
// to seal them with.
var errNoMasterKey = cardea.Errorf(cardea.KindUnavailable,
	"the contract keeps the secrets of this kind viewable, and the server has no master key to seal them with")

// newSecret makes a secret of a kind for an environment.
func newSecret(kind *contract.KeyKind, env *contract.Environment) secret.Secret {
	return secret.New(string(kind.Shape), kind.Prefixes[env.Index])
}

// checkKeyOwner finds the organization that will own the key, and refuses when it, the
// member or the actor may not.
func (m *Manager) checkKeyOwner(ctx context.Context, tx *store.Tx, actor cardea.Actor, plan *keyPlan) (string, error) {
	id := plan.in.Organization
	if plan.in.Member != "" {
		member, err := tx.Member(ctx, plan.in.Member)
		if err != nil {
			return "", atField(err, "member")
		}
		if id == "" {
			id = member.Organization
		}
		switch {
		case member.Organization != id:
			return "", cardea.Invalid("member", "does not exist")
		case !member.DisabledAt.IsZero():
			return "", &cardea.Error{Kind: cardea.KindConflict, Field: "member", Public: "is disabled"}
		}
	}
	need := creators(plan.kind)
	if plan.in.Member != actor.ID {
		need = need.OverKey(actor, plan.in.Member)
	}
	o, err := m.findOrganization(ctx, tx.Reader, actor, id, need)
	if err != nil {
		return "", atField(err, "organization")
	}
	if o.Staff {
		return "", &cardea.Error{Kind: cardea.KindConflict, Field: "organization", Public: errStaff.Public}
	}
	if !o.SuspendedAt.IsZero() {
		return "", &cardea.Error{Kind: cardea.KindConflict, Field: "organization", Public: "is suspended"}
	}
	return o.ID, m.checkCount(ctx, tx, plan, o.ID)
}

// checkCount refuses one key more than the kind allows its owner. Revoked keys do not
// count.
func (m *Manager) checkCount(ctx context.Context, tx *store.Tx, plan *keyPlan, organization string) error {
	most := plan.kind.MaxPerOwner
	if most == 0 {
		return nil
	}
	filter := store.CredentialFilter{Organization: organization, Kind: plan.kind.Name}
	switch plan.kind.Owner {
	case contract.OwnerMember:
		filter.Member = plan.in.Member
	case contract.OwnerEnvironment:
		filter.Environment = plan.environment.Name
	}
	var n int64
	err := each(func(p store.Page) ([]store.Credential, string, error) { return tx.Credentials(ctx, filter, p) },
		func(c store.Credential) error {
			if c.RevokedAt.IsZero() {
				n++
			}
			return nil
		})
	if err == nil && n >= most {
		return cardea.Errorf(cardea.KindConflict, "there are %d %ss of this kind already, which is the most: revoke one first", n, plan.noun.text)
	}
	return err
}

// insertKey stores a new credential and its secret, if it has one.
func (m *Manager) insertKey(ctx context.Context, tx *store.Tx, actor cardea.Actor, plan *keyPlan, id, organization string, text secret.Secret) (keyRow, error) {
	expires, invalid := rules.Expiry(plan.kind, tx.Now(), tx.Now(), plan.in.ExpiresAt, plan.in.NeverExpires)
	if invalid != nil {
		return keyRow{}, invalid
	}
	row := keyRow{client: plan.client, secret: text, credential: store.Credential{
		ID: id, Kind: plan.kind.Name, Environment: plan.environment.Name, Organization: organization,
		Member: plan.in.Member, Name: plan.in.Name, Scopes: plan.scopes, Limits: plan.in.Limits.toStore(),
		Addresses: plan.addresses, ExpiresAt: expires, CreatedBy: actor.Type + ":" + actor.ID,
		CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}}
	if !text.IsZero() {
		row.secrets = []store.CredentialSecret{m.storedSecret(plan.kind, id, text, tx.Now())}
	}
	if err := row.insert(ctx, tx); err != nil {
		return keyRow{}, err
	}
	access.Audit(tx, plan.noun.name+".create", plan.noun.name, id, organization, nil, row.shown(plan.contract, tx.Now()))
	for _, s := range row.secrets {
		if err := tx.InsertSecret(ctx, s); err != nil {
			return keyRow{}, err
		}
	}
	return row, nil
}

// storedSecret returns what is stored of a secret: its hash and hint, and for kinds that
// stay viewable the sealed text.
func (m *Manager) storedSecret(kind *contract.KeyKind, credential string, text secret.Secret, now time.Time) store.CredentialSecret {
	s := store.CredentialSecret{Hash: text.Hash(), Credential: credential, Hint: text.Hint(), CreatedAt: now}
	if kind.RevealAlways {
		s.Sealed = m.sealer.Seal(sealPlace(s.Hash), []byte(text.Reveal()))
	}
	return s
}

// sealPlace names the row that a sealed secret belongs to: copied to another, it cannot
// be opened.
func sealPlace(h secret.Hash) string {
	return secret.AAD("credential_secret", hex.EncodeToString(h[:]), 1)
}
