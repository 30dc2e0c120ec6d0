package manage

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// RevokeToken is the input of [Manager.RevokeToken]: one of its members.
type RevokeToken struct {
	// ID is a token's id: the claim jti of a signed one.
	ID string `json:"id,omitzero"`

	// Token is the text of an access or refresh token. It is not kept.
	Token string `json:"token,omitzero"`
}

// A RevokedToken says what [Manager.RevokeToken] did.
type RevokedToken struct {
	// ID names the access token, or the grant that a refresh token was part of.
	ID string `json:"id"`

	// Type is "access_token" or "refresh_token".
	Type string `json:"type"`

	// ExpiresAt is when it would have ended by itself; zero: not known, or never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RevokeTokens is the input of [Manager.RevokeTokens]: one of its members.
type RevokeTokens struct {
	// Credential is a client, a service account or a key: all that was issued to it.
	Credential string `json:"credential,omitzero"`

	// Member is a person: all that speaks for them, whoever has it.
	Member string `json:"member,omitzero"`
}

// RevokedTokens says what [Manager.RevokeTokens] did.
type RevokedTokens struct {
	Credential string `json:"credential,omitzero"`
	Member     string `json:"member,omitzero"`

	// Before: whatever was issued up to then is refused.
	Before time.Time `json:"before"`
}

// The types of token.
const (
	typeAccess  = "access_token"
	typeRefresh = "refresh_token"
)

// errNoToken: a text is no token that could be revoked.
var errNoToken = cardea.Errorf(cardea.KindNotFound,
	"no such token: it is none of this server's, or it has ended by itself; what a service account signed ends with its key")

// RevokeToken ends one token: it is refused from the moment RevokeToken returns. A
// refresh token takes its whole grant along.
//
// Operators may end any. Members may end, by its text, one that speaks for them, and
// owners, admins and developers one of their organization.
func (m *Manager) RevokeToken(ctx context.Context, actor cardea.Actor, in RevokeToken) (RevokedToken, error) {
	switch {
	case in.ID == "" && in.Token == "":
		return RevokedToken{}, cardea.Invalid("token", "is required, or id")
	case in.ID != "" && in.Token != "":
		return RevokedToken{}, cardea.Invalid("id", "contradicts token")
	case in.ID != "":
		return m.revokeByID(ctx, actor, in.ID)
	case len(in.Token) > token.MaxSize:
		return RevokedToken{}, errNoToken
	}
	c := m.contract()
	signed, err := m.readSigned(ctx, c, in.Token)
	if err != nil {
		return RevokedToken{}, err
	}
	var done RevokedToken
	err = m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if signed != nil {
			done, err = m.revokeSigned(ctx, tx, actor, c, signed)
			return err
		}
		done, err = m.revokeOpaque(ctx, tx, actor, in.Token)
		return err
	})
	if err != nil {
		return RevokedToken{}, err
	}
	return done, nil
}

// revokeByID ends an access token of which only the id is known. Whose it is cannot be
// told from a signed one's id, so it is for operators.
func (m *Manager) revokeByID(ctx context.Context, actor cardea.Actor, id string) (RevokedToken, error) {
	if err := access.Operator(actor); err != nil {
		return RevokedToken{}, err
	}
	if !rules.ValidID(id) {
		return RevokedToken{}, cardea.Invalid("id", "is not the id of a token")
	}
	done := RevokedToken{ID: id, Type: typeAccess}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		t, err := tx.AccessTokenByID(ctx, id)
		if err == nil {
			done.ExpiresAt = t.ExpiresAt
			return revokeAccess(ctx, tx, t)
		}
		if cardea.KindOf(err) != cardea.KindNotFound {
			return err
		}
		done.ExpiresAt = tx.Now().Add(longestToken(m.contract()))
		access.Record(tx, "token.revoke", "token", id, "", tokenDetail{Type: typeAccess})
		return tx.RevokeToken(ctx, id, done.ExpiresAt)
	})
	if err != nil {
		return RevokedToken{}, err
	}
	return done, nil
}

// tokenDetail is the detail of the event of a revoked token.
type tokenDetail struct {
	Type    string `json:"type"`
	Subject string `json:"subject,omitzero"`
}

