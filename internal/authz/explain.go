package authz

import (
	"strings"

	"github.com/cardea-dev/cardea"
)

// An Explanation says why a request was refused, to the people who run the API. It
// names what the contract and the database say and never quotes the request. What would
// help is told where explanations are read: this one is kept with every refused request.
type Explanation struct {
	// Line is the line of the contract that decided, or 0.
	Line int

	// Detail is what was found.
	Detail string
}

// Explain explains a denial; the zero Explanation stands for an allowed request. It is
// built on demand.
func (d *Decision) Explain() Explanation {
	var x Explanation
	if d.Allowed {
		return x
	}
	if d.Route != nil {
		x.Line = d.Route.Line
	}
	switch d.Step {
	case cardea.StepRoute:
		d.explainRoute(&x)
	case cardea.StepCredential, cardea.StepShape, cardea.StepVerify:
		d.explainCredential(&x)
	case cardea.StepStanding:
		d.explainStanding(&x)
	case cardea.StepEnvironment, cardea.StepAddress, cardea.StepScope, cardea.StepHook:
		d.explainRight(&x)
	case cardea.StepLimit:
		d.explainLimit(&x)
	}
	switch {
	case d.test != "":
		x = Explanation{Line: d.env.Line, Detail: "the test credential asked for this answer, by the word " + d.test}
	case d.Reason == cardea.ReasonUnavailable:
		x = Explanation{Detail: "the database or an issuer's keys could not be read, and the cache could not decide alone"}
	}
	return x
}

func (d *Decision) explainRoute(x *Explanation) {
	switch d.Reason {
	case cardea.ReasonNoRoute:
		x.Detail = "no route of the contract matches the path"
	case cardea.ReasonMethodNotAllowed:
		x.Detail = "the path has routes for other methods: " + strings.Join(d.allow, ", ")
	case cardea.ReasonHook:
		d.explainRight(x)
	default:
		x.Detail = "the target or the forwarded client address has no single meaning"
	}
}

func (d *Decision) explainCredential(x *Explanation) {
	switch {
	case d.Reason == cardea.ReasonMissingCredential:
		x.Detail = "the request carries no credential"
	case d.Reason == cardea.ReasonMalformedCredential:
		x.Detail = "the credential's header is empty or holds bytes no credential has"
	case d.Reason == cardea.ReasonSeveralCredentials:
		x.Detail = "the request carries more than one credential"
	case d.Reason == cardea.ReasonRateLimited:
		x.Detail = "the client's address sent too many unknown credentials in this minute"
	case d.fault != sound:
		x.Detail = d.fault.String()
	case d.Step == cardea.StepShape:
		x.Detail = "the text is no credential of this contract, or its checksum is wrong"
	default:
		x.Detail = "no such credential exists"
	}
}

func (d *Decision) explainStanding(x *Explanation) {
	if line := d.entry.profile.kind.Line; line > 0 {
		x.Line = line
	}
	t := d.entry.token()
	switch d.Reason {
	case cardea.ReasonRevoked:
		x.Detail = "the credential was revoked"
		if t != nil {
			x.Detail = "the token was revoked, or what it was made from: " + t.maker()
		}
	case cardea.ReasonDisabled:
		x.Detail = "the credential, or the member it belongs to, is disabled"
	case cardea.ReasonSuspended:
		x.Detail = "the organization is suspended"
	case cardea.ReasonSuperseded:
		x.Detail = "the secret was rotated, and its overlap is over"
	case cardea.ReasonExpired:
		x.Detail = "the credential has expired"
		if t != nil {
			x.Detail = "the token has expired"
		}
	case cardea.ReasonIdle:
		x.Detail = "the credential was not used for longer than " + d.entry.profile.kind.Idle.String()
	case cardea.ReasonExchangeOnly:
		x.Detail = "credentials of this kind are good at a token endpoint only"
	case cardea.ReasonBrowser:
		x.Detail = "the request comes from a web page, where this kind may not be used"
	}
}

// maker says what a token was made from.
func (t *live) maker() string {
	switch t.origin {
	case fromAccount:
		return "the service account " + t.client + " or its key " + t.keyID
	case fromIssuer, fromOrganization:
		return "the issuer " + t.issuer
	}
	if t.query.Member != "" && t.client != "" {
		return "the client or key " + t.client + ", its consent, or the member " + t.query.Member
	}
	return "the client, key or member " + t.client + t.query.Member
}

func (d *Decision) explainRight(x *Explanation) {
	p := d.entry.profileOrNil()
	switch d.Reason {
	case cardea.ReasonWrongEnvironment:
		x.Detail = "the credential is of the environment " + p.env.Name + " and the request is for another"
		x.Line = p.env.Line
	case cardea.ReasonAddress:
		x.Detail = "the client's address is not on the IP list of the credential"
		if !admits(d.entry.account.limited, d.entry.account.addresses, d.Client) {
			x.Detail = "the client's address is not on the organization's IP list for " + p.env.Name
		}
		if d.Client.IsValid() {
			x.Detail += " (" + d.Client.String() + ")"
		}
	case cardea.ReasonScope:
		missing := d.Contract.ScopeNames(d.Route.Scopes.Without(p.scopes))
		x.Detail = "the route needs " + strings.Join(missing, " ") + ", which the credential was not granted"
	case cardea.ReasonHook:
		x.Detail = "a hook of the contract refused the request"
		if d.hookFailed {
			x.Detail = "a hook of the contract did not answer as it must, and counts as one that refused"
		}
	}
}

func (e *entry) profileOrNil() *profile {
	if e == nil {
		return nil
	}
	return e.profile
}

func (d *Decision) explainLimit(x *Explanation) {
	x.Detail = "the limit of the " + d.Limit.Window + " is used up"
	if acc := d.entry.account; acc.plan != nil {
		x.Line = acc.plan.Line
		x.Detail += " (plan " + acc.plan.Name + ")"
	}
}
