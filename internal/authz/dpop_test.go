package authz

import (
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// thumbprint returns the thumbprint of a key.
func thumbprint(t *testing.T, k token.PrivateKey) string {
	t.Helper()
	text, err := token.Thumbprint(k.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// proof signs a proof of possession for a request with a token; c changes its claims.
func (i *issuer) proof(k token.PrivateKey, method, url, access string, c claims) string {
	i.t.Helper()
	sum := sha256.Sum256([]byte(access))
	all := claims{
		"jti": secret.NewID(""), "htm": method, "htu": url, "iat": i.now().Unix(),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}.with(c)
	var members []token.Member
	for name, value := range all {
		members = append(members, token.Member{Name: name, Value: value})
	}
	payload, err := token.MarshalClaims(members)
	if err != nil {
		i.t.Fatal(err)
	}
	jwk, err := token.PublicJWK(token.Key{Algorithm: "ES256", Public: k.Signer.Public()})
	if err != nil {
		i.t.Fatal(err)
	}
	input := encode(`{"alg":"ES256","typ":"dpop+jwt","jwk":`+string(jwk)+`}`) + "." + encode(string(payload))
	signature, err := signES256(k, input)
	if err != nil {
		i.t.Fatal(err)
	}
	return input + "." + signature
}

// Guarantee: a token that is bound to a key is good with a fresh proof of that key for
// this very request, and for nothing else; a token that is bound to none is not sent with
// a proof. The same holds for tokens of every origin.
func TestProofOfPossession(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	k, other := newKey(t, ""), newKey(t, "")
	cnf := claims{"cnf": map[string]string{"jkt": thumbprint(t, k)}}
	const here = "http://api.acme.test/v1/records"
	texts := map[string]string{
		"own": i.sign(i.ourKey("live"), i.machine().with(cnf)), "account": i.sign(i.accountKey, i.self().with(cnf)),
		"partner": i.sign(i.partner.key(), i.foreign().with(cnf)),
	}
	send := func(text string, proofs ...string) *cardea.Request {
		r := request("GET", "/v1/records?q=1", "Authorization", "DPoP "+text)
		r.Header["Dpop"] = proofs
		return r
	}
	check := func(text string) {
		i.t.Helper()
		good := i.proof(k, "GET", here, text, nil)
		i.allow(send(text, good))
		const s, no = cardea.StepVerify, cardea.ReasonInvalidCredential
		i.each(t, []asked{
			{"used before", send(text, good), s, no},
			{"as Bearer", withToken(text), s, no},
			{"as Bearer with a proof", request("GET", "/v1/records", "Authorization", "Bearer "+text, "DPoP", i.proof(k, "GET", here, text, nil)), s, no},
			{"without proof", send(text), s, no},
			{"two proofs", send(text, i.proof(k, "GET", here, text, nil), i.proof(k, "GET", here, text, nil)), s, no},
			{"another key's", send(text, i.proof(other, "GET", here, text, nil)), s, no},
			{"for another method", send(text, i.proof(k, "POST", here, text, nil)), s, no},
			{"for another path", send(text, i.proof(k, "GET", here+"/1", text, nil)), s, no},
			{"for another host", send(text, i.proof(k, "GET", "http://evil.test/v1/records", text, nil)), s, no},
			{"for another scheme", send(text, i.proof(k, "GET", "https://api.acme.test/v1/records", text, nil)), s, no},
			{"for another token", send(text, i.proof(k, "GET", here, "x", nil)), s, no},
			{"without ath", send(text, i.proof(k, "GET", here, text, claims{"ath": nil})), s, no},
			{"old", send(text, i.proof(k, "GET", here, text, claims{"iat": start.Add(-2 * time.Minute).Unix()})), s, no},
			{"of the future", send(text, i.proof(k, "GET", here, text, claims{"iat": start.Add(2 * time.Minute).Unix()})), s, no},
			{"without jti", send(text, i.proof(k, "GET", here, text, claims{"jti": nil})), s, no},
			{"the token itself", send(text, text), s, no},
		})
		d := i.ask(withToken(text))
		if !d.Identified() || d.Limit != (cardea.Limit{}) || !strings.Contains(d.Explain().Detail, "bound") {
			t.Errorf("a bound token as Bearer: %+v, %q", d.Limit, d.Explain().Detail)
		}
		i.allow(send(text, i.proof(k, "GET", here, text, nil)))
	}
	for _, text := range texts {
		check(text)
	}
	unbound := i.sign(i.ourKey("live"), i.machine())
	i.expect(send(unbound, i.proof(k, "GET", here, unbound, nil)), cardea.StepVerify, cardea.ReasonInvalidCredential)
	i.allow(withToken(unbound))

	i.use(opaqueTokens)
	_, opaque := i.opaque(func(t *store.AccessToken) { t.DPoP = cnf["cnf"].(map[string]string)["jkt"] })
	check(opaque)
	key := i.world.key(i.organization, "api_key", "live").Reveal()
	i.expect(send(key, i.proof(k, "GET", here, key, nil)), cardea.StepShape, cardea.ReasonInvalidCredential)
}

// Guarantee: the URL that a proof is for is the one that the client has sent the request
// to, as a trusted proxy tells it, and nobody else.
func TestProofsBehindAProxy(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) {
		c.RefusedPerMinute, c.TrustedProxies = -1, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	k := newKey(t, "")
	text := i.sign(i.ourKey("live"), i.machine().with(claims{"cnf": map[string]string{"jkt": thumbprint(t, k)}}))
	send := func(url, peer string, tls bool) *cardea.Request {
		r := request("GET", "/v1/records", "Authorization", "DPoP "+text, "DPoP", i.proof(k, "GET", url, text, nil), "X-Forwarded-Proto", "https")
		r.Peer, r.TLS = netip.MustParseAddr(peer), tls
		return r
	}
	const outside, inside = "https://api.acme.test/v1/records", "http://api.acme.test/v1/records"
	i.allow(send(outside, "10.0.0.1", false))
	i.allow(send(outside, "203.0.113.7", true))
	i.allow(send(inside, "203.0.113.7", false))
	i.expect(send(outside, "203.0.113.7", false), cardea.StepVerify, cardea.ReasonInvalidCredential)
	i.expect(send(inside, "10.0.0.1", false), cardea.StepVerify, cardea.ReasonInvalidCredential)
}

// Guarantee: without DPoP in the contract no proof is looked at, and bound tokens are no
// good: they cannot be checked.
func TestProofsWhereTheContractHasNone(t *testing.T) {
	i := newIssuer(t, nil)
	k := newKey(t, "")
	text := i.sign(i.ourKey("live"), i.machine().with(claims{"cnf": map[string]string{"jkt": thumbprint(t, k)}}))
	i.use(strings.Replace(issuing, "dpop: optional, ", "", 1))
	r := request("GET", "/v1/records", "Authorization", "DPoP "+text, "DPoP", i.proof(k, "GET", "http://api.acme.test/v1/records", text, nil))
	i.expect(r, cardea.StepCredential, cardea.ReasonInvalidCredential)
	i.expect(withToken(text), cardea.StepVerify, cardea.ReasonInvalidCredential)
}
