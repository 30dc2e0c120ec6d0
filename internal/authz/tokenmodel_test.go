package authz

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
)

// Guarantee: over any sequence of changes to clients, accounts, members, consents, keys
// and tokens, clock steps and requests, each decision about a token is the one that
// follows from the state the last change left.
func TestDecisionsAboutTokensAgreeWithModel(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.TokenCacheSize, c.RefusedPerMinute = 1, -1 })
	rapid.Check(t, func(t *rapid.T) {
		m := &tokenMachine{i: i, t: t, keysRevoked: map[string]bool{}}
		m.begin()
		for range 4 {
			m.issue()
		}
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			m.step()
		}
	})
}

// A tokenMachine is an organization with a member, a client and a service account, and
// what is known about their tokens.
type tokenMachine struct {
	i            *issuer
	t            *rapid.T
	organization store.Organization
	member       store.Member
	client       store.Credential
	account      store.Credential
	accountKey   token.PrivateKey
	keyEnded     bool // the account's
	agreed       store.Consent
	withdrawn    time.Time // the consent, last
	keysRevoked  map[string]bool
	tokens       []*modelToken
}

// A modelToken is one token; the marks are when tokens of its maker were last ended.
type modelToken struct {
	of       string // "client", "user" or "account"
	text     string
	iat, exp time.Time
	kid      string
	scopes   []string
	id       string
	revoked  bool
}

func (m *tokenMachine) change(fn func(tx *store.Tx) error) {
	changes, err := m.i.db.Update(context.Background(), storetest.Actor, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.change", TargetType: "test", TargetID: "test"})
		return fn(tx)
	})
	if err != nil {
		m.t.Fatalf("Update: %v", err)
	}
	m.i.Apply(changes)
}

func (m *tokenMachine) begin() {
	m.organization = store.Organization{ID: secret.NewID("org_"), Plan: "standard", Limits: &store.Limits{}}
	m.member = store.Member{ID: secret.NewID("usr_"), Organization: m.organization.ID, Role: cardea.RoleViewer}
	m.client = store.Credential{ID: secret.NewID("client_"), Environment: "live", Organization: m.organization.ID, Scopes: []string{"read"}}
	m.account = m.client
	m.account.ID, m.account.Kind = secret.NewID("sa_"), store.KindServiceAccount
	m.accountKey = newKey(m.i.t, secret.NewID("sak_"))
	ctx := context.Background()
	m.change(func(tx *store.Tx) error { return tx.InsertOrganization(ctx, m.organization) })
	m.change(func(tx *store.Tx) error { return tx.InsertMember(ctx, m.member) })
	m.change(func(tx *store.Tx) error { return tx.InsertClient(ctx, store.Client{Credential: m.client}) })
	m.change(func(tx *store.Tx) error { return tx.InsertCredential(ctx, m.account) })
	m.change(func(tx *store.Tx) error { return tx.InsertAccountKey(ctx, accountRow(m.i.t, m.account, m.accountKey)) })
	m.agree()
}

// agree gives the consent, again or for the first time.
func (m *tokenMachine) agree() {
	m.change(func(tx *store.Tx) (err error) {
		m.agreed, err = tx.SaveConsent(context.Background(), store.Consent{
			ID: secret.NewID("grt_"), Member: m.member.ID, Client: m.client.ID, Organization: m.organization.ID})
		return err
	})
}

// issue makes a token as its issuer would: after every watermark.
func (m *tokenMachine) issue() {
	m.i.advance(time.Second)
	t := &modelToken{
		of: rapid.SampledFrom([]string{"client", "user", "account"}).Draw(m.t, "of"), iat: m.i.now().Truncate(time.Second),
		scopes: rapid.SampledFrom([][]string{{"read"}, {"read", "write"}, {"delete"}}).Draw(m.t, "token's scopes"), id: secret.NewID("jti_"),
	}
	t.exp = t.iat.Add(time.Duration(rapid.IntRange(1, 60).Draw(m.t, "lifetime")) * time.Minute)
	c := claims{"iss": "https://auth.acme.test", "aud": "https://api.acme.test", "jti": t.id, "iat": t.iat.Unix(), "exp": t.exp.Unix(),
		"org_id": m.organization.ID, "scope": join(t.scopes), "client_id": m.client.ID, "sub": m.client.ID}
	k := m.i.ourKey("live")
	switch t.of {
	case "user":
		c["sub"] = m.member.ID
	case "account":
		k, c = m.accountKey, c.with(claims{"sub": m.account.ID, "scope": nil, "client_id": nil, "scopes": t.scopes})
	}
	t.kid, t.text = k.ID, m.i.sign(k, c)
	m.tokens = append(m.tokens, t)
}

func join(words []string) string {
	text := ""
	for i, w := range words {
		if i > 0 {
			text += " "
		}
		text += w
	}
	return text
}

// credential returns what a token was issued to.
func (m *tokenMachine) credential(of string) *store.Credential {
	if of == "account" {
		return &m.account
	}
	return &m.client
}

