package cardea

// A Principal is the caller that a verified credential stands for.
type Principal struct {
	// Organization is the id of the API product's customer ("org_…").
	Organization string

	// Subject is whom the credential speaks for: a member ("usr_…"), a service
	// account ("sa_…"), a client id, or, for a key that belongs to the organization
	// as a whole, the credential's own id.
	Subject string

	// Credential is the credential's id ("key_…"). It identifies and never
	// authenticates.
	Credential string

	// Kind is the credential's kind as the contract names it: "api_key",
	// "personal_token", …
	Kind string

	// Environment is the contract's name of the environment: "live", "test", …
	Environment string

	// Scopes are the granted scopes, implied ones included, in the contract's order.
	Scopes []string

	// Plan is the name of the plan whose limits apply.
	Plan string
}

// Role is what a member may do in their organization.
type Role string

// The roles, strongest first.
const (
	RoleOwner     Role = "owner"
	RoleAdmin     Role = "admin"
	RoleDeveloper Role = "developer"
	RoleViewer    Role = "viewer"
)

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool {
	switch r {
	case RoleOwner, RoleAdmin, RoleDeveloper, RoleViewer:
		return true
	}
	return false
}

// An Actor is who performs a management change. Every change has one and leaves an
// audit event that names it.
type Actor struct {
	// Type is the kind of actor: "operator" (a management token), "member" or
	// "system" (Cardea itself).
	Type string

	// ID identifies the actor within its type: a token id, a member id, or the name
	// of the part of Cardea that acts.
	ID string

	// Address is the client address the change came from, or "" when there is none.
	Address string

	// RequestID is the id of the management request, or "".
	RequestID string
}
