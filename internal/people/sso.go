package people

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// CallbackPath is where identity providers send the browser back to: what they are to
// be told as the redirect URI, after the origin.
const CallbackPath = "/signin/sso/callback"

// ssoTime is how long a person has at their identity provider.
const ssoTime = 15 * time.Minute

const purposeSSO = "sso"

// A Departure sends the browser to an organization's identity provider.
type Departure struct {
	URL    string
	Host   string // of URL, for people
	Ticket string // for a cookie that only this host gets back
}

// trip is what a ticket carries: what the answer must match (RFC 9700 §4.7, §4.5).
type trip struct {
	State        string `json:"state"`
	Nonce        string `json:"nonce"`
	Verifier     string `json:"verifier"`
	Organization string `json:"organization"`
	Issuer       string `json:"issuer"` // the connection may be changed in the meantime
	Origin       string `json:"origin"`
	Continue     string `json:"continue"`
}

// errSSO says nothing about which of the ways to fail it was.
func errSSO() error {
	return cardea.Errorf(cardea.KindUnauthorized, "Signing in with your company did not work. Check the name of the organization, or sign in another way.")
}

// StartSSO begins a sign-in at the identity provider of an organization, known by its id
// or name; afterwards the browser is to go to continueTo, which the caller has checked.
// An organization that does not exist gets the answer of one without a provider. again
// asks the provider to have the person prove who they are, whatever it remembers.
func (p *People) StartSSO(ctx context.Context, organization, origin, continueTo string, again bool, from From) (Departure, error) {
	if !p.offers(MethodSSO) {
		return Departure{}, errSSO()
	}
	_, wait := p.attempts.take(p.now(), claim{"departures from " + household(from.Address).String(), perDeparture})
	if wait > 0 {
		return Departure{}, &ThrottledError{Wait: wait}
	}
	o, _, err := p.named(ctx, organization)
	if err != nil {
		return Departure{}, err
	}
	if o.ID == "" || !o.SuspendedAt.IsZero() {
		return Departure{}, errSSO()
	}
	c, err := p.store.Connection(ctx, o.ID)
	if err != nil {
		return Departure{}, orElse(unlessMissing(err), errSSO())
	}
	client, err := p.provider(ctx, c, origin)
	if err != nil {
		p.log.LogAttrs(ctx, levelWarn, "an identity provider cannot be used", errorAttr(err))
		return Departure{}, errSSO()
	}
	t := trip{
		State: secret.NewID(""), Nonce: secret.NewID(""), Verifier: oauth2.GenerateVerifier(),
		Organization: o.ID, Issuer: c.Issuer, Origin: origin, Continue: continueTo,
	}
	sealed, err := seal(p, purposeSSO, ssoTime, t)
	if err != nil {
		return Departure{}, err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)}
	if again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	to := client.oauth.AuthCodeURL(t.State, options...)
	u, err := url.Parse(to)
	if err != nil {
		return Departure{}, err
	}
	return Departure{URL: to, Host: u.Host, Ticket: sealed}, nil
}

