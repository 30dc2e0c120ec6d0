package store_test

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// all makes one change of several steps; the first error fails the test.
func all(t *testing.T, db *store.DB, steps ...func(tx *store.Tx) error) store.Changes {
	t.Helper()
	return storetest.Change(t, db, func(tx *store.Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// The objects that the tests of tokens share: every field is set that can be.
var (
	theClient = store.Client{
		Credential: store.Credential{
			ID: "client_1", Kind: store.KindClient, Environment: "live", Organization: "org_1", Name: "App",
			Scopes: []string{"read"}, CreatedAt: hour(1), UpdatedAt: hour(1),
		},
		RedirectURIs: []string{"https://app.example/cb"}, Grants: []string{"authorization_code"}, Public: true,
		Authentication: []string{"none"}, PublicKeys: []byte(`{"keys":[]}`), JWKSURL: "https://app.example/jwks",
		Origins: []string{"https://app.example"}, LogoURL: "l", HomeURL: "h", PolicyURL: "p", TermsURL: "t",
		FirstParty: true, MetadataURL: "https://app.example/client.json", DPoPRequired: true, RequirePushed: true,
	}
	theAccount = store.Credential{
		ID: "sa_1", Kind: store.KindServiceAccount, Environment: "live", Organization: "org_1", Scopes: []string{"read"},
	}
	theAccountKey = store.ServiceAccountKey{
		ID: "kid_1", Account: "sa_1", Algorithm: "ES256", PublicKey: []byte{0x30, 0}, CreatedAt: hour(1),
		ExpiresAt: hour(2), RevokedAt: hour(3), LastUsedAt: hour(4),
	}
	theSigningKey = store.SigningKey{
		ID: "sig_1", Environment: "live", Algorithm: "RS256", PublicKey: []byte{1}, Sealed: []byte{0, 255},
		CreatedAt: hour(1), SignsAt: hour(2), RetiredAt: hour(3), ExpiresAt: hour(4), RevokedAt: hour(5),
	}
	theConsent = store.Consent{
		ID: "grt_1", Member: "usr_1", Client: "client_1", Organization: "org_1", Scopes: []string{"read"}, ExpiresAt: hour(23),
	}
	theCode = store.Code{
		Hash: secret.HashOf("code"), Client: "client_1", Member: "usr_1", Organization: "org_1", Environment: "live",
		Consent: "grt_1", RedirectURI: "https://app.example/cb", Scopes: []string{"read"}, Challenge: "c", Nonce: "n",
		Resource: "r", DPoP: "d", AuthTime: hour(1), CreatedAt: hour(2), ExpiresAt: hour(3),
	}
	theFamily = store.Family{
		ID: "fam_1", Client: "client_1", Member: "usr_1", Organization: "org_1", Environment: "live", Subject: "s",
		Consent: "grt_1", Scopes: []string{"read"}, Resource: "r", DPoP: "d", AuthTime: hour(1), CreatedAt: hour(2),
		ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), AccessID: "jti_1", AccessExpiresAt: hour(4),
	}
	theRefresh = store.RefreshToken{
		Hash: secret.HashOf("rt_1"), Family: "fam_1", CreatedAt: hour(3), ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		AccessID: "jti_2", AccessExpiresAt: hour(5),
	}
	theAccess = store.AccessToken{
		Hash: secret.HashOf("at_1"), ID: "tok_1", Family: "fam_1", Client: "client_1", Member: "usr_1",
		Organization: "org_1", Environment: "live", Subject: "s", Scopes: []string{"read"}, Resource: "r", DPoP: "d",
		CreatedAt: hour(2), ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	theDevice = store.DeviceCode{
		Hash: secret.HashOf("device"), UserCode: "BCDFGHJK", Client: "client_1", Environment: "live",
		Scopes: []string{"read"}, Resource: "r", Status: store.DevicePending, Interval: 5, CreatedAt: hour(2),
		ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	thePushed = store.PushedRequest{
		Hash: secret.HashOf("pushed"), Client: "client_1", Parameters: []byte(`{"scope":"read"}`), CreatedAt: hour(2), ExpiresAt: hour(3),
	}
	theIssuer = store.OrganizationIssuer{
		ID: "iss_1", Organization: "org_1", Environment: "live", Issuer: "https://idp.example", JWKSURL: "https://idp.example/keys",
		Audience: "api", CreatedAt: hour(2),
	}
	thePasskey = store.Passkey{
		ID: []byte{0, 1, 2}, Member: "usr_1", Name: "laptop", Data: []byte(`{}`), CreatedAt: hour(2), LastUsedAt: hour(3),
	}
	theSession = store.Session{
		Hash: secret.HashOf("session"), ID: "ses_1", Member: "usr_1", Organization: "org_1", Method: "password",
		UserAgent: "curl", Address: "192.0.2.1", AuthTime: hour(1), CreatedAt: hour(2), SeenAt: hour(3),
		ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	theConnection = store.Connection{
		Organization: "org_1", Issuer: "https://idp.example", ClientID: "cardea", SecretSealed: []byte{9}, Insecure: true,
		AutoJoin: true, Role: cardea.RoleViewer, Domains: []string{"example.com"}, CreatedAt: hour(2),
	}
	theLink = store.OneTimeLink{
		Hash: secret.HashOf("link"), Purpose: "reset", Member: "usr_1", CreatedAt: hour(2), ExpiresAt: hour(3),
	}
)

// parties stores people and one of each object above.
func parties(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	people(t, db)
	all(t, db,
		func(tx *store.Tx) error { return tx.InsertClient(ctx, theClient) },
		func(tx *store.Tx) error { return tx.InsertCredential(ctx, theAccount) },
		func(tx *store.Tx) error { return tx.InsertAccountKey(ctx, theAccountKey) },
		func(tx *store.Tx) error { return tx.InsertSigningKey(ctx, theSigningKey) },
		func(tx *store.Tx) error { _, err := tx.SaveConsent(ctx, theConsent); return err },
		func(tx *store.Tx) error { return tx.InsertCode(ctx, theCode) },
		func(tx *store.Tx) error { return tx.InsertFamily(ctx, theFamily) },
		func(tx *store.Tx) error { return tx.InsertRefresh(ctx, theRefresh) },
		func(tx *store.Tx) error { return tx.InsertAccessToken(ctx, theAccess) },
		func(tx *store.Tx) error { return tx.InsertDevice(ctx, theDevice) },
		func(tx *store.Tx) error { return tx.InsertPushed(ctx, thePushed) },
		func(tx *store.Tx) error { _, err := tx.SaveIssuer(ctx, theIssuer); return err },
		func(tx *store.Tx) error {
			return tx.SetPassword(ctx, store.Password{Member: "usr_1", Hash: "$argon2id$", ChangedAt: hour(2)})
		},
		func(tx *store.Tx) error { return tx.InsertPasskey(ctx, thePasskey) },
		func(tx *store.Tx) error { return tx.InsertSession(ctx, theSession) },
		func(tx *store.Tx) error { return tx.SaveConnection(ctx, theConnection) },
		func(tx *store.Tx) error { return tx.InsertLink(ctx, theLink) },
		func(tx *store.Tx) error { return tx.RevokeToken(ctx, "jti_revoked", theAccess.ExpiresAt) },
		func(tx *store.Tx) error {
			_, err := tx.Remember(ctx, "assertion", "jti", theAccess.ExpiresAt)
			return err
		},
	)
}

func TestTokenNounsComeBackAsTheyWereStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		equal(t, "client", must(db.Client(ctx, "client_1"))(t), theClient)
		equal(t, "client by metadata", must(db.ClientByMetadata(ctx, theClient.MetadataURL, "org_1", ""))(t), theClient)
		equal(t, "account key", must(db.AccountKey(ctx, "kid_1"))(t), theAccountKey)
		equal(t, "account keys", must(db.AccountKeys(ctx, "sa_1"))(t), []store.ServiceAccountKey{theAccountKey})
		equal(t, "signing key", must(db.SigningKey(ctx, "sig_1"))(t), theSigningKey)
		equal(t, "signing keys", must(db.SigningKeys(ctx))(t), []store.SigningKey{theSigningKey})
		equal(t, "code", must(db.Code(ctx, theCode.Hash))(t), theCode)
		equal(t, "family", must(db.Family(ctx, "fam_1"))(t), theFamily)
		equal(t, "last tokens", must(db.LastTokens(ctx, []string{"grt_1", "grt_none"}))(t), map[string]time.Time{"grt_1": hour(3)})
		equal(t, "last tokens of families", must(db.LastTokensOfFamilies(ctx, []string{"fam_1"}))(t), map[string]time.Time{"fam_1": hour(3)})
		equal(t, "last tokens of none", must(db.LastTokens(ctx, nil))(t), map[string]time.Time{})
		equal(t, "refresh token", must(db.Refresh(ctx, theRefresh.Hash))(t), theRefresh)
		equal(t, "access token", must(db.AccessTokenByID(ctx, "tok_1"))(t), theAccess)
		equal(t, "access token by hash", must(db.AccessTokenByHash(ctx, theAccess.Hash))(t), theAccess)
		device := must(db.Device(ctx, theDevice.Hash))(t)
		if byCode := must(db.DeviceByUserCode(ctx, "BCDFGHJK"))(t); byCode.Hash != device.Hash || device.Client != "client_1" ||
			device.Status != store.DevicePending || device.Interval != 5 || !device.ExpiresAt.Equal(theDevice.ExpiresAt) {
			t.Errorf("device code: %+v", device)
		}
		equal(t, "pushed request", must(db.Pushed(ctx, thePushed.Hash))(t), thePushed)
		equal(t, "password", must(db.Password(ctx, "usr_1"))(t), store.Password{Member: "usr_1", Hash: "$argon2id$", ChangedAt: hour(2)})
		equal(t, "passkey", must(db.Passkey(ctx, thePasskey.ID))(t), thePasskey)
		equal(t, "passkeys", must(db.Passkeys(ctx, "usr_1"))(t), []store.Passkey{thePasskey})
		equal(t, "session", must(db.Session(ctx, "ses_1"))(t), theSession)
		equal(t, "session by hash", must(db.SessionByHash(ctx, theSession.Hash))(t), theSession)
		equal(t, "sessions", must(db.Sessions(ctx, "usr_1"))(t), []store.Session{theSession})
		equal(t, "link", must(db.Link(ctx, theLink.Hash))(t), theLink)
		equal(t, "revoked tokens", must(db.RevokedTokens(ctx, "", 10))(t), []string{"jti_revoked"})

		consent := must(db.ConsentByID(ctx, "grt_1"))(t)
		equal(t, "consent of the pair", must(db.Consent(ctx, "usr_1", "client_1"))(t), consent)
		want := theConsent
		want.CreatedAt, want.UpdatedAt = consent.CreatedAt, consent.UpdatedAt
		equal(t, "consent", consent, want)
		issuer := must(db.OrganizationIssuer(ctx, "org_1", "live"))(t)
		trusted := theIssuer
		trusted.UpdatedAt = issuer.UpdatedAt
		equal(t, "issuer", issuer, trusted)
		equal(t, "issuers of a name", must(db.IssuersFor(ctx, theIssuer.Issuer))(t), []store.OrganizationIssuer{trusted})
		connection := must(db.Connection(ctx, "org_1"))(t)
		joined := theConnection
		joined.UpdatedAt = connection.UpdatedAt
		equal(t, "connection", connection, joined)
	})
}

func TestMissingTokenNounsAreNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		none := secret.HashOf("none")
		missing := map[string]func(r store.Reader) error{
			"client":           func(r store.Reader) error { _, err := r.Client(ctx, "key_1"); return err },
			"metadata":         func(r store.Reader) error { _, err := r.ClientByMetadata(ctx, "x", "", ""); return err },
			"account key":      func(r store.Reader) error { _, err := r.AccountKey(ctx, "x"); return err },
			"signing key":      func(r store.Reader) error { _, err := r.SigningKey(ctx, "x"); return err },
			"consent":          func(r store.Reader) error { _, err := r.Consent(ctx, "x", "y"); return err },
			"code":             func(r store.Reader) error { _, err := r.Code(ctx, none); return err },
			"family":           func(r store.Reader) error { _, err := r.Family(ctx, "x"); return err },
			"refresh token":    func(r store.Reader) error { _, err := r.Refresh(ctx, none); return err },
			"access token":     func(r store.Reader) error { _, err := r.AccessTokenByHash(ctx, none); return err },
			"device code":      func(r store.Reader) error { _, err := r.DeviceByUserCode(ctx, "x"); return err },
			"pushed request":   func(r store.Reader) error { _, err := r.Pushed(ctx, none); return err },
			"issuer":           func(r store.Reader) error { _, err := r.OrganizationIssuer(ctx, "org_1", "x"); return err },
			"password":         func(r store.Reader) error { _, err := r.Password(ctx, "usr_1"); return err },
			"passkey":          func(r store.Reader) error { _, err := r.Passkey(ctx, []byte{1}); return err },
			"session":          func(r store.Reader) error { _, err := r.SessionByHash(ctx, none); return err },
			"connection":       func(r store.Reader) error { _, err := r.Connection(ctx, "org_1"); return err },
			"link":             func(r store.Reader) error { _, err := r.Link(ctx, none); return err },
			"name":             func(r store.Reader) error { _, err := r.OrganizationByName(ctx, "x"); return err },
			"address":          func(r store.Reader) error { _, err := r.MemberByEmail(ctx, "org_1", "x"); return err },
			"poll":             func(store.Reader) error { _, _, err := db.PollDevice(ctx, none); return err },
			"consume a code":   inside(t, db, func(tx *store.Tx) error { _, _, err := tx.ConsumeCode(ctx, none, "f"); return err }),
			"consume a link":   inside(t, db, func(tx *store.Tx) error { _, _, err := tx.ConsumeLink(ctx, none, "p"); return err }),
			"revoke a token":   inside(t, db, func(tx *store.Tx) error { return tx.RevokeAccessToken(ctx, "x") }),
			"revoke a family":  inside(t, db, func(tx *store.Tx) error { return tx.RevokeFamily(ctx, "x", "") }),
			"revoke a consent": inside(t, db, func(tx *store.Tx) error { return tx.RevokeConsent(ctx, "x") }),
			"decide":           inside(t, db, func(tx *store.Tx) error { _, err := tx.DecideDevice(ctx, theDevice); return err }),
			"end a session":    inside(t, db, func(tx *store.Tx) error { return tx.EndSession(ctx, "x") }),
			"end tokens":       inside(t, db, func(tx *store.Tx) error { return tx.EndTokens(ctx, "x") }),
			"update a client": inside(t, db, func(tx *store.Tx) error {
				return tx.UpdateClient(ctx, store.Client{Credential: store.Credential{ID: "key_1"}})
			}),
			"family of nobody": inside(t, db, func(tx *store.Tx) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: none, Family: "x"})
			}),
		}
		for what, read := range missing {
			wantKind(t, what, read(db.Reader), cardea.KindNotFound)
		}
		wantKind(t, "a token without an id", inside(t, db, func(tx *store.Tx) error {
			return tx.RevokeToken(ctx, "", hour(1))
		})(db.Reader), cardea.KindInvalid)
	})
}

