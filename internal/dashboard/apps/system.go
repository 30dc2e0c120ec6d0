package apps

import (
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A systemSection is the credentials that stand for the organization.
type systemSection struct {
	Words      clientWords
	Clients    []clientRow
	MayCreate  bool
	MayChange  bool
	Creators   string // who may create them: "owners and admins"
	NeverEnds  bool
	Revealable bool
}

// systemCredentials fills in the organization's pairs, where this is their page.
func systemCredentials(v *web.Visit, page *credentialPage) error {
	words := wordsOf(v)
	if words.Path != "/credentials" || v.Contract.Clients() == nil {
		return nil
	}
	list, err := v.Manage.Clients(v.R.Context(), v.Actor, manage.ClientFilter{
		Organization: v.Organization.ID, Page: manage.Page{Limit: access.MaxLimit},
	})
	if err != nil {
		return err
	}
	s := &systemSection{Words: words, MayChange: mayClients(v, access.Secrets), Revealable: v.Contract.Clients().RevealAlways}
	s.NeverEnds = v.Contract.ClientKind().MaxLifetime.IsZero()
	s.Creators = creatorsOf(v.Contract.Clients().CreatedBy)
	var alive int64
	for i := range list.Items {
		if list.Items[i].Status != manage.StatusRevoked {
			alive++
			s.Clients = append(s.Clients, rowOf(v, &list.Items[i]))
		}
	}
	most := v.Contract.Clients().MaxPerOwner
	s.MayCreate = s.MayChange && (most == 0 || alive < most)
	page.System = s
	return nil
}

// creatorsOf returns roles in words: "owners and admins".
func creatorsOf(roles []cardea.Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, string(r)+"s")
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// newSystem asks before the organization's pair is made.
func newSystem(v *web.Visit) {
	if v.Contract.Clients() == nil {
		v.Fail(access.NotFound("kind of application in this product"))
		return
	}
	showNewSystem(v, http.StatusOK, systemForm{Name: wordsOf(v).Many, Problems: problems{}})
}

// A systemForm is the form for the organization's pair.
type systemForm struct {
	Words             clientWords
	Action, Cancel    string
	Name, Environment string
	Environments      []web.Option
	Problems          problems
	Problem           string
	NeverEnds         bool
}

func showNewSystem(v *web.Visit, status int, f systemForm) {
	f.Words, f.Action, f.Cancel = wordsOf(v), v.Base+"/credentials/system", v.Base+"/credentials"
	f.Environments = environmentsOf(v.Contract, v.Contract.ClientKind())
	f.NeverEnds = v.Contract.ClientKind().MaxLifetime.IsZero()
	v.Render(status, web.View{Title: "Create " + lower(f.Words.Many), Template: "system_form", Data: f, Crumbs: credentialCrumbs(v)})
}

// createSystem makes the organization's pair and answers with it.
func createSystem(v *web.Visit) {
	f := systemForm{Name: v.Value("name"), Environment: v.Value("environment"), Problems: problems{}}
	in := manage.CreateClient{Organization: v.Organization.ID, Name: f.Name, Environment: f.Environment}
	if v.Contract.Clients() != nil {
		in.Grants = grantsOf(v.Contract, machineSort.Name, nil, false)
	}
	made, err := v.Manage.CreateClient(v.R.Context(), v.Actor, in)
	if err != nil {
		if p, ok := refused(v, err); ok {
			f.Problems, f.Problem = p, p.other("name", "environment")
			showNewSystem(v, http.StatusUnprocessableEntity, f)
		}
		return
	}
	showPair(v, wordsOf(v).Many, &made)
}
