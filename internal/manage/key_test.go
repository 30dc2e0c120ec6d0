package manage_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
)

func TestANewKeyShowsItsSecretOnceAndStoresItsHash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		created := must(w.CreateKey(w.ctx, operator, manage.CreateKey{
			Kind: "api_key", Environment: "test", Organization: o.ID, Name: "Production Integration",
			Scopes: []string{"records:read"}, Permissions: []string{"Write"}, Addresses: []string{"203.0.113.7", "2001:db8::/32"},
			Limits: &manage.Limits{PerMinute: 10},
		}))(t)
		text := created.Secret.Reveal()
		if !secret.CheckPrefixed(text, "ck_test_") {
			t.Errorf("the secret has not the form of its kind and environment")
		}
		want := manage.Key{
			ID: created.Key.ID, Kind: "api_key", Environment: "test", Organization: o.ID, Name: "Production Integration",
			Status: manage.StatusActive, Hint: "ck_test_…" + text[len(text)-4:], Scopes: []string{"read", "write"},
			Permissions: []string{"Read", "Write"}, Addresses: []string{"203.0.113.7", "2001:db8::/32"},
			Limits: &manage.Limits{PerMinute: 10}, CreatedBy: "operator:mt_test", CreatedAt: start, UpdatedAt: start, SecretMadeAt: start,
		}
		if diff := cmp.Diff(want, created.Key); diff != "" {
			t.Errorf("created key (-want +got):\n%s", diff)
		}
		read := must(w.Key(w.ctx, operator, manage.ID{ID: created.Key.ID}))(t)
		if diff := cmp.Diff(want, read); diff != "" {
			t.Errorf("read key (-want +got):\n%s", diff)
		}
		found := must(w.store.LookupSecret(w.ctx, secret.HashOf(text)))(t)
		if !found.Found || found.Credential.ID != created.Key.ID {
			t.Errorf("the secret's hash does not lead to the key")
		}
		_, err := w.RevealKey(w.ctx, operator, manage.ID{ID: created.Key.ID})
		wantKind(t, err, cardea.KindConflict)
	})
}

func TestEveryKindGetsASecretOfItsForm(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "ada@example.com", cardea.RoleViewer)
	for _, c := range []struct {
		in    manage.CreateKey
		check func(string) bool
	}{
		{manage.CreateKey{Kind: "capped"}, func(s string) bool { return secret.CheckPrefixed(s, "cp_live_") }},
		{manage.CreateKey{Kind: "personal_token", Member: m.ID}, func(s string) bool { return secret.CheckPrefixed(s, "pt_live_") }},
		{manage.CreateKey{Kind: "space_token", Environment: "test"}, secret.IsUUID},
		{manage.CreateKey{Kind: "system"}, func(s string) bool { return secret.CheckPrefixed(s, "sy_live_") }},
	} {
		c.in.Name, c.in.Organization = "k", o.ID
		if c.in.Environment == "" && c.in.Kind == "system" || c.in.Kind == "capped" {
			c.in.Environment = "live"
		}
		created := must(w.CreateKey(w.ctx, operator, c.in))(t)
		if !c.check(created.Secret.Reveal()) {
			t.Errorf("kind %s: wrong form of secret", c.in.Kind)
		}
	}
}

