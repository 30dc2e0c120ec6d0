package dev

import (
	"context"
	"fmt"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/password"
)

// demoPassword opens nothing but the demo on somebody's own machine.
const demoPassword = "demo password"

// demoCost is what hashing a password costs: little, since a demo has several people before
// it answers, and everybody knows their password.
var demoCost = password.Params{Memory: 1 << 10, Passes: 1, Lanes: 1}

// demoRoles are the roles that have somebody to try them with.
var demoRoles = []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper, cardea.RoleViewer}

// staffEmail is the address of the operator.
const staffEmail = "operator@demo.example"

// emailOf returns the address of the demo organization's member with a role.
func emailOf(role cardea.Role) string { return string(role) + "@demo.example" }

// completePeople creates what is missing of the organization's members, one for each
// role, of the operator, and of their passwords.
func (d *demo) completePeople(ctx context.Context, m *manage.Manager) error {
	if d.People == nil {
		d.People = map[string]string{string(cardea.RoleOwner): d.Owner}
	}
	for _, role := range demoRoles {
		if d.People[string(role)] != "" {
			continue
		}
		member, err := m.CreateMember(ctx, self, manage.CreateMember{
			Organization: d.Organization, Email: emailOf(role),
			Name: "Demo " + strings.ToUpper(string(role[:1])) + string(role[1:]), Role: role,
		})
		if err != nil {
			return fmt.Errorf("the %s: %w", role, err)
		}
		d.People[string(role)] = member.ID
	}
	if d.Staff == "" {
		staff, err := m.SetUp(ctx, self, manage.SetUp{Email: staffEmail, Name: "Demo Operator", Password: demoPassword})
		if err != nil && cardea.KindOf(err) != cardea.KindConflict { // somebody has set it up through the link
			return fmt.Errorf("the operator: %w", err)
		}
		d.Staff = staff.ID
	}
	if d.Password != "" {
		return nil
	}
	for _, id := range d.People {
		if _, err := m.SetPassword(ctx, self, manage.SetPassword{Member: id, Password: demoPassword}); err != nil {
			return fmt.Errorf("a password: %w", err)
		}
	}
	d.Password = demoPassword
	return nil
}

// operator returns who can sign in to the console, nil when somebody else set it up.
func (d *demo) operator(organization string) *User {
	if d.Staff == "" {
		return nil
	}
	return &User{Email: staffEmail, Password: d.Password, Organization: organization}
}

// users returns who can sign in.
func (d *demo) users() []User {
	var users []User
	for _, role := range demoRoles {
		users = append(users, User{Email: emailOf(role), Password: d.Password, Organization: demoName})
	}
	return users
}
