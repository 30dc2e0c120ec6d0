package clientdoc

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/token"
)

// Bounds of a document.
const (
	MaxSize = 64 << 10 // bytes; the draft recommends 5 KB (§8.7), those with keys are larger
	maxURL  = 512      // bytes of a client id: people are to read it
	maxLink = 2 << 10  // bytes of a link
	maxList = 50       // entries of a list
	maxName = 100      // characters
)

// A Document is what a good document says. It is immutable.
type Document struct {
	ID           string // its address
	Name         string
	RedirectURIs []string
	GrantTypes   []string // nil: nothing said
	Scopes       []string // what the client limits itself to; nil: nothing said

	// Public clients prove nothing; others sign with a key of Keys, a JSON Web Key Set,
	// or of the set at KeysURL.
	Public  bool
	Keys    []byte
	KeysURL string

	HomeURL, PolicyURL, TermsURL string // https, or ""
	DPoP                         bool   // its tokens are to be bound to a key
}

// IsURL reports whether a client id is meant as the address of a document. Ids that
// Cardea gives out never begin like this.
func IsURL(id string) bool { return strings.HasPrefix(id, "https://") }

// CheckURL checks the form of a client id that is an address: §3 of the draft, with one
// spelling for each, because it is compared as it stands. The error is ErrNone.
func CheckURL(id string) error {
	u, err := url.Parse(id)
	if err != nil || len(id) > maxURL || target.CheckRedirectURI(id) != nil {
		return ErrNone
	}
	if u.Scheme != "https" || u.EscapedPath() == "" || u.EscapedPath() == "/" || u.RawQuery != "" || u.ForceQuery {
		return ErrNone
	}
	return nil
}

// Host returns the host that vouches for a document.
func Host(id string) string {
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return u.Host
}

// text is the JSON of a document, as far as it is looked at: RFC 7591 §2.
type text struct {
	ClientID      string         `json:"client_id"`
	Name          string         `json:"client_name"`
	RedirectURIs  []string       `json:"redirect_uris"`
	GrantTypes    []string       `json:"grant_types"`
	ResponseTypes []string       `json:"response_types"`
	Method        string         `json:"token_endpoint_auth_method"`
	Scope         *string        `json:"scope"`
	HomeURL       string         `json:"client_uri"`
	PolicyURL     string         `json:"policy_uri"`
	TermsURL      string         `json:"tos_uri"`
	Keys          jsontext.Value `json:"jwks"`
	KeysURL       string         `json:"jwks_uri"`
	DPoP          bool           `json:"dpop_bound_access_tokens"`

	Secret        jsontext.Value `json:"client_secret"`
	SecretExpires jsontext.Value `json:"client_secret_expires_at"`
}

// Parse reads a document that was fetched from an address. algorithms are those its keys
// may sign with. The error is ErrNone.
func Parse(id string, body []byte, algorithms []string) (*Document, error) {
	var m text
	if len(body) > MaxSize || json.Unmarshal(body, &m) != nil {
		return nil, ErrNone
	}
	name := strings.TrimSpace(m.Name)
	switch {
	case m.ClientID != id: // simple string comparison: §4
		return nil, ErrNone
	case m.Secret != nil || m.SecretExpires != nil: // no secret can be shared this way: §4.1
		return nil, ErrNone
	case name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, isControl):
		return nil, ErrNone
	case len(m.RedirectURIs) == 0 || len(m.RedirectURIs) > maxList || len(m.GrantTypes) > maxList:
		return nil, ErrNone
	case m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, "code"):
		return nil, ErrNone
	}
	for _, uri := range m.RedirectURIs {
		if target.CheckRedirectURI(uri) != nil {
			return nil, ErrNone
		}
	}
	d := &Document{
		ID: id, Name: name, RedirectURIs: m.RedirectURIs, GrantTypes: m.GrantTypes, DPoP: m.DPoP,
		HomeURL: webPage(m.HomeURL), PolicyURL: webPage(m.PolicyURL), TermsURL: webPage(m.TermsURL),
	}
	if m.Scope != nil {
		d.Scopes = append([]string{}, strings.Fields(*m.Scope)...)
	}
	return d, d.readAuthentication(&m, algorithms)
}

// isControl reports whether a rune is one that no name has a use for.
func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// readAuthentication reads how the client proves who it is: not at all, or by a key pair
// (§8.2 of the draft). A document that says nothing is of a client without any.
func (d *Document) readAuthentication(m *text, algorithms []string) error {
	switch m.Method {
	case "", string(contract.ClientNone):
		d.Public = true
		return nil
	case string(contract.PrivateKeyJWT):
	default:
		return ErrNone
	}
	if (m.Keys != nil) == (m.KeysURL != "") {
		return ErrNone // neither, or two that may differ: RFC 7591 §2
	}
	if m.KeysURL != "" {
		if fetch.Check(m.KeysURL, false) != nil {
			return ErrNone
		}
		d.KeysURL = m.KeysURL
		return nil
	}
	keys, err := token.ParseKeySet(m.Keys, algorithms)
	if err != nil || len(keys.Keys()) == 0 {
		return ErrNone
	}
	d.Keys = m.Keys
	return nil
}

// hasOrigin reports whether an origin is one that the client's codes are sent to.
func (d *Document) hasOrigin(origin string) bool {
	return slices.ContainsFunc(d.RedirectURIs, func(uri string) bool {
		own := target.RedirectOrigin(uri)
		return own != "" && target.MatchRedirectURI(own, origin)
	})
}

// webPage returns the address of a page that people may be sent to, "" for any other.
func webPage(address string) string {
	if len(address) > maxLink || fetch.Check(address, false) != nil || target.CheckRedirectURI(address) != nil {
		return ""
	}
	return address
}
