// Package token makes and verifies JSON Web Tokens (RFC 7519), the key sets they are
// verified with (RFC 7517), and proofs of possession (RFC 9449).
//
// The cryptography and the envelope (RFC 7515) are go-jose's. What this package adds
// is what the standards leave to their users:
//
//   - [Gate]: one spelling per token. Base64url letters and exactly two dots, tails
//     without stray bits, at most 8 kB; nothing else reaches a parser.
//   - A header that names or brings its own key (jku, x5u, jwk, x5c) or that asks for
//     extensions (crit, b64, zip) is refused, not ignored.
//   - A key is good for one algorithm, fixed when its set is loaded. The header's alg
//     only ever selects among keys, it never says how to verify (RFC 8725 §3.1).
//   - Claims are read with exact case and without duplicates; exp is required.
//
// Errors are one of the Err values below and never quote a token.
package token

import "errors"

// MaxSize is the longest token in bytes that is looked at.
const MaxSize = 8 << 10

// Why a token is refused. Verify returns one of these, for [errors.Is].
var (
	ErrMalformed  = errors.New("token: malformed")                              // not a JWT as we read it
	ErrUnknownKey = errors.New("token: no key for its kid and alg")             // also: alg not allowed
	ErrSignature  = errors.New("token: the signature is not the key's")         //
	ErrType       = errors.New("token: of another type")                        // header typ
	ErrIssuer     = errors.New("token: from another issuer")                    // iss
	ErrAudience   = errors.New("token: for another audience")                   // aud
	ErrSubject    = errors.New("token: without a subject")                      // sub
	ErrExpired    = errors.New("token: expired")                                // exp
	ErrNotYet     = errors.New("token: not valid yet")                          // nbf, or iat in the future
	ErrLifetime   = errors.New("token: valid for longer than allowed")          // exp - iat
	ErrProof      = errors.New("token: not a proof for this request")           // RFC 9449 §4.3
	ErrNonce      = errors.New("token: the proof lacks the server's nonce")     // RFC 9449 §8
	ErrReplayed   = errors.New("token: the proof was used before")              // RFC 9449 §11.1
	ErrKeySet     = errors.New("token: not a key set that can be used")         // RFC 7517 §5
	ErrKey        = errors.New("token: not a key that can be used")             // size, curve, algorithm
	ErrBusy       = errors.New("token: too many signatures are being made")     // answer 503, Retry-After
	ErrFetch      = errors.New("token: the issuer's keys could not be fetched") //
)
