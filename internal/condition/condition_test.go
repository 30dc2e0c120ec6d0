package condition

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var sample = Input{
	Method: "GET", Path: "/v1/things/7", Host: "api.shop.example", Address: "203.0.113.7", Environment: "live",
	Query:  map[string][]string{"page": {"2", "3"}},
	Header: map[string]string{"user-agent": "curl/8.5"},
	Credential: Credential{
		Subject: "usr_1", Organization: "org_1", Kind: "api_key", Plan: "pro", Scopes: []string{"read", "write"},
	},
	Time: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
}

// What the documentation lists can be read, and means what it says.
func TestEveryVariableCanBeRead(t *testing.T) {
	for _, text := range []string{
		`request.method == "GET"`,
		`request.path.startsWith("/v1/") && request.path.matches("^/v1/[a-z]+/[0-9]+$")`,
		`request.host == "api.shop.example"`,
		`request.query["page"][1] == "3" && !("x" in request.query)`,
		`has(request.headers.accept) || request.headers["user-agent"].startsWith("curl/")`,
		`request.address == "203.0.113.7"`,
		`request.environment in ["live", "test"]`,
		`credential.subject == "usr_1" && credential.organization == "org_1"`,
		`credential.kind == "api_key" && credential.plan == "pro"`,
		`"write" in credential.scopes && credential.scopes.exists(s, s.startsWith("re"))`,
		`now > timestamp("2026-01-01T00:00:00Z") && now.getHours() < 18 && now.getDayOfWeek() == 0`,
	} {
		c, err := Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if yes, err := c.Eval(context.Background(), &sample); err != nil || !yes {
			t.Errorf("%s: %v, %v", text, yes, err)
		}
		if c.Text() != text {
			t.Errorf("the text became %q", c.Text())
		}
	}
	if len(Names()) != 13 {
		t.Errorf("names: %v", Names())
	}
}

// Nothing sent is empty, never absent: a condition can ask without failing.
func TestAnEmptyInputIsEmpty(t *testing.T) {
	for _, text := range []string{
		`credential.subject == "" && credential.kind == "" && credential.scopes.size() == 0`,
		`request.query.size() == 0 && request.headers.size() == 0 && !("a" in request.headers)`,
		`request.path == "" && now < timestamp("1970-01-01T00:00:00Z")`,
	} {
		c, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if yes, err := c.Eval(context.Background(), &Input{}); err != nil || !yes {
			t.Errorf("%s: %v, %v", text, yes, err)
		}
	}
}

// What is wrong is told with its place; what is no condition does not compile.
func TestMistakesHaveAPlace(t *testing.T) {
	for _, tt := range []struct {
		text    string
		offset  int
		message string
	}{
		{`request.path ==`, 15, "the expression ends too early"},
		{`true && requst.path == "/"`, 8, "undeclared reference"},
		{"true &&\n  nothing", 10, "undeclared reference"},
		{`"é" == "é" && nope`, 14, "undeclared reference"},
		{`request.path`, 0, "a condition is true or false"},
		{`request.path == 7`, 13, "no matching overload"},
		{`credential`, 0, "undeclared reference"},
		{`request.body == ""`, 0, "undeclared reference"},
		{`request.path.matches("(")`, 21, "invalid matches argument"},
		{``, 0, "the expression ends too early"},
		{strings.Repeat("a", maxSize+1), 0, "longer than"},
		{"true" + strings.Repeat(" || true", 500), 0, "limit"},
		{strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100), 0, ""},
	} {
		_, err := Compile(tt.text)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.40q: %v", tt.text, err)
			continue
		}
		if !strings.Contains(e.Message, tt.message) || tt.message != "" && tt.message != "limit" && e.Offset != tt.offset {
			t.Errorf("%.40q: at %d: %s", tt.text, e.Offset, e.Message)
		}
	}
}

// A condition that cannot be decided is an error, which callers take as a refusal, and
// repeats nothing of the request.
func TestUndecidedIsAnError(t *testing.T) {
	for _, text := range []string{
		`request.headers["x-missing"] == "1"`,
		`request.query["page"][7] == "1"`,
		`int(request.headers["user-agent"]) == 1`,
		`1 / size(request.query["page"].filter(p, p == "")) == 1`,
	} {
		c, err := Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		yes, err := c.Eval(context.Background(), &sample)
		if err == nil || yes {
			t.Errorf("%s: %v, %v", text, yes, err)
		}
		if err != nil && strings.Contains(err.Error(), "curl") {
			t.Errorf("%s: the error repeats the request: %v", text, err)
		}
	}
}

// What a caller sends cannot make an evaluation expensive: the bound ends it.
func TestCostIsBounded(t *testing.T) {
	many := make([]string, 2000)
	for i := range many {
		many[i] = strings.Repeat("a", 20) + "!"
	}
	in := sample
	in.Query = map[string][]string{"page": many}
	in.Header = map[string]string{"x": strings.Repeat("a", 64<<10)} // more than a server takes
	for _, text := range []string{
		`request.query["page"].all(a, request.query["page"].all(b, a == b))`,
		`request.query["page"].map(a, request.query["page"].map(b, a + b)).size() > 0`,
		`request.query["page"].all(a, request.headers["x"].matches("^(a+)+$"))`,
		`request.query["page"].exists(a, request.headers["x"].matches("^(a|b)*c$"))`,
		`!request.headers["x"].matches("^(a+)+b$")`, // alone more than the library would charge
	} {
		c, err := Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		start := time.Now()
		yes, err := c.Eval(context.Background(), &in)
		if err == nil || yes {
			t.Errorf("%s: %v, %v", text, yes, err)
		}
		if took := time.Since(start); took > 2*time.Second { // usually a few milliseconds
			t.Errorf("%s: %v", text, took)
		}
	}
}

// A request that is gone takes its evaluation with it.
func TestTheContextEndsAnEvaluation(t *testing.T) {
	c, err := Compile(`request.query["page"].all(a, a != "x")`)
	if err != nil {
		t.Fatal(err)
	}
	in := sample
	in.Query = map[string][]string{"page": make([]string, 5000)}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if yes, err := c.Eval(ctx, &in); yes || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", yes, err)
	}
}

// However strange the text, compiling and evaluating it ends, and places are inside it.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`request.path == "/"`, `credential.scopes.all(s, s in ["a"])`, `now - duration("1h") < now`, `{`, `"\u0000"`, "a\nb",
		`request.query.map(k, k).size() == 1`, `request.headers.x.matches("a*")`, `b"\xff" == b""`, `1 / 0 == 1`, `?.a`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Compile(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			if e.Offset < 0 || e.Offset > utf8.RuneCountInString(text) || strings.ContainsAny(e.Message, "\n\r") {
				t.Fatalf("%+v", e)
			}
			return
		}
		if yes, err := c.Eval(context.Background(), &sample); err != nil && yes {
			t.Fatal("an error that says yes")
		}
	})
}

func BenchmarkEval(b *testing.B) {
	for name, text := range map[string]string{
		"method": `request.method == "GET"`,
		"path":   `request.path.startsWith("/v1/") && credential.plan == "pro"`,
		"scope":  `"write" in credential.scopes`,
		"header": `request.headers["user-agent"].startsWith("curl/")`,
		"regex":  `request.path.matches("^/v1/[a-z]+/[0-9]+$")`,
	} {
		c, err := Compile(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if yes, err := c.Eval(context.Background(), &sample); err != nil || !yes {
					b.Fatal(yes, err)
				}
			}
		})
	}
}
