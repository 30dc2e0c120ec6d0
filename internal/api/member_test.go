package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/insight"
)

// signIn makes a member whose session has a token, and returns both.
func (w *world) signIn(organization string, role cardea.Role) (admin.Member, string) {
	w.t.Helper()
	m := must(w.client.CreateMember(w.t.Context(), admin.CreateMember{Organization: organization, Email: string(role) + "@" + strings.ToLower(organization) + ".test", Name: "M", Role: role}))(w.t)
	if w.signed == nil {
		w.signed = map[string]cardea.Actor{}
	}
	token := "session-of-" + m.ID
	w.signed[token] = cardea.Actor{Type: "member", ID: m.ID}
	return m, token
}

// A signed-in person is a member to every operation, and nothing more: what is for
// operators is refused, and so is what is another organization's.
func TestAPersonsSessionIsAMemberToTheAPI(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	mine := must(w.client.CreateOrganization(ctx, admin.CreateOrganization{Name: "Mine"}))(t)
	other := must(w.client.CreateOrganization(ctx, admin.CreateOrganization{Name: "Other"}))(t)
	m, token := w.signIn(mine.ID, cardea.RoleOwner)
	own := func(method, path, body string) answer {
		t.Helper()
		return w.sendTo(w.own, method, path, body, token)
	}
	if a := own("POST", "/v1/clients", `{"environment":"live","organization":"`+mine.ID+`","name":"x","grants":["client_credentials"]}`); a.status != 201 {
		t.Errorf("a client of one's own: %d %s", a.status, a.body)
	}
	events := must(w.insight.AuditEvents(ctx, cardea.Actor{Type: "operator", ID: "mt_x"}, insight.AuditFilter{Action: "client.create"}))(t).Items
	if len(events) != 1 || events[0].Actor.ID != m.ID || events[0].Actor.Address != "127.0.0.1" || !strings.HasPrefix(events[0].RequestID, "req_") {
		t.Errorf("events %+v", events)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/v1/organizations/" + mine.ID, 200}, {"GET", "/v1/organizations/" + other.ID, 404}, {"GET", "/v1/keys?organization=" + other.ID, 404},
		{"GET", "/v1/organizations", 403}, {"GET", "/v1/management-tokens", 403}, {"GET", "/v1/signing-keys", 403}, {"GET", "/v1/hooks", 403},
		{"POST", "/v1/backup", 403}, {"POST", "/v1/hook-secret/reveal", 403}, {"POST", "/v1/identify", 403}, {"GET", "/v1/audit/checkpoint", 403},
		{"GET", "/v1/contract", 200}, {"GET", "/v1/sessions?member=" + m.ID, 200},
	} {
		if a := own(c.method, c.path, map[string]string{"POST /v1/identify": `{"secret":"x"}`}[c.method+" "+c.path]); a.status != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, a.status, c.status)
		}
	}
}

// Where customers are served, a management token opens nothing, and a token is one thing
// only.
func TestManagementTokensDoNotWorkWhereCustomersAreServed(t *testing.T) {
	w := newWorld(t)
	o := must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "Mine"}))(t)
	_, token := w.signIn(o.ID, cardea.RoleViewer)
	w.signed["too-much"] = cardea.Actor{Type: "operator", ID: "mt_1"}
	w.signed[w.token] = cardea.Actor{Type: "member", ID: "usr_1"} // never asked about it
	for name, c := range map[string]struct {
		url, token string
		status     int
	}{
		"a management token, customers":  {w.own, w.token, 401},
		"a session, customers":           {w.own, token, 200},
		"a session, operators":           {w.url, token, 200},
		"an unknown session":             {w.own, "session-of-nobody", 401},
		"an operator's session":          {w.own, "too-much", 401},
		"sessions cannot be looked up":   {w.own, "broken", 500},
		"a wrong management token":       {w.url, "cardea_mt_x", 401},
		"a management token, operators'": {w.url, w.token, 200},
	} {
		if a := w.sendTo(c.url, "GET", "/v1/organizations/"+o.ID, "", c.token); a.status != c.status {
			t.Errorf("%s: %d, want %d", name, a.status, c.status)
		}
	}
	if strings.Contains(w.log.String(), token) || strings.Contains(w.log.String(), w.token) {
		t.Errorf("a token is in the log")
	}
}

// sendTo sends a request with a token to one of the world's servers.
func (w *world) sendTo(url, method, path, body, token string) answer {
	w.t.Helper()
	usual := w.url
	w.url = url
	defer func() { w.url = usual }()
	return w.send(method, path, body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
}
