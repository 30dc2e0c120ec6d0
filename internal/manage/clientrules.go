package manage

import (
	"bytes"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// editClient applies an update to what is stored of a client, and checks what comes out
// of it as a whole: one member may contradict another that stays.
func editClient(c *contract.Contract, client *store.Client, in UpdateClient) error {
	var p rules.Problems
	setList(&client.RedirectURIs, in.RedirectURIs)
	setList(&client.Origins, in.Origins)
	setList(&client.Grants, in.Grants)
	setList(&client.Authentication, in.Authentication)
	setValue(&client.FirstParty, in.FirstParty)
	setValue(&client.DPoPRequired, in.DPoPRequired)
	setValue(&client.JWKSURL, in.JWKSURL)
	setValue(&client.LogoURL, in.LogoURL)
	setValue(&client.HomeURL, in.HomeURL)
	setValue(&client.PolicyURL, in.PolicyURL)
	setValue(&client.TermsURL, in.TermsURL)
	if in.JWKS != nil {
		p.Add(rules.SetKeys(client, in.JWKS))
	}
	rules.Client(&p, c, client)
	return p.Err()
}

// keepFirstParty refuses members a change of what a client of the product may get and of
// where it goes. Nobody is asked before such a client acts for them, whatever organization
// they belong to: who may change that makes a client of the product out of any other, which
// is for operators.
func keepFirstParty(actor cardea.Actor, before, after *keyRow) error {
	if !before.client.FirstParty {
		return nil
	}
	a, b := &before.client, &after.client
	alike := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	if alike(a.RedirectURIs, b.RedirectURIs) && alike(a.Origins, b.Origins) && alike(a.Grants, b.Grants) &&
		alike(a.Authentication, b.Authentication) && a.Public == b.Public && a.JWKSURL == b.JWKSURL && bytes.Equal(a.PublicKeys, b.PublicKeys) &&
		alike(before.credential.Scopes, after.credential.Scopes) && (b.DPoPRequired || !a.DPoPRequired) {
		return nil
	}
	return access.Operator(actor)
}

func setList(to *[]string, given []string) {
	if given != nil {
		*to = given
	}
}

func setValue[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}
