package oauth

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/token"
)

// Bounds of metadata documents. The draft recommends to read 5 KB (§8.7); those with keys
// in them are larger.
const (
	maxDocument      = 64 << 10
	maxDocuments     = 1000 // kept in memory
	maxFetches       = 8    // at a time
	maxDocumentLists = 50   // entries of a list in a document
	maxClientName    = 100  // characters
	documentTimeout  = 5 * time.Second
	minDocumentAge   = 5 * time.Minute
	maxDocumentAge   = 24 * time.Hour
)

// A document is a client metadata document that was read and found good. It is immutable.
type document struct {
	row     store.Client // without what belongs to an organization
	scope   []string     // what the client limits itself to; nil: nothing said
	origins []string
}

// documents keeps what documents say, for as long as they allow and no longer than a
// day. What is wrong with a document is never kept (§5.2 of the draft).
type documents struct {
	mu      sync.Mutex
	known   map[string]kept
	flights map[string]*flight
}

type kept struct {
	document      *document
	fetched, ends time.Time
}

// A flight is a fetch that several requests wait for.
type flight struct {
	done     chan struct{}
	document *document
	err      error
}

// errFetching: too many documents are being fetched.
var errFetching = &Error{
	Code: codeTemporarilyUnavailable, Description: "try again in a moment", status: http.StatusServiceUnavailable, after: retryAfter,
}

// get returns a document, nil when there is none at the address or it is not good. One
// that cannot be fetched again is good for a day after it was: what its host forgets for
// an hour does not end everybody's access.
func (k *documents) get(ctx context.Context, s *Server, id string) (*document, error) {
	now := s.now()
	k.mu.Lock()
	old, known := k.known[id]
	if known && now.Before(old.ends) && !now.Before(old.fetched) {
		k.mu.Unlock()
		return old.document, nil
	}
	f := k.flights[id]
	if f == nil {
		if len(k.flights) >= maxFetches {
			k.mu.Unlock()
			return nil, errFetching
		}
		f = &flight{done: make(chan struct{})}
		if k.flights == nil {
			k.flights = map[string]*flight{}
		}
		k.flights[id] = f
		// The fetch outlives the request that began it: others may wait for it.
		go k.fetch(context.WithoutCancel(ctx), s, id, f)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f.err != nil && known && now.Sub(old.fetched) < maxDocumentAge && now.After(old.fetched) && !errors.Is(f.err, errDocument) {
		return old.document, nil
	}
	return f.document, nil
}

// fetch gets a document and tells those who wait.
func (k *documents) fetch(ctx context.Context, s *Server, id string, f *flight) {
	d, age, err := fetchDocument(ctx, s.cfg.Fetch, id)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.flights, id)
	if f.document, f.err = d, err; err == nil {
		k.keep(id, d, s.now(), age)
	} else if errors.Is(err, errDocument) {
		delete(k.known, id)
	}
	close(f.done)
}

// keep keeps a document. When there is no room the oldest of a few goes.
func (k *documents) keep(id string, d *document, now time.Time, age time.Duration) {
	if k.known == nil {
		k.known = map[string]kept{}
	}
	if _, there := k.known[id]; !there && len(k.known) >= maxDocuments {
		victim, tries := "", 0
		for other, one := range k.known {
			if victim == "" || one.fetched.Before(k.known[victim].fetched) {
				victim = other
			}
			if tries++; tries == 16 {
				break
			}
		}
		delete(k.known, victim)
	}
	k.known[id] = kept{document: d, fetched: now, ends: now.Add(age)}
}

// hasOrigin reports whether an origin is one of a client whose document is kept.
func (k *documents) hasOrigin(origin string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.known {
		if has(one.document.origins, origin) {
			return true
		}
	}
	return false
}

// errDocument: what the address answers is no good metadata document.
var errDocument = errors.New("oauth: not a client metadata document")

