package keys

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// sparkDays is how far the small drawings of use go back.
const sparkDays = 30

// A tab is a link of a row of links, one of which is here.
type tab struct {
	Text, Path string
	Current    bool
}

// A row is one key of the list.
type row struct {
	manage.Key
	EnvironmentLabel string
	May              tags // permissions' labels or scopes
	Owner, Maker     string
	Standing         badge
	Expiry           expiry
	Spark            []int64
	Revocable        bool
}

// tags are names of which the first few are shown.
type tags struct {
	Shown []string
	More  int
	All   string
}

// maxTags is how many names fit into a cell.
const maxTags = 3

// newTags returns what a key may do.
func newTags(c *contract.Contract, k *manage.Key) tags {
	names := permissionsShown(c, k)
	t := tags{Shown: names, All: strings.Join(names, ", ")}
	kind := c.Kind(k.Kind)
	literal, _ := c.ScopeSet(k.Scopes...)
	switch {
	case len(names) > maxTags && kind != nil && c.Expand(literal).Contains(kind.Scopes):
		t.Shown, t.All = nil, "Everything: "+t.All
	case len(names) > maxTags:
		t.Shown, t.More = names[:maxTags-1], len(names)-maxTags+1
	}
	return t
}

// choices are what the list is narrowed and sorted by, as the address says it.
type choices struct {
	Kind, Environment, Search, Status, Scope, Sort string
}

// query returns the choices as parameters of an address.
func (c choices) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"kind": c.Kind, "environment": c.Environment, "search": c.Search, "status": c.Status, "scope": c.Scope, "sort": c.Sort,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// path returns the address of the list with these choices.
func (c choices) path(v *web.Visit) string { return v.Base + "/keys" + asQuery(c.query()) }

func asQuery(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// A listing is the data of the list.
type listing struct {
	Kind       *contract.KeyKind
	Choices    choices
	Ignored    string // what of the address meant nothing
	Kinds      []tab  // nil when there is one
	Places     []tab  // environments that are places; nil when they are not
	PlaceWord  string
	Article    string // "an API key"
	CreateText string
	CreatePath string // "" when the visitor may not
	RevokeText string

	Environments, Scopes, Sorts []web.Option
	ScopesWord, ScopeWord       string

	Counts   []number
	Soon     int // that expire within seven days, listed at SoonPath
	SoonPath string
	Rows     []row
	Next     string // the address of the next page
	Narrow   bool   // by something else than kind and place
	Clear    string // the address without that
	Bulk     bool

	Accuracy        string // of the times of the last use
	EnvironmentWord string
	Start           *quickStart
}

// list answers the list of one kind of key.
func list(v *web.Visit) {
	kinds := kindsOf(v.Contract)
	if len(kinds) == 0 {
		v.Render(http.StatusOK, web.View{Title: v.PageTitle(page, "Keys"), Template: "none"})
		return
	}
	data := newListing(v, kinds)
	found, err := v.Manage.Keys(v.R.Context(), v.Actor, data.filter(v, v.Query("cursor")))
	if _, ok := v.Problems(err); ok { // an address of another time, or one that somebody made up
		data.Ignored = "The address asks for something that there is not, so this is the whole list."
		data.Choices.Search = ""
		found, err = v.Manage.Keys(v.R.Context(), v.Actor, data.filter(v, ""))
	}
	if err == nil {
		err = data.fill(v, found)
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: v.PageTitle(page, data.Kind.Plural), Template: "list", Block: "table", Data: data, Wide: true})
}

// newListing reads the address. What it does not understand it leaves out and says so.
func newListing(v *web.Visit, kinds []*contract.KeyKind) *listing {
	d := &listing{Kind: kinds[0], RevokeText: revokeText(v), EnvironmentWord: environmentWord(v), Accuracy: accuracy(v)}
	var unknown []string
	pick := func(name string, has func(string) bool) string {
		value := v.Query(name)
		if value != "" && !has(value) {
			unknown = append(unknown, name)
			return ""
		}
		return value
	}
	among := func(options []web.Option) func(string) bool {
		return func(value string) bool {
			return slices.ContainsFunc(options, func(o web.Option) bool { return o.Value == value })
		}
	}
	d.Choices.Kind = pick("kind", func(name string) bool {
		i := slices.IndexFunc(kinds, func(k *contract.KeyKind) bool { return k.Name == name })
		if i >= 0 {
			d.Kind = kinds[i]
		}
		return i >= 0
	})
	d.options(v)
	d.Choices.Environment = pick("environment", among(d.Environments))
	d.Choices.Status = pick("status", func(s string) bool { return slices.Contains(statusChoices, manage.Status(s)) })
	d.Choices.Scope = pick("scope", among(d.Scopes))
	d.Choices.Sort = pick("sort", among(d.Sorts))
	d.Choices.Search = strings.TrimSpace(v.Query("search"))
	if len(unknown) > 0 {
		d.Ignored = "The address asks for a " + strings.Join(unknown, " and a ") + " that there is not, which is ignored."
	}
	d.tabs(v, kinds)
	c := d.Choices
	d.Narrow = c.Search != "" || c.Status != "" || c.Scope != "" || c.Environment != "" && d.Places == nil
	d.Clear = choices{Kind: c.Kind, Environment: keep(c.Environment, d.Places != nil), Sort: c.Sort}.path(v)
	d.CreateText, d.Article = createText(v, d.Kind), article(d.Kind.Label)+d.Kind.Label
	if mayCreate(v, d.Kind) {
		d.CreatePath = v.Base + "/keys/new" + asQuery(choices{Kind: c.Kind, Environment: c.Environment}.query())
	}
	d.Bulk = v.May(access.Keys)
	return d
}