func TestCreateKeyRefusesWhatTheContractDoesNotAllow(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	other := w.organization("Other")
	stranger := w.member(other.ID, "eve@example.com", cardea.RoleOwner)
	base := manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}
	for _, c := range []struct {
		name, field string
		change      func(*manage.CreateKey)
	}{
		{"no name", "name", func(k *manage.CreateKey) { k.Name = "" }},
		{"unknown kind", "kind", func(k *manage.CreateKey) { k.Kind = "nope" }},
		{"no kind of several", "kind", func(k *manage.CreateKey) { k.Kind = "" }},
		{"unknown environment", "environment", func(k *manage.CreateKey) { k.Environment = "prod" }},
		{"no environment of several", "environment", func(k *manage.CreateKey) { k.Environment = "" }},
		{"environment the kind lacks", "environment", func(k *manage.CreateKey) { k.Kind, k.Environment = "capped", "test" }},
		{"no organization", "organization", func(k *manage.CreateKey) { k.Organization = "" }},
		{"missing organization", "organization", func(k *manage.CreateKey) { k.Organization = "org_none" }},
		{"hostile organization", "organization", func(k *manage.CreateKey) { k.Organization = "org_\x00' OR 1=1" }},
		{"member of another organization", "member", func(k *manage.CreateKey) { k.Member = stranger.ID }},
		{"missing member", "member", func(k *manage.CreateKey) { k.Member = "usr_none" }},
		{"personal kind without a person", "member", func(k *manage.CreateKey) { k.Kind = "personal_token" }},
		{"environment kind with a person", "member", func(k *manage.CreateKey) { k.Kind, k.Member = "space_token", stranger.ID }},
		{"unknown scope", "scopes[1]", func(k *manage.CreateKey) { k.Scopes = []string{"read", "reed"} }},
		{"scope the kind may not have", "scopes[0]", func(k *manage.CreateKey) { k.Scopes = []string{"admin"} }},
		{"unknown permission", "permissions[0]", func(k *manage.CreateKey) { k.Permissions = []string{"read"} }},
		{"too many scopes", "scopes", func(k *manage.CreateKey) { k.Scopes = slices.Repeat([]string{"read"}, 300) }},
		{"host bits", "addresses[0]", func(k *manage.CreateKey) { k.Addresses = []string{"203.0.113.7/24"} }},
		{"too many addresses", "addresses", func(k *manage.CreateKey) { k.Addresses = slices.Repeat([]string{"::1"}, 101) }},
		{"negative limit", "limits.per_day", func(k *manage.CreateKey) { k.Limits = &manage.Limits{PerDay: -1} }},
		{"enormous limit", "limits.per_minute", func(k *manage.CreateKey) { k.Limits = &manage.Limits{PerMinute: 1 << 62} }},
		{"burst alone", "limits.burst", func(k *manage.CreateKey) { k.Limits = &manage.Limits{Burst: 5} }},
		{"expiry in the past", "expires_at", func(k *manage.CreateKey) { k.ExpiresAt = start.Add(-time.Second) }},
		{"expiry now", "expires_at", func(k *manage.CreateKey) { k.ExpiresAt = start }},
		{"contradictory expiry", "never_expires", func(k *manage.CreateKey) { k.ExpiresAt, k.NeverExpires = start.Add(time.Hour), true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := base
			c.change(&in)
			_, err := w.CreateKey(w.ctx, operator, in)
			wantField(t, err, c.field)
		})
	}
	if keys := must(w.Keys(w.ctx, operator, manage.KeyFilter{}))(t); len(keys.Items) != 0 {
		t.Errorf("%d keys were created on the way", len(keys.Items))
	}
}

func TestAllProblemsOfAnInputAreToldAtOnce(t *testing.T) {
	w := sqlite(t)
	_, err := w.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "api_key", Environment: "nope", Name: "a\x00b", Scopes: []string{"x"}, Addresses: []string{"y"},
	})
	var fields []string
	for _, p := range manage.Problems(err) {
		fields = append(fields, p.Field)
	}
	want := []string{"name", "environment", "organization", "scopes[0]", "addresses[0]"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// A key without a chosen expiry stops at its kind's default, else its maximum; nobody
// gets more than the maximum, counted on the calendar.
func TestExpiryIsRequiredDefaultedAndCapped(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "ada@example.com", cardea.RoleOwner)
	year := start.AddDate(1, 0, 0)
	for _, c := range []struct {
		name, kind string
		chosen     time.Time
		never      bool
		want       time.Time
		field      string // of the refusal, "" for none
	}{
		{"nothing chosen, no rule", "api_key", time.Time{}, false, time.Time{}, ""},
		{"nothing chosen, maximum", "capped", time.Time{}, false, year, ""},
		{"nothing chosen, default of 3 months", "personal_token", time.Time{}, false, time.Date(2028, 2, 29, 10, 20, 30, 0, time.UTC), ""},
		{"nothing chosen, choice required", "yearly", time.Time{}, false, time.Time{}, "expires_at"},
		{"never, choice required", "yearly", time.Time{}, true, time.Time{}, "never_expires"},
		{"never, maximum", "capped", time.Time{}, true, time.Time{}, "never_expires"},
		{"never, no rule", "api_key", time.Time{}, true, time.Time{}, ""},
		{"exactly the maximum", "yearly", year, false, year, ""},
		{"a microsecond more", "yearly", year.Add(time.Microsecond), false, time.Time{}, "expires_at"},
		{"a year more", "capped", year.AddDate(1, 0, 0), false, time.Time{}, "expires_at"},
		{"chosen in another zone", "yearly", start.Add(time.Hour).In(time.FixedZone("", 7200)), false, start.Add(time.Hour), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := manage.CreateKey{Kind: c.kind, Environment: "live", Organization: o.ID, Name: "k", ExpiresAt: c.chosen, NeverExpires: c.never}
			if c.kind == "personal_token" {
				in.Member = m.ID
			}
			created, err := w.CreateKey(w.ctx, operator, in)
			if c.field != "" {
				wantField(t, err, c.field)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !created.Key.ExpiresAt.Equal(c.want) {
				t.Errorf("expires %v, want %v", created.Key.ExpiresAt, c.want)
			}
		})
	}
}

