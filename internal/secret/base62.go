package secret

import (
	"crypto/rand"
	"hash/crc32"
)

// alphabet is base62 in ASCII order: no character that a double click, a shell or a
// URL would break on.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	bodyLen     = 32 // random characters of a prefixed secret: 190.5 bits
	checksumLen = 6  // 62^6 > 2^32
)

// randomBase62 returns n characters, each uniform: a byte's low six bits, drawn again
// when they are 62 or 63. A remainder would favour the first letters.
func randomBase62(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for {
		_, _ = rand.Read(buf[:]) // never fails: it stops the process instead
		for _, b := range buf {
			if b &= 63; b < 62 {
				if out = append(out, alphabet[b]); len(out) == n {
					return string(out)
				}
			}
		}
	}
}

// checksum returns the CRC-32/IEEE of body in base62, left-padded with "0".
func checksum(body string) string {
	sum := checksumOf(body)
	return string(sum[:])
}

// checksumOf is checksum without allocation.
func checksumOf(body string) (out [checksumLen]byte) {
	sum := crc32.ChecksumIEEE(view(body))
	for i := checksumLen - 1; i >= 0; i-- {
		out[i] = alphabet[sum%62]
		sum /= 62
	}
	return out
}

// isBase62 holds which bytes belong to the alphabet.
var isBase62 = func() (set [256]bool) {
	for _, c := range []byte(alphabet) {
		set[c] = true
	}
	return set
}()
