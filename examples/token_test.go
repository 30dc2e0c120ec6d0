package examples_test

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdJWT takes a signed token apart: jwt header|payload TOKEN. What it says becomes the
// output, for body and json to look at. Nothing is verified here.
func (s *script) cmdJWT(ts *testscript.TestScript, args []string) {
	parts := map[string]int{"header": 0, "payload": 1}
	if len(args) != 2 {
		ts.Fatalf("usage: jwt header|payload TOKEN")
	}
	i, ok := parts[args[0]]
	pieces := strings.Split(args[1], ".")
	if !ok || len(pieces) != 3 {
		ts.Fatalf("not a part of a signed token")
	}
	text, err := base64.RawURLEncoding.DecodeString(pieces[i])
	ts.Check(err)
	s.output = text
}

// bend returns a token with one bit of its signature flipped: bend VARIABLE TOKEN.
func (s *script) cmdBend(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: bend VARIABLE TOKEN")
	}
	i := strings.LastIndexByte(args[1], '.')
	signature, err := base64.RawURLEncoding.DecodeString(args[1][i+1:])
	ts.Check(err)
	signature[len(signature)/2] ^= 1
	ts.Setenv(args[0], fmt.Sprintf("%s.%s", args[1][:i], base64.RawURLEncoding.EncodeToString(signature)))
}

// A keyFile is what somebody downloads for a service account.
type keyFile struct {
	ClientID     string            `json:"client_id"`
	KeyID        string            `json:"key_id"`
	PrivateKey   string            `json:"private_key"`
	Issuer       string            `json:"issuer"`
	Audience     string            `json:"audience"`
	Organization string            `json:"organization"`
	Claims       map[string]string `json:"claims"`
}

// cmdSign signs a token with a service account's key file, as its holder does, without
// asking anybody: sign VARIABLE FILE [CLAIM=JSON…]. The page's claims are in it unless
// others are given; CLAIM= leaves one out. With kid= the header names no key.
func (s *script) cmdSign(ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: sign VARIABLE FILE [CLAIM=JSON…]")
	}
	text, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	var file keyFile
	ts.Check(json.Unmarshal(text, &file))
	block, _ := pem.Decode([]byte(file.PrivateKey))
	if block == nil {
		ts.Fatalf("the key file has no private key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ts.Check(err)
	state, err := s.dev.clock(0, true)
	ts.Check(err)
	now := state.Now.Unix()
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": file.KeyID}
	claims := map[string]any{
		"iss": file.Issuer, "sub": file.ClientID, "aud": file.Audience, "exp": now + 3600, "iat": now,
		"scopes": []string{"read:certificates"}, "org_id": file.Organization,
	}
	for _, arg := range args[2:] {
		name, value, ok := strings.Cut(arg, "=")
		target := claims
		if name == "kid" || name == "alg" || name == "typ" {
			target = header
		}
		var v any
		switch {
		case !ok:
			ts.Fatalf("not a claim: %s", arg)
		case value == "":
			delete(target, name)
			continue
		case strings.HasPrefix(value, "now"):
			offset, err := strconv.ParseInt(cmp.Or(value[3:], "0"), 10, 64)
			ts.Check(err)
			v = now + offset
		default:
			ts.Check(json.Unmarshal([]byte(value), &v))
		}
		target[name] = v
	}
	ts.Setenv(args[0], signRS256(ts, key, header, claims))
}

// signRS256 signs a token with the standard library alone (RFC 7515 §3.1).
func signRS256(ts *testscript.TestScript, key any, header, claims any) string {
	signer, ok := key.(*rsa.PrivateKey)
	if !ok {
		ts.Fatalf("the key is no RSA key")
	}
	var parts []string
	for _, part := range []any{header, claims} {
		text, err := json.Marshal(part)
		ts.Check(err)
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(nil, signer, crypto.SHA256, digest[:])
	ts.Check(err)
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}