// fetchDocument gets a document through the client that reaches public addresses only.
func fetchDocument(ctx context.Context, client *fetch.Client, id string) (*document, time.Duration, error) {
	answer, err := client.Get(ctx, id, fetch.Options{
		MaxBytes: maxDocument, Timeout: documentTimeout, Accept: "application/json",
	})
	switch {
	case err != nil:
		return nil, 0, err
	case answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests:
		return nil, 0, errors.New("oauth: the host of a metadata document is in trouble")
	case answer.Status != http.StatusOK || !isJSON(answer.Header["Content-Type"]):
		return nil, 0, errDocument
	}
	d, err := parseDocument(id, answer.Body)
	return d, documentAge(answer.Header), err
}

// isJSON reports whether a content type is application/json or one of its kind.
func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	kind, _, err := mime.ParseMediaType(values[0])
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

// documentAge returns how long a document may be kept: as long as it says (RFC 9111
// §5.2.2.1), within bounds.
func documentAge(h http.Header) time.Duration {
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil {
				return min(max(time.Duration(seconds)*time.Second, minDocumentAge), maxDocumentAge)
			}
		}
	}
	return minDocumentAge
}

// metadataDocument is the text of a document, as far as it is looked at: RFC 7591 §2.
type metadataDocument struct {
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

// parseDocument reads a document that was fetched from an address. The error is
// errDocument.
func parseDocument(id string, text []byte) (*document, error) {
	var m metadataDocument
	if len(text) > maxDocument || json.Unmarshal(text, &m) != nil {
		return nil, errDocument
	}
	name := strings.TrimSpace(m.Name)
	switch {
	case m.ClientID != id: // simple string comparison: §4
		return nil, errDocument
	case m.Secret != nil || m.SecretExpires != nil: // no secret can be shared this way: §4.1
		return nil, errDocument
	case name == "" || utf8.RuneCountInString(name) > maxClientName || checkText(name) != nil:
		return nil, errDocument
	case len(m.RedirectURIs) == 0 || len(m.RedirectURIs) > maxDocumentLists || len(m.GrantTypes) > maxDocumentLists:
		return nil, errDocument
	case m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, "code"):
		return nil, errDocument
	}
	for _, uri := range m.RedirectURIs {
		if target.CheckRedirectURI(uri) != nil {
			return nil, errDocument
		}
	}
	d := &document{row: store.Client{
		Credential: store.Credential{Name: name}, RedirectURIs: m.RedirectURIs, Grants: m.GrantTypes, MetadataURL: id,
		HomeURL: webPage(m.HomeURL), PolicyURL: webPage(m.PolicyURL), TermsURL: webPage(m.TermsURL), DPoPRequired: m.DPoP,
	}}
	if m.Scope != nil {
		d.scope = strings.Fields(*m.Scope)
		if d.scope == nil {
			d.scope = []string{}
		}
	}
	if err := d.readAuthentication(&m); err != nil {
		return nil, err
	}
	d.origins = originsOf(&d.row)
	return d, nil
}

// readAuthentication reads how the client proves who it is: not at all, or by a key pair
// (§8.2 of the draft). A document that says nothing is of a client without any.
func (d *document) readAuthentication(m *metadataDocument) error {
	switch m.Method {
	case "", string(contract.ClientNone):
		d.row.Public = true
		return nil
	case string(contract.PrivateKeyJWT):
		d.row.Authentication = []string{string(contract.PrivateKeyJWT)}
	default:
		return errDocument
	}
	if (m.Keys != nil) == (m.KeysURL != "") {
		return errDocument // neither, or two that may differ: RFC 7591 §2
	}
	if m.KeysURL != "" {
		if fetch.Check(m.KeysURL, false) != nil {
			return errDocument
		}
		d.row.JWKSURL = m.KeysURL
		return nil
	}
	keys, err := token.ParseKeySet(m.Keys, assertionAlgorithms)
	if err != nil || len(keys.Keys()) == 0 {
		return errDocument
	}
	d.row.PublicKeys = m.Keys
	return nil
}

// webPage returns the address of a page that people may be sent to, "" for any other.
func webPage(address string) string {
	if len(address) > maxClientID || fetch.Check(address, false) != nil || target.CheckRedirectURI(address) != nil {
		return ""
	}
	return address
}
