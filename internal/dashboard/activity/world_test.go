package activity_test

import (
	"html"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/activity"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// The words of tests.
var (
	example = dashtest.Example
	says    = dashtest.Says
	saysNot = dashtest.SaysNot
)

// words returns the text of a page, for people who read failures.
func words(a dashtest.Answer) string { return a.Words() }

// A world is a dashboard with something that happened.
type world struct {
	*dashtest.World
	t testing.TB

	// One has these keys; Foreign is Two's.
	Import, Export, Foreign manage.KeySecret
}

func newWorld(t testing.TB, contract string) *world {
	t.Helper()
	w := &world{World: dashtest.New(t, example(contract), activity.Area()), t: t}
	w.Import, w.Export, w.Foreign = w.key(w.One, "Nightly import"), w.key(w.One, "Export"), w.key(w.Two, "Somebody else’s")
	return w
}

// newEmptyWorld returns a world in which nothing happened.
func newEmptyWorld(t testing.TB, contract string) *world {
	t.Helper()
	return &world{World: dashtest.New(t, example(contract), activity.Area()), t: t}
}

// viewer is one of those who may look and change nothing.
func (w *world) viewer() *dashtest.Browser { return w.As(w.One, cardea.RoleViewer) }

// zeroKey is nobody's.
var zeroKey manage.KeySecret

// request is a call of the product's API.
func request(w *world, secret string) *cardea.Request {
	return &cardea.Request{
		ID: w.Contract().NewRequestID(), Method: "GET", Host: w.Contract().Hosts().API, Target: "/v1/entities",
		Header: http.Header{"Authorization": {"Bearer " + secret}}, Peer: netip.MustParseAddr("192.0.2.44"),
	}
}

// staffOr returns the browser for a place: the console is the staff's.
func staffOr(member, staff *dashtest.Browser, place string) *dashtest.Browser {
	if place == "/dashboard/console" {
		return staff
	}
	return member
}

// key creates an API key.
func (w *world) key(o manage.Organization, name string) manage.KeySecret {
	w.t.Helper()
	expires := w.Now().Add(90 * 24 * time.Hour)
	made, err := w.Manage.CreateKey(w.t.Context(), dashtest.Operator, manage.CreateKey{
		Kind: "api_key", Environment: "live", Organization: o.ID, Name: name, Scopes: []string{w.Contract().Scopes()[0].Name}, ExpiresAt: expires,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// log puts a request into the log: of a key's, now and on the first route where the test
// does not say.
func (w *world) log(key manage.KeySecret, r store.RequestRow) string {
	w.t.Helper()
	if r.RequestID == "" {
		r.RequestID = w.Contract().NewRequestID()
	}
	if r.At.IsZero() {
		r.At = w.Now()
	}
	if r.Route == "" {
		r.Route = w.Contract().Routes()[0].Pattern
	}
	if r.Route == "-" {
		r.Route = ""
	}
	if r.Method == "" {
		r.Method, r.Path = "GET", "/v1/entities"
	}
	if r.Status == 0 {
		r.Status, r.Reason = http.StatusOK, cardea.ReasonAllowed
	}
	if !r.Client.IsValid() {
		r.Client = netip.MustParseAddr("192.0.2.44")
	}
	if key.Key.ID != "" {
		r.Credential, r.Organization = key.Key.ID, key.Key.Organization
	}
	r.Environment = "live"
	if err := w.Store.AppendRequests(w.t.Context(), []store.RequestRow{r}, nil); err != nil {
		w.t.Fatal(err)
	}
	return r.RequestID
}

// use counts requests of a key in the present hour.
func (w *world) use(key manage.KeySecret, n int64, reason cardea.Reason, status int) {
	w.t.Helper()
	err := w.Store.AddUsage(w.t.Context(), []store.UsageDelta{{
		Credential: key.Key.ID, Organization: key.Key.Organization, Environment: "live", Hour: w.Now().Truncate(time.Hour),
		Route: w.Contract().Routes()[0].Pattern, StatusClass: status, Reason: reason, Requests: n, BytesOut: n * 1000, Latency: time.Duration(n) * 20 * time.Millisecond,
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// link returns where the first link with a text leads.
func link(t *testing.T, a dashtest.Answer, text string) string {
	t.Helper()
	before, _, found := strings.Cut(a.Body, text+"</a>")
	if !found {
		t.Fatalf("there is no link %q:\n%s", text, words(a))
	}
	_, href, _ := strings.Cut(before[strings.LastIndex(before, "<a "):], `href="`)
	href, _, _ = strings.Cut(href, `"`)
	return html.UnescapeString(href)
}
