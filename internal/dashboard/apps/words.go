package apps

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A badge is a standing, for the part "badge".
type badge struct{ Kind, Text string }

// statuses are the words and tones of what a credential can be.
var statuses = map[manage.Status]badge{
	manage.StatusActive:   {"good", "Active"},
	manage.StatusExpiring: {"warn", "Expiring"},
	manage.StatusDisabled: {"plain", "Disabled"},
	manage.StatusExpired:  {"danger", "Expired"},
	manage.StatusIdle:     {"danger", "Unused too long"},
	manage.StatusRevoked:  {"danger", "Revoked"},
}

// clientWords are what the contract calls clients and what belongs to them.
type clientWords struct {
	Title, Path        string // of the page that lists them
	One, Many          string // "OAuth Application", in the contract's spelling
	Create, Regenerate string // on buttons
	Revoke             string
	ID, Secret         string // labels of the pair
}

// ManyInside returns the name of several inside a sentence.
func (w clientWords) ManyInside() string { return lower(w.Many) }

// wordsOf returns the words for clients. They stand on the page of applications; a
// contract that has none and a page of credentials calls them by that one's labels.
func wordsOf(v *web.Visit) clientWords {
	page, path := applicationsPage, "/applications"
	if len(v.Contract.Page(applicationsPage).Path) == 0 && len(v.Contract.Page(credentialsPage).Path) > 0 {
		page, path = credentialsPage, "/credentials"
	}
	kind := v.Contract.ClientKind()
	w := clientWords{One: kind.Label, Many: kind.Plural, Path: path}
	w.Title = v.PageTitle(page, "OAuth applications") // as in the menu
	w.Create = v.Label(page, "create", "Create "+lower(w.One))
	w.Regenerate = v.Label(page, "regenerate", "Regenerate")
	w.Revoke = v.Label(page, "revoke", v.Label(page, "delete", "Revoke"))
	w.ID = v.Label(page, "client_id", "Client ID")
	w.Secret = v.Label(page, "client_secret", "Client secret")
	return w
}

// lower returns a label as it stands inside a sentence: "OAuth application".
func lower(label string) string {
	first, rest, _ := strings.Cut(label, " ")
	if strings.ToUpper(first[:1])+strings.ToLower(first[1:]) == first {
		first = strings.ToLower(first)
	}
	if rest == "" {
		return first
	}
	return first + " " + lower(rest)
}

// capital returns a text with its first letter in upper case.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(r)) + text[size:]
}

// environmentLabel returns the name of an environment as people know it.
func environmentLabel(c *contract.Contract, name string) string {
	if e := c.Environment(name); e != nil {
		return e.Label
	}
	return name
}

// environmentsOf returns the choices of an environment for a kind, none where there is
// nothing to choose.
func environmentsOf(c *contract.Contract, kind *contract.KeyKind) []web.Option {
	var out []web.Option
	for _, e := range c.Environments() {
		if kind.Environments[e.Index] {
			out = append(out, web.Option{Value: e.Name, Text: e.Label})
		}
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

// grantWords are what the grants are for, in the order in which they are shown.
var grantWords = []struct {
	Grant       contract.Grant
	Short, Long string
}{
	{contract.GrantAuthorizationCode, "People sign in", "People sign in and allow it to act for them."},
	{contract.GrantRefreshToken, "Stays connected", "It stays connected after the person has left, until they withdraw."},
	{contract.GrantDeviceCode, "Code on a device", "People allow it by typing a code on another device."},
	{contract.GrantClientCredentials, "Acts as itself", "It acts as itself, without a person."},
	{contract.GrantJWTBearer, "Signed assertion", "It exchanges what it signed itself for an access token."},
	{contract.GrantTokenExchange, "Exchanged token", "It exchanges another issuer’s token."},
}

// grantShort returns a grant in two or three words.
func grantShort(grant string) string {
	for _, w := range grantWords {
		if string(w.Grant) == grant {
			return w.Short
		}
	}
	return grant
}

// scopeWords returns scopes with what the contract says they let do.
func scopeWords(c *contract.Contract, names []string) []scopeWord {
	var out []scopeWord
	for _, name := range names {
		w := scopeWord{Name: name, Text: name}
		if s := c.Scope(name); s != nil && s.Description != "" {
			w.Text = s.Description
		}
		out = append(out, w)
	}
	return out
}

// A scopeWord is a scope and what it lets do.
type scopeWord struct{ Name, Text string }

// length returns a span of time in words: "1 hour", "30 days".
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return plural(int(d/day), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return plural(int(d/time.Minute), "minute")
	}
	return d.String()
}
