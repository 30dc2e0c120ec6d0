package keys

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A turning is the time in which a key has two secrets, as its page shows it.
type turning struct {
	*subject
	Left    string
	OldUsed time.Time
	Users   []oldUser // who came with the old secret, latest first
}

// An oldUser is somebody who still uses the old secret: what is known of them is their
// address, and what they asked for last.
type oldUser struct {
	Address, Method, Path string
	At                    time.Time
	Requests              int // among those that were looked at
}

// newTurning finds out who still uses the old secret of a key.
func newTurning(v *web.Visit, s *subject) (*turning, error) {
	t := &turning{
		subject: s, Left: span(s.Key.Rotation.EndsAt.Sub(v.Now()).Round(time.Minute)), OldUsed: s.Key.Rotation.OldLastUsedAt,
	}
	found, err := v.Insight.Requests(v.R.Context(), v.Actor, insight.RequestFilter{
		Organization: v.Organization.ID, Key: s.ID, Outcome: "old_secret", Page: access.Page{Limit: access.MaxLimit},
	})
	for _, r := range found.Items {
		if r.At.After(t.OldUsed) {
			t.OldUsed = r.At // the log is ahead of what is kept of each secret
		}
		i := slices.IndexFunc(t.Users, func(u oldUser) bool { return u.Address == r.Client })
		switch {
		case i >= 0:
			t.Users[i].Requests++
		case len(t.Users) < 10:
			t.Users = append(t.Users, oldUser{r.Client, r.Method, r.Path, r.At, 1})
		}
	}
	return t, err
}

// rotationNow answers with the rotation alone, for a page that looks again and again; the
// whole page to everybody else.
func rotationNow(v *web.Visit) {
	s := find(v)
	switch {
	case s == nil:
		return
	case !v.Partial():
		v.See("/keys/"+s.ID, "")
		return
	case s.Rotation == nil:
		v.Render(http.StatusOK, web.View{Title: s.Name, Template: "key", Block: "turned", Data: &detail{subject: s}})
		return
	}
	t, err := newTurning(v, s)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: s.Name, Template: "key", Block: "turning", Data: &detail{subject: s, Rotation: t}})
}

const day = 24 * time.Hour

// overlaps are how long an old secret may go on working, beside what the contract says.
var overlaps = []time.Duration{0, time.Hour, day, 7 * day, 30 * day}

// A rotation is the data of the form that makes a new secret.
type rotation struct {
	*subject
	Overlaps []web.Option
	Overlap  string
	Expiry   expiryField
	Expires  string
	DateHint string
	Expired  bool // it needs a new end
	Problems map[string]string
	Back     string
}

// rotateForm asks how long the old secret goes on working.
func rotateForm(v *web.Visit) {
	if s := find(v); s != nil {
		newRotation(v, s).show(v, http.StatusOK)
	}
}

func newRotation(v *web.Visit, s *subject) *rotation {
	d := &rotation{subject: s, Problems: map[string]string{}, Back: s.path(v)}
	all := slices.Clone(overlaps)
	if s.kind != nil {
		all = append(all, s.kind.Overlap)
		d.Overlap = strconv.FormatInt(int64(s.kind.Overlap/time.Second), 10)
		if s.kind.Overlap == 0 { // the contract says nothing: a day is enough for most, and harms nobody
			d.Overlap = strconv.FormatInt(int64(day/time.Second), 10)
		}
		d.Expired = s.Status == manage.StatusExpired
		now := v.Now()
		d.Expiry = newExpiryField(s.kind, now, now, d.Expired, !d.Expired)
	}
	slices.Sort(all)
	for _, o := range slices.Compact(all) {
		text := "It works for another " + span(o)
		if o == 0 {
			text = "It stops at once"
		}
		if s.kind != nil && o == s.kind.Overlap && o > 0 {
			text += " (usual)"
		}
		d.Overlaps = append(d.Overlaps, web.Option{Value: strconv.FormatInt(int64(o/time.Second), 10), Text: text})
	}
	return d
}

func (d *rotation) show(v *web.Visit, status int) {
	v.Render(status, web.View{Title: v.Label(page, "rotate", "Rotate") + " " + d.Name, Template: "rotate", Block: "form", Data: d, Crumbs: d.crumbs(v, true)})
}

// rotate makes a new secret, and answers with it.
func rotate(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	d := newRotation(v, s)
	d.Overlap, d.Expires = v.Value("overlap"), v.Value("expires")
	in := manage.RotateKey{ID: s.ID}
	if d.Overlap != "" {
		seconds, err := strconv.ParseInt(d.Overlap, 10, 64)
		if err != nil {
			d.Problems["overlap"] = "Choose how long the old secret goes on working."
		}
		in.OverlapSeconds = &seconds
	}
	if d.Expires != "" && s.kind != nil {
		end, invalid := endOf(s.kind, v.Now(), d.Expires)
		if invalid != nil {
			d.Problems["expires"] = sentence("The date", invalid.Public)
		}
		in.ExpiresAt = end
	}
	if len(d.Problems) > 0 {
		d.show(v, http.StatusUnprocessableEntity)
		return
	}
	made, err := v.Manage.RotateKey(v.R.Context(), v.Actor, in)
	if problems, ok := v.Problems(err); ok {
		for field, text := range problems {
			d.Problems[map[string]string{"overlap_seconds": "overlap", "expires_at": "expires"}[field]] = sentence("It", text)
		}
		d.show(v, http.StatusUnprocessableEntity)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	showSecret(v, made, reasonRotated)
}

// finish ends a rotation before its time.
func finish(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	if _, err := v.Manage.FinishKeyRotation(v.R.Context(), v.Actor, manage.ID{ID: s.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/keys/"+s.ID, "The old secret stopped working. Only the new one does now.")
}
