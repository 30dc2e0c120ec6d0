package activity

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Every reason of a decision, every step and every event has words of its own.
func TestEverythingHasWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range cardea.Reasons() {
		if words := reasonWords[r]; words == "" || seen[words] {
			t.Errorf("%s has no words of its own: %q", r, words)
		}
		seen[reasonWords[r]] = true
	}
	if first, last := stepWords[0].step, stepWords[len(stepWords)-1].step; first != cardea.StepRoute || last != cardea.StepLimit || len(stepWords) != 10 {
		t.Errorf("there are %d steps, from %s to %s", len(stepWords), first, last)
	}
	for i := 1; i < len(stepWords); i++ {
		if stepWords[i].step != stepWords[i-1].step+1 {
			t.Errorf("after %s comes %s", stepWords[i-1].step, stepWords[i].step)
		}
	}
	for _, e := range webhook.EventTypes {
		if words := describe(e); words == "" || strings.HasPrefix(words, "It ") || strings.HasPrefix(words, "Its ") {
			t.Errorf("%s: %q does not stand by itself", e, words)
		}
	}
}

// What the pages show for verifying a message verifies ours, and nothing else. Go is
// there whenever a test runs; the others are tried where they are.
func TestSnippetsVerifyMessages(t *testing.T) {
	key := []byte("a key of a webhook, 32 bytes long")
	body := `{"type":"credential.leaked","data":{"name":"ü"}}`
	now := headers(hook.Sign("msg_1", time.Now(), []byte(body), []byte("the key before the rotation"), key))
	old := headers(hook.Sign("msg_1", time.Now().Add(-time.Hour), []byte(body), key))
	secret := strconv.Quote(hook.SecretText(key))
	var python, node, golang strings.Builder // each prints for a good message, a changed one and an old one
	python.WriteString(snippets[0].Text)
	node.WriteString(snippets[1].Text)
	golang.WriteString("package main\nimport (\"crypto/hmac\"; \"crypto/sha256\"; \"encoding/base64\"; \"fmt\"; \"net/http\"; \"strconv\"; \"strings\"; \"time\")\n" +
		snippets[2].Text + "\nfunc headers(m map[string]string) http.Header { h := http.Header{}; for k, v := range m { h.Set(k, v) }; return h }\nfunc main() {\n")
	for _, c := range [][2]string{{now, body}, {now, body + " "}, {old, body}} {
		text := strconv.QuoteToASCII(c[1])
		python.WriteString("\ntry:\n    verify(" + secret + ", " + c[0] + ", " + text + ".encode()); print('true')\nexcept ValueError:\n    print('false')\n")
		node.WriteString("\ntry { verify(" + secret + ", " + c[0] + ", Buffer.from(" + text + ")); console.log('true') } catch { console.log('false') }\n")
		golang.WriteString("fmt.Println(verify(" + secret + ", headers(map[string]string" + c[0] + "), []byte(" + text + ")))\n")
	}
	golang.WriteString("}\n")
	for _, c := range []struct {
		command       []string
		file, program string
	}{{[]string{"go", "run"}, "main.go", golang.String()}, {[]string{"python3"}, "main.py", python.String()}, {[]string{"node"}, "main.js", node.String()}} {
		if _, err := exec.LookPath(c.command[0]); err != nil && c.command[0] != "go" {
			continue
		}
		file := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(file, []byte(c.program), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), c.command[0], append(c.command[1:], file)...).CombinedOutput()
		if err != nil || string(out) != "true\nfalse\nfalse\n" {
			t.Errorf("%s: %v\n%s", c.command[0], err, out)
		}
	}
}

// headers returns headers as an object, which all three languages read alike.
func headers(h http.Header) string {
	var members []string
	for name, values := range h {
		members = append(members, strconv.Quote(strings.ToLower(name))+": "+strconv.Quote(values[0]))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// Values of the audit log read as people write them.
func TestValuesReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"Nightly": "Nightly", "true": "yes", "false": "no", "[]": "", "null": "", `["a","b"]`: "a, b", "2027-03-14T09:26:53.5Z": "14 Mar 2027, 09:26:53 UTC",
		`{"per_minute":60,"burst":0}`: "burst 0, per minute 60", "[1,2]": "[1,2]", "[not json": "[not json",
	} {
		if got := value(text); got != want {
			t.Errorf("value(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzAddress reads what an address of a page may hold.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"", "2027-03-14T09:26", "2027-03-14", "24h", "4xx", "key.revoke", `["a"]`, `{"a":{"b":[]}}`, "{", "\xff", "9999-12-31T23:59:59.999999999Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, ok := instant(text); ok && !at.IsZero() && (at.Year() < 1969 || at.Year() > 3000) {
			t.Errorf("instant(%q) = %v", text, at)
		}
		if a := action(text); a != "" && a != text {
			t.Errorf("action(%q) = %q", text, a)
		}
		value(text)
		capital(text)
		if p, choices := offered(text, "1h", "30d", "24h"); p.name == "" || len(choices) != 4 {
			t.Errorf("offered(%q) = %v", text, p)
		}
		if isStatus(text) && len(text) != 3 {
			t.Errorf("%q is no status", text)
		}
	})
}
