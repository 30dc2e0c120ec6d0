package access

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// PurposeSetup is the purpose of the one-time link that makes the first person of staff.
const PurposeSetup = "setup"

// FirstStaff is the person who sets Cardea up: the first of the company's own people,
// and their owner.
type FirstStaff struct {
	Name  string
	Email string
	Hash  string // of the password; "": they have none
}

// Check reports what is wrong with the person.
func (f FirstStaff) Check() error {
	var p rules.Problems
	p.Add(rules.Name("name", f.Name))
	p.Add(rules.Email("email", f.Email))
	return p.Err()
}

// StaffName returns what the organization of the company's own people is called.
func StaffName(c *contract.Contract) string { return c.Product() + " staff" }

// Make stores the staff organization with this person as its owner, and voids the links
// that would make another. KindConflict when there is one already, which the database
// holds: of two at the same time, one is the first.
func (f FirstStaff) Make(ctx context.Context, tx *store.Tx, c *contract.Contract) (store.Member, store.Organization, error) {
	if err := NoStaff(ctx, tx.Reader); err != nil {
		return store.Member{}, store.Organization{}, err
	}
	o := store.Organization{
		ID: secret.NewID(c.IDPrefix(contract.IDOrganization)), Name: StaffName(c), Staff: true,
		CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	m := store.Member{
		ID: secret.NewID(c.IDPrefix(contract.IDMember)), Organization: o.ID, Name: f.Name, Email: f.Email,
		Role: cardea.RoleOwner, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	Record(tx, "staff.setup", "organization", o.ID, o.ID, setupDetail{o.Name, m.ID, m.Email})
	for _, step := range []func() error{
		func() error { return tx.InsertOrganization(ctx, o) },
		func() error { return tx.InsertMember(ctx, m) },
		func() error { return tx.EndLinks(ctx, "", PurposeSetup) },
		func() error {
			if f.Hash == "" {
				return nil
			}
			return tx.SetPassword(ctx, store.Password{Member: m.ID, Hash: f.Hash})
		},
	} {
		if err := step(); err != nil {
			return store.Member{}, store.Organization{}, err
		}
	}
	return m, o, nil
}

// setupDetail is the detail of the event of setting up.
type setupDetail struct {
	Name  string `json:"name"`
	Owner string `json:"owner"`
	Email string `json:"email"`
}

// NoStaff returns a KindConflict error when there is a staff organization.
func NoStaff(ctx context.Context, r store.Reader) error {
	_, err := r.Staff(ctx)
	switch {
	case err == nil:
		return cardea.Errorf(cardea.KindConflict, "Cardea is set up already: its staff can invite others")
	case cardea.KindOf(err) != cardea.KindNotFound:
		return err
	}
	return nil
}