func TestAnUpdateCannotOutliveTheMaximumOfTheSecret(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := must(w.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "yearly", Organization: o.ID, Name: "k", ExpiresAt: start.Add(time.Hour),
	}))(t).Key
	w.advance(30 * 24 * time.Hour) // expired, and a month closer to its maximum
	year := start.AddDate(1, 0, 0)
	_, err := w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, ExpiresAt: year.Add(time.Second)})
	wantField(t, err, "expires_at")
	_, err = w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, NeverExpires: true})
	wantField(t, err, "never_expires")
	k = must(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, ExpiresAt: year}))(t)
	if k.Status != manage.StatusActive {
		t.Errorf("status %s after a new expiry", k.Status)
	}
}

func TestStatusFollowsTheClock(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "ada@example.com", cardea.RoleOwner)
	k := must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "personal_token", Member: m.ID, Name: "k"}))(t).Key
	status := func(want manage.Status) {
		t.Helper()
		if got := must(w.Key(w.ctx, operator, manage.ID{ID: k.ID}))(t).Status; got != want {
			t.Errorf("at %v: status %s, want %s", w.clock(), got, want)
		}
	}
	status(manage.StatusActive)
	short := must(w.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "yearly", Organization: o.ID, Name: "short", ExpiresAt: start.Add(10 * time.Hour),
	}))(t).Key
	if short.Status != manage.StatusActive {
		t.Errorf("a new key of ten hours is %s", short.Status)
	}
	w.advance(8 * time.Hour)
	if got := must(w.Key(w.ctx, operator, manage.ID{ID: short.ID}))(t).Status; got != manage.StatusExpiring {
		t.Errorf("in its last two hours it is %s", got)
	}
	w.advance(30*24*time.Hour - 8*time.Hour - time.Second)
	status(manage.StatusActive)
	w.advance(time.Second)
	status(manage.StatusIdle)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	status(manage.StatusDisabled)
	must(w.EnableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	// A new secret starts a new idle time and a new lifetime.
	must(w.RegenerateKey(w.ctx, operator, manage.ID{ID: k.ID}))(t)
	status(manage.StatusActive)
	w.advance(91 * 24 * time.Hour)
	status(manage.StatusExpired)
	must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.ID}))(t)
	status(manage.StatusRevoked)
}

func TestRotationOverlaps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		created := w.key(o.ID, "k")
		id := created.Key.ID
		w.evicted()
		rotated := must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: id}))(t)
		if !slices.Contains(w.evicted(), id) {
			t.Errorf("the rotated key was not evicted")
		}
		if rotated.Secret.Reveal() == created.Secret.Reveal() || rotated.Key.Hint == created.Key.Hint {
			t.Errorf("the secret is the same")
		}
		want := &manage.Rotation{OldHint: created.Key.Hint, EndsAt: start.Add(24 * time.Hour)} // the kind's overlap
		if diff := cmp.Diff(want, rotated.Key.Rotation); diff != "" {
			t.Errorf("rotation (-want +got):\n%s", diff)
		}
		// A repeated call must not cut off the secret in use.
		_, err := w.RotateKey(w.ctx, operator, manage.RotateKey{ID: id})
		wantKind(t, err, cardea.KindConflict)
		old := must(w.store.LookupSecret(w.ctx, created.Secret.Hash()))(t)
		if !old.Secret.ExpiresAt.Equal(start.Add(24 * time.Hour)) {
			t.Errorf("the old secret ends at %v", old.Secret.ExpiresAt)
		}
		w.advance(24 * time.Hour)
		if k := must(w.Key(w.ctx, operator, manage.ID{ID: id}))(t); k.Rotation != nil {
			t.Errorf("the rotation goes on after its overlap: %+v", k.Rotation)
		}
		must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: id}))(t)
	})
}

