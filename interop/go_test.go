package interop

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// agree has a person open an authorization URL and returns the parameters they bring back.
func (w *world) agree(t *testing.T, address string) url.Values {
	t.Helper()
	at, err := w.visit(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if u.Query().Get("error") != "" {
		t.Fatalf("refused: %s", at)
	}
	return u.Query()
}

// works calls the API with a client and returns what it says.
func (w *world) works(t *testing.T, client *http.Client) string {
	t.Helper()
	resp, err := client.Get(w.Base + "/v1/things")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the API says %d: %s (%v)", resp.StatusCode, body, err)
	}
	return string(body)
}

// x/oauth2 gets tokens for a program, with its secret in the header and in the body.
func TestXOAuth2ClientCredentials(t *testing.T) {
	w := open(t)
	id, secret := w.register(t, registration{Grants: []string{"client_credentials"}, Scopes: []string{"read", "write"}})
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams, "auto": oauth2.AuthStyleAutoDetect} {
		t.Run(name, func(t *testing.T) {
			c := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: w.Base + "/oauth/token", Scopes: []string{"read"}, AuthStyle: style}
			w.works(t, c.Client(context.Background()))
			c.ClientSecret = "cs_wrong"
			if _, err := c.Token(context.Background()); err == nil {
				t.Error("a wrong secret got a token")
			}
		})
	}
}

// x/oauth2 and go-oidc: discovery, code with PKCE and nonce, ID token, userinfo, refresh,
// and a code that works once.
func TestXOAuth2AndGoOIDCAuthorizationCode(t *testing.T) {
	w, ctx := open(t), context.Background()
	id, secret := w.register(t, registration{
		Grants: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{redirect},
		Scopes: []string{"openid", "profile", "email", "offline_access", "read"},
	})
	provider, err := oidc.NewProvider(ctx, w.Base)
	if err != nil {
		t.Fatal(err)
	}
	c := oauth2.Config{
		ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: "http://127.0.0.1:4711/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "offline_access", "read"},
	}
	verifier := oauth2.GenerateVerifier()
	back := w.agree(t, c.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("nonce-1")))
	if back.Get("state") != "state-1" || back.Get("iss") != w.Base {
		t.Fatalf("brought back %v", back)
	}
	tokens, err := c.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	w.works(t, c.Client(ctx, tokens))

	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		t.Fatal("no ID token")
	}
	idToken, err := provider.Verifier(&oidc.Config{ClientID: id}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Nonce != "nonce-1" || idToken.AccessTokenHash != "" && idToken.VerifyAccessToken(tokens.AccessToken) != nil {
		t.Errorf("ID token %+v", idToken)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	if info.Subject != idToken.Subject || info.Email != w.Users[0].Email {
		t.Errorf("userinfo %+v", info)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "another"}).Verify(ctx, raw); err == nil {
		t.Error("the ID token is for everybody")
	}

	next, err := c.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken, Expiry: time.Unix(1, 0)}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if next.RefreshToken == tokens.RefreshToken {
		t.Error("the refresh token did not rotate")
	}
	w.works(t, c.Client(ctx, next))
	if _, err := c.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code worked twice")
	}
}

// x/oauth2: a device that cannot show a browser (RFC 8628).
func TestXOAuth2DeviceFlow(t *testing.T) {
	w, ctx := open(t), context.Background()
	id, _ := w.register(t, registration{Public: true, Grants: []string{"device_code", "refresh_token"}, Scopes: []string{"read"}})
	c := oauth2.Config{ClientID: id, Scopes: []string{"read"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: w.Base + "/oauth/device", TokenURL: w.Base + "/oauth/token", AuthStyle: oauth2.AuthStyleInParams,
	}}
	started, err := c.DeviceAuth(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.visit(started.VerificationURIComplete); err != nil {
		t.Fatal(err)
	}
	tokens, err := c.DeviceAccessToken(ctx, started)
	if err != nil {
		t.Fatal(err)
	}
	w.works(t, c.Client(ctx, tokens))
}

// The metadata names every endpoint and method under the issuer's own name.
func TestMetadataNamesItsIssuer(t *testing.T) {
	w := open(t)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		resp, err := http.Get(w.Base + path)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Issuer string `json:"issuer"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&m); err != nil || m.Issuer != w.Base {
			t.Errorf("%s: issuer %q (%v)", path, m.Issuer, err)
		}
		resp.Body.Close()
	}
}
