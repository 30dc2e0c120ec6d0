package keys

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A subject is the key that a page is about, with what all pages of one key show.
type subject struct {
	manage.Key
	KindLabel        string
	EnvironmentLabel string
	EnvironmentWord  string
	Standing         badge
	RevokeText       string

	kind *contract.KeyKind // nil when the contract no longer has it
}

// find returns the key of the address, nil when there is none and that was answered. A key
// of another organization than the one whose pages these are is not there, also for those
// who may see both.
func find(v *web.Visit) *subject {
	k, err := v.Manage.Key(v.R.Context(), v.Actor, manage.ID{ID: v.Path("key")})
	if err == nil && k.Organization != v.Organization.ID {
		err = access.NotFound("key")
	}
	if err != nil {
		v.Fail(err)
		return nil
	}
	return newSubject(v, k)
}

func newSubject(v *web.Visit, k manage.Key) *subject {
	return &subject{
		Key: k, KindLabel: kindLabel(v.Contract, k.Kind), EnvironmentLabel: environmentLabel(v.Contract, k.Environment),
		EnvironmentWord: environmentWord(v), Standing: statuses[k.Status], RevokeText: revokeText(v), kind: v.Contract.Kind(k.Kind),
	}
}

// madeAt returns when the present secret was made: what the kind's maximum counts from.
func (s *subject) madeAt() time.Time {
	if s.SecretMadeAt.IsZero() {
		return s.CreatedAt
	}
	return s.SecretMadeAt
}

// crumbs lead back to the list, and to the key for the pages of what is done to it.
func (s *subject) crumbs(v *web.Visit, inner bool) []web.Crumb {
	plural := "Keys"
	if s.kind != nil {
		plural = s.kind.Plural
	}
	out := []web.Crumb{{Text: v.PageTitle(page, plural), Path: "/keys" + asQuery(back(v, s.kind, s.Environment))}}
	if inner {
		out = append(out, web.Crumb{Text: s.Name, Path: "/keys/" + s.ID})
	}
	return out
}

// Path returns the address of the key's page.
func (s *subject) path(v *web.Visit) string { return v.Base + "/keys/" + s.ID }

// A detail is the data of the page of one key.
type detail struct {
	*subject
	May          []choice // what it may do, with what that means
	Owner, Maker string
	Expiry       expiry
	Idle         string // how long it may go unused, "" for ever
	Accuracy     string // of the time of the last use
	Own          string // its own limits in words
	HasAddresses bool
	Chart        *web.Chart
	Used         string // requests of the last thirty days, in words
	RevokedBy    string
	Rotation     *turning
	Changes      []change // the latest
	AuditPath    string
	UsagePath    string
	RequestsPath string

	CanChange, CanSecret bool
	Works                bool // neither revoked, nor disabled, nor at its end
}

// show answers the page of a key.
func show(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	d, err := newDetail(v, s)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: s.Name, Template: "key", Data: d, Crumbs: s.crumbs(v, false), Chart: d.Chart != nil})
}

func newDetail(v *web.Visit, s *subject) (*detail, error) {
	d := &detail{
		subject: s, Expiry: expiryOf(&s.Key, v.Now()), Accuracy: accuracy(v),
		CanChange: v.May(access.Keys.OverKey(v.Actor, s.Member)), CanSecret: v.May(access.Secrets.OverKey(v.Actor, s.Member)),
		AuditPath: v.Base + "/audit?" + url.Values{"target": {s.ID}}.Encode(), UsagePath: v.Base + "/usage?" + url.Values{"key": {s.ID}}.Encode(),
		RequestsPath: v.Base + "/requests?" + url.Values{"key": {s.ID}}.Encode(),
		Works:        s.Status == manage.StatusActive || s.Status == manage.StatusExpiring,
		HasAddresses: v.Contract.IPListPer() == contract.IPListPerCredential || v.Contract.IPListPer() == contract.IPListPerBoth,
	}
	people, err := v.Names()
	if err != nil {
		return nil, err
	}
	d.Owner, d.Maker = ownerOf(v, &s.Key, people), people.Maker(s.CreatedBy)
	if s.kind != nil {
		d.May = granted(v.Contract, s)
		if s.kind.Idle > 0 {
			d.Idle = span(s.kind.Idle)
		}
	}
	if s.Limits != nil {
		d.Own = limitsText(*s.Limits)
	}
	if s.Rotation != nil {
		if d.Rotation, err = newTurning(v, s); err != nil {
			return nil, err
		}
	}
	if err := d.history(v, people); err != nil {
		return nil, err
	}
	return d, d.usage(v)
}

