package people_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"github.com/go-json-experiment/json"
)

// An authenticator is a software one: ES256, no attestation, one credential (WebAuthn
// §6). What it lies about is for tests to set.
type authenticator struct {
	t          testing.TB
	origin     string // what the browser says it is on
	rpID       string // what the browser hashed
	id         []byte
	key        *ecdsa.PrivateKey
	user       []byte // the handle it was given
	count      uint32
	unverified bool // it did not verify the person
	crossed    bool // the browser says it was in another site's frame
	challenge  string
}

var b64 = base64.RawURLEncoding

func newAuthenticator(t testing.TB, host string) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &authenticator{t: t, origin: "https://" + host, rpID: host, id: id, key: key}
}

// options is what of the server's options the browser cares about.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		UserVerification string `json:"userVerification"`
	} `json:"publicKey"`
}

func (a *authenticator) read(text []byte) options {
	a.t.Helper()
	var o options
	if err := json.Unmarshal(text, &o); err != nil {
		a.t.Fatalf("options: %v", err)
	}
	return o
}

// clientData is what the browser signs along.
func (a *authenticator) clientData(kind, challenge string) []byte {
	a.t.Helper()
	if a.challenge != "" {
		challenge = a.challenge
	}
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": a.crossed}, json.Deterministic(true))
	if err != nil {
		a.t.Fatal(err)
	}
	return text
}

// data is the authenticator data (§6.1), with a new credential when attested.
func (a *authenticator) data(attested bool) []byte {
	hash := sha256.Sum256([]byte(a.rpID))
	flags := byte(0x01) // user present
	if !a.unverified {
		flags |= 0x04
	}
	if attested {
		flags |= 0x40
	}
	out := append(hash[:], flags)
	out = binary.BigEndian.AppendUint32(out, a.count)
	if !attested {
		return out
	}
	out = append(out, make([]byte, 16)...) // AAGUID of none
	out = binary.BigEndian.AppendUint16(out, uint16(len(a.id)))
	out = append(out, a.id...)
	public, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		a.t.Fatal(err)
	}
	// COSE_Key {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	out = append(out, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32)
	out = append(out, public[1:33]...)
	out = append(out, 0x22, 0x58, 32)
	return append(out, public[33:]...)
}

// register answers a registration.
func (a *authenticator) register(text []byte) []byte {
	a.t.Helper()
	o := a.read(text)
	a.user, _ = b64.DecodeString(o.PublicKey.User.ID)
	data := a.data(true)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	object = append(object, data...)
	return a.answer(map[string]any{
		"clientDataJSON":    b64.EncodeToString(a.clientData("webauthn.create", o.PublicKey.Challenge)),
		"attestationObject": b64.EncodeToString(object),
	})
}

// login answers a login.
func (a *authenticator) login(text []byte) []byte {
	a.t.Helper()
	o := a.read(text)
	client := a.clientData("webauthn.get", o.PublicKey.Challenge)
	data := a.data(false)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(a.user),
	})
}

func (a *authenticator) answer(response map[string]any) []byte {
	a.t.Helper()
	id := b64.EncodeToString(a.id)
	text, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return text
}
