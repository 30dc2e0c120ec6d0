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

// expiringWithin is how long before its end a key is shown as expiring, at most: two
// weeks are enough to rotate it by hand. A key that lives for a day is not expiring all
// day, only in the last fifth of its life.
const expiringWithin = 14 * 24 * time.Hour

// current returns the secret in force, the one without an end; the zero one if there is
// none.
func (k *keyRow) current() store.CredentialSecret {
	for _, s := range k.secrets {
		if s.ExpiresAt.IsZero() {
			return s
		}
	}
	return store.CredentialSecret{}
}

// old returns the old secret of a rotation that is under way, or nil.
func (k *keyRow) old(now time.Time) *store.CredentialSecret {
	for i := range k.secrets {
		if now.Before(k.secrets[i].ExpiresAt) {
			return &k.secrets[i]
		}
	}
	return nil
}

// madeAt returns when what authenticates the credential now was made: its secret, or
// where it has none the credential itself.
func (k *keyRow) madeAt() time.Time {
	if made := k.current().CreatedAt; !made.IsZero() {
		return made
	}
	return k.credential.CreatedAt
}

// status computes whether the key works, and if not, why. The first that fits counts,
// in the order of the Status constants.
func (k *keyRow) status(kind *contract.KeyKind, now time.Time) Status {
	c := &k.credential
	switch {
	case !c.RevokedAt.IsZero():
		return StatusRevoked
	case !c.DisabledAt.IsZero(), !k.member.DisabledAt.IsZero():
		return StatusDisabled
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return StatusExpired
	case kind != nil && kind.Idle > 0 && now.Sub(k.lastSign()) >= kind.Idle:
		return StatusIdle
	case !c.ExpiresAt.IsZero() && c.ExpiresAt.Sub(now) <= min(expiringWithin, c.ExpiresAt.Sub(k.madeAt())/5):
		return StatusExpiring
	}
	return StatusActive
}

// lastSign returns when the key last showed that somebody has a use for it: its last
// use, or the making of its current secret.
func (k *keyRow) lastSign() time.Time {
	last := k.credential.LastUsedAt
	if made := k.madeAt(); made.After(last) {
		last = made
	}
	return last
}

// view returns what is shown of the key. A kind or scope that the contract no longer
// has is shown as it was stored.
func (k *keyRow) view(c *contract.Contract, now time.Time) Key {
	cr := &k.credential
	kind := kindOf(c, cr.Kind)
	v := Key{
		ID: cr.ID, Kind: cr.Kind, Environment: cr.Environment, Organization: cr.Organization,
		Member: cr.Member, Name: cr.Name, Status: k.status(kind, now), Hint: k.current().Hint,
		Scopes: cr.Scopes, Permissions: permissionsOf(c, cr.Scopes), Addresses: rules.ShowAddresses(cr.Addresses),
		Limits: viewLimits(cr.Limits), ExpiresAt: cr.ExpiresAt, LastUsedAt: cr.LastUsedAt,
		LastUsedFrom: cr.LastUsedFrom, LastUsedRoute: cr.LastUsedRoute,
		DisabledAt: cr.DisabledAt, RevokedAt: cr.RevokedAt, RevokedReason: cr.RevokedReason,
		CreatedBy: cr.CreatedBy, CreatedAt: cr.CreatedAt, UpdatedAt: cr.UpdatedAt,
		Revealable: len(k.current().Sealed) > 0 && cr.RevokedAt.IsZero(),
	}
	v.SecretMadeAt = k.current().CreatedAt
	if kind != nil && kind.Idle > 0 && cr.RevokedAt.IsZero() {
		v.IdleEndsAt = k.lastSign().Add(kind.Idle)
	}
	v.OwnerName, v.OwnerEmail = k.member.Name, k.member.Email
	if v.Scopes == nil {
		v.Scopes = []string{}
	}
	if old := k.old(now); old != nil && cr.RevokedAt.IsZero() {
		v.Rotation = &Rotation{OldHint: old.Hint, EndsAt: old.ExpiresAt, OldLastUsedAt: old.LastUsedAt}
	}
	return v
}

// permissionsOf returns the labels of the permissions whose scopes are all granted,
// implied ones included.
func permissionsOf(c *contract.Contract, scopes []string) []string {
	literal, _ := c.ScopeSet(scopes...)
	granted := c.Expand(literal)
	labels := []string{}
	for _, p := range c.Permissions() {
		if !p.Scopes.IsEmpty() && granted.Contains(p.Scopes) {
			labels = append(labels, p.Label)
		}
	}
	return labels
}

// Key returns a key.
func (m *Manager) Key(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.asKey(m.find(ctx, m.store.Reader, actor, keyNoun, in.ID, access.Read))
}

// Keys lists keys, newest first unless told otherwise. Clients and service accounts have lists of their own.
func (m *Manager) Keys(ctx context.Context, actor cardea.Actor, in KeyFilter) (List[Key], error) {
	return listKeys(ctx, m, actor, keyNoun, in, (*keyRow).view)
}

// maxSecret bounds the text that might be a secret, in bytes.
const maxSecret = 512

// IdentifyKey returns the key that a secret belongs to, whatever its status: for a
// secret found where it should not be. Operators only.
func (m *Manager) IdentifyKey(ctx context.Context, actor cardea.Actor, in IdentifyKey) (Key, error) {
	if err := access.OperatorReads(actor); err != nil {
		return Key{}, err
	}
	if len(in.Secret) == 0 || len(in.Secret) > maxSecret {
		return Key{}, cardea.Invalid("secret", "must have from 1 to %d bytes", maxSecret)
	}
	found, err := m.store.LookupSecret(ctx, secret.HashOf(in.Secret))
	if err != nil {
		return Key{}, err
	}
	if !found.Found {
		return Key{}, cardea.Errorf(cardea.KindNotFound, "no key has or had this secret")
	}
	row, err := m.readKey(ctx, m.store.Reader, found.Credential)
	if err != nil {
		return Key{}, err
	}
	return row.view(m.contract(), m.now()), nil
}
