package admin

import (
	"context"
	"io"
	"iter"
	"net/http"
)

// empty is the body of actions that need no input.
type empty struct{}

// act sends a POST without input.
func act[Out any](ctx context.Context, c *Client, path string) (Out, error) {
	return call[Out](ctx, c, http.MethodPost, path, empty{})
}

// ListOrganizations iterates over the organizations, newest first.
func (c *Client) ListOrganizations(ctx context.Context, filter OrganizationFilter) iter.Seq2[Organization, error] {
	return all(filter.Page, func(p Page) (List[Organization], error) {
		filter.Page = p
		return c.OrganizationsPage(ctx, filter)
	})
}

// OrganizationsPage returns one page of the organizations.
func (c *Client) OrganizationsPage(ctx context.Context, filter OrganizationFilter) (List[Organization], error) {
	return get[List[Organization]](ctx, c, "/v1/organizations", filter)
}

// CreateOrganization creates an organization.
func (c *Client) CreateOrganization(ctx context.Context, in CreateOrganization) (Organization, error) {
	return call[Organization](ctx, c, http.MethodPost, "/v1/organizations", in)
}

// GetOrganization returns an organization.
func (c *Client) GetOrganization(ctx context.Context, id string) (Organization, error) {
	return call[Organization](ctx, c, http.MethodGet, path("/v1/organizations/", id), nil)
}

// UpdateOrganization changes name, plan or limits.
func (c *Client) UpdateOrganization(ctx context.Context, in UpdateOrganization) (Organization, error) {
	return call[Organization](ctx, c, http.MethodPatch, path("/v1/organizations/", in.ID), in)
}

// SuspendOrganization refuses every credential of an organization from now on.
func (c *Client) SuspendOrganization(ctx context.Context, id string) (Organization, error) {
	return act[Organization](ctx, c, path("/v1/organizations/", id, "/suspend"))
}

// ResumeOrganization ends a suspension.
func (c *Client) ResumeOrganization(ctx context.Context, id string) (Organization, error) {
	return act[Organization](ctx, c, path("/v1/organizations/", id, "/resume"))
}

// OffboardOrganization suspends an organization, disables its members and revokes its
// keys.
func (c *Client) OffboardOrganization(ctx context.Context, in Offboard) (Offboarded, error) {
	return call[Offboarded](ctx, c, http.MethodPost, path("/v1/organizations/", in.ID, "/offboard"), in)
}

// RevokeAll ends all credentials, tokens, grants and sessions of an organization or of a
// member. When it returns, none of them works.
func (c *Client) RevokeAll(ctx context.Context, in RevokeAll) (RevokedAll, error) {
	return call[RevokedAll](ctx, c, http.MethodPost, "/v1/revoke-all", in)
}

// ListMembers iterates over members, newest first.
func (c *Client) ListMembers(ctx context.Context, filter MemberFilter) iter.Seq2[Member, error] {
	return all(filter.Page, func(p Page) (List[Member], error) {
		filter.Page = p
		return c.MembersPage(ctx, filter)
	})
}

// MembersPage returns one page of members.
func (c *Client) MembersPage(ctx context.Context, filter MemberFilter) (List[Member], error) {
	return get[List[Member]](ctx, c, "/v1/members", filter)
}

// CreateMember adds a person to an organization.
func (c *Client) CreateMember(ctx context.Context, in CreateMember) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/members", in)
}

// GetMember returns a member.
func (c *Client) GetMember(ctx context.Context, id string) (Member, error) {
	return call[Member](ctx, c, http.MethodGet, path("/v1/members/", id), nil)
}

// UpdateMember changes name or role.
func (c *Client) UpdateMember(ctx context.Context, in UpdateMember) (Member, error) {
	return call[Member](ctx, c, http.MethodPatch, path("/v1/members/", in.ID), in)
}

// DisableMember disables a member and the member's own keys.
func (c *Client) DisableMember(ctx context.Context, id string) (Member, error) {
	return act[Member](ctx, c, path("/v1/members/", id, "/disable"))
}

// EnableMember enables a member again; keys stay as they are.
func (c *Client) EnableMember(ctx context.Context, id string) (Member, error) {
	return act[Member](ctx, c, path("/v1/members/", id, "/enable"))
}

// ListPlans returns the contract's plans.
func (c *Client) ListPlans(ctx context.Context) ([]Plan, error) {
	list, err := get[List[Plan]](ctx, c, "/v1/plans", empty{})
	return list.Items, err
}

// GetUsage counts requests.
func (c *Client) GetUsage(ctx context.Context, q UsageQuery) (Usage, error) {
	return get[Usage](ctx, c, "/v1/usage", q)
}

// GetUsageSeries counts requests over time.
func (c *Client) GetUsageSeries(ctx context.Context, q UsageQuery) (UsageSeries, error) {
	return get[UsageSeries](ctx, c, "/v1/usage/series", q)
}

// GetLimits returns what is left of limits right now.
func (c *Client) GetLimits(ctx context.Context, q LimitsQuery) (LimitsNow, error) {
	return get[LimitsNow](ctx, c, "/v1/limits", q)
}

// GroupRequests counts alike requests together, errors first.
func (c *Client) GroupRequests(ctx context.Context, filter RequestFilter) (RequestGroups, error) {
	filter.Page = Page{}
	return get[RequestGroups](ctx, c, "/v1/request-groups", filter)
}

