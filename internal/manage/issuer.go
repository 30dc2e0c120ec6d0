package manage

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// An OrganizationIssuer is the identity provider whose tokens an organization accepts in
// an environment. Issuer, JWKSURL and Audience are "" when there is none.
type OrganizationIssuer struct {
	Organization string `json:"organization"`

	// Environment is "" where the contract lets organizations name one for all.
	Environment string `json:"environment"`

	Issuer   string `json:"issuer"`   // iss of its tokens, compared as it stands
	JWKSURL  string `json:"jwks_url"` // where its keys are
	Audience string `json:"audience"` // aud that its tokens must have

	UpdatedAt time.Time     `json:"updated_at,omitzero"`
	Keys      *IssuerStatus `json:"keys,omitzero"`
}

// IssuerStatus says how the keys of an issuer stand with this server.
type IssuerStatus struct {
	Count      int       `json:"count"`               // keys in use
	FetchedAt  time.Time `json:"fetched_at,omitzero"` // of those; zero: never
	CheckedAt  time.Time `json:"checked_at,omitzero"` // the last attempt
	Failing    bool      `json:"failing"`             // that attempt failed
	Algorithms []string  `json:"algorithms,omitzero"` // of the keys in use
	KeyIDs     []string  `json:"key_ids,omitzero"`    // kid of each; "" for one without

	// Fault says why the last attempt failed, "" when it did not.
	Fault string `json:"fault,omitzero"`
}

