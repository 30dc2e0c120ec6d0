package keys

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A question is the data of a page that asks whether something is meant.
type question struct {
	*subject
	Back     string
	Typed    string
	Reason   string
	Problems map[string]string
	Used     string // when it was used, in words; "" for never
}

func newQuestion(v *web.Visit, s *subject) *question {
	q := &question{subject: s, Back: s.path(v), Problems: map[string]string{}}
	if !s.LastUsedAt.IsZero() {
		q.Used = span(max(v.Now().Sub(s.LastUsedAt), 0)) + " ago"
	}
	return q
}

func (q *question) ask(v *web.Visit, status int, title, template string) {
	v.Render(status, web.View{Title: title, Template: template, Block: "form", Data: q, Crumbs: q.crumbs(v, true)})
}

// confirmDisable says what disabling is, and is not.
func confirmDisable(v *web.Visit) {
	if s := find(v); s != nil {
		newQuestion(v, s).ask(v, http.StatusOK, v.Label(page, "disable", "Disable")+" "+s.Name, "disable")
	}
}

// disable refuses a key until it is enabled.
func disable(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	_, err := v.Manage.DisableKey(v.R.Context(), v.Actor, manage.ID{ID: s.ID})
	done(v, err, s, s.Name+" is disabled: requests with it are refused until you enable it.")
}

// enable ends that.
func enable(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	_, err := v.Manage.EnableKey(v.R.Context(), v.Actor, manage.ID{ID: s.ID})
	done(v, err, s, s.Name+" works again.")
}

// done leads back to the key, or answers with the error.
func done(v *web.Visit, err error, s *subject, notice string) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/keys/"+s.ID, notice)
}

// confirmRevoke asks for the name of the key that is to end.
func confirmRevoke(v *web.Visit) {
	if s := find(v); s != nil {
		newQuestion(v, s).ask(v, http.StatusOK, revokeText(v)+" "+s.Name, "revoke")
	}
}

// revoke ends a key for good, if its name was typed.
func revoke(v *web.Visit) {
	s := find(v)
	if s == nil {
		return
	}
	q := newQuestion(v, s)
	q.Typed, q.Reason = v.Value("confirm"), v.Value("reason")
	if q.Typed != strings.TrimSpace(s.Name) {
		q.Problems["confirm"] = "This is not its name."
		q.ask(v, http.StatusUnprocessableEntity, revokeText(v)+" "+s.Name, "revoke")
		return
	}
	_, err := v.Manage.RevokeKey(v.R.Context(), v.Actor, manage.RevokeKey{ID: s.ID, Reason: q.Reason})
	if problems, ok := v.Problems(err); ok && problems["reason"] != "" {
		q.Problems["reason"] = sentence("The reason", problems["reason"])
		q.ask(v, http.StatusUnprocessableEntity, revokeText(v)+" "+s.Name, "revoke")
		return
	}
	done(v, err, s, s.Name+" is revoked: requests with it are refused from now on.")
}

// A many is the data of the page that asks whether several keys shall end.
type many struct {
	Keys       []row
	Left       int // of those chosen that are revoked already or not there
	Reason     string
	Problems   map[string]string
	Back       string
	RevokeText string
}

// confirmRevokeMany lists the keys that were chosen.
func confirmRevokeMany(v *web.Visit) {
	if keys, left, ok := chosen(v, v.R.URL.Query()["key"]); ok {
		askMany(v, http.StatusOK, keys, left, "", nil)
	}
}

// chosen returns the keys of the organization whose pages these are that were chosen and
// can end; left is how many others were. ok is false when that was answered.
func chosen(v *web.Visit, ids []string) (keys []manage.Key, left int, ok bool) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, id := range ids[:min(len(ids), access.MaxLimit)] {
		k, err := v.Manage.Key(v.R.Context(), v.Actor, manage.ID{ID: id})
		switch {
		case cardea.KindOf(err) == cardea.KindNotFound, err == nil && (k.Organization != v.Organization.ID || !k.RevokedAt.IsZero()):
			left++
		case err != nil:
			v.Fail(err)
			return nil, 0, false
		default:
			keys = append(keys, k)
		}
	}
	return keys, left, true
}

// askMany shows the question for some keys.
func askMany(v *web.Visit, status int, keys []manage.Key, left int, reason string, problems map[string]string) {
	d := many{Left: left, Reason: reason, Problems: problems, Back: v.Base + "/keys", RevokeText: revokeText(v)}
	for _, k := range keys {
		d.Keys = append(d.Keys, row{Key: k, EnvironmentLabel: environmentLabel(v.Contract, k.Environment)})
	}
	title := "Nothing is chosen"
	if len(keys) > 0 {
		title = d.RevokeText + " " + plural(len(keys), "key") + "?"
		d.Back += asQuery(backOf(v, keys))
	}
	v.Render(status, web.View{Title: title, Template: "many", Data: d, Crumbs: []web.Crumb{{Text: v.PageTitle(page, "Keys"), Path: "/keys"}}})
}

// revokeMany ends them, in one act.
func revokeMany(v *web.Visit) {
	keys, left, ok := chosen(v, slices.Clone(v.Form["key"]))
	reason := v.Value("reason")
	switch {
	case !ok:
		return
	case len(keys) == 0:
		askMany(v, http.StatusUnprocessableEntity, nil, left, reason, nil)
		return
	}
	in := manage.RevokeKeys{Reason: reason}
	for _, k := range keys {
		in.IDs = append(in.IDs, k.ID)
	}
	done, err := v.Manage.RevokeKeys(v.R.Context(), v.Actor, in)
	if problems, ok := v.Problems(err); ok {
		for field, text := range problems {
			problems[field] = sentence("The "+field, text)
		}
		askMany(v, http.StatusUnprocessableEntity, keys, left, reason, problems)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	notice := plural(len(done.Items), "key") + " revoked."
	if n := len(done.Failed) + left; n > 0 {
		notice += " " + plural(n, "key") + " could not be: revoked already, not there, or not yours to revoke."
	}
	v.See("/keys"+asQuery(backOf(v, done.Items)), notice)
}

// backOf returns the parameters of the list that keys came from.
func backOf(v *web.Visit, keys []manage.Key) url.Values {
	if len(keys) == 0 {
		return nil
	}
	return back(v, v.Contract.Kind(keys[0].Kind), keys[0].Environment)
}