func (m *tokenMachine) step() {
	ctx := context.Background()
	t := rapid.SampledFrom(m.tokens).Draw(m.t, "token")
	c := m.credential(t.of)
	off := rapid.Bool().Draw(m.t, "off")
	at := m.i.now()
	if off {
		at = time.Time{}
	}
	update := func() { m.change(func(tx *store.Tx) error { return tx.UpdateCredential(ctx, *c) }) }
	switch rapid.IntRange(0, 29).Draw(m.t, "step") {
	case 0:
		c.RevokedAt = at
		update()
	case 1:
		c.DisabledAt = at
		update()
	case 2:
		c.ExpiresAt = m.i.now().Add(time.Duration(rapid.IntRange(0, 120).Draw(m.t, "minutes")) * time.Minute)
		update()
	case 3:
		c.Scopes = rapid.SampledFrom([][]string{{}, {"read"}, {"write"}, {"delete"}, {"admin"}}).Draw(m.t, "scopes")
		update()
	case 4:
		c.Addresses = rapid.SampledFrom([][]netip.Prefix{nil, {}, {netip.PrefixFrom(client, 24)}}).Draw(m.t, "list")
		update()
	case 5:
		m.organization.SuspendedAt = at
		m.change(func(tx *store.Tx) error { return tx.UpdateOrganization(ctx, m.organization) })
	case 6:
		m.member.DisabledAt = at
		m.change(func(tx *store.Tx) error { return tx.UpdateMember(ctx, m.member) })
	case 7:
		c.TokensNotBefore = m.i.now()
		m.change(func(tx *store.Tx) error { return tx.EndTokens(ctx, c.ID) })
	case 8:
		m.member.TokensNotBefore = m.i.now()
		m.change(func(tx *store.Tx) error { return tx.EndMemberTokens(ctx, m.member.ID) })
	case 9:
		m.withdrawn, m.agreed.RevokedAt = m.i.now(), m.i.now()
		m.change(func(tx *store.Tx) error { return tx.RevokeConsent(ctx, m.agreed.ID) })
	case 10:
		m.agree()
	case 11:
		t.revoked = true
		m.change(func(tx *store.Tx) error { return tx.RevokeToken(ctx, t.revocable(), t.exp) })
	case 12:
		row := accountRow(m.i.t, m.account, m.accountKey)
		row.RevokedAt, m.keyEnded = at, !off
		m.change(func(tx *store.Tx) error { return tx.UpdateAccountKey(ctx, row) })
	case 13:
		if t.of != "account" && !m.keysRevoked[t.kid] {
			m.keysRevoked[t.kid] = true
			if _, err := m.i.keys.Revoke(ctx, storetest.Actor, t.kid); err != nil {
				m.t.Fatal(err)
			}
		}
	case 14:
		m.issue()
	case 15, 16:
		m.i.advance(time.Duration(rapid.IntRange(0, 20).Draw(m.t, "clock")) * time.Minute)
	default:
		m.ask(t)
	}
}

// revocable is the id that the token is revoked by.
func (t *modelToken) revocable() string { return t.id }

// ask compares a decision with what follows from the model.
func (m *tokenMachine) ask(t *modelToken) {
	d, err := m.i.Authorize(context.Background(), withToken(t.text))
	if want := m.expected(t); err != nil || d.Reason != want {
		m.t.Fatalf("%s: %v (%v), want %v: %s", t.of, d.Reason, err, want, d.Explain().Detail)
	}
}

// expected is the reason by the rules as they are written, without a cache.
func (m *tokenMachine) expected(t *modelToken) cardea.Reason {
	over := func(at time.Time) bool { return !at.IsZero() && !m.i.now().Before(at) }
	before := func(mark time.Time) bool { return !mark.IsZero() && !t.iat.After(mark) }
	c, user := m.credential(t.of), t.of == "user"
	switch {
	case m.keysRevoked[t.kid]:
		return cardea.ReasonInvalidCredential
	case t.revoked, !c.RevokedAt.IsZero(), before(c.TokensNotBefore), t.of == "account" && m.keyEnded,
		user && (before(m.member.TokensNotBefore) || before(m.withdrawn) || !m.agreed.RevokedAt.IsZero()):
		return cardea.ReasonRevoked
	case !c.DisabledAt.IsZero(), user && !m.member.DisabledAt.IsZero():
		return cardea.ReasonDisabled
	case !m.organization.SuspendedAt.IsZero():
		return cardea.ReasonSuspended
	case over(t.exp), over(c.ExpiresAt):
		return cardea.ReasonExpired
	case c.Addresses != nil && len(c.Addresses) == 0:
		return cardea.ReasonAddress
	case !grants(t.scopes) || !grants(c.Scopes):
		return cardea.ReasonScope
	}
	return cardea.ReasonAllowed
}

// grants reports whether scopes include or imply read.
func grants(scopes []string) bool {
	for _, s := range scopes {
		if s == "read" || s == "write" || s == "admin" {
			return true
		}
	}
	return false
}
