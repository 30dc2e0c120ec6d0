package apps

import (
	"os/exec"
	"testing"

	"github.com/cardea-dev/cardea/internal/target"
)

// TestWhatIsCopiedRunsNothing holds that a value in a line for the shell is one word of
// it, whatever somebody put in: people paste these lines.
func TestWhatIsCopiedRunsNothing(t *testing.T) {
	for _, text := range []string{
		"plain", "it's", "'; echo pwned; '", "$(echo pwned)", "`echo pwned`", "a\\b", `"; echo pwned; "`, "https://app.example/cb?a=1&b=$HOME'", "",
	} {
		out, err := exec.Command("sh", "-c", "printf %s "+quoted(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q becomes %q: %v", text, out, err)
		}
	}
}

// FuzzQuoted holds that a quoted text ends where it began, in any shell that knows single
// quotes.
func FuzzQuoted(f *testing.F) {
	f.Add("it's")
	f.Add("'\\''")
	f.Fuzz(func(t *testing.T, text string) {
		word := quoted(text)
		var read []byte
		inside := false
		for i := 0; i < len(word); i++ {
			switch {
			case word[i] == '\'':
				inside = !inside
			case inside:
				read = append(read, word[i])
			case word[i] == '\\' && i+1 < len(word):
				i++
				read = append(read, word[i])
			default:
				t.Fatalf("%q is more than one word: %s", text, word)
			}
		}
		if inside || string(read) != text {
			t.Fatalf("%q is read as %q", text, read)
		}
	})
}

// FuzzParseAttempt holds that no cookie makes the page of answers fail, and that what is
// read back is what was kept.
func FuzzParseAttempt(f *testing.F) {
	f.Add("")
	f.Add("e30")
	f.Add("eyJjIjoiY2xpZW50XzEiLCJzIjoic2VzXzEiLCJ0IjoiQUJDIiwidiI6IngiLCJhIjoiMjAyNy0wMy0xNFQwOToyNjo1M1oifQ")
	f.Fuzz(func(t *testing.T, value string) {
		if a, ok := parseAttempt(value); !ok && a != (attempt{}) {
			t.Errorf("%q is refused, and read all the same: %+v", value, a)
		}
	})
}

// FuzzRedirectAnswer holds that what is said of a redirect URI is what the authorization
// endpoint does, with a reason for every no.
func FuzzRedirectAnswer(f *testing.F) {
	f.Add("https://app.example/cb", "https://app.example/cb/")
	f.Add("https://app.example:8443/cb", "https://app.example/cb")
	f.Add("com.example.app:/cb", "http://[::1]:8080/cb?x")
	f.Fuzz(func(t *testing.T, registered, asked string) {
		got := askRedirect([]string{registered}, asked)
		if got.Text == "" || got.Matches != target.MatchRedirectURI(registered, asked) {
			t.Errorf("%q, %q: %+v", registered, asked, got)
		}
	})
}

// TestWordsInSentences holds how the contract's labels stand inside sentences, and as
// names of variables.
func TestWordsInSentences(t *testing.T) {
	for label, want := range map[string]string{
		"OAuth Application": "OAuth application", "API key": "API key", "System Credentials": "system credentials", "Service account": "service account",
		"Application": "application", "PERSONAL_TOKEN": "PERSONAL_TOKEN", "Personal Token": "personal token",
	} {
		if got := lower(label); got != want {
			t.Errorf("lower(%q) = %q, want %q", label, got, want)
		}
	}
	for text, want := range map[string]string{"CLIENT_SECRET": "CLIENT_SECRET", "Client Secret": "Client_Secret", " a--b ": "a_b", "ä": ""} {
		if got := identifier(text); got != want {
			t.Errorf("identifier(%q) = %q, want %q", text, got, want)
		}
	}
}
