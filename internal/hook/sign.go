package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SecretPrefix begins a signing key's text, as receivers' libraries take it.
const SecretPrefix = "whsec_"

// SecretText returns a signing key in the form that receivers' libraries take (Standard
// Webhooks, "secret serialization"): the prefix and base64.
func SecretText(key []byte) string {
	return SecretPrefix + base64.StdEncoding.EncodeToString(key)
}

// Sign returns the headers that prove who sends a body (Standard Webhooks, "signature
// scheme"): the signature covers id, time and body, so that a message can be neither
// forged nor kept for later. id tells the receiver what it had already; it and the time
// hold no dot. There is a signature for each key: several while one replaces another. Keys
// are 24 to 64 random bytes.
func Sign(id string, at time.Time, body []byte, keys ...[]byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return http.Header{
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {stamp},
		"Webhook-Signature": {strings.Join(signatures, " ")},
	}
}
