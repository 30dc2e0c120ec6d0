package keys

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// An editing is the data of the form that changes a key.
type editing struct {
	fields
	*subject
	Back string
}

// editForm answers the form, as the key is.
func editForm(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	f := form{Name: s.Name, Scopes: s.Scopes, Addresses: strings.Join(s.Key.Addresses, "\n"), Never: s.ExpiresAt.IsZero()}
	if s.ExpiresAt.After(v.Now()) { // a date that is over is none that a form may send
		f.Expires = s.ExpiresAt.UTC().Format(time.DateOnly)
	}
	if l := s.Limits; l != nil {
		f.PerMinute, f.Burst, f.PerDay = figure(l.PerMinute), figure(l.Burst), figure(l.PerDay)
	}
	newEditing(v, s, f).show(v, http.StatusOK)
}

// figure returns a limit as a form has it: empty for none.
func figure(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func newEditing(v *web.Visit, s *subject, f form) *editing {
	d := &editing{subject: s, Back: s.path(v)}
	if s.kind == nil { // all but the name depends on what it is
		d.fields = fields{Form: f, Problems: map[string]string{}}
		return d
	}
	d.fields = newFields(v, s.kind, f)
	d.Expiry = newExpiryField(s.kind, s.madeAt(), v.Now(), false, true)
	return d
}

func (d *editing) show(v *web.Visit, status int) {
	v.Render(status, web.View{Title: "Edit " + d.subject.Name, Template: "edit", Data: d, Crumbs: d.crumbs(v, true)})
}

// edit changes a key.
func edit(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	d := newEditing(v, s, readForm(v))
	if s.kind != nil && !sameSet(d.Form.Scopes, s.Scopes) && d.missing(v, s.kind) {
		d.show(v, http.StatusUnprocessableEntity)
		return
	}
	in, err := d.update(v)
	if err == nil {
		_, err = v.Manage.UpdateKey(v.R.Context(), v.Actor, in)
	}
	switch {
	case err == nil:
		v.See("/keys/"+s.ID, "Saved. The change holds from now on.")
	case d.refused(v, err):
		d.show(v, http.StatusUnprocessableEntity)
	default:
		v.Fail(err)
	}
}

// update returns what the form changes: only that, so that what somebody else changed in
// the meantime stays.
func (d *editing) update(v *web.Visit) (manage.UpdateKey, error) {
	s, f := d.subject, d.Form
	in := manage.UpdateKey{ID: s.ID}
	if f.Name != s.Name {
		in.Name = &f.Name
	}
	if s.kind == nil {
		return in, nil
	}
	if !sameSet(f.Scopes, s.Scopes) {
		in.Scopes = f.Scopes
	}
	if given := lines(f.Addresses); d.HasAddresses && !sameSet(given, s.Key.Addresses) {
		in.Addresses = given
	}
	switch was := s.ExpiresAt; {
	case f.Never && d.Expiry.Never:
		in.NeverExpires = !was.IsZero()
	case f.Expires != "" && (was.IsZero() || f.Expires != was.UTC().Format(time.DateOnly)):
		end, invalid := endOf(s.kind, s.madeAt(), f.Expires)
		if invalid != nil {
			return in, invalid
		}
		in.ExpiresAt = end
	}
	if d.HasLimits {
		limits, invalid := f.limits()
		if invalid != nil {
			return in, invalid
		}
		switch {
		case limits == nil && s.Limits != nil:
			in.InheritLimits = true
		case limits != nil && (s.Limits == nil || *limits != *s.Limits):
			in.Limits = limits
		}
	}
	return in, nil
}

// sameSet reports whether two lists have the same members.
func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
