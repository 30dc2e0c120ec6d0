package team

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// Lists are named in the query of their address, so that a link to one can be shared, and
// in the forms by the same name.
const environmentParam = "environment"

var addressRoutes = []web.Route{
	{Pattern: "GET /addresses", Page: "ip_list", Serve: addresses},
	{Pattern: "POST /addresses", Page: "ip_list", Serve: addAddress},
	{Pattern: "GET /addresses/remove", Page: "ip_list", Serve: askRemoveAddress},
	{Pattern: "POST /addresses/remove", Page: "ip_list", Serve: removeAddress},
	{Pattern: "POST /addresses/clear", Page: "ip_list", Serve: clearAddresses},
}

// addressesPage is the data of the pages of an IP list.
type addressesPage struct {
	Path, Title  string // of the list of this environment
	Environment  *contract.Environment
	Environments []tab
	List         manage.AddressList
	PerKey       bool // keys have lists of their own too

	Address  string // what the form holds
	Own      string // the reader's own address
	Problems map[string]string

	Last bool // the entry to be removed is the only one

	// Shut are addresses that called lately and would be refused from then on.
	Shut []string
}

// A tab is one choice of an environment.
type tab struct {
	Text, Path string
	Current    bool
}

// hasLists reports whether environments have lists.
func hasLists(c *contract.Contract) bool {
	return c.IPListPer() == contract.IPListPerEnvironment || c.IPListPer() == contract.IPListPerBoth
}

// environment returns the environment that a request names, the first when it names none,
// or answers.
func environment(v *web.Visit, name string) (*contract.Environment, bool) {
	all := v.Contract.Environments()
	if name == "" && len(all) > 0 {
		return all[0], true
	}
	if e := v.Contract.Environment(name); e != nil {
		return e, true
	}
	v.Fail(access.NotFound("environment"))
	return nil, false
}

// environmentTabs returns the choices of a page that there is for each environment.
func environmentTabs(v *web.Visit, path string, chosen *contract.Environment) []tab {
	var tabs []tab
	for _, e := range v.Contract.Environments() {
		tabs = append(tabs, tab{Text: e.Label, Path: v.Base + path + "?" + environmentParam + "=" + e.Name, Current: e == chosen})
	}
	return tabs
}

// addressList returns the list of the environment that a request names, or answers.
func addressList(v *web.Visit, name string) (addressesPage, bool) {
	if !hasLists(v.Contract) {
		v.Fail(cardea.Errorf(cardea.KindNotFound, "there are no such lists here"))
		return addressesPage{}, false
	}
	e, ok := environment(v, name)
	if !ok {
		return addressesPage{}, false
	}
	list, err := v.Manage.AddressList(v.R.Context(), v.Actor, manage.AddressListID{Organization: v.Organization.ID, Environment: e.Name})
	if err != nil {
		v.Fail(err)
		return addressesPage{}, false
	}
	return addressesPage{
		Path: v.Base + "/addresses", Title: v.PageTitle("ip_list", "IP list"), Environment: e, List: list,
		Environments: environmentTabs(v, "/addresses", e), Own: v.Actor.Address,
		PerKey: v.Contract.IPListPer() == contract.IPListPerBoth,
	}, true
}

// addresses shows the list of an environment.
func addresses(v *web.Visit) {
	if p, ok := addressList(v, v.Query(environmentParam)); ok {
		p.show(v, http.StatusOK)
	}
}

func (p addressesPage) show(v *web.Visit, status int) {
	v.Render(status, web.View{Title: p.Title, Template: "addresses", Data: p})
}

// OwnListed reports whether the reader's own address is admitted by an entry.
func (p addressesPage) OwnListed() bool { return admitted(p.List.Addresses, p.Own) }

// admitted reports whether a list admits an address. What is not read admits nothing.
func admitted(list []string, address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(list, func(entry string) bool {
		if one, err := netip.ParseAddr(entry); err == nil {
			return one == a.Unmap()
		}
		network, err := netip.ParsePrefix(entry)
		return err == nil && network.Contains(a.Unmap())
	})
}

