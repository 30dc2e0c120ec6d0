package signing

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Where sealed keys belong: see [secret.AAD].
const (
	sealTable   = "signing_key"
	sealVersion = 1
)

// makeTimeout bounds the making of a key.
const makeTimeout = 30 * time.Second

// flight is a key being made. err is read after done was closed.
type flight struct {
	done chan struct{}
	err  error
}

// Current returns the key that signs in an environment with an algorithm, for its
// caller to set Type and KeyID. The first time it makes one, which takes up to half a
// second for RSA; who asks meanwhile waits for the same one. The error is the store's,
// the sealer's or ctx's.
func (k *Keys) Current(ctx context.Context, environment, algorithm string) (token.PrivateKey, error) {
	p := purpose{environment, algorithm}
	v, err := k.Verification(ctx)
	if err != nil {
		return token.PrivateKey{}, err
	}
	e := v.signs(p, k.now())
	if e == nil {
		if err := k.make(ctx, p); err != nil {
			return token.PrivateKey{}, err
		}
		if v, err = k.Verification(ctx); err != nil {
			return token.PrivateKey{}, err
		}
		if e = v.signs(p, k.now()); e == nil {
			return token.PrivateKey{}, cardea.Errorf(cardea.KindUnavailable, "there is no signing key")
		}
	}
	signer, err := k.open(e)
	if err != nil {
		return token.PrivateKey{}, err
	}
	return token.PrivateKey{ID: e.row.ID, Algorithm: algorithm, Signer: signer}, nil
}

// open returns the private half of a key.
func (k *Keys) open(e *entry) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if signer := k.private[e.row.ID]; signer != nil {
		return signer, nil
	}
	der, err := k.sealer.Open(secret.AAD(sealTable, e.row.ID, sealVersion), e.row.Sealed)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", e.row.ID, err)
	}
	signer, err := token.UnmarshalPrivate(der)
	clear(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", e.row.ID, err)
	}
	k.private[e.row.ID] = signer
	return signer, nil
}

// make makes the first key for a purpose, once however many ask.
func (k *Keys) make(ctx context.Context, p purpose) error {
	if k.contract().Environment(p.environment) == nil {
		return errNoSuchEnvironment
	}
	k.mu.Lock()
	f := k.flights[p]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		k.flights[p] = f
		go k.fly(context.WithoutCancel(ctx), p, f)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fly makes a key for everybody who waits for it.
func (k *Keys) fly(ctx context.Context, p purpose, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, makeTimeout)
	defer cancel()
	f.err = k.first(ctx, p)
	k.mu.Lock()
	delete(k.flights, p)
	k.mu.Unlock()
	close(f.done)
}

// first stores a key that signs at once, unless another node was faster.
func (k *Keys) first(ctx context.Context, p purpose) error {
	row, err := k.generate(p)
	if err != nil {
		return err
	}
	return k.update(ctx, system, func(tx *store.Tx) error {
		rows, err := tx.SigningKeys(ctx)
		if err != nil {
			return err
		}
		if k.snapshot(rows).signs(p, tx.Now()) != nil {
			// Nothing is written; the other's key is read because we are behind.
			k.behind.Store(true)
			return nil
		}
		row.CreatedAt, row.SignsAt = tx.Now(), tx.Now()
		return insert(ctx, tx, row)
	})
}

// generate makes a key for a purpose, with its private half sealed.
func (k *Keys) generate(p purpose) (store.SigningKey, error) {
	signer, err := token.Generate(p.algorithm)
	if err != nil {
		return store.SigningKey{}, err
	}
	der, err := token.MarshalPrivate(signer)
	if err != nil {
		return store.SigningKey{}, err
	}
	defer clear(der)
	public, err := token.MarshalPublic(signer.Public())
	if err != nil {
		return store.SigningKey{}, err
	}
	id := secret.NewID(k.contract().IDPrefix(contract.IDSigningKey))
	return store.SigningKey{
		ID: id, Environment: p.environment, Algorithm: p.algorithm, PublicKey: public,
		Sealed: k.sealer.Seal(secret.AAD(sealTable, id, sealVersion), der),
	}, nil
}

// insert stores a key with its audit event.
func insert(ctx context.Context, tx *store.Tx, row store.SigningKey) error {
	audit(tx, "signing_key.create", row)
	return tx.InsertSigningKey(ctx, row)
}

// detail is what the audit log keeps of a key.
type detail struct {
	Environment string    `json:"environment"`
	Algorithm   string    `json:"algorithm"`
	SignsAt     time.Time `json:"signs_at,omitzero"`
	RetiredAt   time.Time `json:"retired_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

// audit leaves an event about a key.
func audit(tx *store.Tx, action string, row store.SigningKey) {
	tx.Audit(store.Event{
		Action: action, TargetType: "signing_key", TargetID: row.ID,
		Detail: detail{row.Environment, row.Algorithm, row.SignsAt, row.RetiredAt, row.ExpiresAt},
	})
}

// Start makes, in the background, the keys that the contract needs and that are not
// there yet, so that nobody has to wait for them.
func (k *Keys) Start(ctx context.Context) {
	go func() {
		if err := k.Ensure(ctx); err != nil && ctx.Err() == nil {
			k.logger.Error("signing keys could not be made", slog.String("cause", err.Error()))
		}
	}()
}

// Ensure returns when there is a key for every environment and algorithm that the
// contract in force needs. It is quick when there are.
func (k *Keys) Ensure(ctx context.Context) error {
	for _, p := range needed(k.contract()) {
		v, err := k.Verification(ctx)
		if err != nil {
			return err
		}
		if v.signs(p, k.now()) == nil {
			if err := k.make(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// needed returns what a contract needs keys for.
func needed(c *contract.Contract) []purpose {
	var algorithms []string
	add := func(a string) {
		for _, have := range algorithms {
			if have == a {
				return
			}
		}
		algorithms = append(algorithms, a)
	}
	tokens := c.Tokens()
	for _, t := range []*contract.AccessToken{tokens.Machine, tokens.User} {
		if t != nil && t.Format == contract.TokenJWT {
			add(t.Algorithm)
		}
	}
	if tokens.ID != nil {
		add(tokens.ID.Algorithm)
	}
	var out []purpose
	for _, e := range c.Environments() {
		for _, a := range algorithms {
			out = append(out, purpose{e.Name, a})
		}
	}
	return out
}

// longest returns the longest lifetime of a token that the contract has us sign.
func longest(c *contract.Contract) time.Duration {
	tokens := c.Tokens()
	most := time.Hour
	for _, t := range []*contract.AccessToken{tokens.Machine, tokens.User} {
		if t != nil && t.Format == contract.TokenJWT {
			most = max(most, t.Lifetime)
		}
	}
	if tokens.ID != nil {
		most = max(most, tokens.ID.Lifetime)
	}
	return most
}