// inside runs a step in a change of its own and returns its error.
func inside(t *testing.T, db *store.DB, step func(tx *store.Tx) error) func(store.Reader) error {
	return func(store.Reader) error {
		_, err := db.Update(t.Context(), storetest.Actor, func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "test"})
			return step(tx)
		})
		return err
	}
}

func TestListsOfKeysLeaveOutClientsAndServiceAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		for kind, want := range map[string]string{"": "key_1", store.KindClient: "client_1", store.KindServiceAccount: "sa_1"} {
			list, _, err := db.Credentials(ctx, store.CredentialFilter{Organization: "org_1", Kind: kind}, store.Page{})
			if err != nil || len(list) != 1 || list[0].ID != want {
				t.Errorf("kind %q: %v, %v; want %s alone", kind, list, err, want)
			}
		}
		clients, _, err := db.Clients(ctx, store.CredentialFilter{Organization: "org_1", Status: "active", Contains: "app"}, store.Page{})
		if err != nil || len(clients) != 1 {
			t.Fatalf("clients: %v, %v", clients, err)
		}
		equal(t, "a client of a list", clients[0], theClient)
	})
}

func TestTokenListsFilterAndPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db, func(tx *store.Tx) error {
			f := theFamily
			f.ID, f.CreatedAt, f.ExpiresAt = "fam_2", hour(3), hour(4) // its end is long past
			return tx.InsertFamily(ctx, f)
		})
		ids := func(f store.FamilyFilter, p store.Page) (ids []string, next string) {
			list, next, err := db.Families(ctx, f, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				ids = append(ids, f.ID)
			}
			return ids, next
		}
		first, next := ids(store.FamilyFilter{Member: "usr_1", Client: "client_1", Consent: "grt_1"}, store.Page{Limit: 1})
		second, last := ids(store.FamilyFilter{Organization: "org_1"}, store.Page{Limit: 1, After: next})
		equal(t, "two pages", append(first, second...), []string{"fam_2", "fam_1"})
		equal(t, "the last cursor", last, "")
		live, _ := ids(store.FamilyFilter{Live: true}, store.Page{})
		if db.Now().After(hour(4)) {
			equal(t, "live families", live, []string{"fam_1"})
		}
		nobody, _ := ids(store.FamilyFilter{Client: "client_2"}, store.Page{})
		equal(t, "families of another client", nobody, []string(nil))
		for what, f := range map[string]store.ConsentFilter{
			"member": {Member: "usr_1"}, "client": {Client: "client_1"}, "organization": {Organization: "org_1", Live: true},
		} {
			list, _, err := db.Consents(ctx, f, store.Page{})
			if err != nil || len(list) != 1 || list[0].ID != "grt_1" {
				t.Errorf("consents by %s: %v, %v", what, list, err)
			}
		}
		issuers, _, err := db.OrganizationIssuers(ctx, store.IssuerFilter{Organization: "org_1", Environment: "live"}, store.Page{})
		if err != nil || len(issuers) != 1 {
			t.Errorf("issuers: %v, %v", issuers, err)
		}
	})
}

