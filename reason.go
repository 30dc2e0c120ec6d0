package cardea

// A Reason is why a decision fell as it did. The set is closed: a contract words
// each one, the request log stores them, metrics count them.
type Reason uint8

// The reasons, in the order of the pipeline's steps.
const (
	// ReasonUnavailable is the zero value on purpose: a decision nobody filled in
	// refuses, and says that Cardea could not decide.
	ReasonUnavailable Reason = iota
	ReasonAllowed

	ReasonBadRequest       // target, header or framing that Cardea refuses to interpret
	ReasonTooLarge         // body larger than the route allows
	ReasonNoRoute          // no route matches the target
	ReasonMethodNotAllowed // routes match the path, none the method

	ReasonMissingCredential   // no credential at all
	ReasonMalformedCredential // a credential header that does not parse
	ReasonSeveralCredentials  // more than one credential, or a repeated header
	ReasonInvalidCredential   // unknown form, wrong checksum, or no such credential
	ReasonRevoked
	ReasonDisabled
	ReasonExpired
	ReasonIdle         // not used for longer than its kind allows
	ReasonSuperseded   // the old secret of a rotation, after its overlap
	ReasonExchangeOnly // good at a token endpoint only
	ReasonSuspended    // the organization is suspended

	ReasonWrongEnvironment // a credential of one environment used in another
	ReasonBrowser          // sent from a web page where its kind forbids that
	ReasonAddress          // client address not on the IP list
	ReasonScope            // a scope the route needs was not granted
	ReasonHook             // a hook refused
	ReasonRateLimited      // minute window or burst
	ReasonQuota            // day quota

	ReasonUpstream        // the upstream failed or answered garbage
	ReasonUpstreamTimeout // the upstream took too long

	reasonCount
)

// reasons holds, by Reason, its name in contracts, logs and metrics, and the reason
// whose wording a contract's errors fall back to.
var reasons = [reasonCount]struct {
	name   string
	parent Reason
}{
	ReasonUnavailable:         {"unavailable", ReasonUnavailable},
	ReasonAllowed:             {"allowed", ReasonAllowed},
	ReasonBadRequest:          {"bad_request", ReasonBadRequest},
	ReasonTooLarge:            {"too_large", ReasonTooLarge},
	ReasonNoRoute:             {"not_found", ReasonNoRoute},
	ReasonMethodNotAllowed:    {"method_not_allowed", ReasonMethodNotAllowed},
	ReasonMissingCredential:   {"missing_credential", ReasonInvalidCredential},
	ReasonMalformedCredential: {"malformed_credential", ReasonBadRequest},
	ReasonSeveralCredentials:  {"several_credentials", ReasonBadRequest},
	ReasonInvalidCredential:   {"unauthenticated", ReasonInvalidCredential},
	ReasonRevoked:             {"revoked", ReasonInvalidCredential},
	ReasonDisabled:            {"disabled", ReasonInvalidCredential},
	ReasonExpired:             {"expired", ReasonInvalidCredential},
	ReasonIdle:                {"idle", ReasonExpired},
	ReasonSuperseded:          {"superseded", ReasonExpired},
	ReasonExchangeOnly:        {"exchange_only", ReasonInvalidCredential},
	ReasonSuspended:           {"suspended", ReasonScope},
	ReasonWrongEnvironment:    {"wrong_environment", ReasonInvalidCredential},
	ReasonBrowser:             {"browser_refused", ReasonScope},
	ReasonAddress:             {"address_refused", ReasonScope},
	ReasonScope:               {"forbidden", ReasonScope},
	ReasonHook:                {"hook_refused", ReasonScope},
	ReasonRateLimited:         {"rate_limited", ReasonRateLimited},
	ReasonQuota:               {"quota_exceeded", ReasonRateLimited},
	ReasonUpstream:            {"upstream_failed", ReasonUpstream},
	ReasonUpstreamTimeout:     {"upstream_timeout", ReasonUpstreamTimeout},
}

// String returns the reason's name: its key under "errors" in a contract, its value
// in logs and metrics.
func (r Reason) String() string {
	if r < reasonCount {
		return reasons[r].name
	}
	return reasons[ReasonUnavailable].name
}

// Parent returns the reason whose wording stands in when a contract does not word r;
// a reason that is its own parent has none.
func (r Reason) Parent() Reason {
	if r < reasonCount {
		return reasons[r].parent
	}
	return ReasonUnavailable
}

// Reasons returns every reason, in order.
func Reasons() []Reason {
	all := make([]Reason, reasonCount)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// ParseReason returns the reason with the given name.
func ParseReason(name string) (Reason, bool) {
	for i, r := range reasons {
		if r.name == name {
			return Reason(i), true
		}
	}
	return ReasonUnavailable, false
}
