package people

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/oauth2"

	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// How long a provider's metadata is kept, and of how many providers.
const (
	providerAge  = 10 * time.Minute
	maxProviders = 256
)

// providers keeps what was discovered. Its zero value is ready.
type providers struct {
	mu    sync.Mutex
	known map[providerKey]discovered
}

type providerKey struct {
	issuer   string
	insecure bool
}

type discovered struct {
	*oidc.Provider
	metadata metadata
	at       time.Time
}

// metadata is what go-oidc does not tell of a discovery document.
type metadata struct {
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
}

// An idpClient is the client that we are at an organization's provider.
type idpClient struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	metadata metadata
	http     *http.Client
}

// identity is whom a provider vouches for. AuthTime is when they proved it there, zero
// when the provider does not say.
type identity struct {
	Email, Name string
	AuthTime    time.Time
}

// provider returns the client for a connection.
func (p *People) provider(ctx context.Context, c store.Connection, origin string) (*idpClient, error) {
	client := p.fetch.HTTP(fetch.Options{AllowPrivate: c.Insecure, AllowHTTP: c.Insecure})
	found, err := p.discover(ctx, client, c)
	if err != nil {
		return nil, err
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL} {
		if err := fetch.Check(address, c.Insecure); err != nil {
			return nil, err
		}
	}
	secretText := ""
	if c.SecretSealed != nil {
		plain, err := p.sealer.Open(secret.AAD("sso_connection", c.Organization, 1), c.SecretSealed)
		if err != nil {
			return nil, err
		}
		secretText = string(plain)
	}
	// Trying one way and then the other would use up the code with the first.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	methods := found.metadata.AuthMethods
	if secretText == "" || slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &idpClient{
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: secretText, Endpoint: endpoint,
			RedirectURL: origin + CallbackPath, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
		},
		verifier: found.Verifier(&oidc.Config{ClientID: c.ClientID, Now: p.now}),
		metadata: found.metadata, http: client,
	}, nil
}

// discover returns a provider's metadata, fetched when it is not known or old.
func (p *People) discover(ctx context.Context, client *http.Client, c store.Connection) (discovered, error) {
	key := providerKey{c.Issuer, c.Insecure}
	now := p.now()
	p.providers.mu.Lock()
	found, ok := p.providers.known[key]
	p.providers.mu.Unlock()
	if ok && now.Sub(found.at) < providerAge {
		return found, nil
	}
	if err := fetch.Check(c.Issuer, c.Insecure); err != nil {
		return discovered{}, err
	}
	// The provider keeps the context for fetching keys later; this request's must not end
	// that.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), c.Issuer)
	if err != nil {
		return discovered{}, errDiscovery
	}
	found = discovered{Provider: provider, at: now}
	if err := provider.Claims(&found.metadata); err != nil {
		return discovered{}, errDiscovery
	}
	p.providers.mu.Lock()
	defer p.providers.mu.Unlock()
	if len(p.providers.known) >= maxProviders || p.providers.known == nil {
		p.providers.known = map[providerKey]discovered{}
	}
	p.providers.known[key] = found
	return found, nil
}

// errDiscovery stands for what a library says, which quotes what it was answered.
var errDiscovery = errors.New("the provider's discovery document cannot be had, or is another issuer's")

// vouched redeems the code of an answer and returns whom the provider vouches for.
func (p *People) vouched(ctx context.Context, c store.Connection, t trip, query url.Values) (identity, error) {
	codes := query["code"]
	if len(codes) != 1 || query.Has("error") {
		return identity{}, errAnswer
	}
	client, err := p.provider(ctx, c, t.Origin)
	if err != nil {
		return identity{}, err
	}
	if (client.metadata.SendsIssuer || query.Has("iss")) && !same(query, "iss", c.Issuer) {
		return identity{}, errIssuer // an answer mixed up with another provider's (RFC 9207 §2.4)
	}
	ctx = oidc.ClientContext(ctx, client.http)
	answer, err := client.oauth.Exchange(ctx, codes[0], oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return identity{}, errExchange
	}
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return identity{}, errNoToken
	}
	verified, err := client.verifier.Verify(ctx, raw)
	if err != nil {
		return identity{}, errToken
	}
	if verified.Nonce != t.Nonce {
		return identity{}, errNonce
	}
	return claimed(c, raw, len(verified.Audience))
}

// As errDiscovery.
var (
	errExchange = errors.New("the provider did not redeem the code")
	errToken    = errors.New("the ID token is not valid")
)

// idClaims are the claims of a verified ID token that matter here. They are decoded by
// exact names and without duplicates.
type idClaims struct {
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Name          string `json:"name"`
	Party         string `json:"azp"`

	AuthTime jsontext.Value `json:"auth_time"` // a number, of providers that say it
}

// claimed returns whom a verified ID token is about.
func claimed(c store.Connection, raw string, audiences int) (identity, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return identity{}, errToken
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return identity{}, errToken
	}
	var claims idClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return identity{}, errVerified
	}
	if claims.Party != c.ClientID && (claims.Party != "" || audiences > 1) {
		return identity{}, errParty // OpenID Connect Core §3.1.3.7
	}
	email := strings.TrimSpace(claims.Email)
	if !claims.EmailVerified || !admitted(c, email) {
		return identity{}, errVerified
	}
	who := identity{Email: email, Name: strings.TrimSpace(claims.Name)}
	if seconds, err := strconv.ParseInt(string(claims.AuthTime), 10, 64); err == nil && seconds > 0 {
		who.AuthTime = time.Unix(seconds, 0)
	}
	return who, nil
}
