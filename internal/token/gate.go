package token

// Values of the gate's table besides those of the 64 digits.
const (
	notDigit = 0xff
	dot      = 0xfe
)

// digits maps a byte to its value as a base64url digit (RFC 4648 §5).
var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = notDigit
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	t['.'] = dot
	return t
}()

// Gate reports whether text is spelled like a JWT: three parts of base64url without
// padding, none empty, in the one spelling that their bytes have. It is what a token
// passes before any parser sees it; the caches, which are keyed by the whole text, and
// revocation, which is by signature where there is no id, rely on there being no second
// spelling. The error is ErrMalformed. It does not allocate.
func Gate(text string) error {
	if len(text) > MaxSize {
		return ErrMalformed
	}
	start, parts := 0, 0
	for i := range len(text) {
		switch digits[text[i]] {
		case notDigit:
			return ErrMalformed
		case dot:
			if !canonical(text[start:i]) {
				return ErrMalformed
			}
			start = i + 1
			parts++
		}
	}
	if parts != 2 || !canonical(text[start:]) {
		return ErrMalformed
	}
	return nil
}

// canonical reports whether base64url digits are the only ones for their bytes: the
// last digit of an incomplete group carries no bits beyond the last byte.
func canonical(part string) bool {
	if part == "" {
		return false
	}
	last := digits[part[len(part)-1]]
	switch len(part) % 4 {
	case 1:
		return false
	case 2:
		return last&0x0f == 0
	case 3:
		return last&0x03 == 0
	}
	return true
}

// base64url reports whether text is base64url without padding in its one spelling.
func base64url(text string) bool {
	for i := range len(text) {
		if digits[text[i]] > 63 {
			return false
		}
	}
	return canonical(text)
}