func TestRotationCanBeFinishedEarly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		created := w.key(o.ID, "k")
		rotated := must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: created.Key.ID, OverlapSeconds: ptr[int64](3600)}))(t)
		w.advance(time.Minute)
		k := must(w.FinishKeyRotation(w.ctx, operator, manage.ID{ID: created.Key.ID}))(t)
		if k.Rotation != nil {
			t.Errorf("the rotation goes on")
		}
		old := must(w.store.LookupSecret(w.ctx, created.Secret.Hash()))(t).Secret
		if !old.ExpiresAt.Equal(w.clock()) {
			t.Errorf("the old secret ends at %v, want now", old.ExpiresAt)
		}
		if current := must(w.store.LookupSecret(w.ctx, rotated.Secret.Hash()))(t).Secret; !current.ExpiresAt.IsZero() {
			t.Errorf("finishing ended the new secret too, at %v", current.ExpiresAt)
		}
		must(w.FinishKeyRotation(w.ctx, operator, manage.ID{ID: created.Key.ID}))(t) // nothing left: still fine
	})
}

func TestRotationNeverProlongsTheOldSecret(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := must(w.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "yearly", Organization: o.ID, Name: "k", ExpiresAt: start.Add(time.Hour),
	}))(t)
	later := start.Add(48 * time.Hour)
	rotated := must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.Key.ID, OverlapSeconds: ptr[int64](86400), ExpiresAt: later}))(t)
	if !rotated.Key.ExpiresAt.Equal(later) || !rotated.Key.Rotation.EndsAt.Equal(start.Add(time.Hour)) {
		t.Errorf("the key ends %v, its old secret %v", rotated.Key.ExpiresAt, rotated.Key.Rotation.EndsAt)
	}
	_, err := w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.Key.ID, OverlapSeconds: ptr[int64](0), ExpiresAt: start.AddDate(2, 0, 0)})
	wantField(t, err, "expires_at")
	_, err = w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.Key.ID, OverlapSeconds: ptr[int64](-1)})
	wantField(t, err, "overlap_seconds")
	w.advance(72 * time.Hour)
	_, err = w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.Key.ID})
	wantKind(t, err, cardea.KindConflict)
}

func TestRegenerateEndsTheOldSecretAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		m := w.member(o.ID, "ada@example.com", cardea.RoleViewer)
		created := must(w.CreateKey(w.ctx, actorOf(m), manage.CreateKey{Kind: "personal_token", Member: m.ID, Name: "k"}))(t)
		w.advance(100 * 24 * time.Hour) // it ran out
		again := must(w.RegenerateKey(w.ctx, actorOf(m), manage.ID{ID: created.Key.ID}))(t)
		if want := time.Date(2028, 6, 9, 10, 20, 30, 0, time.UTC); !again.Key.ExpiresAt.Equal(want) {
			t.Errorf("expires %v, want %v: 3 months from now", again.Key.ExpiresAt, want)
		}
		if again.Key.Rotation != nil || again.Key.Status != manage.StatusActive {
			t.Errorf("key after regeneration: %+v", again.Key)
		}
		old := must(w.store.LookupSecret(w.ctx, created.Secret.Hash()))(t).Secret
		if old.ExpiresAt.IsZero() || old.ExpiresAt.After(w.clock()) {
			t.Errorf("the old secret ends at %v", old.ExpiresAt)
		}
	})
}

func TestRevocationIsFinalEvictedAndIdempotent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		k := w.key(o.ID, "k").Key
		w.evicted()
		first := must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.ID, Reason: "leaked"}))(t)
		if got := w.evicted(); !slices.Contains(got, k.ID) {
			t.Errorf("evicted %v", got)
		}
		w.advance(time.Hour)
		// The answer may have been lost between commit and eviction: again evicts again.
		second := must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.ID, Reason: "other"}))(t)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("the second revocation changed the key (-first +second):\n%s", diff)
		}
		if got := w.evicted(); !slices.Contains(got, k.ID) {
			t.Errorf("the second revocation evicted %v", got)
		}
		for name, err := range map[string]error{
			"update":     second2(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Name: ptr("x")})),
			"rotate":     second2(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.ID})),
			"regenerate": second2(w.RegenerateKey(w.ctx, operator, manage.ID{ID: k.ID})),
			"enable":     second2(w.EnableKey(w.ctx, operator, manage.ID{ID: k.ID})),
			"disable":    second2(w.DisableKey(w.ctx, operator, manage.ID{ID: k.ID})),
		} {
			if cardea.KindOf(err) != cardea.KindConflict {
				t.Errorf("%s of a revoked key: %v", name, err)
			}
		}
	})
}

