package manage

import (
	"github.com/cardea-dev/cardea/contract"
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
