package token

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// maxDiscoveryBytes bounds a discovery document.
const maxDiscoveryBytes = 256 << 10

// Discover asks an issuer where its keys are: OpenID Connect Discovery §4, then RFC
// 8414 §3. The document must name exactly the issuer that was asked (RFC 8414 §3.3),
// and its key set must be on https too. With allowPrivate both may be http and on
// private addresses. The error is ErrFetch when there is no such document, ErrIssuer
// when it is another issuer's.
func (c *Cache) Discover(ctx context.Context, issuerURL string, allowPrivate bool) (jwksURL, issuer string, err error) {
	places, err := discoveryURLs(issuerURL, allowPrivate)
	if err != nil {
		return "", "", err
	}
	err = ErrFetch
	for _, place := range places {
		answer, failed := c.fetch.Get(ctx, place, fetch.Options{
			MaxBytes: maxDiscoveryBytes, Timeout: fetchTimeout, AllowPrivate: allowPrivate, AllowHTTP: allowPrivate,
			Accept: "application/json",
		})
		if failed != nil || answer.Status != http.StatusOK {
			continue
		}
		if jwksURL, err = readDiscovery(answer.Body, issuerURL, allowPrivate); err == nil {
			return jwksURL, issuerURL, nil
		}
	}
	return "", "", err
}

// discoveryURLs returns where an issuer's document may be.
func discoveryURLs(issuer string, allowHTTP bool) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil || fetch.Check(issuer, allowHTTP) != nil || u.RawQuery != "" || u.ForceQuery {
		return nil, ErrFetch
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	origin := u.Scheme + "://" + u.Host
	return []string{
		origin + path + "/.well-known/openid-configuration",
		origin + "/.well-known/oauth-authorization-server" + path,
	}, nil
}

// readDiscovery returns the key set's URL in an issuer's document.
func readDiscovery(text []byte, issuer string, allowHTTP bool) (string, error) {
	var document struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if !shallow(text) || json.Unmarshal(text, &document) != nil {
		return "", ErrFetch
	}
	switch {
	case document.Issuer != issuer:
		return "", ErrIssuer
	case fetch.Check(document.JWKS, allowHTTP) != nil:
		return "", ErrFetch
	}
	return document.JWKS, nil
}
