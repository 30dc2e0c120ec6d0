package dev

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/token"
)

// An issuer stands in for the identity providers that a contract trusts: it publishes a
// key set and signs whatever claims it is asked to. It listens on loopback, in clear and,
// where there is a development CA, over TLS.
type issuer struct {
	now cardea.Clock
	ca  func() *authority

	mu      sync.Mutex
	url     string // base URL in clear, "" until it runs
	tls     string // base URL over TLS
	servers []*http.Server
	signer  *token.Signer
	key     func() (token.PrivateKey, error) // made when it is first needed
}

const (
	issuerKeys     = "/.well-known/jwks.json"
	issuerDocument = "/.well-known/openid-configuration"
	issuerToken    = "/token"

	issuerAlgorithm = "RS256" // what contracts ask for unless told
	issuerLifetime  = time.Hour
)

// adapt returns the contract with its trusted issuers' keys fetched from this issuer.
func (i *issuer) adapt(c *contract.Contract) (*contract.Contract, error) {
	if len(c.TrustedIssuers()) == 0 && c.OrganizationIssuers() == nil {
		return c, nil
	}
	if err := i.start(); err != nil {
		return c, err // the real ones stay: closed, as far as this machine goes
	}
	keys := map[string]string{}
	for _, trusted := range c.TrustedIssuers() {
		keys[trusted.Name] = i.url + issuerKeys
	}
	return c.WithIssuerKeys(keys), nil
}

// start starts the issuer if it does not run yet.
func (i *issuer) start() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.url != "" {
		return nil
	}
	i.signer = token.NewSigner(0, 0)
	i.key = sync.OnceValues(func() (token.PrivateKey, error) {
		key, err := token.Generate(issuerAlgorithm)
		return token.PrivateKey{ID: "dev-1", Algorithm: issuerAlgorithm, Type: "JWT", KeyID: true, Signer: key}, err
	})
	address, err := i.listen(nil)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	i.url = "http://" + address
	if ca := i.ca(); ca != nil {
		address, err := i.listen(&tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return ca.forClient(hello, nil)
		}})
		if err != nil {
			return fmt.Errorf("issuer: %w", err)
		}
		i.tls = "https://" + address
	}
	return nil
}

// listen serves on a free port and returns its address.
func (i *issuer) listen(config *tls.Config) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: i.handler(config != nil), ReadHeaderTimeout: 10 * time.Second, TLSConfig: config}
	i.servers = append(i.servers, s)
	if config != nil {
		go s.ServeTLS(l, "", "") // ends with Close
	} else {
		go s.Serve(l)
	}
	return l.Addr().String(), nil
}

// urls returns the base URLs, "" where the issuer does not run.
func (i *issuer) urls() (clear, overTLS string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.url, i.tls
}

// close stops the issuer.
func (i *issuer) close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var failures []error
	for _, s := range i.servers {
		failures = append(failures, s.Close())
	}
	return errors.Join(failures...)
}

// handler serves the three endpoints under the base URL that the client used.
func (i *issuer) handler(overTLS bool) http.Handler {
	scheme := "http://"
	if overTLS {
		scheme = "https://"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+issuerDocument, func(w http.ResponseWriter, r *http.Request) {
		base := scheme + r.Host
		writeJSON(w, map[string]any{
			"issuer": base, "jwks_uri": base + issuerKeys, "token_endpoint": base + issuerToken,
			"id_token_signing_alg_values_supported": []string{issuerAlgorithm},
			"response_types_supported":              []string{"none"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET "+issuerKeys, func(w http.ResponseWriter, _ *http.Request) {
		key, err := i.key()
		if err != nil {
			http.Error(w, "no key", http.StatusInternalServerError)
			return
		}
		text, err := token.PublicJWKS([]token.Key{key.Public()})
		if err != nil {
			http.Error(w, "no key", http.StatusInternalServerError)
			return
		}
		writeJSON(w, jsontext.Value(text))
	})
	mux.HandleFunc("POST "+issuerToken, func(w http.ResponseWriter, r *http.Request) {
		// A page of somebody else's can send a form here unasked, but no JSON.
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "send the claims as application/json", http.StatusUnsupportedMediaType)
			return
		}
		text, err := i.sign(r.Context(), scheme+r.Host, http.MaxBytesReader(w, r.Body, 16<<10))
		if err != nil {
			http.Error(w, "the body must be a JSON object of claims", http.StatusBadRequest)
			return
		}
		writeJSON(w, map[string]string{"token": text})
	})
	return mux
}

// sign returns a token with the claims of a JSON object, as they stand. Those that every token needs are added when they are missing.
func (i *issuer) sign(ctx context.Context, base string, body io.Reader) (string, error) {
	var claims map[string]jsontext.Value // as they stand: a number keeps its spelling
	if err := json.UnmarshalRead(body, &claims); err != nil {
		return "", err
	}
	key, err := i.key()
	if err != nil {
		return "", err
	}
	now := i.now().Unix()
	defaults := []token.Member{
		{Name: "iss", Value: base}, {Name: "sub", Value: "dev|1"},
		{Name: "iat", Value: now}, {Name: "exp", Value: now + int64(issuerLifetime.Seconds())},
	}
	var members []token.Member
	for _, d := range defaults {
		if _, given := claims[d.Name]; !given {
			members = append(members, d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		members = append(members, token.Member{Name: name, Value: claims[name]})
	}
	return i.signer.Sign(ctx, key, members)
}

// writeJSON answers with a JSON document.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.MarshalWrite(w, v) // a reader that left is not an error of ours
}