func second2[T any](_ T, err error) error { return err }

func TestUpdateKeyChangesWhatIsGivenAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		k := w.key(o.ID, "k").Key
		w.advance(time.Minute)
		got := must(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Scopes: []string{"write"}, Addresses: []string{"10.0.0.0/8"}}))(t)
		want := k
		want.Scopes, want.Permissions, want.Addresses = []string{"write"}, []string{"Read", "Write"}, []string{"10.0.0.0/8"}
		want.UpdatedAt = w.clock()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("updated key (-want +got):\n%s", diff)
		}
		got = must(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Scopes: []string{}, Addresses: []string{}, Name: ptr("n")}))(t)
		if len(got.Scopes) != 0 || len(got.Addresses) != 0 || got.Name != "n" {
			t.Errorf("empty lists are a change: %+v", got)
		}
		_, err := w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Name: ptr("z"), Scopes: []string{"admin"}})
		wantField(t, err, "scopes[0]")
		if k := must(w.Key(w.ctx, operator, manage.ID{ID: k.ID}))(t); k.Name != "n" {
			t.Errorf("half of a refused update was kept")
		}
	})
}

func TestRevealableSecretsAreSealedAndLeaveATrace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		k := must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "system", Environment: "live", Organization: o.ID, Name: "k"}))(t)
		if !k.Key.Revealable {
			t.Fatal("the key is not revealable")
		}
		row := must(w.store.Secrets(w.ctx, k.Key.ID))(t)[0]
		if strings.Contains(string(row.Sealed), k.Secret.Reveal()) {
			t.Errorf("the secret is stored in the clear")
		}
		shown := must(w.RevealKey(w.ctx, operator, manage.ID{ID: k.Key.ID}))(t)
		if shown.Secret.Reveal() != k.Secret.Reveal() {
			t.Errorf("another secret is shown")
		}
		events := must(w.AuditEvents(w.ctx, operator, insight.AuditFilter{Action: "key.reveal"}))(t).Items
		if len(events) != 1 || events[0].Target.ID != k.Key.ID {
			t.Errorf("revealing left %v", events)
		}
		rotated := must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.Key.ID, OverlapSeconds: ptr[int64](60)}))(t)
		if again := must(w.RevealKey(w.ctx, operator, manage.ID{ID: k.Key.ID}))(t); again.Secret.Reveal() != rotated.Secret.Reveal() {
			t.Errorf("the rotated key does not show its new secret")
		}
		must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.Key.ID}))(t)
		_, err := w.RevealKey(w.ctx, operator, manage.ID{ID: k.Key.ID})
		wantKind(t, err, cardea.KindConflict)
	})
}

func TestKeysPerOwnerAreBounded(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	create := func(env string) (manage.KeySecret, error) {
		return w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "space_token", Environment: env, Organization: o.ID, Name: "k"})
	}
	first := must(create("live"))(t)
	must(create("live"))(t)
	_, err := create("live")
	wantKind(t, err, cardea.KindConflict)
	must(create("test"))(t) // another environment is another owner
	must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: first.Key.ID}))(t)
	must(create("live"))(t)
}

func TestASecretFoundSomewhereLeadsToItsKey(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "k")
	found := must(w.IdentifyKey(w.ctx, operator, manage.IdentifyKey{Secret: k.Secret.Reveal()}))(t)
	if found.ID != k.Key.ID {
		t.Errorf("found %s", found.ID)
	}
	_, err := w.IdentifyKey(w.ctx, operator, manage.IdentifyKey{Secret: "ck_live_nothing"})
	wantKind(t, err, cardea.KindNotFound)
}

func TestSuspendedAndDisabledOwnersGetNoKeys(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "ada@example.com", cardea.RoleOwner)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	_, err := w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "personal_token", Member: m.ID, Name: "k"})
	wantKind(t, err, cardea.KindConflict)
	must(w.SuspendOrganization(w.ctx, operator, manage.ID{ID: o.ID}))(t)
	_, err = w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"})
	wantKind(t, err, cardea.KindConflict)
}
