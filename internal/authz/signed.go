package authz

import (
	"context"
	"errors"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// signedForm is what a token that proves itself looks like: three parts of base64url.
var signedForm = &form{}

// signed reports whether the text is a token that proves itself: one in the cache, or one
// by its spelling.
func (j *judgement) signed() bool {
	j.hash = j.a.tokenHash(j.text, j.env)
	if j.audiences == nil { // an assertion is used once, and means something else
		j.entry = j.view.cachedToken(&j.hash, j.text)
	}
	if j.entry == nil && token.Gate(j.text) != nil {
		return false
	}
	j.form = signedForm
	return true
}

// findSigned verifies a token that proves itself and reads how those stand whom it names.
func (a *Authorizer) findSigned(ctx context.Context, v *view, q *question, fl *flight) error {
	// What is found is as old as its oldest part. Keys and issuers are read before the
	// principal, and all of them after the request began.
	fl.seq = q.need
	t := q.known
	if t == nil {
		var err error
		if t, fl.fault, err = a.verifySigned(ctx, v, q); err != nil {
			return err
		}
	}
	if t != nil {
		l, err := a.ask(ctx, q.slow, func(ctx context.Context) (store.Lookup, error) {
			return a.cfg.Store.LookupPrincipal(ctx, t.query)
		})
		if err != nil {
			return err
		}
		l.Seq = min(fl.seq, l.Seq)
		fl.seq = l.Seq
		fl.entry, fl.fault = a.fillToken(v, q, t, &l)
	}
	if fl.entry == nil && !fl.fault.passing() {
		v.unknown.add(&q.hash, fl.seq, q.now, fl.fault)
	}
	return nil
}

// A presented is a token that nobody has verified yet.
type presented struct {
	*question
	view   *view
	parsed token.Parsed
	header token.Header
	says   token.Unverified
}

// verifySigned finds out who vouches for a token, and verifies it. Whose keys are asked
// follows from its iss: a key vouches for one issuer and for no other (RFC 8725 §3.8).
// Where the contract gives its own tokens and those of service accounts one iss, the kid
// tells them apart, and without one each is tried by its own rules. No token and no error
// mean that it is not good.
func (a *Authorizer) verifySigned(ctx context.Context, v *view, q *question) (*verified, fault, error) {
	parsed, err := token.Parse(q.signed)
	if err != nil {
		return nil, faultForm, nil
	}
	h, says := parsed.Header, parsed.Unverified
	p := &presented{question: q, view: v, parsed: parsed, header: h, says: says}
	for _, i := range v.contract.TrustedIssuers() {
		if i.Issuer == says.Issuer {
			return a.issuerToken(ctx, p, i)
		}
	}
	found := faultIssuer
	if spec := ownSpec(v.contract, says.Subject); spec != nil && spec.Issuer == says.Issuer {
		t, f, err := a.ownToken(ctx, p, spec)
		if t != nil || err != nil || h.KeyID != "" && f != faultKey {
			return t, f, err
		}
		found = f
	}
	if s := v.contract.ServiceAccounts(); s != nil && s.Issuer == says.Issuer {
		t, f, err := a.accountToken(ctx, p, s)
		if f == faultKey && found != faultIssuer {
			f = found
		}
		return t, f, err
	}
	if found != faultIssuer {
		return nil, found, nil
	}
	return a.organizationToken(ctx, p)
}

// check verifies the token when it is its turn: a signature is the dearest thing that a
// stranger can have computed here. bad says what is wrong with the token.
func (a *Authorizer) check(ctx context.Context, p *presented, find token.Finder, e token.Expect) (c token.Claims, bad, err error) {
	turns := a.verifying
	if p.slow {
		turns = a.slowVerifying
	}
	if err := a.turn(ctx, turns); err != nil {
		return token.Claims{}, nil, err
	}
	defer func() { <-turns }()
	a.stats.verified.Add(1)
	e.Now, e.Leeway = p.now, clockLeeway
	if c, bad = p.parsed.Verify(find, e); errors.Is(bad, token.ErrExpired) {
		bad = nil // all else is right, so that standing can say whose it was
	}
	return c, bad, nil
}

// clockLeeway is how far another clock may be ahead of ours.
const clockLeeway = token.MaxLeeway

// newVerified returns what is the same for signed tokens of every origin.
func newVerified(p *presented, o origin, kind *contract.KeyKind, c *token.Claims) *verified {
	return &verified{
		text: p.signed, origin: o, kind: kind, subject: c.Subject,
		until: microseconds(c.Expires), iat: c.IssuedAt, keyID: p.header.KeyID,
	}
}

// bind takes in the key that the token is bound to (RFC 9449 §6.1). A token that is bound
// by other means than we can check is not good.
func (t *verified) bind(c *token.Claims) bool {
	if !c.Has("cnf") {
		return true
	}
	var cnf struct {
		Thumbprint string `json:"jkt"`
	}
	if c.Decode("cnf", &cnf) != nil || cnf.Thumbprint == "" {
		return false
	}
	t.jkt = cnf.Thumbprint
	return true
}

// grant takes in the scopes of a claim: those the contract has, with what they imply, as
// far as the ceiling admits. Names that the contract does not know grant nothing. present
// says whether there is such a claim; ok is false when it is not one of scopes.
func (t *verified) grant(c *contract.Contract, claims *token.Claims, claim string, ceiling contract.ScopeSet) (present, ok bool) {
	names, present, err := claims.Scopes(claim)
	if err != nil {
		return present, false
	}
	set, _ := c.ScopeSet(names...)
	t.scopes = c.Expand(set).Intersect(c.Expand(ceiling))
	return present, true
}

// names takes in the organization that a token names in a mapped claim. ok is false when
// the claim is there and is no text.
func (t *verified) names(claims *token.Claims, mapped []contract.Claim) (ok bool) {
	for _, m := range mapped {
		if m.Fact != contract.FactOrganization || !claims.Has(m.Name) {
			continue
		}
		if t.organization = claims.Text(m.Name); t.organization == "" {
			return false
		}
	}
	return true
}
