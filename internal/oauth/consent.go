package oauth

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/clientdoc"
	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/target"
)

// consented says whether the person must be asked, and which scopes the client has of
// them already.
//
// A program on the person's device cannot prove that it is the client it says it is, so
// it is never given anything without asking (RFC 8252 §8.6, RFC 9700 §4.13), however
// often they have agreed.
func (s *Server) consented(ctx context.Context, r *request, a *asked, who people.Session) (have contract.ScopeSet, needed bool, err error) {
	row, blocked, err := s.registered(ctx, a.client, who)
	if err != nil || blocked {
		return contract.ScopeSet{}, true, firstError(err, errBlocked)
	}
	if row == "" {
		return contract.ScopeSet{}, true, nil
	}
	have, err = s.agreed(ctx, r, who.Member.ID, row)
	if err != nil {
		return contract.ScopeSet{}, true, err
	}
	unproved := a.client.Public && target.IsDeviceRedirect(a.redirect)
	enough := a.client.FirstParty || r.contract.Expand(have).Contains(a.scopes.set)
	return have, unproved || !enough || a.prompt.consent, nil
}

// errBlocked: an administrator of the organization has turned the application off.
var errBlocked = refuse(codeAccessDenied, "the organization does not allow this application")

// firstError returns err, or other when err is nil.
func firstError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// agreed returns the scopes that a member has granted to a client and not withdrawn.
func (s *Server) agreed(ctx context.Context, r *request, member, client string) (contract.ScopeSet, error) {
	consent, err := s.store.Consent(ctx, member, client)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		return contract.ScopeSet{}, nil
	case err != nil:
		return contract.ScopeSet{}, err
	case !live(consent, r.now):
		return contract.ScopeSet{}, nil
	}
	have, _ := r.contract.ScopeSet(consent.Scopes...) // those the contract no longer has are nothing
	return have, nil
}

// live reports whether a consent still counts.
func live(c store.Consent, now time.Time) bool {
	return c.RevokedAt.IsZero() && (c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt))
}

// askConsent shows who asks for what.
func (s *Server) askConsent(w http.ResponseWriter, r *request, a *asked, who people.Session, have contract.ScopeSet) {
	sealed, err := s.sealAsked(a, who.ID, r.now)
	if err != nil {
		s.sendError(w, r, a, err)
		return
	}
	content := s.consentPage(r, a.client, who, a.scopes.set, have)
	content.Action = r.contract.Endpoints().Authorize.Path + decisionSuffix
	content.Fields = []pages.Field{{Name: askedField, Value: sealed}}
	content.RedirectHost = redirectHost(a.redirect)
	pages.Render(w, http.StatusOK, pages.Page{
		Product: r.contract.Product(), Person: person(who), Content: content, RedirectsTo: a.redirect,
	})
}

// consentPage fills in what every consent page shows.
func (s *Server) consentPage(r *request, c *client, who people.Session, set, have contract.ScopeSet) pages.Consent {
	return pages.Consent{
		Client: c.page(), Scopes: scopesPage(r.contract, set, have), Account: who.Member.Email,
		Organization: who.Organization.Name, Remembered: remembered(r.contract),
	}
}

// page returns the client as people are shown it. What nobody here has checked is said
// to be so: the makers of a document, or of a program on the device, choose its name.
func (c *client) page() pages.Client {
	p := pages.Client{
		Name: c.Credential.Name, HomeURL: c.HomeURL, PolicyURL: c.PolicyURL, TermsURL: c.TermsURL,
	}
	if c.MetadataURL == "" {
		p.LogoURL = c.LogoURL
	} else { // no picture: it would be the easiest disguise
		p.Host, p.Unverified = clientdoc.Host(c.MetadataURL), true
	}
	if p.Name == "" {
		p.Name = c.id()
	}
	return p
}

// scopesPage returns scopes as people are shown them.
func scopesPage(c *contract.Contract, set, have contract.ScopeSet) []pages.Scope {
	var out []pages.Scope
	known := c.Expand(have)
	for _, scope := range c.Scopes() {
		if !set.Has(scope.Index) {
			continue
		}
		out = append(out, pages.Scope{
			Name: scope.Name, Description: scope.Description,
			New: !have.IsEmpty() && !known.Has(scope.Index),
		})
	}
	return out
}

// remembered says for how long a consent counts.
func remembered(c *contract.Contract) string {
	const day = 24 * time.Hour
	switch lifetime := c.Clients().ConsentLifetime; {
	case lifetime <= 0:
		return "until you withdraw it"
	case lifetime == day:
		return "for a day"
	case lifetime%day == 0:
		return "for " + strconv.Itoa(int(lifetime/day)) + " days"
	default:
		return "for " + lifetime.String()
	}
}

// A granting is what a person has agreed to.
type granting struct {
	client   *client
	who      people.Session
	scopes   contract.ScopeSet
	asked    bool // just now; else they had agreed before
	lifetime time.Duration
}

// grant stores a consent, merged with what the person had agreed to before, and returns
// it. It checks once more, inside the transaction, that the person may still speak for
// themselves: they may have been disabled while the page was open.
func (g granting) grant(ctx context.Context, tx *store.Tx, c *contract.Contract) (store.Consent, error) {
	m, err := tx.Member(ctx, g.who.Member.ID)
	if err != nil {
		return store.Consent{}, err
	}
	o, err := tx.Organization(ctx, m.Organization)
	if err != nil {
		return store.Consent{}, err
	}
	if !m.DisabledAt.IsZero() || !o.SuspendedAt.IsZero() || m.Organization != g.who.Organization.ID {
		return store.Consent{}, errLoginRequired
	}
	row, err := ensureRow(ctx, tx, g.client, o.ID)
	if err != nil {
		return store.Consent{}, err
	}
	set := g.scopes
	before, err := tx.Consent(ctx, m.ID, row)
	switch {
	case err == nil && live(before, tx.Now()):
		have, _ := c.ScopeSet(before.Scopes...)
		if set = set.Union(have); set == have && !g.asked {
			return before, nil
		}
	case err != nil && cardea.KindOf(err) != cardea.KindNotFound:
		return store.Consent{}, err
	}
	consent := store.Consent{
		ID: secret.NewID(consentID), Member: m.ID, Client: row, Organization: o.ID, Scopes: c.ScopeNames(set),
	}
	if g.lifetime > 0 {
		consent.ExpiresAt = tx.Now().Add(g.lifetime)
		// What was agreed to before and not asked about now is not prolonged.
		if end := before.ExpiresAt; set != g.scopes && !end.IsZero() && end.Before(consent.ExpiresAt) {
			consent.ExpiresAt = end
		}
	}
	saved, err := tx.SaveConsent(ctx, consent)
	if err != nil {
		return store.Consent{}, err
	}
	tx.Audit(store.Event{
		Action: "consent.give", TargetType: "consent", TargetID: saved.ID, Organization: o.ID,
		Detail: consentDetail{Client: row, Scopes: saved.Scopes},
	})
	return saved, nil
}

// consentID begins the ids of consents.
const consentID = "grt_"

// A consentDetail is what the audit log says of a consent.
type consentDetail struct {
	Client string   `json:"client"`
	Scopes []string `json:"scopes"`
}
