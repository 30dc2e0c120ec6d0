package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/signing"
)

// A SigningKey is a key that Cardea signs tokens with, of which this shows all but the
// key.
type SigningKey struct {
	ID          string `json:"id"` // kid in the header of its tokens
	Environment string `json:"environment"`
	Algorithm   string `json:"algorithm"`

	// State is pending (published, does not sign yet), signing, verifying (what it signed
	// is still good), gone or revoked.
	State string `json:"state"`

	CreatedAt time.Time `json:"created_at"`
	SignsAt   time.Time `json:"signs_at,omitzero"`
	RetiredAt time.Time `json:"retired_at,omitzero"` // it signs no more from then on
	ExpiresAt time.Time `json:"expires_at,omitzero"` // it verifies no more from then on
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// RotateSigningKeys is the input of [Manager.RotateSigningKeys].
type RotateSigningKeys struct {
	// Environment is the one whose keys are replaced; "": all.
	Environment string `json:"environment,omitzero"`

	// Immediate lets the new keys sign at once. Verifiers that remember the key set
	// refuse their tokens until they fetch it again.
	Immediate bool `json:"immediate,omitzero"`
}

func viewSigningKey(k signing.Info) SigningKey {
	return SigningKey{
		ID: k.ID, Environment: k.Environment, Algorithm: k.Algorithm, State: string(k.State), CreatedAt: k.CreatedAt,
		SignsAt: k.SignsAt, RetiredAt: k.RetiredAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
	}
}

// viewSigningKeys returns what is shown of keys, or the error that came with them.
func viewSigningKeys(found []signing.Info, err error) (List[SigningKey], error) {
	if err != nil {
		return List[SigningKey]{}, err
	}
	out := List[SigningKey]{Items: make([]SigningKey, len(found))}
	for i, k := range found {
		out.Items[i] = viewSigningKey(k)
	}
	return out, nil
}

// signer refuses those who may not, and a server that signs nothing.
func (m *Manager) signer(actor cardea.Actor, may func(cardea.Actor) error) error {
	if err := may(actor); err != nil {
		return err
	}
	if m.signing == nil {
		return cardea.Errorf(cardea.KindConflict, "this server signs no tokens")
	}
	return nil
}

// SigningKeys lists the keys that Cardea signs with, newest first. Operators only.
func (m *Manager) SigningKeys(ctx context.Context, actor cardea.Actor, _ None) (List[SigningKey], error) {
	if err := m.signer(actor, access.OperatorReads); err != nil {
		return List[SigningKey]{}, err
	}
	return viewSigningKeys(m.signing.List(ctx))
}

// RotateSigningKeys replaces the keys that Cardea signs with, without a token being
// refused: new ones are published, sign a quarter of an hour later, and the old ones
// verify until their last token has expired. It returns the new ones. Operators only.
func (m *Manager) RotateSigningKeys(ctx context.Context, actor cardea.Actor, in RotateSigningKeys) (List[SigningKey], error) {
	if err := m.signer(actor, access.Operator); err != nil {
		return List[SigningKey]{}, err
	}
	if err := rules.Filter("environment", in.Environment); err != nil {
		return List[SigningKey]{}, err
	}
	found, err := m.signing.Rotate(ctx, actor, in.Environment, in.Immediate)
	return viewSigningKeys(found, atField(err, "environment"))
}

// RevokeSigningKey ends a key that got into wrong hands: every token it signed is refused
// from the moment it returns, and another key signs. Revoking a revoked one changes
// nothing. Operators only.
func (m *Manager) RevokeSigningKey(ctx context.Context, actor cardea.Actor, in ID) (SigningKey, error) {
	if err := m.signer(actor, access.Operator); err != nil {
		return SigningKey{}, err
	}
	if !rules.ValidID(in.ID) {
		return SigningKey{}, access.NotFound("signing key")
	}
	all, err := m.signing.List(ctx)
	if err != nil {
		return SigningKey{}, err
	}
	for _, k := range all {
		if k.ID == in.ID && k.State == signing.StateRevoked {
			return viewSigningKey(k), nil
		}
	}
	done, err := m.signing.Revoke(ctx, actor, in.ID)
	if err != nil {
		return SigningKey{}, err
	}
	return viewSigningKey(done), nil
}
