package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/people"
)

// With nobody of staff each start logs a link that works, and voids those before; with
// somebody it logs nothing. Who set Cardea up is an operator in the dashboard, and opens
// nothing where customers are served: neither the API nor applications.
func TestTheFirstStartTellsHowToSetUp(t *testing.T) {
	s := issuingServer(t)
	ctx := t.Context()
	var log bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	links := regexp.MustCompile(`link=https://app\.example\.com/setup/(cardea_link_\w+)`)
	var texts []string
	for range 2 {
		log.Reset()
		s.offerSetup(ctx)
		m := links.FindStringSubmatch(log.String())
		if m == nil {
			t.Fatalf("no link in the log: %s", log.String())
		}
		texts = append(texts, m[1])
	}
	who := people.Founder{Name: "Op", Email: "op@acme.example", Password: "seven lamps above the harbour"}
	if _, _, err := s.people.UseSetup(ctx, texts[0], who, people.From{}); cardea.KindOf(err) != cardea.KindNotFound {
		t.Errorf("the link of the start before: %v", err)
	}
	token, session, err := s.people.UseSetup(ctx, texts[1], who, people.From{})
	if err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if s.offerSetup(ctx); log.Len() > 0 {
		t.Errorf("logged with somebody there: %s", log.String())
	}
	if actor, err := s.manager.Actor(ctx, session.Member, session.Organization); err != nil || actor.Type != "operator" {
		t.Errorf("the actor is %+v, %v", actor, err)
	}
	if got, body := ask(s, "GET", "app.example.com", "/cardea/v1/keys", "Bearer "+token.Reveal()); got != http.StatusUnauthorized {
		t.Errorf("staff where customers are served: %d %s", got, body)
	}
	r := httptest.NewRequest("GET", "https://app.example.com/oauth/authorize?client_id=x&response_type=code", nil)
	r.Header.Set("Cookie", "__Host-session="+token.Reveal())
	w := httptest.NewRecorder()
	s.api.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("staff at an application's request: %d %s", w.Code, w.Body)
	}
}
