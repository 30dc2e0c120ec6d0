package authz

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
)

// Signed tokens are cached by their whole text, in a table of their own: verified ones
// only, so that junk displaces nothing. The table is the one that secrets have. Its hash
// is made of 64 bits of a keyed hash, which costs a tenth of a SHA-256 of a token; two
// texts that share one would displace each other and nothing more, since the texts are
// compared.

// maxTokens is how many signed tokens are kept unless told: a token and what is known of
// it take about 1.5 kB.
const maxTokens = 1 << 16

// tokenHash returns the place of a signed token in its table. What a token may do can
// depend on the environment that the target names, because issuers may serve several.
func (a *Authorizer) tokenHash(text string, wanted *contract.Environment) (h secret.Hash) {
	x := maphash.String(a.seed, text)
	if wanted != nil {
		x += uint64(wanted.Index+1) * 0x9e37_79b9_7f4a_7c15
	}
	binary.LittleEndian.PutUint64(h[0:], x)
	binary.LittleEndian.PutUint64(h[8:], x>>32) // the tag
	binary.LittleEndian.PutUint64(h[16:], x*0xff51_afd7_ed55_8ccd>>17)
	binary.LittleEndian.PutUint64(h[24:], x)
	return h
}

// flightHash tells signed tokens apart that are being looked up, and those that are known
// to be worth nothing: strangers choose those texts, so it is a SHA-256. What an assertion
// may be for is not what a request's token may be for.
func flightHash(text string, wanted *contract.Environment, assertion bool) secret.Hash {
	h := secret.HashOf(text)
	if wanted != nil {
		h[0] ^= byte(wanted.Index + 1)
	}
	if assertion {
		h[1] ^= 1
	}
	return h
}

// cachedToken returns the entry of a signed token, or nil.
func (v *view) cachedToken(h *secret.Hash, text string) *entry {
	e := v.tokens.get(h)
	if e == nil || e.token().text != text {
		return nil
	}
	return e
}
