package token_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-dev/cardea/internal/token"
)

// A good token of every algorithm verifies: the refusals below are not for want of
// anything else.
func TestEveryAlgorithmVerifies(t *testing.T) {
	set := keySet(t, token.All()...)
	for _, algorithm := range token.All() {
		c, err := token.Verify(forge(t, header(algorithm), claims(), algorithm), set.Find, expect())
		if err != nil || c.Subject != "user" {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

// None of the ways to bend a token's envelope is accepted (RFC 8725 §2, §3).
func TestBentTokensAreRefused(t *testing.T) {
	good := forge(t, header("RS256"), claims(), "RS256")
	parts := strings.Split(good, ".")
	with := func(members string) string {
		return forge(t, `{"alg":"RS256","kid":"RS256","typ":"JWT",`+members+`}`, claims(), "RS256")
	}
	var attackers string // a key that somebody brings along, which verifies what they sign
	{
		jwk, err := token.PublicJWK(token.Key{ID: "ES256", Algorithm: "ES256", Public: private(t, "ES256").Public()})
		if err != nil {
			t.Fatal(err)
		}
		attackers = string(jwk)
	}
	set := keySet(t, "RS256", "PS256", "ES384", "EdDSA")
	bent := map[string]string{
		"nothing":            "",
		"a word":             "token",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         good + ".",
		"four full parts":    good + "." + parts[2],
		"a detached payload": parts[0] + ".." + parts[2],
		"an empty header":    "." + parts[1] + "." + parts[2],
		"no signature":       parts[0] + "." + parts[1] + ".",
		"a cut signature":    good[:len(good)-4],
		"a longer signature": good + "AAAA",
		"a doubled one":      good + parts[2],
		"zeroes for one":     parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"padding":            good + "==",
		"one =":              good + "=",
		"a space in front":   " " + good,
		"a space behind":     good + " ",
		"a line break":       good + "\n",
		"one within":         parts[0] + ".\n" + parts[1] + "." + parts[2],
		"one in a part":      good[:10] + "\r\n" + good[10:],
		"a tab":              parts[0] + "\t." + parts[1] + "." + parts[2],
		"a NUL":              good + "\x00",
		"plain base64":       strings.ReplaceAll(strings.ReplaceAll(good, "-", "+"), "_", "/") + "+",
		"stray bits":         good[:len(good)-1] + next(good[len(good)-1:]),
		"a letter too many":  good[:len(good)-1],
		"JSON":               `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"too long":           forge(t, header("RS256"), claims(`"x":"`+strings.Repeat("x", token.MaxSize)+`"`), "RS256"),

		"alg none":           b64(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".",
		"alg none, signed":   forge(t, `{"alg":"none","kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"alg NONE":           forge(t, `{"alg":"NONE","kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"alg in lower case":  forge(t, `{"alg":"rs256","kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"no alg":             forge(t, `{"kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"alg a number":       forge(t, `{"alg":256,"kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"alg null":           forge(t, `{"alg":null,"kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"alg a list":         forge(t, `{"alg":["RS256"],"kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"the key as secret":  forge(t, `{"alg":"HS256","kid":"RS256","typ":"JWT"}`, claims(), "HS256"),
		"... without a kid":  forge(t, `{"alg":"HS256","typ":"JWT"}`, claims(), "HS256"),
		"another RSA alg":    forge(t, `{"alg":"RS512","kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"PSS for PKCS":       forge(t, `{"alg":"PS256","kid":"RS256","typ":"JWT"}`, claims(), "RS256"),
		"another curve":      forge(t, `{"alg":"ES256","kid":"ES384","typ":"JWT"}`, claims(), "ES384"),
		"another key's":      forge(t, `{"alg":"RS256","kid":"RS256","typ":"JWT"}`, claims(), "PS256"),
		"nobody's key":       forge(t, `{"alg":"RS256","kid":"?","typ":"JWT"}`, claims(), "RS256"),
		"kid a path":         forge(t, `{"alg":"RS256","kid":"../../dev/null","typ":"JWT"}`, claims(), "RS256"),
		"kid a number":       forge(t, `{"alg":"RS256","kid":1,"typ":"JWT"}`, claims(), "RS256"),
		"header not JSON":    forge(t, `alg=RS256`, claims(), "RS256"),
		"header a list":      forge(t, `["RS256"]`, claims(), "RS256"),
		"header null":        forge(t, `null`, claims(), "RS256"),
		"two headers":        forge(t, header("RS256")+header("RS256"), claims(), "RS256"),
		"payload a list":     forge(t, header("RS256"), `[]`, "RS256"),
		"payload a text":     forge(t, header("RS256"), `"claims"`, "RS256"),
		"payload null":       forge(t, header("RS256"), `null`, "RS256"),
		"payload not JSON":   forge(t, header("RS256"), `sub=user`, "RS256"),
		"two payloads":       forge(t, header("RS256"), claims()+claims(), "RS256"),
		"a payload behind":   forge(t, header("RS256"), claims()+` {"sub":"root"}`, "RS256"),
		"not UTF-8":          forge(t, header("RS256"), claims(`"x":"`+"\xff"+`"`), "RS256"),
		"half a surrogate":   forge(t, header("RS256"), claims(`"x":"\ud800"`), "RS256"),
		"deep claims":        forge(t, header("RS256"), claims(`"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)), "RS256"),
		"a deep header":      with(`"x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000)),
		"a token in a token": forge(t, header("RS256"), good, "RS256"),

		"crit":               with(`"crit":["exp"],"exp":1`),
		"crit empty":         with(`"crit":[]`),
		"crit unknown":       with(`"crit":["http://example.com/UNDEFINED"],"http://example.com/UNDEFINED":true`),
		"crit null":          with(`"crit":null`),
		"b64 false":          with(`"b64":false,"crit":["b64"]`),
		"b64 false, no crit": with(`"b64":false`),
		"zip":                with(`"zip":"DEF"`),
		"enc":                with(`"enc":"A128GCM"`),
		"jku":                with(`"jku":"https://attacker.example/jwks.json"`),
		"x5u":                with(`"x5u":"https://attacker.example/cert.pem"`),
		"x5c":                with(`"x5c":["MIIB"]`),
		"jwk":                forge(t, `{"alg":"ES256","typ":"JWT","jwk":`+attackers+`}`, claims(), "ES256"),
		"jwk and a kid":      forge(t, `{"alg":"ES256","kid":"RS256","typ":"JWT","jwk":`+attackers+`}`, claims(), "ES256"),
		"jwk beside":         with(`"jwk":` + attackers),
		"alg twice":          with(`"alg":"none"`),
		"kid twice":          with(`"kid":"other"`),
		"typ twice":          with(`"typ":"at+jwt"`),
		"alg escaped twice":  with(`"\u0061lg":"none"`),
		"an unknown twice":   with(`"x":1,"x":2`),

		"sub twice":     forge(t, header("RS256"), claims(`"sub":"root"`), "RS256"),
		"sub escaped":   forge(t, header("RS256"), claims(`"\u0073ub":"root"`), "RS256"),
		"unknown twice": forge(t, header("RS256"), claims(`"x":1`, `"x":2`), "RS256"),
		"twice within":  forge(t, header("RS256"), claims(`"x":{"y":1,"y":2}`), "RS256"),
	}
	token.ForgetEnvelopes()
	for round, when := range []string{"before the good one", "after it"} {
		for name, text := range bent {
			if c, err := token.Verify(text, set.Find, expect()); err == nil || c.Subject != "" {
				t.Errorf("%s, %s: accepted as %q", name, when, c.Subject)
			} else if !known(err) {
				t.Errorf("%s, %s: an error that is none of ours: %v", name, when, err)
			}
		}
		// What is signed well and says nothing good may be remembered, nothing else.
		if n, _ := token.Envelopes(); n > 1 || round == 0 && len(bent) < 70 {
			t.Errorf("%s: %d headers are remembered", when, n)
		}
		if _, err := token.Verify(good, set.Find, expect()); err != nil {
			t.Errorf("the token they were made from: %v", err)
		}
	}
}

// Many at once verify tokens of one header, which they share.
func TestManyVerifyAtOnce(t *testing.T) {
	token.ForgetEnvelopes()
	set := keySet(t, "ES256", "EdDSA")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for _, algorithm := range []string{"ES256", "EdDSA"} {
				subject := fmt.Sprint("user-", i)
				text := forge(t, header(algorithm), strings.Replace(claims(), `"user"`, `"`+subject+`"`, 1), algorithm)
				for range 8 {
					if c, err := token.Verify(text, set.Find, expect()); err != nil || c.Subject != subject {
						t.Errorf("%s: got %q, %v", subject, c.Subject, err)
					}
				}
			}
		})
	}
	all.Wait()
}

// Headers are remembered in bounds, and none that was not on a good token.
func TestRememberedHeadersAreBounded(t *testing.T) {
	_, most := token.Envelopes()
	token.ForgetEnvelopes()
	key := token.Key{ID: "", Algorithm: "EdDSA", Public: private(t, "EdDSA").Public()}
	any := func(string, string) []token.Key { return []token.Key{key} }
	for i := range 2 * most {
		text := forge(t, fmt.Sprintf(`{"alg":"EdDSA","kid":"%d","typ":"JWT"}`, i), claims(), "EdDSA")
		bad := text[:len(text)-8] + "AAAAAAAA"
		before, _ := token.Envelopes()
		if _, err := token.Verify(bad, any, expect()); err == nil {
			t.Fatal("a bad one verifies")
		}
		if n, _ := token.Envelopes(); n != before {
			t.Fatal("the header of a bad one is remembered")
		}
		for range 2 {
			if _, err := token.Verify(text, any, expect()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := token.Verify(bad, any, expect()); err == nil {
			t.Fatal("a bad one verifies after a good one of its header")
		}
		if n, _ := token.Envelopes(); n > most || n == 0 {
			t.Fatalf("%d headers are remembered", n)
		}
	}
	token.ForgetEnvelopes()
	if _, err := token.VerifyProof(forge(t, proofHeader(t, "EdDSA", nil), proofClaims(nil), "EdDSA"), request()); err != nil {
		t.Fatal(err)
	}
	if n, _ := token.Envelopes(); n != 0 {
		t.Error("a proof's header is remembered")
	}
}

// next returns the base64url digit after a digit.
func next(digit string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[(strings.Index(alphabet, digit)+1)%64:][:1]
}

// known reports whether an error is one that callers tell apart.
func known(err error) bool {
	for _, e := range []error{
		token.ErrMalformed, token.ErrUnknownKey, token.ErrSignature, token.ErrType, token.ErrIssuer, token.ErrAudience,
		token.ErrSubject, token.ErrExpired, token.ErrNotYet, token.ErrLifetime,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// A changed bit anywhere makes another token, which nobody signed.
func TestEveryChangeIsNoticed(t *testing.T) {
	set := keySet(t, "ES256", "EdDSA", "RS256")
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256"} {
		good := forge(t, header(algorithm), claims(), algorithm)
		if _, err := token.Verify(good, set.Find, expect()); err != nil {
			t.Fatal(err)
		}
		for i := range good {
			if good[i] == '.' {
				continue
			}
			bent := good[:i] + next(good[i:i+1]) + good[i+1:]
			if _, err := token.Verify(bent, set.Find, expect()); err == nil {
				t.Fatalf("%s: letter %d may be changed", algorithm, i)
			}
		}
	}
}

// What a token says is held against what it must say, each claim by itself.
func TestClaimsAreHeldToWhatIsExpected(t *testing.T) {
	set := keySet(t, "ES256")
	at := now.Unix()
	base := map[string]string{
		"iss": `"https://issuer.example"`, "sub": `"user"`, "aud": `"api"`,
		"exp": fmt.Sprint(at + 3600), "iat": fmt.Sprint(at),
	}
	for _, test := range []struct {
		name   string
		claims map[string]string // instead of those in base; "" leaves one out
		change func(*token.Expect)
		want   error
	}{
		{"as expected", nil, nil, nil},
		{"no exp", map[string]string{"exp": ""}, nil, token.ErrMalformed},
		{"exp a text", map[string]string{"exp": fmt.Sprintf(`"%d"`, at+3600)}, nil, token.ErrMalformed},
		{"exp null", map[string]string{"exp": "null"}, nil, token.ErrMalformed},
		{"exp true", map[string]string{"exp": "true"}, nil, token.ErrMalformed},
		{"exp a list", map[string]string{"exp": fmt.Sprintf(`[%d]`, at+3600)}, nil, token.ErrMalformed},
		{"exp negative", map[string]string{"exp": "-1"}, nil, token.ErrMalformed},
		{"exp beyond all time", map[string]string{"exp": "1e300"}, nil, token.ErrMalformed},
		{"exp beyond int64", map[string]string{"exp": "99999999999999999999"}, nil, token.ErrMalformed},
		{"exp zero", map[string]string{"exp": "0"}, nil, token.ErrExpired},
		{"exp with a fraction", map[string]string{"exp": fmt.Sprintf("%d.5", at)}, nil, nil},
		{"exp with an exponent", map[string]string{"exp": "1.8000001e9"}, nil, nil},
		{"exp now", map[string]string{"exp": fmt.Sprint(at)}, nil, token.ErrExpired},
		{"exp now, leeway", map[string]string{"exp": fmt.Sprint(at)}, func(e *token.Expect) { e.Leeway = token.MaxLeeway }, token.ErrExpired},
		{"exp in a second", map[string]string{"exp": fmt.Sprint(at + 1)}, nil, nil},
		{"EXP for exp", map[string]string{"exp": "", "EXP": fmt.Sprint(at + 3600)}, nil, token.ErrMalformed},
		{"nbf later", map[string]string{"nbf": fmt.Sprint(at + 1)}, nil, token.ErrNotYet},
		{"nbf later, within leeway", map[string]string{"nbf": fmt.Sprint(at + 60)}, func(e *token.Expect) { e.Leeway = token.MaxLeeway }, nil},
		{"no leeway beyond the most", map[string]string{"nbf": fmt.Sprint(at + 61)}, func(e *token.Expect) { e.Leeway = 3600e9 }, token.ErrNotYet},
		{"nbf zero", map[string]string{"nbf": "0"}, nil, nil},
		{"nbf a text", map[string]string{"nbf": `"0"`}, nil, token.ErrMalformed},
		{"iat later", map[string]string{"iat": fmt.Sprint(at + 1)}, nil, token.ErrNotYet},
		{"iat a text", map[string]string{"iat": `"1"`}, nil, token.ErrMalformed},
		{"no iat", map[string]string{"iat": ""}, nil, nil},
		{"no iat, required", map[string]string{"iat": ""}, func(e *token.Expect) { e.RequireIssuedAt = true }, token.ErrMalformed},
		{"as long as allowed", nil, func(e *token.Expect) { e.MaxLifetime = 3600e9 }, nil},
		{"longer", nil, func(e *token.Expect) { e.MaxLifetime = 3599e9 }, token.ErrLifetime},
		{"longer, no iat", map[string]string{"iat": ""}, func(e *token.Expect) { e.MaxLifetime = 3599e9 }, token.ErrLifetime},
		{"no iss", map[string]string{"iss": ""}, nil, token.ErrIssuer},
		{"another iss", map[string]string{"iss": `"https://issuer.example/"`}, nil, token.ErrIssuer},
		{"iss in capitals", map[string]string{"iss": `"HTTPS://issuer.example"`}, nil, token.ErrIssuer},
		{"iss a list", map[string]string{"iss": `["https://issuer.example"]`}, nil, token.ErrMalformed},
		{"no issuer expected", nil, func(e *token.Expect) { e.Issuer = "" }, token.ErrIssuer},
		{"no issuer at all", map[string]string{"iss": ""}, func(e *token.Expect) { e.Issuer = "" }, token.ErrIssuer},
		{"nothing expected", nil, func(e *token.Expect) { *e = token.Expect{} }, token.ErrIssuer},
		{"no aud", map[string]string{"aud": ""}, nil, token.ErrAudience},
		{"aud empty", map[string]string{"aud": `""`}, nil, token.ErrAudience},
		{"aud empty, none expected", map[string]string{"aud": `""`}, func(e *token.Expect) { e.Audience = "" }, token.ErrAudience},
		{"another aud", map[string]string{"aud": `"other"`}, nil, token.ErrAudience},
		{"aud part of it", map[string]string{"aud": `"ap"`}, nil, token.ErrAudience},
		{"aud among several", map[string]string{"aud": `["other","api"]`}, nil, nil},
		{"aud among several, one wanted", map[string]string{"aud": `["api","other"]`}, func(e *token.Expect) { e.SingleAudience = true }, token.ErrAudience},
		{"aud a list of one, a text wanted", map[string]string{"aud": `["api"]`}, func(e *token.Expect) { e.SingleAudience = true }, token.ErrAudience},
		{"aud a list with a number", map[string]string{"aud": `["api",1]`}, nil, token.ErrMalformed},
		{"aud an object", map[string]string{"aud": `{"api":true}`}, nil, token.ErrMalformed},
		{"another of the audiences", map[string]string{"aud": `"v2"`}, func(e *token.Expect) { e.Audiences = []string{"v2"} }, nil},
		{"any aud", map[string]string{"aud": ""}, func(e *token.Expect) { e.AnyAudience = true }, nil},
		{"no sub", map[string]string{"sub": ""}, nil, token.ErrSubject},
		{"sub empty", map[string]string{"sub": `""`}, nil, token.ErrSubject},
		{"sub a number", map[string]string{"sub": "7"}, nil, token.ErrMalformed},
		{"sub null", map[string]string{"sub": "null"}, nil, token.ErrMalformed},
		{"no sub, none wanted", map[string]string{"sub": ""}, func(e *token.Expect) { e.AnySubject = true }, nil},
		{"jti a number", map[string]string{"jti": "7"}, nil, token.ErrMalformed},
		{"another type", nil, func(e *token.Expect) { e.Types = []string{"at+jwt"} }, token.ErrType},
		{"no type at all", nil, func(e *token.Expect) { e.Types = []string{} }, token.ErrType},
		{"any type", nil, func(e *token.Expect) { e.Types = nil }, nil},
	} {
		var members []string
		merged := map[string]string{}
		for name, value := range base {
			merged[name] = value
		}
		for name, value := range test.claims {
			merged[name] = value
		}
		for name, value := range merged {
			if value != "" {
				members = append(members, `"`+name+`":`+value)
			}
		}
		e := expect()
		if test.change != nil {
			test.change(&e)
		}
		c, err := token.Verify(forge(t, header("ES256"), "{"+strings.Join(members, ",")+"}", "ES256"), set.Find, e)
		if !errors.Is(err, test.want) || err != nil && test.want == nil {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if err != nil && !errors.Is(err, token.ErrExpired) && c.Issuer+c.Subject != "" {
			t.Errorf("%s: something is returned of a refused token", test.name)
		}
	}
}

// A finder that is careless cannot widen what a key is good for.
func TestAKeyIsUsedWithItsAlgorithmAlone(t *testing.T) {
	for algorithm, key := range map[string]token.Key{
		"RS256": {ID: "RS256", Algorithm: "PS256", Public: private(t, "RS256").Public()},
		"ES256": {ID: "ES256", Algorithm: "", Public: private(t, "ES256").Public()},
		"EdDSA": {ID: "EdDSA", Algorithm: "none", Public: private(t, "EdDSA").Public()},
	} {
		careless := func(string, string) []token.Key { return []token.Key{key} }
		if _, err := token.Verify(forge(t, header(algorithm), claims(), algorithm), careless, expect()); !errors.Is(err, token.ErrSignature) {
			t.Errorf("%s verifies with a key of %q: %v", algorithm, key.Algorithm, err)
		}
	}
}

// A token that is expired and wrong is wrong: only what was right in every other way
// says whose it was.
func TestOnlyAGoodTokenIsCalledExpired(t *testing.T) {
	set := keySet(t, "ES256", "EdDSA")
	e := expect()
	e.Now = now.Add(2 * 3600e9)
	good := forge(t, header("ES256"), claims(), "ES256")
	if c, err := token.Verify(good, set.Find, e); !errors.Is(err, token.ErrExpired) || c.Subject != "user" {
		t.Errorf("got %q, %v", c.Subject, err)
	}
	for name, change := range map[string]func(*token.Expect){
		"issuer":   func(e *token.Expect) { e.Issuer = "x" },
		"audience": func(e *token.Expect) { e.Audience = "x" },
		"lifetime": func(e *token.Expect) { e.MaxLifetime = 1 },
		"type":     func(e *token.Expect) { e.Types = []string{"x"} },
	} {
		other := e
		change(&other)
		if c, err := token.Verify(good, set.Find, other); errors.Is(err, token.ErrExpired) || c.Subject != "" {
			t.Errorf("of another %s: got %q, %v", name, c.Subject, err)
		}
	}
	foreign := forge(t, header("EdDSA"), claims(), "EdDSA")
	foreign = foreign[:len(foreign)-8] + "AAAAAAAA"
	if _, err := token.Verify(foreign, set.Find, e); !errors.Is(err, token.ErrSignature) {
		t.Errorf("badly signed: got %v", err)
	}
}

// Types are media types: case does not matter, nor does "application/".
func TestTypes(t *testing.T) {
	set := keySet(t, "ES256")
	for typ, want := range map[string]bool{
		`,"typ":"at+jwt"`: true, `,"typ":"AT+JWT"`: true, `,"typ":"application/at+jwt"`: true, `,"typ":"Application/at+JWT"`: true,
		`,"typ":"JWT"`: false, ``: false, `,"typ":""`: false, `,"typ":"application/"`: false, `,"typ":"at+jwt "`: false,
	} {
		e := expect()
		e.Types = []string{"at+jwt"}
		_, err := token.Verify(forge(t, `{"alg":"ES256","kid":"ES256"`+typ+`}`, claims(), "ES256"), set.Find, e)
		if (err == nil) != want {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// The gate stands by itself: what it refuses reaches no parser that might know better.
func TestGate(t *testing.T) {
	for text, want := range map[string]bool{
		"AA.AA.AA": true, "AAA.AAA.AAA": true, "AAAA.AAAA.AAAA": true, "-_8.e30.AA": true,
		"": false, ".": false, "..": false, "AA": false, "AA.AA": false, "AA.AA.": false, "AA..AA": false, ".AA.AA": false,
		"AA.AA.AA.AA": false, "AA.AA.AA.": false, "AA.AA.AA.AA.AA": false,
		"A.AA.AA": false, "AAAAA.AA.AA": false, "AB.AA.AA": false, "AA.AAB.AA": false, "AA.AA.Aw": true, "AA.AA.Ax": false,
		"AA.AA.AA==": false, "AA=.AA.AA": false, "+A.AA.AA": false, "A/.AA.AA": false, "AA.AA.AA ": false, "AA.AA.AA\n": false,
		"AA.AA.\u212a\u212a":                            false,
		strings.Repeat("A", token.MaxSize-6) + ".AA.AA": true, strings.Repeat("A", token.MaxSize-4) + ".AA.AA": false,
	} {
		if err := token.Gate(text); (err == nil) != want || err != nil && !errors.Is(err, token.ErrMalformed) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// The gate lets through the one spelling that three parts of bytes have.
func FuzzGate(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.e30.AA")
	f.Add("a.b.c")
	f.Add("AA.AA.AA==")
	f.Add("..")
	f.Add("AB.AA.AA")
	f.Add("AA.AA.AA.AA")
	f.Fuzz(func(t *testing.T, text string) {
		parts := strings.Split(text, ".")
		want := len(text) <= token.MaxSize && len(parts) == 3 && !strings.ContainsAny(text, "\r\n")
		for _, part := range parts {
			decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
			want = want && err == nil && len(decoded) > 0 && base64.RawURLEncoding.EncodeToString(decoded) == part
		}
		if got := token.Gate(text) == nil; got != want {
			t.Errorf("Gate(%q) = %t, want %t", text, got, want)
		}
	})
}

// No text makes the verifier panic, and none verifies but what was signed.
func FuzzVerify(f *testing.F) {
	good := forge(f, header("EdDSA"), claims(), "EdDSA")
	set := keySet(f, "EdDSA", "ES256")
	f.Add(good)
	f.Add(forge(f, header("ES256"), claims(`"scope":"a b"`), "EdDSA"))
	f.Add(b64(`{"alg":"none"}`) + "." + b64(claims()) + ".AA")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := token.Verify(text, set.Find, expect())
		if err == nil && text != good {
			t.Errorf("%q verifies", text)
		}
		if err != nil && !known(err) {
			t.Errorf("an error that is none of ours: %v", err)
		}
		_, _, _ = c.Scopes("scope")
		// The parts behind the signature too, which the fuzzer cannot make.
		if h, u, err := token.Peek(text); err == nil && (h.Algorithm == "" || len(u.Issuer) > token.MaxSize) {
			t.Errorf("Peek returned %+v, %+v", h, u)
		}
	})
}
