package authz

import (
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// An Explanation says why a request was refused, to the people who run the API. It
// names what the contract and the database say and never quotes the request.
type Explanation struct {
	// Line is the line of the contract that decided, or 0.
	Line int

	// Detail is what was found.
	Detail string

	// Fix is what would make the request pass.
	Fix string
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
	if d.Reason == cardea.ReasonUnavailable {
		x = Explanation{Detail: "the database did not answer, and the cache could not decide alone", Fix: "see the server's log"}
	}
	return x
}

func (d *Decision) explainRoute(x *Explanation) {
	switch d.Reason {
	case cardea.ReasonNoRoute:
		x.Detail, x.Fix = "no route of the contract matches the path", "correct the path, or add the route to the contract"
	case cardea.ReasonMethodNotAllowed:
		x.Detail = "the path has routes for other methods: " + strings.Join(d.allow, ", ")
		x.Fix = "use one of these methods, or add the route to the contract"
	case cardea.ReasonHook:
		d.explainRight(x)
	default:
		x.Detail = "the target or the forwarded client address has no single meaning"
		x.Fix = "send the path in its plain spelling; check what the proxy in front writes to X-Forwarded-For"
	}
}

func (d *Decision) explainCredential(x *Explanation) {
	switch d.Reason {
	case cardea.ReasonMissingCredential:
		x.Detail, x.Fix = "the request carries no credential", "send one: "+ways(d.Contract)
	case cardea.ReasonMalformedCredential:
		x.Detail, x.Fix = "the credential's header is empty or holds bytes no credential has", "send it as it was shown: "+ways(d.Contract)
	case cardea.ReasonSeveralCredentials:
		x.Detail, x.Fix = "the request carries more than one credential", "send exactly one, in one header"
	case cardea.ReasonRateLimited:
		x.Detail = "the client's address sent too many unknown credentials in this minute"
		x.Fix = "find the client that keeps sending a dead credential"
	default:
		x.Detail, x.Fix = "no such credential exists", "check for a typo, or create a key"
		if d.Step == cardea.StepShape {
			x.Detail = "the text is no credential of this contract, or its checksum is wrong"
			x.Fix = "copy the whole credential again, and send it as " + ways(d.Contract)
		}
	}
}

// ways lists how the contract lets credentials be sent.
func ways(c *contract.Contract) string {
	var list []string
	for _, p := range c.Presentations() {
		if p.Scheme != "" {
			list = append(list, p.Header+": "+p.Scheme+" …")
		} else {
			list = append(list, p.Header+": …")
		}
	}
	return strings.Join(list, ", or ")
}

func (d *Decision) explainStanding(x *Explanation) {
	x.Line = d.entry.profile.kind.Line
	switch d.Reason {
	case cardea.ReasonRevoked:
		x.Detail, x.Fix = "the credential was revoked", "create a new one"
	case cardea.ReasonDisabled:
		x.Detail, x.Fix = "the credential, or the member it belongs to, is disabled", "enable it again"
	case cardea.ReasonSuspended:
		x.Detail, x.Fix = "the organization is suspended", "resume the organization"
	case cardea.ReasonSuperseded:
		x.Detail, x.Fix = "the secret was rotated, and its overlap is over", "use the new secret"
	case cardea.ReasonExpired:
		x.Detail, x.Fix = "the credential has expired", "create a new one, or extend it where the contract allows"
	case cardea.ReasonIdle:
		x.Detail = "the credential was not used for longer than " + d.entry.profile.kind.Idle.String()
		x.Fix = "create a new one"
	case cardea.ReasonExchangeOnly:
		x.Detail, x.Fix = "credentials of this kind are good at a token endpoint only", "exchange it for a token"
	case cardea.ReasonBrowser:
		x.Detail, x.Fix = "the request comes from a web page, where this kind may not be used", "call from a server"
	}
}

func (d *Decision) explainRight(x *Explanation) {
	p := d.entry.profileOrNil()
	switch d.Reason {
	case cardea.ReasonWrongEnvironment:
		x.Detail = "the credential is of the environment " + p.env.Name + " and the request is for another"
		x.Fix, x.Line = "use a credential of the environment that is asked for", p.env.Line
	case cardea.ReasonAddress:
		x.Detail = "the client's address is not on the IP list of the credential"
		if !admits(d.entry.account.limited, d.entry.account.addresses, d.Client) {
			x.Detail = "the client's address is not on the organization's IP list for " + p.env.Name
		}
		x.Fix = "add the address to the list; behind a proxy, name it among the trusted proxies"
		if d.Client.IsValid() {
			x.Detail += " (" + d.Client.String() + ")"
		}
	case cardea.ReasonScope:
		missing := d.Contract.ScopeNames(d.Route.Scopes.Without(p.scopes))
		x.Detail = "the route needs " + strings.Join(missing, " ") + ", which the credential was not granted"
		x.Fix = "grant the credential " + strings.Join(missing, " ")
	case cardea.ReasonHook:
		x.Detail, x.Fix = "the contract asks a hook about this request, and hooks are not asked yet", "remove the hook from the contract"
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
	x.Fix = "wait, or give the organization a larger plan"
	if acc := d.entry.account; acc.plan != nil {
		x.Line = acc.plan.Line
		x.Detail += " (plan " + acc.plan.Name + ")"
	}
}