func TestNamesAreFoundInAnyCaseAndNeverGuessed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		all(t, db,
			func(tx *store.Tx) error {
				return tx.InsertOrganization(ctx, store.Organization{ID: "org_2", Name: "Zoë"})
			},
			func(tx *store.Tx) error {
				return tx.InsertOrganization(ctx, store.Organization{ID: "org_3", Name: "Twin"})
			},
			func(tx *store.Tx) error {
				return tx.InsertOrganization(ctx, store.Organization{ID: "org_4", Name: "TWIN"})
			},
			func(tx *store.Tx) error {
				return tx.InsertMember(ctx, store.Member{ID: "usr_2", Organization: "org_2", Email: "Ann@Example.com"})
			},
		)
		equal(t, "by name", must(db.OrganizationByName(ctx, " ZOË "))(t).ID, "org_2")
		_, err := db.OrganizationByName(ctx, "twin")
		wantKind(t, "a name that two share", err, cardea.KindNotFound)
		if list := must(db.MembersByEmail(ctx, "ANN@example.com"))(t); len(list) != 2 {
			t.Errorf("members with an address: %v", list)
		}
		equal(t, "by address", must(db.MemberByEmail(ctx, "org_2", "ann@example.COM"))(t).ID, "usr_2")
		all(t, db, func(tx *store.Tx) error {
			return tx.InsertMember(ctx, store.Member{ID: "usr_3", Organization: "org_2", Email: "ann@example.com"})
		})
		_, err = db.MemberByEmail(ctx, "org_2", "ann@example.com")
		wantKind(t, "an address that two share but for case", err, cardea.KindNotFound)
		all(t, db, func(tx *store.Tx) error {
			return tx.UpdateMember(ctx, store.Member{ID: "usr_3", Organization: "org_2", Email: "third@example.com"})
		})
		all(t, db, func(tx *store.Tx) error {
			return tx.UpdateMember(ctx, store.Member{ID: "usr_2", Organization: "org_2", Email: "other@example.com"})
		}, func(tx *store.Tx) error {
			return tx.UpdateOrganization(ctx, store.Organization{ID: "org_2", Name: "Renamed"})
		})
		equal(t, "by the new name", must(db.OrganizationByName(ctx, "renamed"))(t).ID, "org_2")
		_, err = db.MemberByEmail(ctx, "org_2", "ann@example.com")
		wantKind(t, "the old address", err, cardea.KindNotFound)
	})
}

func TestSavedAgainKeepsItsPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db,
			func(tx *store.Tx) error {
				i, err := tx.SaveIssuer(ctx, store.OrganizationIssuer{ID: "iss_2", Organization: "org_1", Environment: "live", Issuer: "https://new.example"})
				if err == nil && (i.ID != "iss_1" || !i.CreatedAt.Equal(hour(2)) || i.Issuer != "https://new.example" || i.JWKSURL != "") {
					t.Errorf("issuer: %+v", i)
				}
				return err
			},
			func(tx *store.Tx) error {
				return tx.SetPassword(ctx, store.Password{Member: "usr_1", Hash: "$argon2id$2"})
			},
			func(tx *store.Tx) error {
				return tx.SaveConnection(ctx, store.Connection{Organization: "org_1", Issuer: "https://new.example"})
			},
			func(tx *store.Tx) error {
				p := thePasskey
				p.Name, p.Data = "phone", []byte(`{"n":1}`)
				return tx.UpdatePasskey(ctx, p)
			},
			func(tx *store.Tx) error {
				c := theClient
				c.Credential.Name, c.Grants, c.Public, c.MetadataURL = "Renamed", nil, false, ""
				return tx.UpdateClient(ctx, c)
			},
		)
		if p := must(db.Password(ctx, "usr_1"))(t); p.Hash != "$argon2id$2" || p.ChangedAt.Equal(hour(2)) {
			t.Errorf("password: %+v", p)
		}
		if c := must(db.Connection(ctx, "org_1"))(t); c.SecretSealed != nil || c.AutoJoin || !c.CreatedAt.Equal(hour(2)) {
			t.Errorf("connection: %+v", c)
		}
		if p := must(db.Passkey(ctx, thePasskey.ID))(t); p.Name != "phone" || string(p.Data) != `{"n":1}` {
			t.Errorf("passkey: %+v", p)
		}
		if c := must(db.Client(ctx, "client_1"))(t); c.Credential.Name != "Renamed" || len(c.Grants) != 0 || c.Public || c.MetadataURL != "" {
			t.Errorf("client: %+v", c)
		}
		all(t, db,
			func(tx *store.Tx) error { return tx.DeleteIssuer(ctx, "org_1", "live") },
			func(tx *store.Tx) error { return tx.DeleteConnection(ctx, "org_1") },
			func(tx *store.Tx) error { return tx.DeletePasskey(ctx, "usr_1", thePasskey.ID) },
			func(tx *store.Tx) error { return tx.DeletePassword(ctx, "usr_1") },
		)
		if list := must(db.Passkeys(ctx, "usr_1"))(t); len(list) != 0 {
			t.Errorf("passkeys after deletion: %v", list)
		}
	})
}

func TestSealedThingsAreKnownToNeedTheMasterKey(t *testing.T) {
	for what, step := range map[string]func(tx *store.Tx) error{
		"signing key": func(tx *store.Tx) error { return tx.InsertSigningKey(t.Context(), theSigningKey) },
		"connection":  func(tx *store.Tx) error { return tx.SaveConnection(t.Context(), theConnection) },
		"webhook":     func(tx *store.Tx) error { return tx.InsertWebhookEndpoint(t.Context(), endpoint("we_1", "org_1")) },
		"secret": func(tx *store.Tx) error {
			return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: secret.HashOf("x"), Credential: "key_1", Sealed: []byte{1}})
		},
	} {
		db := storetest.Open(t)
		people(t, db)
		if must(db.HasSealed(t.Context()))(t) {
			t.Errorf("%s: sealed before it is there", what)
		}
		all(t, db, step)
		if !must(db.HasSealed(t.Context()))(t) {
			t.Errorf("%s: not known as sealed", what)
		}
	}
}
