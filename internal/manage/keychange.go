package manage

import (
	"context"
	"errors"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A keyEdit is one change of a credential: its name in the audit log, who may make it,
// and what it does.
type keyEdit struct {
	verb    string // "revoke": the event is "key.revoke", or "client.revoke"
	need    access.Right
	revoked bool // may be made to a revoked credential

	// change alters the row in place, and may write secrets itself. kind is nil when the
	// contract no longer has it.
	change func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error
}

// edit loads a credential of a sort, lets the edit change it, and stores and records it
// if that changed anything.
func (m *Manager) edit(ctx context.Context, actor cardea.Actor, n noun, id string, edit keyEdit) (keyRow, error) {
	c := m.contract()
	var row keyRow
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if row, err = m.find(ctx, tx.Reader, actor, n, id, edit.need); err != nil {
			return err
		}
		if !row.credential.RevokedAt.IsZero() && !edit.revoked {
			return cardea.Errorf(cardea.KindConflict, "the %s is revoked, which is final: create a new one", n.text)
		}
		before := row.shown(c, tx.Now())
		if err := edit.change(tx, c, kindOf(c, row.credential.Kind), &row); err != nil {
			return err
		}
		if row.secrets, err = tx.Secrets(ctx, id); err != nil { // the edit may have added or ended some
			return err
		}
		after := row.shown(c, tx.Now())
		if access.Diff(before, after).Empty() {
			tx.Changed(store.ChangeCredential, id) // evict again, see [Manager.change]
			return nil
		}
		row.credential.UpdatedAt = tx.Now()
		access.Audit(tx, n.name+"."+edit.verb, n.name, id, row.credential.Organization, before, after)
		if err := row.update(ctx, tx); err != nil || !row.ends {
			return err
		}
		return m.endTokens(ctx, tx, c, &row.credential)
	})
	if err != nil {
		return keyRow{}, err
	}
	return row, nil
}

// asKey and asKeySecret turn the outcome of a change of a key into its answer.
func (m *Manager) asKey(row keyRow, err error) (Key, error) {
	if err != nil {
		return Key{}, err
	}
	return row.view(m.contract(), m.now()), nil
}

func (m *Manager) asKeySecret(row keyRow, err error) (KeySecret, error) {
	key, err := m.asKey(row, err)
	return KeySecret{Key: key, Secret: row.secret}, err
}

// UpdateKey changes a key's name, scopes, addresses, limits or expiry. What it may no
// longer do, it may not do from the moment UpdateKey returns.
func (m *Manager) UpdateKey(ctx context.Context, actor cardea.Actor, in UpdateKey) (Key, error) {
	return m.asKey(m.update(ctx, actor, keyNoun, in, nil))
}

// update changes what every credential has. also changes, and reports faults of, what
// only this sort has; nil: nothing.
func (m *Manager) update(ctx context.Context, actor cardea.Actor, n noun, in UpdateKey, also func(c *contract.Contract, row *keyRow) error) (keyRow, error) {
	if in.Limits != nil || in.InheritLimits {
		if err := access.Operator(actor); err != nil {
			return keyRow{}, err
		}
	}
	var p rules.Problems
	if in.Name != nil {
		p.Add(rules.Name("name", *in.Name))
	}
	if in.Limits != nil && in.InheritLimits {
		p.Add(cardea.Invalid("inherit_limits", "contradicts limits"))
	}
	checkLimits(&p, in.Limits)
	if err := p.Err(); err != nil {
		return keyRow{}, err
	}
	return m.edit(ctx, actor, n, in.ID, keyEdit{
		verb: "update", need: access.Keys,
		change: func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error {
			before := *row
			err := updateKey(in, c, kind, row, tx.Now())
			if also != nil {
				err = errors.Join(err, also(c, row))
			}
			if err != nil {
				return err
			}
			return keepFirstParty(actor, &before, row)
		},
	})
}

// updateKey applies an update to a credential.
func updateKey(in UpdateKey, c *contract.Contract, kind *contract.KeyKind, row *keyRow, now time.Time) error {
	cr := &row.credential
	var p rules.Problems
	if in.Name != nil {
		cr.Name = *in.Name
	}
	if in.Scopes != nil || in.Permissions != nil {
		if kind == nil {
			return errNoKind
		}
		scopes, faults := rules.Grant(c, kind, in.Scopes, in.Permissions)
		row.ends = row.ends || narrower(c, cr.Scopes, scopes)
		cr.Scopes, p = scopes, append(p, faults...)
	}
	if in.Addresses != nil {
		addresses, invalid := keyAddresses(c, in.Addresses)
		p.Add(invalid)
		cr.Addresses = addresses
	}
	if in.Limits != nil {
		cr.Limits = in.Limits.toStore()
	}
	if in.InheritLimits {
		cr.Limits = nil
	}
	if !in.ExpiresAt.IsZero() || in.NeverExpires {
		if kind == nil {
			return errNoKind
		}
		expires, invalid := rules.Expiry(kind, row.madeAt(), now, in.ExpiresAt, in.NeverExpires)
		p.Add(invalid)
		cr.ExpiresAt = expires
	}
	return p.Err()
}

// narrower reports whether a credential loses scopes. Tokens made from it were given the
// old ones.
func narrower(c *contract.Contract, before, after []string) bool {
	old, _ := c.ScopeSet(before...)
	next, _ := c.ScopeSet(after...)
	return !c.Expand(next).Contains(old)
}

// errNoKind: the contract changed since the credential was made.
var errNoKind = cardea.Errorf(cardea.KindConflict,
	"the contract no longer has this kind of credential: it can only be disabled or revoked")

