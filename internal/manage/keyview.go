package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// expiringWithin is how long before its end a key is shown as expiring, at most: two
// weeks are enough to rotate it by hand. A key that lives for a day is not expiring all
// day, only in the last fifth of its life.
const expiringWithin = 14 * 24 * time.Hour

// A keyRow is what is stored about a key.
type keyRow struct {
	credential store.Credential
	secrets    []store.CredentialSecret // newest first

	// memberDisabled says that the person it belongs to is shut out.
	memberDisabled bool
}

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

// readKey reads what is stored about a credential.
func (m *Manager) readKey(ctx context.Context, r store.Reader, c store.Credential) (keyRow, error) {
	secrets, err := r.Secrets(ctx, c.ID)
	if err != nil {
		return keyRow{}, err
	}
	row := keyRow{credential: c, secrets: secrets}
	if c.Member == "" {
		return row, nil
	}
	member, err := r.Member(ctx, c.Member)
	row.memberDisabled = err == nil && !member.DisabledAt.IsZero()
	return row, err
}

// status computes whether the key works, and if not, why. The first that fits counts,
// in the order of the Status constants.
func (k *keyRow) status(kind *contract.KeyKind, now time.Time) Status {
	c := &k.credential
	switch {
	case !c.RevokedAt.IsZero():
		return StatusRevoked
	case !c.DisabledAt.IsZero(), k.memberDisabled:
		return StatusDisabled
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return StatusExpired
	case kind != nil && kind.Idle > 0 && now.Sub(k.lastSign()) >= kind.Idle:
		return StatusIdle
	case !c.ExpiresAt.IsZero() && c.ExpiresAt.Sub(now) <= min(expiringWithin, c.ExpiresAt.Sub(k.current().CreatedAt)/5):
		return StatusExpiring
	}
	return StatusActive
}

// lastSign returns when the key last showed that somebody has a use for it: its last
// use, or the making of its current secret.
func (k *keyRow) lastSign() time.Time {
	last := k.credential.LastUsedAt
	for _, t := range []time.Time{k.credential.CreatedAt, k.current().CreatedAt} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// view returns what is shown of the key. A kind or scope that the contract no longer
// has is shown as it was stored.
func (k *keyRow) view(c *contract.Contract, now time.Time) Key {
	cr := &k.credential
	kind := c.Kind(cr.Kind)
	v := Key{
		ID: cr.ID, Kind: cr.Kind, Environment: cr.Environment, Organization: cr.Organization,
		Member: cr.Member, Name: cr.Name, Status: k.status(kind, now), Hint: k.current().Hint,
		Scopes: cr.Scopes, Permissions: permissionsOf(c, cr.Scopes), Addresses: showAddresses(cr.Addresses),
		Limits: viewLimits(cr.Limits), ExpiresAt: cr.ExpiresAt, LastUsedAt: cr.LastUsedAt,
		DisabledAt: cr.DisabledAt, RevokedAt: cr.RevokedAt, RevokedReason: cr.RevokedReason,
		CreatedBy: cr.CreatedBy, CreatedAt: cr.CreatedAt, UpdatedAt: cr.UpdatedAt,
		Revealable: len(k.current().Sealed) > 0 && cr.RevokedAt.IsZero(),
	}
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
	row, err := m.findKey(ctx, m.store.Reader, actor, in.ID, mayRead)
	if err != nil {
		return Key{}, err
	}
	return row.view(m.contract(), m.now()), nil
}

// findKey returns a key that actor has a right over.
func (m *Manager) findKey(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need right) (keyRow, error) {
	if !validID(id) {
		return keyRow{}, notFound("key")
	}
	c, err := r.Credential(ctx, id)
	if cardea.KindOf(err) == cardea.KindNotFound {
		return keyRow{}, notFound("key")
	}
	if err != nil {
		return keyRow{}, err
	}
	if err := m.allow(ctx, r, actor, c.Organization, "key", need.overKey(actor, c.Member)); err != nil {
		return keyRow{}, err
	}
	return m.readKey(ctx, r, c)
}

// Keys lists keys, newest first.
func (m *Manager) Keys(ctx context.Context, actor cardea.Actor, in KeyFilter) (List[Key], error) {
	var p problems
	p.add(checkFilter("member", in.Member))
	p.add(checkFilter("environment", in.Environment))
	p.add(checkFilter("kind", in.Kind))
	if err := p.err(); err != nil {
		return List[Key]{}, err
	}
	organization, err := m.scopeFilter(ctx, actor, in.Organization)
	if err != nil {
		return List[Key]{}, err
	}
	filter := store.CredentialFilter{Organization: organization, Member: in.Member, Kind: in.Kind, Environment: in.Environment}
	scope := []string{"keys", organization, in.Member, in.Kind, in.Environment}
	c, now := m.contract(), m.now()
	return list(in.Page, scope, func(p store.Page) ([]keyRow, string, error) {
		credentials, next, err := m.store.Credentials(ctx, filter, p)
		rows := make([]keyRow, len(credentials))
		for i := range credentials {
			if err == nil {
				rows[i], err = m.readKey(ctx, m.store.Reader, credentials[i])
			}
		}
		return rows, next, err
	}, func(row keyRow) Key { return row.view(c, now) })
}

// maxSecret bounds the text that might be a secret, in bytes.
const maxSecret = 512

// IdentifyKey returns the key that a secret belongs to, whatever its status: for a
// secret found where it should not be. Operators only.
func (m *Manager) IdentifyKey(ctx context.Context, actor cardea.Actor, in IdentifyKey) (Key, error) {
	if err := operator(actor); err != nil {
		return Key{}, err
	}
	if len(in.Secret) == 0 || len(in.Secret) > maxSecret {
		return Key{}, cardea.Invalid("secret", "must have from 1 to %d bytes", maxSecret)
	}
	found, err := m.store.LookupSecret(ctx, hashOf(in.Secret))
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
