package authz

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/token"
)

// Guarantee: a key that an issuer withdraws is good for no longer than its key set may be
// old, for cached tokens too, and one that it begins to use is good at once.
func TestIssuersRotateTheirKeys(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	old := i.partner.key()
	long := claims{"exp": start.Add(2 * time.Hour).Unix()}
	cached := withToken(i.sign(old, i.foreign().with(long)))
	i.allow(cached)
	fresh := newKey(t, "p2")
	i.partner.keys.Store(&[]token.PrivateKey{fresh}) // without overlap: the old one has leaked
	i.allow(cached)
	i.allow(withToken(i.sign(fresh, i.foreign().with(long)))) // its kid makes us fetch the set
	i.expect(cached, cardea.StepVerify, cardea.ReasonInvalidCredential)

	// Without a token of the new key it is age that makes us look.
	cached = withToken(i.sign(fresh, i.foreign().with(long)))
	i.allow(cached)
	i.partner.keys.Store(&[]token.PrivateKey{newKey(t, "p3")})
	i.advance(11 * time.Minute)
	i.expect(cached, cardea.StepVerify, cardea.ReasonInvalidCredential)
}

// Guarantee: an issuer that cannot be reached keeps its keys for a while; without any of
// them nothing is guessed, and the answer is 503.
func TestIssuersThatCannotBeReached(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	cached := withToken(i.sign(i.partner.key(), i.foreign().with(claims{"exp": start.Add(2 * time.Hour).Unix()})))
	i.allow(cached)
	i.partner.Close()
	i.visitors.Close()
	for range 3 {
		i.advance(20 * time.Minute)
		i.allow(cached)
		i.allow(withToken(i.sign(i.partner.key(), i.foreign())))
	}
	d, err := i.Authorize(t.Context(), withToken(i.sign(i.visitors.key(), i.foreign().with(claims{"iss": "https://visitors.test"}))))
	if cardea.KindOf(err) != cardea.KindUnavailable || d.Reason != cardea.ReasonUnavailable || d.Denial.Status != 503 {
		t.Errorf("%v, %v", d.Reason, err)
	}
}

// Guarantee: one address that sends junk in an issuer's name does not make us fetch its
// keys for each of them.
func TestMadeUpKeyNamesFetchNothing(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	stranger := newKey(t, "x")
	for n := range 20 {
		stranger.ID = "made-up-" + string(rune('a'+n))
		i.expect(withToken(i.sign(stranger, i.foreign())), cardea.StepVerify, cardea.ReasonInvalidCredential)
	}
	if n := i.partner.fetched.Load(); n > 4 {
		t.Errorf("%d fetches", n)
	}
	i.allow(withToken(i.sign(i.partner.key(), i.foreign())))
}

// Guarantee: without the database, tokens in the cache go on to work and others are
// answered 503.
func TestTokensWithoutDatabase(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	cached, other := i.sign(i.ourKey("live"), i.machine()), i.sign(i.ourKey("live"), i.machine())
	i.allow(withToken(cached))
	if err := i.db.Close(); err != nil {
		t.Fatal(err)
	}
	i.allow(withToken(cached))
	d, err := i.Authorize(t.Context(), withToken(other))
	if cardea.KindOf(err) != cardea.KindUnavailable || d.Reason != cardea.ReasonUnavailable {
		t.Errorf("%v, %v", d.Reason, err)
	}
}