// longestToken returns how long a signed access token may live.
func longestToken(c *contract.Contract) time.Duration {
	longest := time.Hour
	for _, t := range accessTokens(c) {
		longest = max(longest, t.Lifetime)
	}
	if a := c.ServiceAccounts(); a != nil {
		longest = max(longest, a.MaxLifetime)
	}
	return longest
}

// accessTokens returns the sorts of access token that the contract signs.
func accessTokens(c *contract.Contract) []*contract.AccessToken {
	all := []*contract.AccessToken{c.Tokens().User, c.Tokens().Machine}
	return slices.DeleteFunc(all, func(t *contract.AccessToken) bool { return t == nil || t.Format != contract.TokenJWT })
}

// revokeAccess ends an opaque access token; one that is revoked changes nothing.
func revokeAccess(ctx context.Context, tx *store.Tx, t store.AccessToken) error {
	if !t.RevokedAt.IsZero() {
		tx.Changed(store.ChangeToken, t.ID) // evict again, see [Manager.change]
		return nil
	}
	access.Record(tx, "token.revoke", "token", t.ID, t.Organization, tokenDetail{Type: typeAccess, Subject: t.Member})
	return tx.RevokeAccessToken(ctx, t.ID)
}

// revokeOpaque ends the token with a text.
func (m *Manager) revokeOpaque(ctx context.Context, tx *store.Tx, actor cardea.Actor, text string) (RevokedToken, error) {
	t, err := tx.AccessTokenByHash(ctx, secret.HashOf(text))
	if err == nil {
		if err := m.mayEnd(ctx, tx, actor, t.Organization, t.Member); err != nil {
			return RevokedToken{}, err
		}
		return RevokedToken{ID: t.ID, Type: typeAccess, ExpiresAt: t.ExpiresAt}, revokeAccess(ctx, tx, t)
	}
	if cardea.KindOf(err) != cardea.KindNotFound {
		return RevokedToken{}, err
	}
	refresh, err := tx.Refresh(ctx, secret.HashOf(text))
	if cardea.KindOf(err) == cardea.KindNotFound {
		return RevokedToken{}, errNoToken
	}
	if err != nil {
		return RevokedToken{}, err
	}
	f, err := tx.Family(ctx, refresh.Family)
	if err != nil {
		return RevokedToken{}, err
	}
	if err := m.mayEnd(ctx, tx, actor, f.Organization, f.Member); err != nil {
		return RevokedToken{}, err
	}
	return RevokedToken{ID: f.ID, Type: typeRefresh, ExpiresAt: refresh.ExpiresAt}, m.endFamily(ctx, tx, f, "its refresh token was revoked")
}

// mayEnd refuses an actor who has no right over a token. Whoever holds its text learns
// nothing more of it.
func (m *Manager) mayEnd(ctx context.Context, tx *store.Tx, actor cardea.Actor, organization, member string) error {
	if m.access.Allow(ctx, tx.Reader, actor, organization, "token", access.Keys.OwnOr(actor, member)) != nil {
		return errNoToken
	}
	return nil
}

// A signedToken is a verified access token that Cardea signed.
type signedToken struct {
	ids     []string // under which it may be looked up
	subject string
	expires time.Time
}

// readSigned verifies a text that looks like a signed token, nil for any other. One that
// has expired is refused: there is nothing left to revoke.
func (m *Manager) readSigned(ctx context.Context, c *contract.Contract, text string) (*signedToken, error) {
	if token.Gate(text) != nil {
		return nil, nil
	}
	if m.signing == nil {
		return nil, errNoToken
	}
	keys, err := m.signing.Verification(ctx)
	if err != nil {
		return nil, err
	}
	find := func(kid, algorithm string) []token.Key {
		if kid != "" {
			return keys.Find(kid, algorithm)
		}
		var all []token.Key
		for _, e := range c.Environments() {
			all = append(all, keys.Environment(e.Name).Find("", algorithm)...)
		}
		return all
	}
	var found *signedToken
	for _, t := range accessTokens(c) {
		claims, err := token.Verify(text, find, token.Expect{Issuer: t.Issuer, AnyAudience: true, Now: m.now()})
		switch {
		case err == nil:
		case errors.Is(err, token.ErrIssuer):
			continue
		default:
			return nil, errNoToken
		}
		if found == nil {
			found = &signedToken{subject: claims.Subject, expires: claims.Expires}
		}
		if id := token.ID(text, t.IDClaim, claims); !slices.Contains(found.ids, id) {
			found.ids = append(found.ids, id)
		}
	}
	if found == nil {
		return nil, errNoToken
	}
	return found, nil
}