func keep(value string, ok bool) string {
	if ok {
		return value
	}
	return ""
}

// options fills in what can be chosen.
func (d *listing) options(v *web.Visit) {
	c := v.Contract
	d.Environments = []web.Option{{Text: "All"}}
	for _, e := range environmentsOf(c, d.Kind) {
		d.Environments = append(d.Environments, web.Option{Value: e.Name, Text: e.Label})
	}
	d.ScopesWord, d.ScopeWord = "Scopes", "Scope"
	if _, all := permissionsByScope(c, d.Kind); all {
		d.ScopesWord, d.ScopeWord = "Permissions", "Permission"
	}
	d.Scopes = []web.Option{{Text: "All"}}
	for _, choice := range scopeChoices(c, d.Kind) {
		d.Scopes = append(d.Scopes, web.Option{Value: choice.Name, Text: choice.Label})
	}
	d.Sorts = []web.Option{{Text: "Newest first"},
		{Value: manage.SortName, Text: "Name"}, {Value: manage.SortLastUsed, Text: "Last used"}, {Value: manage.SortExpires, Text: "Next to expire"}}
}

// tabs fills in the links to other kinds and, where environments are places of their own,
// to those: there is no list over several places.
func (d *listing) tabs(v *web.Visit, kinds []*contract.KeyKind) {
	if len(kinds) > 1 {
		for i, k := range kinds {
			to := choices{Kind: keep(k.Name, i > 0)}
			if k.Owner == d.Kind.Owner {
				to.Environment = d.Choices.Environment
			}
			d.Kinds = append(d.Kinds, tab{capital(k.Plural), to.path(v), k == d.Kind})
		}
	}
	if d.Kind.Owner != contract.OwnerEnvironment {
		return
	}
	d.PlaceWord = d.EnvironmentWord
	for _, e := range environmentsOf(v.Contract, d.Kind) {
		if d.Choices.Environment == "" {
			d.Choices.Environment = e.Name
		}
		d.Places = append(d.Places, tab{e.Label, choices{Kind: d.Choices.Kind, Environment: e.Name}.path(v), e.Name == d.Choices.Environment})
	}
}

// fill makes rows of the keys that were found.
func (d *listing) fill(v *web.Visit, found manage.List[manage.Key]) error {
	ids := make([]string, len(found.Items))
	people, err := v.Names()
	if err != nil {
		return err
	}
	for i, k := range found.Items {
		ids[i] = k.ID
	}
	sparks := map[string][]int64{}
	if len(ids) > 0 {
		if sparks, err = v.Insight.Sparks(v.R.Context(), v.Actor, ids, sparkDays); err != nil {
			return err
		}
	}
	unused := true
	for _, k := range found.Items {
		d.Rows = append(d.Rows, row{
			Key: k, EnvironmentLabel: environmentLabel(v.Contract, k.Environment), May: newTags(v.Contract, &k),
			Owner: ownerOf(v, &k, people), Maker: people.Maker(k.CreatedBy), Standing: statuses[k.Status],
			Expiry: expiryOf(&k, v.Now()), Spark: sparks[k.ID],
			Revocable: k.RevokedAt.IsZero() && v.May(access.Keys.OverKey(v.Actor, k.Member)),
		})
		unused = unused && k.LastUsedAt.IsZero()
	}
	if found.Next != "" {
		q := d.Choices.query()
		q.Set("cursor", found.Next)
		d.Next = v.Base + "/keys" + asQuery(q)
	}
	if len(d.Rows) > 0 && unused && found.Next == "" && !d.Narrow && d.Rows[0].RevokedAt.IsZero() {
		d.Start = newQuickStart(v, &d.Rows[0].Key, "")
	}
	return d.count(v)
}

// statusChoices are the statuses that the list can be narrowed to.
var statusChoices = []manage.Status{
	manage.StatusActive, manage.StatusExpiring, manage.StatusDisabled, manage.StatusExpired, manage.StatusRevoked,
}

// filter returns what the list asks for.
func (d *listing) filter(v *web.Visit, cursor string) manage.KeyFilter {
	c := d.Choices
	return manage.KeyFilter{
		Organization: v.Organization.ID, Kind: d.Kind.Name, Environment: c.Environment,
		Narrow: manage.Narrow{Search: c.Search, Status: manage.Status(c.Status), Scope: c.Scope, Sort: c.Sort},
		Page:   manage.Page{Cursor: cursor},
	}
}

// A number is how many keys have a status, -1 when that is not known, and where they are
// listed.
type number struct {
	Name, Path string
	N          int64
	Current    bool
}

// count fills in how many keys there are of each status.
func (d *listing) count(v *web.Visit) error {
	n, err := v.Manage.KeyCounts(v.R.Context(), v.Actor, d.filter(v, ""))
	if err != nil {
		return err
	}
	add := func(name, status string, count int64) {
		to := d.Choices
		to.Status = status
		d.Counts = append(d.Counts, number{name, to.path(v), count, d.Choices.Status == status})
	}
	add("All", "", n.Active+n.Disabled+n.Expired+n.Revoked)
	add("Active", string(manage.StatusActive), n.Active)
	if d.Choices.Status == string(manage.StatusExpiring) {
		add("Expiring", d.Choices.Status, -1)
	}
	soon := d.Choices
	soon.Status, soon.Sort = string(manage.StatusExpiring), manage.SortExpires
	d.Soon, d.SoonPath = int(n.Expiring7d), soon.path(v)
	add("Disabled", string(manage.StatusDisabled), n.Disabled)
	add("Expired", string(manage.StatusExpired), n.Expired)
	add("Revoked", string(manage.StatusRevoked), n.Revoked)
	return nil
}
