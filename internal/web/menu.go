package web

import (
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
)

// A Group is a part of the menu under one heading; the heading is "" for entries that
// stand alone. Headings may be nested: "Project / Space settings" is two of them.
type Group struct {
	Heading string
	Items   []Item
}

// An Item is one entry of the menu.
type Item struct {
	Text, Path, Icon string
	Page             string
	Current          bool
}

// An entry is a page that there can be, where it is, and when.
type entry struct {
	page, path, icon string
	menu             []string // where it is in the menu, unless the contract says
	has              func(*contract.Contract) bool
	need             access.Right
}

// entries are the portal's pages in the menu's order. Where the contract does not list a
// page it has the place that is named here.
var entries = []entry{
	{"keys", "/keys", "key", []string{"API keys"}, hasKeys, access.Read},
	{"credentials", "/credentials", "id", []string{"Credentials"}, hasCredentials, access.Read},
	{"applications", "/applications", "app", []string{"OAuth applications"}, hasApplications, access.Read},
	{"service_accounts", "/service-accounts", "robot", []string{"Service accounts"}, hasAccounts, access.Read},
	{"usage", "/usage", "chart", []string{"Activity", "Usage"}, always, access.Read},
	{"limits", "/limits", "gauge", []string{"Activity", "Limits"}, always, access.Read},
	{"errors", "/errors", "alert", []string{"Activity", "Errors"}, always, access.Read},
	{"request_log", "/requests", "list", []string{"Activity", "Request log"}, always, access.Read},
	{"audit", "/audit", "history", []string{"Activity", "Audit log"}, always, access.Read},
	{"webhooks", "/webhooks", "bell", []string{"Activity", "Webhooks"}, always, access.Read},
	{"members", "/members", "people", []string{"Organization", "Members"}, always, access.Read},
	{"ip_list", "/addresses", "shield", []string{"Organization", "IP list"}, hasLists, access.Read},
	{"issuers", "/issuers", "link", []string{"Organization", "Trusted issuers"}, hasIssuers, access.Read},
	{"organization", "/organization", "building", []string{"Organization", "Organization settings"}, always, access.Read},
}

// consoleEntries are the operators' pages.
var consoleEntries = []entry{
	{"organizations", "/organizations", "building", []string{"Organizations"}, always, access.Read},
	{"plans", "/plans", "gauge", []string{"Plans"}, always, access.Read},
	{"all_usage", "/usage", "chart", []string{"Usage"}, always, access.Read},
	{"all_errors", "/errors", "alert", []string{"Errors"}, always, access.Read},
	{"all_requests", "/requests", "list", []string{"Request log"}, always, access.Read},
	{"all_audit", "/audit", "history", []string{"Audit log"}, always, access.Read},
	{"contract", "/contract", "file", []string{"Cardea", "Contract"}, always, access.Read},
	{"trusted_issuers", "/issuers", "link", []string{"Cardea", "Trusted issuers"}, always, access.Read},
	{"hooks", "/hooks", "hook", []string{"Cardea", "Hooks"}, always, access.Read},
	{"signing_keys", "/signing-keys", "pen", []string{"Cardea", "Signing keys"}, always, access.Read},
	{"all_webhooks", "/webhooks", "bell", []string{"Cardea", "Webhooks"}, always, access.Read},
	{"staff", "/staff", "people", []string{"Cardea", "Staff"}, always, access.Read},
	{"health", "/health", "pulse", []string{"Cardea", "Health"}, always, access.Read},
}

func always(*contract.Contract) bool { return true }

// hasKeys reports whether there are keys that do not belong to a person, or no other page
// to show those that do.
func hasKeys(c *contract.Contract) bool {
	return slices.ContainsFunc(c.Kinds(), func(k *contract.KeyKind) bool { return k.Owner != contract.OwnerMember }) ||
		!hasCredentials(c) && len(c.Kinds()) > 0
}

// hasCredentials reports whether people have keys of their own.
func hasCredentials(c *contract.Contract) bool {
	return len(c.Page("credentials").Path) > 0 ||
		slices.ContainsFunc(c.Kinds(), func(k *contract.KeyKind) bool { return k.Owner == contract.OwnerMember })
}

// hasApplications reports whether there are clients, shown on a page of their own: a
// contract with a page of credentials and none of applications has them there.
func hasApplications(c *contract.Contract) bool {
	return c.Clients() != nil && (len(c.Page("applications").Path) > 0 || len(c.Page("credentials").Path) == 0)
}

func hasAccounts(c *contract.Contract) bool { return c.ServiceAccounts() != nil }
func hasIssuers(c *contract.Contract) bool  { return c.OrganizationIssuers() != nil }
func hasLists(c *contract.Contract) bool {
	return c.IPListPer() == contract.IPListPerEnvironment || c.IPListPer() == contract.IPListPerBoth
}

// menu returns the visitor's menu.
func (v *Visit) menu() []Group {
	if v.Base == ConsolePrefix {
		return v.groups(consoleEntries)
	}
	return v.groups(entries)
}

// groups puts entries under their headings, each heading where its first entry is.
func (v *Visit) groups(all []entry) []Group {
	var groups []Group
	for _, e := range all {
		if !e.has(v.Contract) || !v.May(e.need) {
			continue
		}
		path := e.menu
		if p := v.Contract.Page(e.page); len(p.Path) > 0 && v.Base != ConsolePrefix {
			path = p.Path
		}
		last := len(path) - 1
		heading := strings.Join(path[:last], " / ")
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Heading == heading && heading != "" })
		if i < 0 {
			// Entries that stand alone and follow each other are one group.
			if i = len(groups) - 1; heading != "" || i < 0 || groups[i].Heading != "" {
				groups = append(groups, Group{Heading: heading})
				i = len(groups) - 1
			}
		}
		groups[i].Items = append(groups[i].Items, Item{
			Text: path[last], Path: v.Base + e.path, Icon: e.icon, Page: e.page, Current: e.page == v.route.Page,
		})
	}
	return groups
}

// accountMenu returns what belongs to the person: at the top right, where people look for
// settings.
func (v *Visit) accountMenu() []Item {
	if v.Staff() {
		return []Item{{Text: "Your account", Path: "/account", Icon: "person"}}
	}
	var items []Item
	for _, group := range v.groups(entries) {
		if group.Heading != "" && strings.HasSuffix(group.Heading, "Settings") {
			items = append(items, Item{Text: group.Heading, Path: group.Items[0].Path, Icon: "cog"})
		}
	}
	return append(items,
		Item{Text: "Authorized applications", Path: Prefix + "/authorized", Icon: "app"},
		Item{Text: "Sessions and devices", Path: Prefix + "/sessions", Icon: "screen"},
		Item{Text: "Your account", Path: "/account", Icon: "person"})
}
