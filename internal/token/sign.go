package token

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"runtime"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Member is a claim to sign.
type Member struct {
	Name  string
	Value any // written as JSON; times are the caller's to turn into seconds
}

// A Signer bounds how many private-key operations run at once, so that those who ask
// for tokens never take the processor from those who use them. It is safe for
// concurrent use.
type Signer struct {
	running chan struct{} // one element per operation that runs
	waiting chan struct{} // one element per operation that runs or waits
}

// NewSigner returns a Signer that runs at most limit operations at once and lets at
// most queue more wait. A limit of 0 means half of the processors, at least one; a
// queue of 0 means 64 for each that may run.
func NewSigner(limit, queue int) *Signer {
	if limit <= 0 {
		limit = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if queue <= 0 {
		queue = 64 * limit
	}
	return &Signer{running: make(chan struct{}, limit), waiting: make(chan struct{}, limit+queue)}
}

// Sign returns a token with the claims in the given order. It waits for its turn;
// ErrBusy means that too many wait already, ctx's error that the caller gave up, ErrKey
// that the key cannot sign with its algorithm.
func (s *Signer) Sign(ctx context.Context, key PrivateKey, claims []Member) (string, error) {
	payload, err := MarshalClaims(claims)
	if err != nil {
		return "", err
	}
	signer, err := key.jose()
	if err != nil {
		return "", err
	}
	if err := s.acquire(ctx); err != nil {
		return "", err
	}
	defer s.release(time.Now())
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", ErrKey
	}
	return signed.CompactSerialize()
}

// acquire waits for the right to use the processor; release gives it back.
func (s *Signer) acquire(ctx context.Context) error {
	select {
	case s.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case s.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-s.waiting
		return ctx.Err()
	}
}

// shortest is the time from which an operation is followed by a pause. Timers are not
// finer, and whoever signs with elliptic curves is no burden.
const shortest = 200 * time.Microsecond

// release lets the next one in. While others wait there is a pause first, half as long as
// the operation took: a processor that does nothing but sign would leave the requests
// that run on it waiting for their turn among signatures of a millisecond each.
func (s *Signer) release(began time.Time) {
	<-s.waiting
	pause := s.pause(time.Since(began))
	if pause == 0 {
		<-s.running
		return
	}
	time.AfterFunc(pause, func() { <-s.running })
}

// pause returns how long the processor is left alone after an operation.
func (s *Signer) pause(took time.Duration) time.Duration {
	if took < shortest || len(s.waiting) <= len(s.running)-1 {
		return 0 // a moment's work, or nobody waits
	}
	return took / 2
}

// jose returns the signer of go-jose for the key.
func (p PrivateKey) jose() (jose.Signer, error) {
	if p.Signer == nil || !fits(p.Signer.Public(), p.Algorithm) {
		return nil, ErrKey
	}
	var options jose.SignerOptions
	if p.Type != "" {
		options.WithType(jose.ContentType(p.Type))
	}
	if p.KeyID {
		options.WithHeader("kid", p.ID)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.Algorithm), Key: p.material()}, &options)
	if err != nil {
		return nil, ErrKey
	}
	return signer, nil
}

// material returns the key in the form that go-jose takes: as it is when it knows the
// type, as something that signs when the key is elsewhere.
func (p PrivateKey) material() any {
	switch p.Signer.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return p.Signer
	}
	return cryptosigner.Opaque(p.Signer)
}

// MarshalClaims writes claims as a JSON object, in their order. A name that occurs
// twice is an error.
func MarshalClaims(claims []Member) ([]byte, error) {
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return nil, err
	}
	for _, m := range claims {
		if err := enc.WriteToken(jsontext.String(m.Name)); err != nil {
			return nil, err
		}
		if err := json.MarshalEncode(enc, m.Value); err != nil {
			return nil, err
		}
	}
	if err := enc.WriteToken(jsontext.EndObject); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