// RevokeKey ends a key for good: from the moment it returns no request is accepted
// with it, nor with an access token made from it. Revoking a revoked key keeps the first
// time and reason.
func (m *Manager) RevokeKey(ctx context.Context, actor cardea.Actor, in RevokeKey) (Key, error) {
	return m.asKey(m.revoke(ctx, actor, keyNoun, in))
}

// revoke ends a credential for good.
func (m *Manager) revoke(ctx context.Context, actor cardea.Actor, n noun, in RevokeKey) (keyRow, error) {
	if err := rules.Line("reason", in.Reason, rules.MaxReason); err != nil {
		return keyRow{}, err
	}
	return m.edit(ctx, actor, n, in.ID, keyEdit{
		verb: "revoke", need: access.Keys, revoked: true,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.credential.RevokedAt.IsZero() {
				row.credential.RevokedAt, row.credential.RevokedReason, row.ends = tx.Now(), in.Reason, true
			}
			return nil
		},
	})
}

// A revocation is what the audit log says of a key that was revoked among others.
type revocation struct {
	Status        Status    `json:"status"`
	RevokedAt     time.Time `json:"revoked_at"`
	RevokedReason string    `json:"revoked_reason,omitzero"`
}

// revokeAll revokes every credential that a filter of owners finds and returns how many.
// Each leaves an event of its own, so that the history of a credential is complete.
func (m *Manager) revokeAll(ctx context.Context, tx *store.Tx, filter store.CredentialFilter, reason string) (int, error) {
	n, c := 0, m.contract()
	for _, sort := range []noun{keyNoun, clientNoun, accountNoun} {
		filter.Kind = sort.kind
		err := each(func(p store.Page) ([]store.Credential, string, error) { return tx.Credentials(ctx, filter, p) },
			func(cr store.Credential) error {
				if !cr.RevokedAt.IsZero() {
					return nil
				}
				n++
				return m.revokeRow(ctx, tx, c, &keyRow{credential: cr}, reason)
			})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// DisableKey refuses a key, and the access tokens made from it, until
// [Manager.EnableKey].
func (m *Manager) DisableKey(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.asKey(m.disable(ctx, actor, keyNoun, in))
}

// disable refuses a credential until it is enabled.
func (m *Manager) disable(ctx context.Context, actor cardea.Actor, n noun, in ID) (keyRow, error) {
	return m.edit(ctx, actor, n, in.ID, keyEdit{
		verb: "disable", need: access.Keys,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.credential.DisabledAt.IsZero() {
				row.credential.DisabledAt, row.ends = tx.Now(), true
			}
			return nil
		},
	})
}

// EnableKey ends what [Manager.DisableKey] began.
func (m *Manager) EnableKey(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.asKey(m.enable(ctx, actor, keyNoun, in))
}

// enable ends what disable began.
func (m *Manager) enable(ctx context.Context, actor cardea.Actor, n noun, in ID) (keyRow, error) {
	return m.edit(ctx, actor, n, in.ID, keyEdit{
		verb: "enable", need: access.Keys,
		change: func(_ *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			row.credential.DisabledAt = time.Time{}
			return nil
		},
	})
}

// RevealKey shows the current secret of a key whose kind keeps secrets viewable. It
// changes nothing and leaves an audit event all the same; if that cannot be written the
// secret is not shown.
func (m *Manager) RevealKey(ctx context.Context, actor cardea.Actor, in ID) (KeySecret, error) {
	return m.asKeySecret(m.reveal(ctx, actor, keyNoun, in))
}

// reveal shows the current secret of a credential.
func (m *Manager) reveal(ctx context.Context, actor cardea.Actor, n noun, in ID) (keyRow, error) {
	c := m.contract()
	var row keyRow
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if row, err = m.find(ctx, tx.Reader, actor, n, in.ID, access.Secrets); err != nil {
			return err
		}
		if row.secret, err = m.unseal(c, &row); err != nil {
			return err
		}
		access.Record(tx, n.name+".reveal", n.name, row.credential.ID, row.credential.Organization, nil)
		return nil
	})
	if err != nil {
		return keyRow{}, err
	}
	return row, nil
}

// unseal returns the current secret of a key.
func (m *Manager) unseal(c *contract.Contract, row *keyRow) (secret.Secret, error) {
	sealed := row.current().Sealed
	kind := kindOf(c, row.credential.Kind)
	switch {
	case len(sealed) == 0 || kind == nil || !kind.RevealAlways:
		return secret.Secret{}, cardea.Errorf(cardea.KindConflict,
			"the secret was shown once, when it was made, and is not kept: rotate the %s to get a new one", row.noun().text)
	case !row.credential.RevokedAt.IsZero():
		return secret.Secret{}, cardea.Errorf(cardea.KindConflict, "the %s is revoked", row.noun().text)
	case m.sealer == nil:
		return secret.Secret{}, errNoMasterKey
	}
	text, err := m.sealer.Open(sealPlace(row.current().Hash), sealed)
	if err != nil {
		return secret.Secret{}, &cardea.Error{Kind: cardea.KindUnavailable,
			Public: "the secret cannot be opened with this server's master key", Cause: err}
	}
	prefix := ""
	if env := c.Environment(row.credential.Environment); env != nil {
		prefix = kind.Prefixes[env.Index]
	}
	return known(prefix, string(text)), nil
}

// known returns an existing text as a Secret. A prefix that the contract has changed
// since is not shown.
func known(prefix, text string) secret.Secret {
	if len(text) < len(prefix) || text[:len(prefix)] != prefix {
		prefix = ""
	}
	return secret.Known(prefix, text)
}
