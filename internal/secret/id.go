package secret

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// idLen is the number of base62 characters that 128 bits take.
const idLen = 22

// A PackedID is the random part of an id of [NewID] as the number it is: a third of
// the memory of its text.
type PackedID [16]byte

// PackID returns the packed form of an id that begins with prefix. ok is false when
// id is not of the form [NewID] makes; such an id must be kept as text.
func PackID(id, prefix string) (packed PackedID, ok bool) {
	text, found := strings.CutPrefix(id, prefix)
	if !found || len(text) != idLen {
		return packed, false
	}
	var hi, lo uint64
	for i := range idLen {
		digit := strings.IndexByte(alphabet, text[i])
		if digit < 0 {
			return packed, false
		}
		// (hi, lo) = (hi, lo)*62 + digit
		over, top := bits.Mul64(hi, 62)
		carry, low := bits.Mul64(lo, 62)
		sum, c := bits.Add64(low, uint64(digit), 0)
		next, c2 := bits.Add64(top, carry, c)
		if over != 0 || c2 != 0 {
			return packed, false // 22 characters can write more than 128 bits
		}
		hi, lo = next, sum
	}
	binary.BigEndian.PutUint64(packed[:8], hi)
	binary.BigEndian.PutUint64(packed[8:], lo)
	return packed, true
}

// Text returns the id with the given prefix.
func (p PackedID) Text(prefix string) string {
	hi, lo := binary.BigEndian.Uint64(p[:8]), binary.BigEndian.Uint64(p[8:])
	out := make([]byte, len(prefix)+idLen)
	copy(out, prefix)
	for i := len(out) - 1; i >= len(prefix); i-- {
		var digit uint64
		hi, digit = hi/62, hi%62
		lo, digit = bits.Div64(digit, lo, 62)
		out[i] = alphabet[digit]
	}
	return string(out)
}
