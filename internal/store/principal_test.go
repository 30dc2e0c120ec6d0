package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// strangers adds an organization whose member uses the client of the other one.
func strangers(t *testing.T, db *store.DB) secret.Hash {
	t.Helper()
	ctx, h := t.Context(), secret.HashOf("at_2")
	all(t, db,
		func(tx *store.Tx) error {
			return tx.InsertOrganization(ctx, store.Organization{ID: "org_2", Name: "Other", Plan: "scale"})
		},
		func(tx *store.Tx) error {
			return tx.InsertMember(ctx, store.Member{ID: "usr_2", Organization: "org_2", Email: "bob@example.com"})
		},
		func(tx *store.Tx) error {
			return tx.SetAddressList(ctx, store.AddressList{Organization: "org_2", Environment: "live"})
		},
		func(tx *store.Tx) error {
			return tx.InsertAccessToken(ctx, store.AccessToken{
				Hash: h, ID: "tok_2", Client: "client_1", Member: "usr_2", Organization: "org_2", Environment: "live", ExpiresAt: hour(9),
			})
		},
	)
	day := store.Day(db.Now())
	if err := db.AddDayCounts(ctx, []store.DayCount{
		{Owner: "org_2/live", Day: day, N: 7}, {Owner: "client_1", Day: day, N: 3}, {Owner: "org_1/live", Day: day, N: 99},
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTokenLookupTellsWhatATokenStandsAndFallsWith(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		other := strangers(t, db)
		l := must(db.LookupToken(ctx, theAccess.Hash))(t)
		if !l.Found || !l.CredentialFound || !l.MemberFound || !l.OrganizationFound || l.TokenRevoked ||
			l.Family != "fam_1" || l.Consent != "grt_1" || l.Seq != must(db.Head(ctx))(t) {
			t.Errorf("token: %+v", l)
		}
		equal(t, "token", l.Token, theAccess)
		equal(t, "client", l.Credential, theClient.Credential)
		member := must(db.Member(ctx, "usr_1"))(t)
		member.SignedInAt = time.Time{} // a decision does not ask
		equal(t, "member", l.Member, member)
		equal(t, "organization", l.Organization, must(db.Organization(ctx, "org_1"))(t))

		// Organization, addresses and counts are those of the member, not of the client.
		l = must(db.LookupToken(ctx, other))(t)
		if l.Organization.Plan != "scale" || l.Addresses == nil || l.OrganizationDay != 7 || l.CredentialDay != 3 ||
			l.Family != "" || l.Consent != "" || l.Credential.Organization != "org_1" {
			t.Errorf("token of another organization's member: %+v", l)
		}
		if l := must(db.LookupToken(ctx, secret.HashOf("unknown")))(t); l.Found || l.Token.ID != "" || l.Seq == 0 {
			t.Errorf("unknown token: %+v", l)
		}
		for what, step := range map[string]struct {
			fn   func(tx *store.Tx) error
			seen func(l *store.Lookup) bool
		}{
			"credential":   {func(tx *store.Tx) error { return tx.EndTokens(ctx, "client_1") }, func(l *store.Lookup) bool { return !l.CredentialNotBefore.IsZero() }},
			"member":       {func(tx *store.Tx) error { return tx.EndMemberTokens(ctx, "usr_2") }, func(l *store.Lookup) bool { return !l.MemberNotBefore.IsZero() }},
			"own token id": {func(tx *store.Tx) error { return tx.RevokeToken(ctx, "tok_2", hour(9)) }, func(l *store.Lookup) bool { return l.TokenRevoked }},
			"disabled": {func(tx *store.Tx) error {
				return tx.UpdateMember(ctx, store.Member{ID: "usr_2", Organization: "org_2", DisabledAt: hour(1)})
			}, func(l *store.Lookup) bool {
				return l.MemberDisabledAt.Equal(hour(1)) && l.Member.DisabledAt.Equal(hour(1))
			}},
			"suspended": {func(tx *store.Tx) error {
				return tx.UpdateOrganization(ctx, store.Organization{ID: "org_1", SuspendedAt: hour(1)})
			}, func(l *store.Lookup) bool {
				return l.CredentialSuspendedAt.Equal(hour(1)) && l.Organization.SuspendedAt.IsZero()
			}},
		} {
			seq := all(t, db, step.fn).Seq()
			if l := must(db.LookupToken(ctx, other))(t); !step.seen(&l) || l.Seq < seq {
				t.Errorf("%s: %+v", what, l)
			}
		}
	})
}

func TestPrincipalLookupTellsHowThingsStand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		strangers(t, db)
		all(t, db, func(tx *store.Tx) error {
			_, err := tx.SaveConsent(ctx, store.Consent{ID: "grt_url", Member: "usr_1", Client: "https://app.example/client.json", Organization: "org_1"})
			return err
		})
		// Which of the parties an answer names, and whether everything asked for is there.
		type answer struct {
			Found                                        bool
			Credential, Key, Member, Organization, Grant string
			Revoked                                      bool
		}
		for what, c := range map[string]struct {
			q    store.PrincipalQuery
			want answer
		}{
			"nothing":              {store.PrincipalQuery{}, answer{Found: true}},
			"client":               {store.PrincipalQuery{Credential: "client_1"}, answer{true, "client_1", "", "", "org_1", "", false}},
			"client and member":    {store.PrincipalQuery{Credential: "client_1", Member: "usr_1"}, answer{true, "client_1", "", "usr_1", "org_1", "grt_1", false}},
			"member of another":    {store.PrincipalQuery{Credential: "client_1", Member: "usr_2"}, answer{true, "client_1", "", "usr_2", "org_2", "", false}},
			"key of a member":      {store.PrincipalQuery{Credential: "key_1"}, answer{true, "key_1", "", "usr_1", "org_1", "", false}},
			"service account":      {store.PrincipalQuery{Credential: "sa_1", AccountKey: "kid_1"}, answer{true, "sa_1", "kid_1", "", "org_1", "", false}},
			"account key alone":    {store.PrincipalQuery{AccountKey: "kid_1"}, answer{true, "sa_1", "kid_1", "", "org_1", "", false}},
			"key of somebody":      {store.PrincipalQuery{Credential: "client_1", AccountKey: "kid_1"}, answer{false, "client_1", "", "", "org_1", "", false}},
			"no such key":          {store.PrincipalQuery{Credential: "sa_1", AccountKey: "kid_2"}, answer{false, "sa_1", "", "", "org_1", "", false}},
			"organization alone":   {store.PrincipalQuery{Organization: "org_2"}, answer{true, "", "", "", "org_2", "", false}},
			"no such credential":   {store.PrincipalQuery{Credential: "client_9", Organization: "org_2"}, answer{false, "", "", "", "org_2", "", false}},
			"no such member":       {store.PrincipalQuery{Credential: "client_1", Member: "usr_9"}, answer{false, "client_1", "", "", "org_1", "", false}},
			"no such organization": {store.PrincipalQuery{Organization: "org_9"}, answer{}},
			"revoked id":           {store.PrincipalQuery{Member: "usr_1", TokenID: "jti_revoked"}, answer{true, "", "", "usr_1", "org_1", "", true}},
			"other id":             {store.PrincipalQuery{Member: "usr_1", TokenID: "jti_1"}, answer{true, "", "", "usr_1", "org_1", "", false}},
			"client known by URL":  {store.PrincipalQuery{Credential: "https://app.example/client.json", Member: "usr_1"}, answer{false, "", "", "usr_1", "org_1", "grt_url", false}},
			"not a name":           {store.PrincipalQuery{Credential: "' OR 1=1 --", Member: "%"}, answer{}},
		} {
			l := must(db.LookupPrincipal(ctx, c.q))(t)
			equal(t, what, answer{l.Found, l.Credential.ID, l.AccountKey.ID, l.Member.ID, l.Organization.ID, l.Consent, l.TokenRevoked}, c.want)
			if l.Seq != must(db.Head(ctx))(t) {
				t.Errorf("%s: seq %d", what, l.Seq)
			}
		}
		l := must(db.LookupPrincipal(ctx, store.PrincipalQuery{Credential: "client_1", Member: "usr_2", Environment: "live"}))(t)
		if l.OrganizationDay != 7 || l.CredentialDay != 3 || l.Addresses == nil {
			t.Errorf("counts and addresses: %+v", l)
		}
		l = must(db.LookupPrincipal(ctx, store.PrincipalQuery{Credential: "sa_1", AccountKey: "kid_1"}))(t)
		equal(t, "key", l.AccountKey, theAccountKey)
		_, err := db.LookupPrincipal(ctx, store.PrincipalQuery{TokenID: "\x00"})
		if err != nil && cardea.KindOf(err) == cardea.KindInternal && db.Engine() == "sqlite" {
			t.Errorf("a NUL byte: %v", err)
		}
	})
}

