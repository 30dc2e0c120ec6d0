package secret

// CheckPrefixed reports whether text has the prefix form with this prefix and its
// checksum holds: whether [New] could have made it. One wrong character, or two
// neighbours exchanged, never passes (CRC-32 finds every error burst of up to 32
// bits). It does not allocate.
func CheckPrefixed(text, prefix string) bool {
	if len(text) != len(prefix)+bodyLen+checksumLen || text[:len(prefix)] != prefix {
		return false
	}
	for i := len(prefix); i < len(text); i++ {
		if !isBase62[text[i]] {
			return false
		}
	}
	body := text[:len(text)-checksumLen]
	sum := checksumOf(body)
	return string(sum[:]) == text[len(body):]
}

// IsUUID reports whether text is a version 4 UUID in lower case, RFC 9562 §4 and
// §5.4. Upper case is refused although that RFC reads it: the hash is over the text,
// so a second spelling would be a second secret. It does not allocate.
func IsUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		switch i {
		case 8, 13, 18, 23:
			if text[i] != '-' {
				return false
			}
		default:
			if !isHex(text[i]) {
				return false
			}
		}
	}
	variant := text[19]
	return text[14] == '4' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b')
}

// IsHex3212 reports whether text is 32 lower-case hexadecimal digits, "-", and 12
// more. It does not allocate.
func IsHex3212(text string) bool {
	if len(text) != 45 || text[32] != '-' {
		return false
	}
	for i := range len(text) {
		if i != 32 && !isHex(text[i]) {
			return false
		}
	}
	return true
}

// Check reports whether text has the given shape, with the given prefix where the
// shape has one. A shape that does not exist has no texts.
func Check(shape, prefix, text string) bool {
	switch shape {
	case ShapePrefix:
		return CheckPrefixed(text, prefix)
	case ShapeUUID:
		return IsUUID(text)
	case ShapeHex:
		return IsHex3212(text)
	}
	return false
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