// ListRequests iterates over the request log, newest first.
func (c *Client) ListRequests(ctx context.Context, filter RequestFilter) iter.Seq2[Request, error] {
	return all(filter.Page, func(p Page) (List[Request], error) {
		filter.Page = p
		return c.RequestsPage(ctx, filter)
	})
}

// RequestsPage returns one page of the request log.
func (c *Client) RequestsPage(ctx context.Context, filter RequestFilter) (List[Request], error) {
	return get[List[Request]](ctx, c, "/v1/requests", filter)
}

// ExplainRequest says why a request was answered as it was.
func (c *Client) ExplainRequest(ctx context.Context, id string) (Explanation, error) {
	return call[Explanation](ctx, c, http.MethodGet, path("/v1/requests/", id), nil)
}

// ListAuditEvents iterates over the audit log, newest first.
func (c *Client) ListAuditEvents(ctx context.Context, filter AuditFilter) iter.Seq2[AuditEvent, error] {
	return all(filter.Page, func(p Page) (List[AuditEvent], error) {
		filter.Page = p
		return c.AuditEventsPage(ctx, filter)
	})
}

// AuditEventsPage returns one page of the audit log.
func (c *Client) AuditEventsPage(ctx context.Context, filter AuditFilter) (List[AuditEvent], error) {
	return get[List[AuditEvent]](ctx, c, "/v1/audit-events", filter)
}

// ExportAudit streams audit events, newest first, as "csv", or as "json": one object a
// line. Read it to its end and close it: an error before the end means that it is
// incomplete.
func (c *Client) ExportAudit(ctx context.Context, filter AuditFilter, format string) (io.ReadCloser, error) {
	filter.Page = Page{}
	target, err := query("/v1/audit/export", struct {
		Format string `json:"format,omitzero"`
		AuditFilter
	}{format, filter})
	if err != nil {
		return nil, err
	}
	return c.send(ctx, http.MethodGet, target, nil)
}

// GetAuditCheckpoint returns the state of the audit log, to be kept elsewhere.
func (c *Client) GetAuditCheckpoint(ctx context.Context) (Checkpoint, error) {
	return call[Checkpoint](ctx, c, http.MethodGet, "/v1/audit/checkpoint", nil)
}

// VerifyAudit recomputes the audit log's tree and compares it with a checkpoint.
func (c *Client) VerifyAudit(ctx context.Context, in VerifyAudit) (AuditVerification, error) {
	return call[AuditVerification](ctx, c, http.MethodPost, "/v1/audit/verify", in)
}

// ListManagementTokens iterates over the management tokens, newest first.
func (c *Client) ListManagementTokens(ctx context.Context, page Page) iter.Seq2[ManagementToken, error] {
	return all(page, func(p Page) (List[ManagementToken], error) { return c.ManagementTokensPage(ctx, p) })
}

// ManagementTokensPage returns one page of the management tokens.
func (c *Client) ManagementTokensPage(ctx context.Context, page Page) (List[ManagementToken], error) {
	return get[List[ManagementToken]](ctx, c, "/v1/management-tokens", page)
}

// CreateManagementToken creates a management token; the answer holds its secret, once.
func (c *Client) CreateManagementToken(ctx context.Context, in CreateManagementToken) (ManagementTokenSecret, error) {
	return call[ManagementTokenSecret](ctx, c, http.MethodPost, "/v1/management-tokens", in)
}

// RevokeManagementToken revokes a management token.
func (c *Client) RevokeManagementToken(ctx context.Context, id string) (ManagementToken, error) {
	return act[ManagementToken](ctx, c, path("/v1/management-tokens/", id, "/revoke"))
}

// GetContract returns what the contract in force defines.
func (c *Client) GetContract(ctx context.Context) (ContractInfo, error) {
	return call[ContractInfo](ctx, c, http.MethodGet, "/v1/contract", nil)
}

// GetContractImpact says what a contract would do to live credentials if it came into
// force. It changes nothing.
func (c *Client) GetContractImpact(ctx context.Context, text []byte) (Impact, error) {
	return call[Impact](ctx, c, http.MethodPost, "/v1/contract/impact", map[string]string{"contract": string(text)})
}

// GetStatus returns how Cardea is: contract, database, queues.
func (c *Client) GetStatus(ctx context.Context) (ServerStatus, error) {
	return call[ServerStatus](ctx, c, http.MethodGet, "/v1/status", nil)
}

// CreateBackup streams a backup of the database. Read it to its end and close it: an
// error before the end means that the backup is incomplete.
func (c *Client) CreateBackup(ctx context.Context) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodPost, "/v1/backup", empty{})
}

// GetHealth reports whether the management API can work. It needs no token.
func (c *Client) GetHealth(ctx context.Context) error {
	_, err := call[empty](ctx, c, http.MethodGet, "/v1/health", nil)
	return err
}

// GetOpenAPI returns the API's OpenAPI document as JSON. It needs no token.
func (c *Client) GetOpenAPI(ctx context.Context) ([]byte, error) {
	body, err := c.send(ctx, http.MethodGet, "/v1/openapi.json", nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxAnswer))
}
