package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A keyEdit is one change of a key: its name in the audit log, who may make it, and
// what it does.
type keyEdit struct {
	action  string
	need    right
	revoked bool // may be made to a revoked key

	// change alters row.credential in place, and may write secrets itself. kind is nil
	// when the contract no longer has it.
	change func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error
}

// editKey loads a key, lets the edit change it, and stores and records it if that
// changed anything.
func (m *Manager) editKey(ctx context.Context, actor cardea.Actor, id string, edit keyEdit) (Key, error) {
	c := m.contract()
	var row keyRow
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if row, err = m.findKey(ctx, tx.Reader, actor, id, edit.need); err != nil {
			return err
		}
		if !row.credential.RevokedAt.IsZero() && !edit.revoked {
			return cardea.Errorf(cardea.KindConflict, "the key is revoked, which is final: create a new one")
		}
		before := row.view(c, tx.Now())
		if err := edit.change(tx, c, c.Kind(row.credential.Kind), &row); err != nil {
			return err
		}
		if row, err = m.withSecrets(ctx, tx, row); err != nil {
			return err
		}
		after := row.view(c, tx.Now())
		if diff(before, after).empty() {
			tx.Changed(store.ChangeCredential, row.credential.ID) // evict again, see [Manager.change]
			return nil
		}
		row.credential.UpdatedAt = tx.Now()
		audit(tx, edit.action, "key", row.credential.ID, row.credential.Organization, before, after)
		return tx.UpdateCredential(ctx, row.credential)
	})
	if err != nil {
		return Key{}, err
	}
	return row.view(c, m.now()), nil
}

// withSecrets reads a changed key's secrets again, since an edit may have added or
// ended some.
func (m *Manager) withSecrets(ctx context.Context, tx *store.Tx, row keyRow) (keyRow, error) {
	secrets, err := tx.Secrets(ctx, row.credential.ID)
	row.secrets = secrets
	return row, err
}

// UpdateKey changes a key's name, scopes, addresses, limits or expiry. What it may no
// longer do, it may not do from the moment UpdateKey returns.
func (m *Manager) UpdateKey(ctx context.Context, actor cardea.Actor, in UpdateKey) (Key, error) {
	if in.Limits != nil || in.InheritLimits {
		if err := operator(actor); err != nil {
			return Key{}, err
		}
	}
	var p problems
	if in.Name != nil {
		p.add(checkName("name", *in.Name))
	}
	if in.Limits != nil && in.InheritLimits {
		p.add(cardea.Invalid("inherit_limits", "contradicts limits"))
	}
	checkLimits(&p, in.Limits)
	if err := p.err(); err != nil {
		return Key{}, err
	}
	return m.editKey(ctx, actor, in.ID, keyEdit{
		action: "key.update", need: mayKeys,
		change: func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error {
			return updateKey(in, c, kind, row, tx.Now())
		},
	})
}

// updateKey applies an update to a key.
func updateKey(in UpdateKey, c *contract.Contract, kind *contract.KeyKind, row *keyRow, now time.Time) error {
	cr := &row.credential
	var p problems
	if in.Name != nil {
		cr.Name = *in.Name
	}
	if in.Scopes != nil || in.Permissions != nil {
		if kind == nil {
			return errNoKind
		}
		scopes, faults := grant(c, kind, in.Scopes, in.Permissions)
		cr.Scopes, p = scopes, append(p, faults...)
	}
	if in.Addresses != nil {
		addresses, invalid := keyAddresses(c, in.Addresses)
		p.add(invalid)
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
		expires, invalid := chooseExpiry(kind, row.current().CreatedAt, now, in.ExpiresAt, in.NeverExpires)
		p.add(invalid)
		cr.ExpiresAt = expires
	}
	return p.err()
}

// errNoKind: the contract changed since the key was made.
var errNoKind = cardea.Errorf(cardea.KindConflict, "the contract no longer has this kind of key: it can only be disabled or revoked")

// RevokeKey ends a key for good: from the moment it returns no request is accepted
// with it. Revoking a revoked key keeps the first time and reason.
func (m *Manager) RevokeKey(ctx context.Context, actor cardea.Actor, in RevokeKey) (Key, error) {
	if err := checkLine("reason", in.Reason, maxReason); err != nil {
		return Key{}, err
	}
	return m.editKey(ctx, actor, in.ID, keyEdit{
		action: "key.revoke", need: mayKeys, revoked: true,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.credential.RevokedAt.IsZero() {
				row.credential.RevokedAt, row.credential.RevokedReason = tx.Now(), in.Reason
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

// revokeAll revokes every key of an organization and returns how many. Each leaves an
// event of its own, so that the history of a key is complete.
func (m *Manager) revokeAll(ctx context.Context, tx *store.Tx, organization, reason string) (int, error) {
	filter := store.CredentialFilter{Organization: organization}
	n := 0
	err := each(func(p store.Page) ([]store.Credential, string, error) { return tx.Credentials(ctx, filter, p) },
		func(c store.Credential) error {
			if !c.RevokedAt.IsZero() {
				return nil
			}
			n++
			c.RevokedAt, c.RevokedReason = tx.Now(), reason
			audit(tx, "key.revoke", "key", c.ID, organization, nil, revocation{StatusRevoked, c.RevokedAt, reason})
			return tx.UpdateCredential(ctx, c)
		})
	return n, err
}

// DisableKey refuses a key until [Manager.EnableKey].
func (m *Manager) DisableKey(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.editKey(ctx, actor, in.ID, keyEdit{
		action: "key.disable", need: mayKeys,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.credential.DisabledAt.IsZero() {
				row.credential.DisabledAt = tx.Now()
			}
			return nil
		},
	})
}

// EnableKey ends what [Manager.DisableKey] began.
func (m *Manager) EnableKey(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.editKey(ctx, actor, in.ID, keyEdit{
		action: "key.enable", need: mayKeys,
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
	c := m.contract()
	var row keyRow
	var text secret.Secret
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if row, err = m.findKey(ctx, tx.Reader, actor, in.ID, maySecrets); err != nil {
			return err
		}
		if text, err = m.unseal(c, &row); err != nil {
			return err
		}
		record(tx, "key.reveal", "key", row.credential.ID, row.credential.Organization, nil)
		return nil
	})
	if err != nil {
		return KeySecret{}, err
	}
	return KeySecret{Key: row.view(c, m.now()), Secret: text}, nil
}

// unseal returns the current secret of a key.
func (m *Manager) unseal(c *contract.Contract, row *keyRow) (secret.Secret, error) {
	sealed := row.current().Sealed
	kind := c.Kind(row.credential.Kind)
	switch {
	case len(sealed) == 0 || kind == nil || !kind.RevealAlways:
		return secret.Secret{}, cardea.Errorf(cardea.KindConflict,
			"the secret was shown once, when it was made, and is not kept: rotate the key to get a new one")
	case !row.credential.RevokedAt.IsZero():
		return secret.Secret{}, cardea.Errorf(cardea.KindConflict, "the key is revoked")
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