// granted returns what a key may do, as people chose it. A scope that the contract no
// longer has is shown by its name.
func granted(c *contract.Contract, s *subject) []choice {
	all := scopeChoices(c, s.kind)
	var out []choice
	for _, name := range s.Scopes {
		i := slices.IndexFunc(all, func(one choice) bool { return one.Name == name })
		if i < 0 {
			out = append(out, choice{Name: name, Label: name})
			continue
		}
		out = append(out, all[i])
	}
	return out
}

// history fills in what was done to the key, as far as the visitor may know.
func (d *detail) history(v *web.Visit, people web.Names) error {
	events, err := v.Insight.AuditEvents(v.R.Context(), v.Actor, insight.AuditFilter{
		Organization: v.Organization.ID, Target: d.ID, Page: access.Page{Limit: 5},
	})
	if cardea.KindOf(err) == cardea.KindForbidden {
		d.AuditPath = ""
		return nil
	}
	for _, e := range events.Items {
		one := change{deed(e.Action), people.Maker(e.Actor.Type + ":" + e.Actor.ID), e.Actor.Address, e.At}
		d.Changes = append(d.Changes, one)
		if e.Action == "key.revoke" && d.RevokedBy == "" {
			d.RevokedBy = one.Who
		}
	}
	return err
}

// usage fills in the requests of the last thirty days.
func (d *detail) usage(v *web.Visit) error {
	now := v.Now().UTC()
	from := now.Truncate(24*time.Hour).AddDate(0, 0, 1-sparkDays)
	s, err := v.Insight.Series(v.R.Context(), v.Actor, insight.UsageQuery{Organization: v.Organization.ID, Key: d.ID, From: from, To: now, By: "total"})
	if err != nil {
		return err
	}
	if len(s.Lines) == 0 || len(s.At) < 2 {
		return nil
	}
	answered, sum := make([]int64, len(s.At)), int64(0)
	for i, n := range s.Lines[0].Requests {
		answered[i] = n - s.Lines[0].Denied[i]
		sum += n
	}
	d.Used = thousands(sum) + " requests"
	if sum == 1 {
		d.Used = "1 request"
	}
	if sum > 0 {
		d.Chart = &web.Chart{Times: s.At, Lines: []web.Line{
			{Name: "Let through", Tone: "accent", Values: answered}, {Name: "Refused", Tone: "danger", Values: s.Lines[0].Denied},
		}}
	}
	return nil
}

// A change is what was done to a key, by whom and when.
type change struct {
	What, Who, Address string
	At                 time.Time
}

// deed returns an action of the audit log as people say it: "key.finish_rotation" is
// "Rotation finished".
func deed(action string) string {
	verb := strings.TrimPrefix(action, "key.")
	if text, ok := deeds[verb]; ok {
		return text
	}
	return capital(strings.ReplaceAll(verb, "_", " "))
}

var deeds = map[string]string{
	"create": "Created", "update": "Changed", "disable": "Disabled", "enable": "Enabled", "rotate": "Rotated", "regenerate": "Regenerated",
	"finish_rotation": "Rotation finished", "revoke": "Revoked", "reveal": "Secret shown", "leak": "Reported as leaked",
}
