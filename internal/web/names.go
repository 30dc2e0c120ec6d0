package web

import (
	"strings"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
)

// Names are what the members of the organization are called.
type Names struct {
	byID          map[string]string
	self, product string
}

// Names returns the names of the first two hundred members of the organization whose
// pages these are; others are called by their ids.
func (v *Visit) Names() (Names, error) {
	n := Names{byID: map[string]string{}, self: v.Session.Member.ID, product: v.Contract.Product()}
	members, err := v.Manage.Members(v.R.Context(), v.Actor, manage.MemberFilter{
		Organization: v.Organization.ID, Page: manage.Page{Limit: access.MaxLimit},
	})
	for _, m := range members.Items {
		if n.byID[m.ID] = m.Name; m.Name == "" {
			n.byID[m.ID] = m.Email
		}
	}
	return n, err
}

// Of returns what a member is called: "You" for the visitor.
func (n Names) Of(id string) string {
	switch {
	case id == n.self:
		return "You"
	case n.byID[id] != "":
		return n.byID[id]
	}
	return id
}

// Maker returns who made something, after "by": a view's created_by is the type of an
// actor and an id. What the program did by itself is the product's doing: customers know
// no other name.
func (n Names) Maker(actor string) string {
	kind, id, _ := strings.Cut(actor, ":")
	switch {
	case kind == access.TypeMember && id == n.self:
		return "you"
	case kind == access.TypeMember:
		return n.Of(id)
	case kind == access.TypeOperator:
		return n.product + " staff"
	}
	return n.product
}