// revokeSigned ends a signed access token.
func (m *Manager) revokeSigned(ctx context.Context, tx *store.Tx, actor cardea.Actor, c *contract.Contract, t *signedToken) (RevokedToken, error) {
	organization, member, err := m.whose(ctx, tx, t.subject)
	if err != nil {
		return RevokedToken{}, err
	}
	if err := m.mayEnd(ctx, tx, actor, organization, member); err != nil {
		return RevokedToken{}, err
	}
	access.Record(tx, "token.revoke", "token", t.ids[0], organization, tokenDetail{Type: typeAccess, Subject: t.subject})
	for _, id := range t.ids {
		if err := tx.RevokeToken(ctx, id, t.expires); err != nil {
			return RevokedToken{}, err
		}
	}
	return RevokedToken{ID: t.ids[0], Type: typeAccess, ExpiresAt: t.expires}, nil
}

// whose returns the organization of a token's subject, and the member that it is, "" when
// they cannot be told.
func (m *Manager) whose(ctx context.Context, tx *store.Tx, subject string) (organization, member string, err error) {
	if !rules.ValidID(subject) {
		return "", "", nil
	}
	person, err := tx.Member(ctx, subject)
	if err == nil {
		return person.Organization, person.ID, nil
	}
	if cardea.KindOf(err) != cardea.KindNotFound {
		return "", "", err
	}
	credential, err := tx.Credential(ctx, subject)
	if cardea.KindOf(err) == cardea.KindNotFound {
		err = nil
	}
	return credential.Organization, credential.Member, err
}

// RevokeTokens ends every access and refresh token that was issued to a credential, or
// that speaks for a member: they are refused from the moment it returns. The credential
// and the member stay, and may get new ones.
func (m *Manager) RevokeTokens(ctx context.Context, actor cardea.Actor, in RevokeTokens) (RevokedTokens, error) {
	if (in.Credential == "") == (in.Member == "") {
		return RevokedTokens{}, cardea.Invalid("credential", "is required, or member, not both")
	}
	c := m.contract()
	done := RevokedTokens{Credential: in.Credential, Member: in.Member}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		done.Before = tx.Now()
		if in.Member != "" {
			member, err := m.findMember(ctx, tx.Reader, actor, in.Member, access.Admin.OwnOr(actor, in.Member))
			if err != nil {
				return err
			}
			access.Record(tx, "member.revoke_tokens", "member", member.ID, member.Organization, nil)
			if err := tx.RevokeFamilies(ctx, store.FamilyFilter{Member: member.ID}, reasonAll); err != nil {
				return err
			}
			return tx.EndMemberTokens(ctx, member.ID)
		}
		row, err := m.findAny(ctx, tx.Reader, actor, in.Credential, access.Keys)
		if err != nil {
			return err
		}
		cr := &row.credential
		access.Record(tx, row.noun().name+".revoke_tokens", row.noun().name, cr.ID, cr.Organization, nil)
		if err := m.endTokens(ctx, tx, c, cr); err != nil {
			return err
		}
		return tx.RevokeFamilies(ctx, store.FamilyFilter{Client: cr.ID}, reasonAll)
	})
	if err != nil {
		return RevokedTokens{}, err
	}
	return done, nil
}

// reasonAll is the reason of grants that ended with [Manager.RevokeTokens].
const reasonAll = "all tokens were revoked"

// findAny is find for a credential of any sort.
func (m *Manager) findAny(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need access.Right) (keyRow, error) {
	for _, n := range []noun{keyNoun, clientNoun, accountNoun} {
		row, err := m.find(ctx, r, actor, n, id, need)
		if cardea.KindOf(err) != cardea.KindNotFound || err == nil {
			return row, err
		}
	}
	return keyRow{}, access.NotFound("credential")
}