// addAddress adds an entry. The first one closes the door to every other address, which is
// asked about before.
func addAddress(v *web.Visit) {
	p, ok := addressList(v, v.Value(environmentParam))
	if !ok {
		return
	}
	p.Address = v.Value("address")
	in := manage.Addresses{
		AddressListID: manage.AddressListID{Organization: v.Organization.ID, Environment: p.Environment.Name}, Addresses: []string{p.Address},
	}
	if len(p.List.Addresses) == 0 && v.Value("meant") == "" && v.May(access.Admin) && readable(p.Address) {
		p.askFirst(v)
		return
	}
	_, err := v.Manage.AddAddresses(v.R.Context(), v.Actor, in)
	if problems, ok := v.Problems(err); ok {
		for _, text := range problems { // of the one field that there is
			p.Problems = map[string]string{"address": text}
		}
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/addresses?"+environmentParam+"="+p.Environment.Name, p.Address+" is on the list.")
}

// readable reports whether a text is an entry; what is wrong with one that is not, the use
// case says.
func readable(text string) bool {
	_, err := netip.ParseAddr(text)
	_, notNetwork := netip.ParsePrefix(text)
	return err == nil || notNetwork == nil
}

// askFirst asks whether the first entry is meant, and names callers that it would refuse.
func (p addressesPage) askFirst(v *web.Visit) {
	if !p.findShut(v, []string{p.Address}) {
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: "Close " + p.Environment.Label + " to all other addresses", Template: "first-address", Data: p,
		Crumbs: p.crumbs(),
	})
}

// findShut finds who called lately and would be refused by a list, or answers.
func (p *addressesPage) findShut(v *web.Visit, list []string) bool {
	lately, err := v.Insight.Requests(v.R.Context(), v.Actor, insight.RequestFilter{
		Organization: v.Organization.ID, Environment: p.Environment.Name, Outcome: "allowed",
		From: v.Now().AddDate(0, 0, -1), Page: access.Page{Limit: access.MaxLimit},
	})
	if err != nil {
		v.Fail(err)
		return false
	}
	for _, request := range lately.Items {
		if request.Client != "" && !admitted(list, request.Client) && !slices.Contains(p.Shut, request.Client) {
			p.Shut = append(p.Shut, request.Client)
		}
	}
	return true
}

func (p addressesPage) crumbs() []web.Crumb {
	return []web.Crumb{{Text: p.Title, Path: "/addresses?" + environmentParam + "=" + p.Environment.Name}}
}

// askRemoveAddress asks whether an entry is to go.
func askRemoveAddress(v *web.Visit) {
	p, ok := addressList(v, v.Query(environmentParam))
	if !ok {
		return
	}
	p.Address = v.Query("address")
	if !slices.Contains(p.List.Addresses, p.Address) {
		v.Fail(access.NotFound("entry"))
		return
	}
	left := slices.DeleteFunc(slices.Clone(p.List.Addresses), func(entry string) bool { return entry == p.Address })
	title := "Remove " + p.Address
	if p.Last = len(left) == 0; p.Last {
		title = "Open " + p.Environment.Label + " to every address"
	} else if !p.findShut(v, left) {
		return
	}
	v.Render(http.StatusOK, web.View{Title: title, Template: "remove-address", Block: "confirm", Crumbs: p.crumbs(), Data: p})
}

// removeAddress removes an entry that is not the last.
func removeAddress(v *web.Visit) {
	id := manage.AddressListID{Organization: v.Organization.ID, Environment: v.Value(environmentParam)}
	_, err := v.Manage.RemoveAddresses(v.R.Context(), v.Actor, manage.Addresses{AddressListID: id, Addresses: []string{v.Value("address")}})
	listDone(v, id, v.Value("address")+" is removed: requests from there are refused.", err)
}

// clearAddresses empties a list on purpose.
func clearAddresses(v *web.Visit) {
	id := manage.AddressListID{Organization: v.Organization.ID, Environment: v.Value(environmentParam)}
	_, err := v.Manage.SetAddressList(v.R.Context(), v.Actor, manage.Addresses{AddressListID: id, Addresses: []string{}})
	listDone(v, id, "The list is empty: every address may call.", err)
}

func listDone(v *web.Visit, id manage.AddressListID, notice string, err error) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/addresses?"+environmentParam+"="+id.Environment, notice)
}