// A look-up that reads the sequence number before or after the rest would now and then
// claim to know a change that it has not seen.
func TestTokenLookupsNeverClaimAChangeTheyHaveNotSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		type sight struct {
			token   int
			seq     int64
			revoked bool
		}
		const tokens = 150
		hash := func(i int) secret.Hash { return secret.HashOf(fmt.Sprint("at ", i)) }
		all(t, db, func(tx *store.Tx) error {
			for i := range tokens {
				a := theAccess
				a.Hash, a.ID, a.Family = hash(i), fmt.Sprint("tok ", i), ""
				if err := tx.InsertAccessToken(ctx, a); err != nil {
					return err
				}
			}
			return nil
		})
		var at atomic.Int64
		var wg sync.WaitGroup
		seen := make([][]sight, 4)
		for w := range seen {
			wg.Go(func() {
				for at.Load() < tokens {
					i := int(at.Load())
					l, err := db.LookupToken(ctx, hash(i))
					if w%2 == 1 {
						l, err = db.LookupPrincipal(ctx, store.PrincipalQuery{TokenID: fmt.Sprint("jti ", i)})
					}
					if err != nil {
						t.Error(err)
						return
					}
					seen[w] = append(seen[w], sight{i, l.Seq, l.TokenRevoked})
				}
			})
		}
		revoked := make([]int64, tokens+1)
		for i := range tokens {
			at.Store(int64(i))
			revoked[i] = all(t, db,
				func(tx *store.Tx) error { return tx.RevokeToken(ctx, fmt.Sprint("jti ", i), theAccess.ExpiresAt) },
				func(tx *store.Tx) error { return tx.RevokeAccessToken(ctx, fmt.Sprint("tok ", i)) }).Seq()
		}
		at.Store(tokens)
		wg.Wait()
		n := 0
		for _, list := range seen {
			for _, s := range list {
				if s.revoked != (s.seq >= revoked[s.token]) {
					t.Errorf("token %d, revoked by change %d: at %d it was revoked: %t", s.token, revoked[s.token], s.seq, s.revoked)
				}
				n++
			}
		}
		t.Logf("%d look-ups", n)
	})
}
