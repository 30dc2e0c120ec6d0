package contract

import "math/rand/v2"

// IDKind is a kind of thing whose ids callers see.
type IDKind uint8

// The kinds of id.
const (
	IDRequest IDKind = iota
	IDOrganization
	IDMember
	IDServiceAccount
	IDClient
	IDKey
	IDSigningKey
	idKinds
)

// defaultIDPrefixes are the prefixes unless a contract has its own.
var defaultIDPrefixes = [idKinds]string{
	IDRequest: "req_", IDOrganization: "org_", IDMember: "usr_", IDServiceAccount: "sa_",
	IDClient: "client_", IDKey: "key_", IDSigningKey: "key-",
}

// IDPrefix returns the prefix of ids of a kind, such as "org_"; "" for an unknown one.
func (c *Contract) IDPrefix(kind IDKind) string {
	if kind < idKinds {
		return c.ids[kind]
	}
	return ""
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewRequestID returns a fresh request id in the contract's form: the prefix and 22
// letters and digits, or 32 hexadecimal digits. Both carry 128 random bits. A request
// id is a name, not a secret; the generator is nevertheless ChaCha8, seeded by the
// system, so that nobody learns from one id how many requests others make.
func (c *Contract) NewRequestID() string {
	high, low := rand.Uint64(), rand.Uint64()
	var buffer [48]byte
	id := buffer[:0]
	if c.requestIDHex {
		const hex = "0123456789abcdef"
		for _, word := range [2]uint64{high, low} {
			for shift := 60; shift >= 0; shift -= 4 {
				id = append(id, hex[word>>shift&15])
			}
		}
		return string(id)
	}
	id = append(id, c.ids[IDRequest]...)
	for _, word := range [2]uint64{high, low} {
		for range 11 { // 62^11 exceeds 2^64
			id = append(id, base62[word%62])
			word /= 62
		}
	}
	return string(id)
}

// ids compiles the prefixes of ids and the form of request ids.
func (k *compiler) ids() {
	v := k.d.IDs
	k.c.ids = defaultIDPrefixes
	used := map[string]text{}
	for kind, t := range map[IDKind]text{
		IDRequest: v.Request, IDOrganization: v.Organization, IDMember: v.Member, IDServiceAccount: v.ServiceAccount,
		IDClient: v.Client, IDKey: v.Key, IDSigningKey: v.SigningKey,
	} {
		if t.given {
			k.idPrefix(kind, t)
		}
	}
	for _, t := range []text{v.Request, v.Organization, v.Member, v.ServiceAccount, v.Client, v.Key} {
		if first, taken := used[t.value]; taken && t.given {
			k.r.Errorf(t.pos, "two kinds of id begin with %s", quote(t.value)).Suggest("the other is on line %d", first.Line)
		}
		used[t.value] = t
	}
	k.c.requestIDHex = k.d.RequestID.Form.value == "hex-32"
	k.c.requestIDHeader = k.d.RequestID.Header.or("X-Request-Id")
	if k.d.RequestID.Header.given {
		k.headerName(k.d.RequestID.Header)
	}
}

// idPrefix checks one prefix: ids are copied from logs by a double click.
func (k *compiler) idPrefix(kind IDKind, t text) {
	last := t.value[len(t.value)-1]
	if len(t.value) > 12 || last != '_' && last != '-' || !isName(t.value) {
		k.r.Errorf(t.pos, "%s cannot be the prefix of ids", quote(t.value)).
			Suggest("use up to 11 lower-case letters and digits and then %s: org_", quote("_"))
		return
	}
	k.c.ids[kind] = t.value
}
