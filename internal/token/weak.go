package token

import (
	"crypto"
	"crypto/rsa"
	"math/big"
)

// smallPrimes are those that the fingerprint of weak keys is taken modulo: 3 to 167.
var smallPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// fingerprints holds, for each of smallPrimes, which remainders are powers of 65537.
var fingerprints = func() [][]bool {
	out := make([][]bool, len(smallPrimes))
	for i, p := range smallPrimes {
		out[i] = make([]bool, p)
		for power := int64(1); !out[i][power]; power = power * 65537 % p {
			out[i][power] = true
		}
	}
	return out
}()

// weak reports whether an RSA key was made by hardware whose primes can be guessed
// (CVE-2017-15361, "ROCA"): its modulus is then a power of 65537 modulo every small
// prime, which happens to other keys once in 2^27.
func weak(key crypto.PublicKey) bool {
	public, ok := key.(*rsa.PublicKey)
	if !ok || public.N == nil {
		return false
	}
	var prime, rest big.Int
	for i, p := range smallPrimes {
		if !fingerprints[i][rest.Mod(public.N, prime.SetInt64(p)).Int64()] {
			return false
		}
	}
	return true
}
