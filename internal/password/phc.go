package password

import (
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are the cost of a hash, as argon2 has it (RFC 9106 §3.1).
type Params struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// Sizes of what is stored, in bytes.
const (
	saltSize = 16
	keySize  = 32
)

// The most a stored hash may cost to check: a row that somebody else wrote must not stop
// the server.
const (
	maxMemory = 256 << 10 // KiB
	maxPasses = 16
	maxLanes  = 8
)

// phc is a hash in its parts.
type phc struct {
	params    Params
	salt, key []byte
}

// String returns the PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (p phc) String() string {
	b64 := base64.RawStdEncoding.Strict()
	return "$argon2id$v=" + strconv.Itoa(argon2.Version) +
		"$m=" + strconv.Itoa(int(p.params.Memory)) + ",t=" + strconv.Itoa(int(p.params.Passes)) + ",p=" + strconv.Itoa(int(p.params.Lanes)) +
		"$" + b64.EncodeToString(p.salt) + "$" + b64.EncodeToString(p.key)
}

// parse reads what String returns: exactly that, with any affordable cost.
func parse(text string) (phc, error) {
	var p phc
	parts := strings.Split(text, "$")
	if len(text) > 512 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, ErrHash
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return p, ErrHash
	}
	memory, ok1 := cost(costs[0], "m=", maxMemory)
	passes, ok2 := cost(costs[1], "t=", maxPasses)
	lanes, ok3 := cost(costs[2], "p=", maxLanes)
	if !ok1 || !ok2 || !ok3 || memory < 8*lanes {
		return p, ErrHash
	}
	p.params = Params{Memory: memory, Passes: passes, Lanes: uint8(lanes)}
	b64 := base64.RawStdEncoding.Strict()
	var err1, err2 error
	p.salt, err1 = b64.DecodeString(parts[4])
	p.key, err2 = b64.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 || p.String() != text {
		return p, ErrHash
	}
	return p, nil
}

// cost reads one number of 1 to most after its name.
func cost(text, name string, most uint32) (uint32, bool) {
	digits, found := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), found && err == nil && n > 0 && uint32(n) <= most
}