// FinishSSO ends a sign-in at an identity provider: it starts a session for the member
// whose verified address the provider vouches for, and returns where to continue. Every
// answer that does not work gets the same error.
func (p *People) FinishSSO(ctx context.Context, origin, ticket string, query url.Values, from From) (token secret.Secret, s Session, continueTo string, err error) {
	giveBack, err := p.admitAddress(from)
	if err != nil {
		return secret.Secret{}, Session{}, "", err
	}
	t, ok := open[trip](p, purposeSSO, ticket)
	if !ok || t.Body.Origin != origin || !same(query, "state", t.Body.State) {
		return secret.Secret{}, Session{}, "", errSSO()
	}
	c, err := p.store.Connection(ctx, t.Body.Organization)
	if err != nil || c.Issuer != t.Body.Issuer || !p.offers(MethodSSO) {
		return secret.Secret{}, Session{}, "", orElse(unlessMissing(err), errSSO())
	}
	who, err := p.vouched(ctx, c, t.Body, query)
	if err != nil {
		p.log.LogAttrs(ctx, levelWarn, "an identity provider's answer was refused", errorAttr(err))
		p.failed(ctx, store.Member{Organization: c.Organization}, MethodSSO, from)
		return secret.Secret{}, Session{}, "", errSSO()
	}
	actor := from.nobody() // of whoever joins
	if m, err := p.store.MemberByEmail(ctx, c.Organization, who.Email); err == nil {
		actor = from.member(m.ID)
	}
	err = p.change(ctx, actor, func(tx *store.Tx) error {
		first, err := tx.Remember(ctx, purposeSSO, t.ID, time.Unix(t.Expires, 0))
		if err != nil || !first {
			return orElse(err, errSSO())
		}
		m, err := p.joined(ctx, tx, c, who)
		if err != nil {
			return err
		}
		m, o, ok, err := standing(ctx, tx.Reader, m.ID)
		if err != nil || !ok {
			return orElse(err, errSSO())
		}
		proved := tx.Now()
		if !who.AuthTime.IsZero() && who.AuthTime.Before(proved) {
			proved = who.AuthTime // they may have been signed in there for days
		}
		token, s, err = p.start(ctx, tx, m, o, MethodSSO, proved, from)
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, "", err
	}
	giveBack()
	return token, s, t.Body.Continue, nil
}

// same reports whether a query has a member exactly once, with this value.
func same(query url.Values, name, value string) bool {
	got := query[name]
	return len(got) == 1 && subtle.ConstantTimeCompare([]byte(got[0]), []byte(value)) == 1
}

// joined returns the member of an address that the provider vouches for, who is made when
// the connection says so.
func (p *People) joined(ctx context.Context, tx *store.Tx, c store.Connection, who identity) (store.Member, error) {
	m, err := tx.MemberByEmail(ctx, c.Organization, who.Email)
	switch {
	case err == nil && lower(m.Email) != lower(who.Email):
		return m, errSSO() // letters of other alphabets have small letters in ours
	case err == nil || unlessMissing(err) != nil:
		return m, err
	}
	if !c.AutoJoin || len(c.Domains) == 0 {
		return m, errSSO() // without a list of domains anybody whom the provider knows would join
	}
	m = store.Member{
		ID: secret.NewID(p.contract().IDPrefix(contract.IDMember)), Organization: c.Organization,
		Email: who.Email, Name: bounded(who.Name, 200), Role: c.Role,
	}
	if !m.Role.Valid() || m.Role == cardea.RoleOwner {
		m.Role = cardea.RoleViewer // nobody becomes an owner by signing in
	}
	if m.Name == "" {
		m.Name = who.Email
	}
	tx.Audit(event("member.create", m, sessionDetail{Method: MethodSSO}))
	err = tx.InsertMember(ctx, m)
	if cardea.KindOf(err) == cardea.KindConflict {
		return m, errSSO()
	}
	return m, err
}

// admitted reports whether an address may be vouched for over a connection.
func admitted(c store.Connection, email string) bool {
	at := strings.LastIndexByte(email, '@')
	if at < 1 || !askable(email) {
		return false
	}
	domain := lower(email[at+1:])
	return len(c.Domains) == 0 || slices.ContainsFunc(c.Domains, func(d string) bool { return lower(d) == domain })
}

// lower returns text with the capital letters of ASCII made small, and no others: the
// Kelvin sign is no k where mail is delivered.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// Errors of identity providers' answers, for the log.
var (
	errAnswer   = errors.New("the provider reports an error or sent no code")
	errIssuer   = errors.New("the answer names another issuer")
	errNoToken  = errors.New("there is no ID token")
	errNonce    = errors.New("the ID token has another nonce")
	errParty    = errors.New("the ID token was issued to another client")
	errVerified = errors.New("the ID token has no verified address of a domain that is admitted")
)