// IssuerFilter says which issuers [Manager.OrganizationIssuers] lists; "" is any.
type IssuerFilter struct {
	Organization string `json:"organization,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Page
}

// SetOrganizationIssuer is the input of [Manager.SetOrganizationIssuer].
type SetOrganizationIssuer struct {
	Organization string `json:"organization"`

	// Environment is required where the contract gives each environment its own.
	Environment string `json:"environment,omitzero"`

	// URL is the issuer, whose key set is then looked up (OpenID Connect Discovery §4,
	// RFC 8414 §3), or the key set itself. "" removes the issuer; nil is an error, so that
	// nobody removes it by leaving it out.
	URL *string `json:"url"`

	// Issuer is iss of its tokens, where URL is a key set that does not tell.
	Issuer string `json:"issuer,omitzero"`

	// Audience is aud that its tokens must have; "": the contract's.
	Audience string `json:"audience,omitzero"`
}

// A TrustedIssuer is an identity provider that the contract trusts.
type TrustedIssuer struct {
	Name          string       `json:"name"`
	Issuer        string       `json:"issuer"`
	JWKSURL       string       `json:"jwks_url"`
	Audience      string       `json:"audience"`
	Algorithms    []string     `json:"algorithms"`
	Environments  []string     `json:"environments"`
	Scopes        []string     `json:"scopes"` // the most its tokens may do
	DefaultScopes []string     `json:"default_scopes"`
	Keys          IssuerStatus `json:"keys"`
}

// errNoIssuers: the contract has no organization_issuers section, or the server no cache.
var errNoIssuers = cardea.Errorf(cardea.KindConflict, "the contract does not let organizations name issuers (organization_issuers)")

// TrustedIssuers lists the identity providers that the contract trusts, and how their
// keys stand.
func (m *Manager) TrustedIssuers(ctx context.Context, actor cardea.Actor, _ None) (List[TrustedIssuer], error) {
	if _, err := m.access.Scope(ctx, actor, ""); err != nil {
		return List[TrustedIssuer]{}, err
	}
	c := m.contract()
	out := List[TrustedIssuer]{Items: []TrustedIssuer{}}
	for _, t := range c.TrustedIssuers() {
		view := TrustedIssuer{
			Name: t.Name, Issuer: t.Issuer, JWKSURL: t.JWKS, Audience: t.Audience, Algorithms: orEmpty(t.Algorithms),
			Environments: []string{}, Scopes: names(c, t.Scopes), DefaultScopes: names(c, t.DefaultScopes),
			Keys: m.issuerStatus(token.Source{URL: t.JWKS, Algorithms: t.Algorithms, AllowPrivate: t.InsecurePrivateJWKS}),
		}
		for _, e := range c.Environments() {
			if t.Environments[e.Index] {
				view.Environments = append(view.Environments, e.Name)
			}
		}
		out.Items = append(out.Items, view)
	}
	return out, nil
}

// issuerStatus tells how a source of keys stands, without fetching it.
func (m *Manager) issuerStatus(from token.Source) IssuerStatus {
	if m.issuers == nil {
		return IssuerStatus{}
	}
	s := m.issuers.Status(from)
	view := IssuerStatus{Count: len(s.Keys), FetchedAt: s.Fetched, CheckedAt: s.Checked, Failing: s.Failed != nil, Fault: faultOf(s.Failed)}
	for _, k := range s.Keys {
		view.Algorithms, view.KeyIDs = append(view.Algorithms, k.Algorithm), append(view.KeyIDs, k.ID)
	}
	return view
}

// faultOf says in words why a key set could not be fetched. Nothing of the answer is in
// them: whoever named the URL could read there what only this server can reach.
func faultOf(err error) string {
	var late net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fetch.ErrURL):
		return "its URL is not one that may be fetched"
	case errors.Is(err, fetch.ErrAddress):
		return "its host is not at a public address"
	case errors.Is(err, fetch.ErrTooLarge):
		return "the answer is too large"
	case errors.Is(err, fetch.ErrEncoding):
		return "the answer is compressed"
	case errors.Is(err, token.ErrKeySet), errors.Is(err, token.ErrKey):
		return "the answer is not a key set that can be used"
	case errors.Is(err, token.ErrFetch):
		return "the answer was not 200 OK"
	case errors.As(err, &late) && late.Timeout():
		return "there was no answer in time"
	}
	return "there was no connection"
}

// viewIssuer returns what is shown of an organization's issuer.
func (m *Manager) viewIssuer(c *contract.Contract, i store.OrganizationIssuer) OrganizationIssuer {
	v := OrganizationIssuer{
		Organization: i.Organization, Environment: i.Environment, Issuer: i.Issuer, JWKSURL: i.JWKSURL,
		Audience: i.Audience, UpdatedAt: i.UpdatedAt,
	}
	if own := c.OrganizationIssuers(); own != nil && i.JWKSURL != "" {
		status := m.issuerStatus(m.source(own, i.JWKSURL))
		v.Keys = &status
	}
	return v
}

// source returns where the keys of an organization's issuer are.
func (m *Manager) source(own *contract.OrganizationIssuers, url string) token.Source {
	return token.Source{URL: url, Algorithms: own.Algorithms, AllowPrivate: m.private}
}

// OrganizationIssuers lists the issuers that organizations have named, newest first.
func (m *Manager) OrganizationIssuers(ctx context.Context, actor cardea.Actor, in IssuerFilter) (List[OrganizationIssuer], error) {
	if err := rules.Filter("environment", in.Environment); err != nil {
		return List[OrganizationIssuer]{}, err
	}
	organization, err := m.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return List[OrganizationIssuer]{}, err
	}
	c := m.contract()
	filter := store.IssuerFilter{Organization: organization, Environment: in.Environment}
	return access.Paged(in.Page, []string{"issuers", organization, in.Environment}, func(p store.Page) ([]store.OrganizationIssuer, string, error) {
		return m.store.OrganizationIssuers(ctx, filter, p)
	}, func(i store.OrganizationIssuer) OrganizationIssuer { return m.viewIssuer(c, i) })
}

// SetOrganizationIssuer names, replaces or removes the issuer of an organization's
// environment. Its keys are fetched first: one that cannot be reached is not stored, and
// the one before stays.
func (m *Manager) SetOrganizationIssuer(ctx context.Context, actor cardea.Actor, in SetOrganizationIssuer) (OrganizationIssuer, error) {
	c := m.contract()
	own := c.OrganizationIssuers()
	if own == nil || m.issuers == nil {
		return OrganizationIssuer{}, errNoIssuers
	}
	if in.URL == nil {
		return OrganizationIssuer{}, cardea.Invalid("url", `is required; to remove the issuer it is ""`)
	}
	next := store.OrganizationIssuer{Organization: in.Organization, Environment: in.Environment, Audience: in.Audience}
	if err := m.checkIssuer(ctx, actor, c, in); err != nil {
		return OrganizationIssuer{}, err
	}
	if next.Audience == "" {
		next.Audience = c.Audience()
	}
	if *in.URL != "" {
		var err error
		if next.JWKSURL, next.Issuer, err = m.discover(ctx, own, in); err != nil {
			return OrganizationIssuer{}, err
		}
		if next.Issuer == c.Issuer() || next.Issuer == c.IssuerURL(m.origin()) {
			return OrganizationIssuer{}, cardea.Invalid("url", "is Cardea's own issuer")
		}
	}
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		o, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, access.Admin)
		if err != nil {
			return err
		}
		if err := customer(&o); err != nil {
			return err
		}
		next, err = m.saveIssuer(ctx, tx, c, next)
		return err
	})
	if err != nil {
		return OrganizationIssuer{}, err
	}
	return m.viewIssuer(c, next), nil
}

// checkIssuer refuses an input before anything is fetched for it.
func (m *Manager) checkIssuer(ctx context.Context, actor cardea.Actor, c *contract.Contract, in SetOrganizationIssuer) error {
	if _, err := m.findOrganization(ctx, m.store.Reader, actor, in.Organization, access.Admin); err != nil {
		return err
	}
	var p rules.Problems
	switch per := c.OrganizationIssuers().PerEnvironment; {
	case per && c.Environment(in.Environment) == nil:
		p.Add(cardea.Invalid("environment", "must be an environment of the contract"))
	case !per && in.Environment != "":
		p.Add(cardea.Invalid("environment", "must be absent: an organization has one issuer for all environments"))
	}
	p.Add(rules.Line("issuer", in.Issuer, rules.MaxURL))
	p.Add(rules.Line("audience", in.Audience, rules.MaxURL))
	if url := *in.URL; len(url) > rules.MaxURL || url != "" && !rules.IsHTTPS(url) && !(m.private && strings.HasPrefix(url, "http://")) {
		p.Add(cardea.Invalid("url", "must be an https URL without a user and a fragment, of at most %d bytes", rules.MaxURL))
	}
	if *in.URL == "" && in.Issuer+in.Audience != "" {
		p.Add(cardea.Invalid("url", "is required: an empty one removes the issuer"))
	}
	return p.Err()
}

// discover returns where the keys of an issuer are and what it calls itself. The URL is
// the issuer, with or without the slash that some have at their end, or a key set; a key
// set below /.well-known/ belongs to the issuer above.
func (m *Manager) discover(ctx context.Context, own *contract.OrganizationIssuers, in SetOrganizationIssuer) (jwks, issuer string, err error) {
	base, _, wellKnown := strings.Cut(*in.URL, "/.well-known/")
	jwks, issuer, found := m.ask(ctx, base)
	switch {
	case !found || wellKnown && jwks != *in.URL:
		jwks, issuer = *in.URL, in.Issuer
	case in.Issuer != "" && in.Issuer != issuer:
		return "", "", cardea.Invalid("issuer", "is not what the issuer calls itself")
	}
	if set, err := m.issuers.Keys(ctx, m.source(own, jwks), ""); err != nil || len(set.Keys()) == 0 {
		return "", "", &cardea.Error{Kind: cardea.KindInvalid, Field: "url", Cause: err,
			Public: "leads to no key set: neither an issuer's metadata nor a JSON Web Key Set with a key for " + strings.Join(own.Algorithms, ", ")}
	}
	if issuer == "" {
		return "", "", cardea.Invalid("issuer", "is required: the key set does not say who signs with its keys")
	}
	return jwks, issuer, nil
}

// ask looks an issuer's metadata up.
func (m *Manager) ask(ctx context.Context, base string) (jwks, issuer string, found bool) {
	base = strings.TrimSuffix(base, "/")
	for _, name := range []string{base, base + "/"} {
		jwks, issuer, err := m.issuers.Discover(ctx, name, m.private)
		if err == nil {
			return jwks, issuer, true
		}
		if !errors.Is(err, token.ErrIssuer) { // somebody else's metadata may name the other spelling
			break
		}
	}
	return "", "", false
}

// saveIssuer stores an issuer in place of the one there was; without a key set it removes
// that.
func (m *Manager) saveIssuer(ctx context.Context, tx *store.Tx, c *contract.Contract, next store.OrganizationIssuer) (store.OrganizationIssuer, error) {
	old, err := tx.OrganizationIssuer(ctx, next.Organization, next.Environment)
	if err != nil && cardea.KindOf(err) != cardea.KindNotFound {
		return next, err
	}
	place := next.Organization + "/" + next.Environment
	if next.JWKSURL == "" {
		none := store.OrganizationIssuer{Organization: next.Organization, Environment: next.Environment}
		if old.ID == "" {
			tx.Changed(store.ChangeIssuer, place) // evict again, see [Manager.change]
			return none, nil
		}
		access.Audit(tx, "issuer.unset", "issuer", place, next.Organization, recordIssuer(old), nil)
		return none, tx.DeleteIssuer(ctx, next.Organization, next.Environment)
	}
	if old.Issuer == next.Issuer && old.JWKSURL == next.JWKSURL && old.Audience == next.Audience {
		tx.Changed(store.ChangeIssuer, place) // evict again, see [Manager.change]
		return old, nil
	}
	if err := issuerIsFree(ctx, tx, next); err != nil {
		return next, err
	}
	next.ID = secret.NewID("iss_")
	access.Audit(tx, "issuer.set", "issuer", place, next.Organization, recordIssuer(old), recordIssuer(next))
	return tx.SaveIssuer(ctx, next)
}

// issuerIsFree refuses an issuer that another organization trusts already for the same
// audience, where both would count. Its tokens do not say whose they are, so they would be
// refused from then on: anybody could shut the people of another organization out.
func issuerIsFree(ctx context.Context, tx *store.Tx, next store.OrganizationIssuer) error {
	all, err := tx.IssuersFor(ctx, next.Issuer)
	if err != nil {
		return err
	}
	overlap := func(a, b string) bool { return a == b || a == "" || b == "" }
	for _, i := range all {
		if i.Organization != next.Organization && overlap(i.Environment, next.Environment) && overlap(i.Audience, next.Audience) {
			return cardea.Errorf(cardea.KindConflict, "the issuer is in use for this audience: name the audience that only your tokens have")
		}
	}
	return nil
}

// recordIssuer returns what is recorded of an issuer, nil of none.
func recordIssuer(i store.OrganizationIssuer) any {
	if i.JWKSURL == "" {
		return nil
	}
	return OrganizationIssuer{Organization: i.Organization, Environment: i.Environment, Issuer: i.Issuer, JWKSURL: i.JWKSURL, Audience: i.Audience}
}
