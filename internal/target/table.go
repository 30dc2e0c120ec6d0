package target

// class is what a raw byte means in a path.
type class uint8

const (
	classRefused class = iota
	classPlain         // stands for itself
	classSlash
	classPercent
	classQuery
)

// encoding is what it means that a byte arrives percent-encoded.
type encoding uint8

const (
	encodeForbidden encoding = iota // has a plain spelling, or must never be data
	encodeData                      // can only be written encoded
	encodeSlash
	encodeDelim // may be written plain, and encoders of data encode it
)

const (
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	delims     = "!$&'()*+,=:@" // sub-delims without ";", and the rest of pchar
	encoded    = " \"<>[]^`{|}" // printable bytes that a path may hold encoded only
)

// The tables are filled once: reading a byte costs one load.
var (
	classes   [256]class
	encodings [128]encoding
	hexDigits [256]byte // value + 1; 0: not a digit
)

func init() {
	for _, c := range []byte(unreserved + delims) {
		classes[c] = classPlain
	}
	classes['/'], classes['%'], classes['?'] = classSlash, classPercent, classQuery
	for _, c := range []byte(encoded) {
		encodings[c] = encodeData
	}
	for _, c := range []byte(delims) {
		encodings[c] = encodeDelim
	}
	encodings['/'] = encodeSlash
	for i, c := range []byte("0123456789abcdef") {
		hexDigits[c] = byte(i) + 1
	}
	for i, c := range []byte("ABCDEF") {
		hexDigits[c] = byte(i) + 11
	}
}
