package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// keyContract has a kind of key in front of an upstream.
const keyContract = `cardea: 1
product: Test
environments:
  live: {upstream: "UPSTREAM"}
scopes: {read: Read}
keys:
  api_key:
    owner: organization
    format: {prefix: {live: tk_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    default_scopes: [read]
errors:
  body: {error: {code: $code}}
routes:
  - {match: "GET /v1/{path...}", scopes: [read]}
`

// TestRevocationSurvivesARestart holds on both engines that a key works, that it does not
// from the moment its revocation returned, and that a restart changes neither; and
// that what happened is on record.
func TestRevocationSurvivesARestart(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	t.Cleanup(up.Close)
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		settings := DefaultSettings()
		settings.Listen, settings.ManagementListen = "127.0.0.1:0", "127.0.0.1:0"
		settings.Data, settings.Database = cfg.Dir, cfg.DSN
		during := func(act func(s *Server)) {
			s, err := New(t.Context(), Config{
				Settings: settings, ContractText: []byte(strings.Replace(keyContract, "UPSTREAM", up.URL, 1)),
				Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- s.Run(ctx) }()
			act(s)
			stop()
			if err := <-ran; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		var kept, revoked manage.KeySecret
		during(func(s *Server) {
			m := s.Manager()
			o, err := m.CreateOrganization(t.Context(), self, manage.CreateOrganization{Name: "Acme"})
			if err != nil {
				t.Fatal(err)
			}
			for _, made := range []*manage.KeySecret{&kept, &revoked} {
				if *made, err = m.CreateKey(t.Context(), self, manage.CreateKey{Organization: o.ID, Name: "key"}); err != nil {
					t.Fatal(err)
				}
				if got := status(t, s, made.Secret.Reveal()); got != http.StatusOK {
					t.Errorf("a new key: %d", got)
				}
			}
			if _, err := m.RevokeKey(t.Context(), self, manage.RevokeKey{ID: revoked.Key.ID}); err != nil {
				t.Fatal(err)
			}
			if got := status(t, s, revoked.Secret.Reveal()); got != http.StatusUnauthorized {
				t.Errorf("revoked: %d", got)
			}
		})
		during(func(s *Server) {
			if got := status(t, s, kept.Secret.Reveal()); got != http.StatusOK {
				t.Errorf("kept, after a restart: %d", got)
			}
			if got := status(t, s, revoked.Secret.Reveal()); got != http.StatusUnauthorized {
				t.Errorf("revoked, after a restart: %d", got)
			}
			if err := s.recorder.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			u, err := s.Insight().Usage(t.Context(), self, insight.UsageQuery{By: "key"})
			if err != nil || u.Total.Requests != 5 || u.Total.Denied != 2 {
				t.Errorf("usage over both runs: %+v, %v; want 5 requests, 2 denied", u.Total, err)
			}
		})
	})
}

// status sends a request with a secret and returns the response's status.
func status(t *testing.T, s *Server, secret string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addresses().API+"/v1/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
