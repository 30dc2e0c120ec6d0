package oauth

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/target"
)

// Which web pages may read the answers of an endpoint. Credentials are never allowed:
// no endpoint that pages may call looks at a cookie, and those that do are not for pages.
type sharing uint8

const (
	sharedWithNobody  sharing = iota // pages people see
	sharedWithClients                // pages of registered origins
	sharedWithAll                    // public documents
)

// sharing returns who may read the answers of the request's endpoint.
func (r *request) sharing() sharing {
	e, b := r.contract.Endpoints(), r.binding
	switch {
	case b.public:
		return sharedWithAll
	case b.token != nil, b.endpoint == e.Revoke, b.endpoint == e.UserInfo, b.endpoint == e.PAR, b.endpoint == e.Device:
		return sharedWithClients
	}
	return sharedWithNobody
}

// preflightAge is how long browsers may remember the answer to a preflight, in seconds.
const preflightAge = "600"

// cors answers a CORS preflight (Fetch §3.3); done says that the request is answered.
func (s *Server) cors(w http.ResponseWriter, r *request) (done bool) {
	if r.Method != http.MethodOptions {
		return false
	}
	h := w.Header()
	s.allowOrigin(h, r)
	if h.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", strings.Join(r.binding.methods, ", "))
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
		h.Set("Access-Control-Max-Age", preflightAge)
	}
	h.Set("Allow", strings.Join(append([]string{http.MethodOptions}, r.binding.methods...), ", "))
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowOrigin lets a page of a registered origin read the answer. Once it is known which
// client asks, only that client's pages may.
func (s *Server) allowOrigin(h http.Header, r *request) {
	how := sharedWithNobody
	if r.binding != nil {
		how = r.sharing()
	}
	switch how {
	case sharedWithAll:
		h.Set("Access-Control-Allow-Origin", "*")
		return
	case sharedWithNobody:
		return
	}
	h.Add("Vary", "Origin")
	origins := r.Header["Origin"]
	if len(origins) != 1 || origins[0] == "" || origins[0] == "null" {
		return
	}
	origin := origins[0]
	if c := r.caller.client; c != nil {
		if !has(originsOf(&c.Client), origin) {
			return
		}
	} else if !s.origins.has(r.Context(), s, origin, r.now) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce, Retry-After")
}

// originsOf returns the origins whose pages are a client's: those it registered, and
// those its codes are sent to.
func originsOf(c *store.Client) []string {
	out := append([]string{}, c.Origins...)
	for _, uri := range c.RedirectURIs {
		if origin := target.RedirectOrigin(uri); origin != "" {
			out = append(out, origin)
		}
	}
	return out
}

// has reports whether an origin is in the list. That of a loopback redirect URI stands
// for every port, as the redirect URI does.
func has(origins []string, origin string) bool {
	for _, one := range origins {
		if target.MatchRedirectURI(one, origin) {
			return true
		}
	}
	return false
}

// Bounds of the registered origins kept in memory.
const (
	originsAge  = 10 * time.Second // how old they may be
	maxOrigins  = 1 << 14
	originsPage = 500
)

// origins are those of all clients, for preflights, which do not say who asks. They grow
// old: what is registered may be used a few seconds later, and a page whose client is
// gone may read error messages for as long.
type origins struct {
	mu   sync.Mutex
	read time.Time
	list map[string]bool
}

// has reports whether an origin is one of some client. When the database does not
// answer, it is not.
func (o *origins) has(ctx context.Context, s *Server, origin string, now time.Time) bool {
	if s.documents != nil && s.documents.HasOrigin(origin) {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if age := now.Sub(o.read); o.list == nil || age < 0 || age > originsAge {
		list, err := readOrigins(ctx, s.store)
		if err != nil {
			return false
		}
		o.list, o.read = list, now
	}
	if o.list[origin] {
		return true
	}
	for _, base := range []string{"http://127.0.0.1", "http://[::1]"} {
		if target.MatchRedirectURI(base, origin) && o.list[base] {
			return true
		}
	}
	return false
}

// readOrigins returns the origins of clients that are in use. Of loopback addresses it
// keeps the address without the port.
func readOrigins(ctx context.Context, db *store.DB) (map[string]bool, error) {
	list := map[string]bool{}
	page := store.Page{Limit: originsPage}
	for {
		clients, next, err := db.Clients(ctx, store.CredentialFilter{Status: store.StatusActive}, page)
		if err != nil {
			return nil, err
		}
		for i := range clients {
			for _, origin := range originsOf(&clients[i]) {
				for _, base := range []string{"http://127.0.0.1", "http://[::1]"} {
					if target.MatchRedirectURI(base, origin) {
						origin = base
					}
				}
				list[origin] = true
			}
		}
		if next == "" || len(list) >= maxOrigins {
			return list, nil
		}
		page.After = next
	}
}
