package token_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/token"
)

// proofHeader returns a proof's header with the public key of an algorithm.
func proofHeader(t testing.TB, algorithm string, change map[string]any) string {
	t.Helper()
	return fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, algorithm, jwk(t, algorithm, change))
}

// proofClaims returns a proof's claims with members changed; "" takes one away.
func proofClaims(change map[string]string) string {
	members := map[string]string{
		"jti": `"-BwC3ESc6acc2lTc"`, "htm": `"POST"`, "htu": `"https://auth.example/token"`, "iat": fmt.Sprint(now.Unix()),
	}
	for name, value := range change {
		members[name] = value
	}
	var out []string
	for name, value := range members {
		if value != "" {
			out = append(out, `"`+name+`":`+value)
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

// request returns what a good proof is for.
func request() token.Proof {
	return token.Proof{
		Method: "POST", URL: "https://auth.example/token", Now: now,
		Seen: func(string, time.Time) bool { return false },
	}
}

// The checks of RFC 9449 §4.3, each by itself.
func TestProofsAreForTheRequestTheyCameWith(t *testing.T) {
	type change = map[string]string
	plain := func(t testing.TB) string { return proofHeader(t, "ES256", nil) }
	head := func(text string) func(testing.TB) string { return func(testing.TB) string { return text } }
	sum := sha256.Sum256([]byte("at_token"))
	ath := base64.RawURLEncoding.EncodeToString(sum[:])
	own, err := token.Thumbprint(private(t, "ES256").Public())
	if err != nil {
		t.Fatal(err)
	}
	bearer := func(p *token.Proof) { p.AccessToken, p.Thumbprint = "at_token", own }
	nonce := func(p *token.Proof) { p.Nonce = func(n string) bool { return n == "n-1" } }
	for _, test := range []struct {
		name   string
		header func(testing.TB) string
		claims change
		change func(*token.Proof)
		want   error
	}{
		{"good", plain, nil, nil, nil},
		{"3: no jti", plain, change{"jti": ""}, nil, token.ErrProof},
		{"3: jti empty", plain, change{"jti": `""`}, nil, token.ErrProof},
		{"3: jti a number", plain, change{"jti": "1"}, nil, token.ErrProof},
		{"3: jti endless", plain, change{"jti": `"` + strings.Repeat("x", 300) + `"`}, nil, token.ErrProof},
		{"3: no htm", plain, change{"htm": ""}, nil, token.ErrProof},
		{"3: no htu", plain, change{"htu": ""}, nil, token.ErrProof},
		{"3: no iat", plain, change{"iat": ""}, nil, token.ErrProof},
		{"3: iat a text", plain, change{"iat": `"1800000000"`}, nil, token.ErrProof},
		{"4: no typ", head(`{"alg":"ES256","jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, token.ErrProof},
		{"4: typ JWT", head(`{"typ":"JWT","alg":"ES256","jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, token.ErrProof},
		{"4: typ with application/", head(`{"typ":"application/dpop+jwt","alg":"ES256","jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, nil},
		{"5: alg none", head(`{"typ":"dpop+jwt","alg":"none","jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, token.ErrProof},
		{"5: alg HS256", head(`{"typ":"dpop+jwt","alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`), nil, nil, token.ErrProof},
		{"5: alg of another key", head(`{"typ":"dpop+jwt","alg":"RS256","jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, token.ErrProof},
		{"5: alg that was not allowed", plain, nil, func(p *token.Proof) { p.Algorithms = []string{"EdDSA"} }, token.ErrProof},
		{"6: another key", head(`{"typ":"dpop+jwt","alg":"ES256","jwk":` + other(t) + `}`), nil, nil, token.ErrProof},
		{"6: no key", head(`{"typ":"dpop+jwt","alg":"ES256"}`), nil, nil, token.ErrProof},
		{"6: a kid only", head(`{"typ":"dpop+jwt","alg":"ES256","kid":"ES256"}`), nil, nil, token.ErrProof},
		{"6: jwk a text", head(`{"typ":"dpop+jwt","alg":"ES256","jwk":"key"}`), nil, nil, token.ErrProof},
		{"6: jwk null", head(`{"typ":"dpop+jwt","alg":"ES256","jwk":null}`), nil, nil, token.ErrProof},
		{"6: jku instead", head(`{"typ":"dpop+jwt","alg":"ES256","jku":"https://attacker.example"}`), nil, nil, token.ErrProof},
		{"6: crit", head(`{"typ":"dpop+jwt","alg":"ES256","crit":["x"],"x":1,"jwk":` + jwk(t, "ES256", nil) + `}`), nil, nil, token.ErrProof},
		{"7: a private key", func(t testing.TB) string { return proofHeader(t, "ES256", map[string]any{"d": "AAAA"}) }, nil, nil, token.ErrProof},
		{"7: a private part", func(t testing.TB) string { return proofHeader(t, "ES256", map[string]any{"k": nil}) }, nil, nil, token.ErrProof},
		{"8: another method", plain, change{"htm": `"GET"`}, nil, token.ErrProof},
		{"8: in lower case", plain, change{"htm": `"post"`}, nil, token.ErrProof},
		{"8: no method at all", plain, change{"htm": `""`}, func(p *token.Proof) { p.Method = "" }, token.ErrProof},
		{"9: another path", plain, change{"htu": `"https://auth.example/token2"`}, nil, token.ErrProof},
		{"9: another host", plain, change{"htu": `"https://auth.example.attacker.example/token"`}, nil, token.ErrProof},
		{"9: another scheme", plain, change{"htu": `"http://auth.example/token"`}, nil, token.ErrProof},
		{"9: another port", plain, change{"htu": `"https://auth.example:8443/token"`}, nil, token.ErrProof},
		{"9: a user in it", plain, change{"htu": `"https://auth.example@attacker.example/token"`}, nil, token.ErrProof},
		{"9: relative", plain, change{"htu": `"/token"`}, nil, token.ErrProof},
		{"9: path in capitals", plain, change{"htu": `"https://auth.example/Token"`}, nil, token.ErrProof},
		{"9: query and fragment", plain, change{"htu": `"https://auth.example/token?a=b#c"`}, nil, nil},
		{"9: the request's query", plain, nil, func(p *token.Proof) { p.URL += "?a=b" }, nil},
		{"9: host in capitals", plain, change{"htu": `"HTTPS://Auth.Example/token"`}, nil, nil},
		{"9: the default port", plain, change{"htu": `"https://auth.example:443/token"`}, nil, nil},
		{"10: no nonce", plain, nil, nonce, token.ErrNonce},
		{"10: another nonce", plain, change{"nonce": `"n-0"`}, nonce, token.ErrNonce},
		{"10: nonce a list", plain, change{"nonce": `["n-1"]`}, nonce, token.ErrNonce},
		{"10: the nonce", plain, change{"nonce": `"n-1"`}, nonce, nil},
		{"11: old", plain, change{"iat": fmt.Sprint(now.Unix() - 61)}, nil, token.ErrProof},
		{"11: just not", plain, change{"iat": fmt.Sprint(now.Unix() - 60)}, nil, nil},
		{"11: from the future", plain, change{"iat": fmt.Sprint(now.Unix() + 61)}, nil, token.ErrProof},
		{"11: of a fast clock", plain, change{"iat": fmt.Sprint(now.Unix() + 60)}, nil, nil},
		{"11: expired", plain, change{"exp": fmt.Sprint(now.Unix() - 61)}, nil, token.ErrProof},
		{"12: no ath", plain, nil, bearer, token.ErrProof},
		{"12: ath of another", plain, change{"ath": `"` + ath[1:] + `"`}, bearer, token.ErrProof},
		{"12: ath", plain, change{"ath": `"` + ath + `"`}, bearer, nil},
		{"12: a token of another key", plain, change{"ath": `"` + ath + `"`}, func(p *token.Proof) { p.AccessToken, p.Thumbprint = "at_token", "x" }, token.ErrProof},
		{"12: no token", plain, change{"ath": `"` + ath + `"`}, nil, nil},
		{"used before", plain, nil, func(p *token.Proof) { p.Seen = func(string, time.Time) bool { return true } }, token.ErrReplayed},
		{"nobody remembers", plain, nil, func(p *token.Proof) { p.Seen = nil }, token.ErrReplayed},
	} {
		p := request()
		if test.change != nil {
			test.change(&p)
		}
		thumbprint, err := token.VerifyProof(forge(t, test.header(t), proofClaims(test.claims), "ES256"), p)
		if !errors.Is(err, test.want) || err != nil && test.want == nil {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if want := map[bool]string{true: own}[test.want == nil]; thumbprint != want {
			t.Errorf("%s: thumbprint %q, want %q", test.name, thumbprint, want)
		}
	}
}

// other returns a public key that signed nothing.
func other(t testing.TB) string {
	t.Helper()
	text, err := token.PublicJWK(token.Key{Algorithm: "ES256", Public: privates("ES256/other").Public()})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Who fails any check, or holds another's token, leaves nothing in the replay table.
func TestOnlyGoodProofsAreRemembered(t *testing.T) {
	for name, change := range map[string]func(*token.Proof){
		"another request": func(p *token.Proof) { p.Method = "GET" },
		"another's token": func(p *token.Proof) { p.Thumbprint = "x" },
		"no nonce":        func(p *token.Proof) { p.Nonce = func(string) bool { return false } },
	} {
		p := request()
		p.Seen = func(string, time.Time) bool {
			t.Errorf("%s: remembered", name)
			return false
		}
		change(&p)
		if _, err := token.VerifyProof(forge(t, proofHeader(t, "ES256", nil), proofClaims(nil), "ES256"), p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A proof is a text of its own: not part of a list, not quoted.
func TestOneProofInOneHeader(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string
		err   error
	}{
		{nil, "", nil},
		{[]string{"a"}, "a", nil},
		{[]string{"a", "a"}, "", token.ErrProof},
		{[]string{"", "a"}, "", token.ErrProof},
	} {
		got, err := token.ProofHeader(http.Header{"Dpop": test.lines})
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%q: got %q, %v", test.lines, got, err)
		}
	}
	good := forge(t, proofHeader(t, "ES256", nil), proofClaims(nil), "ES256")
	for _, text := range []string{"", good + "," + good, good + ", " + good, `"` + good + `"`, good + "\n"} {
		if _, err := token.VerifyProof(text, request()); !errors.Is(err, token.ErrProof) {
			t.Errorf("accepted in another form: %v", err)
		}
	}
}

// Of many uses of one proof at once, exactly one succeeds.
func TestAProofIsGoodOnce(t *testing.T) {
	replays := token.NewReplays(0, func() time.Time { return now })
	p := request()
	p.Seen = replays.Seen
	text := forge(t, proofHeader(t, "EdDSA", nil), proofClaims(nil), "EdDSA")
	var good atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := token.VerifyProof(text, p); err == nil {
				good.Add(1)
			} else if !errors.Is(err, token.ErrReplayed) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("%d uses succeeded", good.Load())
	}
	if _, err := token.VerifyProof(forge(t, proofHeader(t, "ES256", nil), proofClaims(nil), "ES256"), p); err != nil {
		t.Errorf("another key's proof with the same jti: %v", err)
	}
}

// What is remembered is remembered to the end, and never more than there is room for.
func TestReplaysAreBoundedAndForgetNothingThatCounts(t *testing.T) {
	at := now
	r := token.NewReplays(3, func() time.Time { return at })
	for i := range 3 {
		if r.Seen(fmt.Sprint(i), at.Add(time.Duration(i+1)*time.Minute)) {
			t.Errorf("%d is new", i)
		}
	}
	if !r.Seen("3", at.Add(time.Minute)) {
		t.Error("there was room for a fourth")
	}
	for i := range 3 {
		if !r.Seen(fmt.Sprint(i), at) {
			t.Errorf("%d was forgotten", i)
		}
	}
	at = now.Add(time.Minute)
	if !r.Seen("0", at) {
		t.Error("forgotten in the second in which it ends")
	}
	at = now.Add(62 * time.Second)
	if r.Seen("4", at.Add(time.Minute)) {
		t.Error("what has ended still takes room")
	}
	if !r.Seen("1", at) || !r.Seen("2", at) || !r.Seen("4", at) {
		t.Error("what has not ended was forgotten")
	}
	at = now.Add(time.Hour)
	if r.Seen("1", at) {
		t.Error("an id is remembered for ever")
	}
}

// No text makes the verifier panic, and none is a proof but what was signed.
func FuzzProof(f *testing.F) {
	good := forge(f, proofHeader(f, "EdDSA", nil), proofClaims(nil), "EdDSA")
	f.Add(good, "https://auth.example/token")
	f.Add(forge(f, proofHeader(f, "ES256", nil), proofClaims(nil), "ES256"), "https://auth.example")
	f.Add("a.b.c", "http://[::1]:80/?")
	f.Fuzz(func(t *testing.T, text, url string) {
		p := request()
		p.URL = url
		if thumbprint, err := token.VerifyProof(text, p); (err == nil) != (thumbprint != "") {
			t.Errorf("got %q, %v", thumbprint, err)
		}
		// The URL as the signed part, and as the request's.
		own := forge(t, proofHeader(t, "EdDSA", nil), `{"jti":"1","htm":"POST","htu":`+quoted(url)+`,"iat":1800000000}`, "EdDSA")
		p.URL = "https://auth.example/token"
		_, err := token.VerifyProof(own, p)
		if lower := strings.ToLower(url); err == nil && !strings.HasPrefix(lower, "https://auth.example") {
			t.Errorf("%q counts as %s", url, p.URL)
		}
	})
}

// quoted returns a JSON string; bytes that are not UTF-8 become others.
func quoted(s string) string {
	out, err := jsonText(strings.ToValidUTF8(s, "?"))
	if err != nil {
		return `""`
	}
	return out
}
