package token_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/token"
)

// part decodes one of a token's parts.
func part(t *testing.T, text string, i int) string {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The pages print the order of claims; a token has it.
func TestClaimsKeepTheirOrder(t *testing.T) {
	key := token.PrivateKey{ID: "key-1", Algorithm: "ES256", Type: "JWT", KeyID: true, Signer: private(t, "ES256")}
	got, err := token.NewSigner(0, 0).Sign(t.Context(), key, []token.Member{
		{"sub", "user"}, {"iss", "https://issuer.example"}, {"aud", "api"}, {"scope", "read write"}, {"exp", now.Unix() + 60},
		{"iat", now.Unix()}, {"a", []string{"z", "<&>"}}, {"cnf", map[string]string{"jkt": "x"}}, {"ok", true}, {"none", nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"sub":"user","iss":"https://issuer.example","aud":"api","scope":"read write","exp":1800000060,"iat":1800000000,` +
		`"a":["z","<&>"],"cnf":{"jkt":"x"},"ok":true,"none":null}`
	if diff := cmp.Diff(want, part(t, got, 1)); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`{"alg":"ES256","kid":"key-1","typ":"JWT"}`, part(t, got, 0)); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// A header has what it was asked to have and nothing else, and what is signed verifies.
func TestWhatIsSignedVerifies(t *testing.T) {
	signer := token.NewSigner(0, 0)
	members := []token.Member{
		{"iss", "https://issuer.example"}, {"sub", "user"}, {"aud", "api"}, {"exp", now.Unix() + 60}, {"scope", "a b"},
	}
	for _, algorithm := range token.All() {
		for _, test := range []struct {
			typ    string
			kid    bool
			header string
		}{
			{"at+jwt", true, `{"alg":"` + algorithm + `","kid":"k","typ":"at+jwt"}`},
			{"", false, `{"alg":"` + algorithm + `"}`},
		} {
			key := token.PrivateKey{ID: "k", Algorithm: algorithm, Type: test.typ, KeyID: test.kid, Signer: private(t, algorithm)}
			text, err := signer.Sign(t.Context(), key, members)
			if err != nil {
				t.Fatal(algorithm, err)
			}
			if got := part(t, text, 0); got != test.header {
				t.Errorf("%s: the header is %s, want %s", algorithm, got, test.header)
			}
			set, err := token.NewKeySet([]token.Key{key.Public()})
			if err != nil {
				t.Fatal(err)
			}
			e := expect()
			e.Types = []string{test.typ}
			c, err := token.Verify(text, set.Find, e)
			if err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
			if scopes, present, err := c.Scopes("scope"); !present || err != nil || len(scopes) != 2 {
				t.Errorf("%s: scopes %q, %t, %v", algorithm, scopes, present, err)
			}
		}
	}
}

// RS256 and EdDSA say the same about the same: a token may be remembered.
func TestTheSameClaimsGiveTheSameBytes(t *testing.T) {
	for _, algorithm := range []string{"RS256", "EdDSA"} {
		key := token.PrivateKey{ID: "k", Algorithm: algorithm, Type: "JWT", KeyID: true, Signer: private(t, algorithm)}
		one, err := token.NewSigner(0, 0).Sign(t.Context(), key, []token.Member{{"sub", "user"}})
		two, err2 := token.NewSigner(0, 0).Sign(t.Context(), key, []token.Member{{"sub", "user"}})
		if err != nil || err2 != nil || one != two {
			t.Errorf("%s: %v, %v, equal: %t", algorithm, err, err2, one == two)
		}
	}
}

func TestBadClaimsAndKeysDoNotSign(t *testing.T) {
	signer := token.NewSigner(1, 1)
	good := token.PrivateKey{Algorithm: "ES256", Signer: private(t, "ES256")}
	for name, members := range map[string][]token.Member{
		"twice":     {{"sub", "a"}, {"sub", "b"}},
		"no JSON":   {{"x", make(chan int)}},
		"not UTF-8": {{"x", "\xff"}},
	} {
		if text, err := signer.Sign(t.Context(), good, members); err == nil {
			t.Errorf("%s: signed %s", name, text)
		}
	}
	for name, key := range map[string]token.PrivateKey{
		"none":              {},
		"no signer":         {Algorithm: "ES256"},
		"another algorithm": {Algorithm: "RS256", Signer: private(t, "ES256")},
		"another curve":     {Algorithm: "ES256", Signer: private(t, "ES384")},
		"HS256":             {Algorithm: "HS256", Signer: private(t, "ES256")},
	} {
		if _, err := signer.Sign(t.Context(), key, nil); !errors.Is(err, token.ErrKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// slow is a key whose operations wait until they may end.
type slow struct {
	crypto.Signer
	running chan int // what is sent to it has begun
	end     chan struct{}
}

func (s slow) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.running <- 1
	<-s.end
	return s.Signer.Sign(r, digest, o)
}

// However many ask, only so many sign at once, only so many wait, and the others learn
// at once that they shall come again.
func TestSigningIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := slow{private(t, "EdDSA"), make(chan int, 100), make(chan struct{})}
		signer := token.NewSigner(2, 3)
		results := make(chan error, 100)
		ctx, cancel := context.WithCancel(t.Context())
		ask := func(ctx context.Context) {
			go func() {
				_, err := signer.Sign(ctx, token.PrivateKey{Algorithm: "EdDSA", Signer: key}, nil)
				results <- err
			}()
			synctest.Wait()
		}
		for range 4 {
			ask(t.Context())
		}
		ask(ctx)
		if len(key.running) != 2 || len(results) != 0 {
			t.Fatalf("%d sign at once, %d are done", len(key.running), len(results))
		}
		ask(t.Context())
		if err := <-results; !errors.Is(err, token.ErrBusy) {
			t.Errorf("the sixth: %v, want ErrBusy", err)
		}
		cancel() // whoever gives up makes room
		synctest.Wait()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		ask(t.Context())
		close(key.end)
		synctest.Wait()
		for range 5 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if len(key.running) != 5 {
			t.Errorf("%d signed, want 5", len(key.running))
		}
	})
}

// A token without an id is named by its signature, which has one spelling.
func TestEveryTokenHasAnID(t *testing.T) {
	set := keySet(t, "ES256")
	with := forge(t, header("ES256"), claims(`"jti":"one"`), "ES256")
	without := forge(t, header("ES256"), claims(), "ES256")
	for _, test := range []struct{ text, claim, want string }{
		{with, "jti", "one"},
		{with, "", token.ID(with, "", token.Claims{})},
		{without, "jti", token.ID(without, "", token.Claims{})},
	} {
		c, err := token.Verify(test.text, set.Find, expect())
		if err != nil {
			t.Fatal(err)
		}
		if got := token.ID(test.text, test.claim, c); got != test.want || got == "" {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if id := token.ID(with, "", token.Claims{}); len(id) != 22 || id == token.ID(without, "", token.Claims{}) {
		t.Errorf("the id made of a signature is %q", id)
	}
}

func TestClaimsAreReadByName(t *testing.T) {
	set := keySet(t, "EdDSA")
	text := forge(t, header("EdDSA"), claims(`"plan":"pro"`, `"n":1.5`, `"list":["a","b"]`, `"deep":{"x":[true,null]}`,
		`"escaped":"\u00e9\n"`, `"scope":"a b"`, `"bad":"a  b"`, `"odd":["a b"]`, `"none":""`, `"scopes":["x","y"]`, `"num":7`), "EdDSA")
	c, err := token.Verify(text, set.Find, expect())
	if err != nil {
		t.Fatal(err)
	}
	if c.Text("plan") != "pro" || c.Text("n") != "" || c.Text("escaped") != "é\n" || c.Text("missing") != "" || !c.Has("n") || c.Has("N") {
		t.Error("Text or Has is wrong")
	}
	if diff := cmp.Diff([]any{1.5, []any{"a", "b"}, map[string]any{"x": []any{true, nil}}, nil},
		[]any{c.Get("n"), c.Get("list"), c.Get("deep"), c.Get("missing")}); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
	var list []string
	if err := c.Decode("list", &list); err != nil || len(list) != 2 || c.Decode("n", &list) == nil || c.Decode("no", &list) == nil {
		t.Error("Decode is wrong")
	}
	for name, want := range map[string]int{"scope": 2, "scopes": 2, "bad": -1, "odd": -1, "none": 0, "missing": 0, "num": -1, "deep": -1} {
		got, present, err := c.Scopes(name)
		if (err != nil) != (want < 0) || want >= 0 && len(got) != want || present != c.Has(name) {
			t.Errorf("Scopes(%s) = %q, %t, %v", name, got, present, err)
		}
	}
	if diff := cmp.Diff("iss sub aud exp iat plan n list deep escaped scope bad odd none scopes num", strings.Join(c.Names(), " ")); diff != "" {
		t.Errorf("Names (-want +got):\n%s", diff)
	}
	if want := now.Add(time.Hour); !c.Expires.Equal(want) || !c.AudienceIsString {
		t.Errorf("expires %s, want %s", c.Expires, want)
	}
}
