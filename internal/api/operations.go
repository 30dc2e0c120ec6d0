package api

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
)

// Statuses of success.
const ok, created = http.StatusOK, http.StatusCreated

// operations lists every operation of the API, in no order.
func operations(c Config) []operation {
	return slices.Concat(managing(c.Manager), issuing(c.Manager), telling(c.Manager, c.Webhooks), watching(c.Insight), serving(c.Manager))
}

// managing lists the operations on what there is: organizations, members, credentials.
func managing(m *manage.Manager) []operation {
	return []operation{
		op("listOrganizations", "GET /v1/organizations", ok, m.Organizations),
		op("createOrganization", "POST /v1/organizations", created, m.CreateOrganization),
		op("getOrganization", "GET /v1/organizations/{id}", ok, m.Organization),
		op("updateOrganization", "PATCH /v1/organizations/{id}", ok, m.UpdateOrganization),
		op("suspendOrganization", "POST /v1/organizations/{id}/suspend", ok, m.SuspendOrganization),
		op("resumeOrganization", "POST /v1/organizations/{id}/resume", ok, m.ResumeOrganization),
		op("offboardOrganization", "POST /v1/organizations/{id}/offboard", ok, m.OffboardOrganization),

		op("listMembers", "GET /v1/members", ok, m.Members),
		op("createMember", "POST /v1/members", created, m.CreateMember),
		op("getMember", "GET /v1/members/{id}", ok, m.Member),
		op("updateMember", "PATCH /v1/members/{id}", ok, m.UpdateMember),
		op("disableMember", "POST /v1/members/{id}/disable", ok, m.DisableMember),
		op("enableMember", "POST /v1/members/{id}/enable", ok, m.EnableMember),

		op("listKeys", "GET /v1/keys", ok, m.Keys),
		op("countKeys", "GET /v1/key-counts", ok, m.KeyCounts),
		op("revokeKeys", "POST /v1/revoke-keys", ok, m.RevokeKeys),
		op("revokeAll", "POST /v1/revoke-all", ok, m.RevokeAll),
		op("createKey", "POST /v1/keys", created, m.CreateKey),
		op("getKey", "GET /v1/keys/{id}", ok, m.Key),
		op("updateKey", "PATCH /v1/keys/{id}", ok, m.UpdateKey),
		op("rotateKey", "POST /v1/keys/{id}/rotate", ok, m.RotateKey),
		op("regenerateKey", "POST /v1/keys/{id}/regenerate", ok, m.RegenerateKey),
		op("finishKeyRotation", "POST /v1/keys/{id}/finish-rotation", ok, m.FinishKeyRotation),
		op("revokeKey", "POST /v1/keys/{id}/revoke", ok, m.RevokeKey),
		op("disableKey", "POST /v1/keys/{id}/disable", ok, m.DisableKey),
		op("enableKey", "POST /v1/keys/{id}/enable", ok, m.EnableKey),
		op("revealKey", "POST /v1/keys/{id}/reveal", ok, m.RevealKey),
		op("identifyKey", "POST /v1/identify", ok, m.IdentifyKey),

		op("listClients", "GET /v1/clients", ok, m.Clients),
		op("createClient", "POST /v1/clients", created, m.CreateClient),
		op("getClient", "GET /v1/clients/{id}", ok, m.Client),
		op("updateClient", "PATCH /v1/clients/{id}", ok, m.UpdateClient),
		op("rotateClientSecret", "POST /v1/clients/{id}/rotate", ok, m.RotateClientSecret),
		op("regenerateClientSecret", "POST /v1/clients/{id}/regenerate", ok, m.RegenerateClientSecret),
		op("finishClientRotation", "POST /v1/clients/{id}/finish-rotation", ok, m.FinishClientRotation),
		op("revealClientSecret", "POST /v1/clients/{id}/reveal", ok, m.RevealClientSecret),
		op("revokeClient", "POST /v1/clients/{id}/revoke", ok, m.RevokeClient),
		op("disableClient", "POST /v1/clients/{id}/disable", ok, m.DisableClient),
		op("enableClient", "POST /v1/clients/{id}/enable", ok, m.EnableClient),

		op("listServiceAccounts", "GET /v1/service-accounts", ok, m.ServiceAccounts),
		op("createServiceAccount", "POST /v1/service-accounts", created, m.CreateServiceAccount),
		op("getServiceAccount", "GET /v1/service-accounts/{id}", ok, m.ServiceAccount),
		op("updateServiceAccount", "PATCH /v1/service-accounts/{id}", ok, m.UpdateServiceAccount),
		op("revokeServiceAccount", "POST /v1/service-accounts/{id}/revoke", ok, m.RevokeServiceAccount),
		op("disableServiceAccount", "POST /v1/service-accounts/{id}/disable", ok, m.DisableServiceAccount),
		op("enableServiceAccount", "POST /v1/service-accounts/{id}/enable", ok, m.EnableServiceAccount),
		op("listServiceAccountKeys", "GET /v1/service-accounts/{service_account}/keys", ok, m.ServiceAccountKeys),
		op("createServiceAccountKey", "POST /v1/service-accounts/{service_account}/keys", created, m.CreateServiceAccountKey),
		op("revokeServiceAccountKey", "POST /v1/service-accounts/{service_account}/keys/{id}/revoke", ok, m.RevokeServiceAccountKey),

		op("getEnvironment", "GET /v1/environments/{organization}/{environment}", ok, m.Environment),
		op("getAddressList", "GET /v1/address-lists/{organization}/{environment}", ok, m.AddressList),
		op("setAddressList", "PUT /v1/address-lists/{organization}/{environment}", ok, m.SetAddressList),
		op("addAddresses", "POST /v1/address-lists/{organization}/{environment}/add", ok, m.AddAddresses),
		op("removeAddresses", "POST /v1/address-lists/{organization}/{environment}/remove", ok, m.RemoveAddresses),
	}
}

// issuing lists the operations on tokens: who gets them, from whom, and what becomes of
// them.
func issuing(m *manage.Manager) []operation {
	return []operation{
		op("revokeToken", "POST /v1/tokens/revoke", ok, m.RevokeToken),
		op("revokeTokens", "POST /v1/tokens/revoke-all", ok, m.RevokeTokens),
		op("listGrants", "GET /v1/grants", ok, m.Grants),
		op("revokeGrant", "POST /v1/grants/{id}/revoke", ok, m.RevokeGrant),
		op("listConsents", "GET /v1/consents", ok, m.Consents),
		op("withdrawConsent", "POST /v1/consents/{id}/withdraw", ok, m.WithdrawConsent),

		op("setPassword", "POST /v1/members/{member}/password", ok, m.SetPassword),
		op("createInvitation", "POST /v1/members/{id}/invite", ok, m.CreateInvitation),
		op("createResetLink", "POST /v1/members/{id}/reset", ok, m.CreateResetLink),
		op("createHandoff", "POST /v1/members/{member}/handoff", ok, m.CreateHandoff),
		op("createSetupLink", "POST /v1/setup/link", ok, m.CreateSetupLink),
		op("setUp", "POST /v1/setup", created, m.SetUp),
		op("endSessions", "POST /v1/members/{id}/end-sessions", ok, m.EndSessions),
		op("listSessions", "GET /v1/sessions", ok, m.Sessions),
		op("endOtherSessions", "POST /v1/sessions/{id}/end-others", ok, m.EndOtherSessions),
		op("endSession", "POST /v1/sessions/{id}/end", ok, m.EndSession),
		op("getConnection", "GET /v1/connections/{organization}", ok, m.Connection),
		op("setConnection", "PUT /v1/connections/{organization}", ok, m.SetConnection),
		op("deleteConnection", "DELETE /v1/connections/{organization}", ok, m.DeleteConnection),

		op("listTrustedIssuers", "GET /v1/trusted-issuers", ok, m.TrustedIssuers),
		op("listIssuers", "GET /v1/issuers", ok, m.OrganizationIssuers),
		op("setIssuer", "PUT /v1/issuers", ok, m.SetOrganizationIssuer),
		op("listHooks", "GET /v1/hooks", ok, m.Hooks),
		op("testHook", "POST /v1/hooks/{id}/test", ok, m.TestHook),
		op("revealHookSecret", "POST /v1/hook-secret/reveal", ok, m.RevealHookSecret),
		op("listSigningKeys", "GET /v1/signing-keys", ok, m.SigningKeys),
		op("rotateSigningKeys", "POST /v1/signing-keys/rotate", ok, m.RotateSigningKeys),
		op("revokeSigningKey", "POST /v1/signing-keys/{id}/revoke", ok, m.RevokeSigningKey),
	}
}

// watching lists the operations on what happened.
func watching(i *insight.Insight) []operation {
	return []operation{
		op("getUsage", "GET /v1/usage", ok, i.Usage),
		op("getUsageSeries", "GET /v1/usage/series", ok, i.Series),
		op("getLimits", "GET /v1/limits", ok, i.LimitsNow),
		op("listRequests", "GET /v1/requests", ok, i.Requests),
		op("groupRequests", "GET /v1/request-groups", ok, i.Groups),
		op("explainRequest", "GET /v1/requests/{id}", ok, i.Explain),

		op("listAuditEvents", "GET /v1/audit-events", ok, i.AuditEvents),
		{ID: "exportAudit", Pattern: "GET /v1/audit/export", run: exportAudit},
		op("getAuditCheckpoint", "GET /v1/audit/checkpoint", ok, i.AuditCheckpoint),
		op("verifyAudit", "POST /v1/audit/verify", ok, i.VerifyAudit),

		op("getContractImpact", "POST /v1/contract/impact", ok, i.Impact),
		op("getStatus", "GET /v1/status", ok, i.Health),
	}
}

// serving lists the operations on Cardea itself.
func serving(m *manage.Manager) []operation {
	return []operation{
		op("listPlans", "GET /v1/plans", ok, m.Plans),

		op("listManagementTokens", "GET /v1/management-tokens", ok, m.ManagementTokens),
		op("createManagementToken", "POST /v1/management-tokens", created, m.CreateManagementToken),
		op("revokeManagementToken", "POST /v1/management-tokens/{id}/revoke", ok, m.RevokeManagementToken),

		op("getContract", "GET /v1/contract", ok, m.ContractInfo),
		{ID: "createBackup", Pattern: "POST /v1/backup", run: backup},
		open(op("getHealth", "GET /v1/health", ok, health(m))),
		{ID: "getOpenAPI", Pattern: "GET /v1/openapi.json", Open: true, run: document},
	}
}

// open marks an operation that needs no token.
func open(op operation) operation {
	op.Open = true
	return op
}

// A healthReport is the answer of getHealth.
type healthReport struct {
	Status string `json:"status"`
}

// health says whether the store answers. It needs no token, so it says nothing else.
func health(m *manage.Manager) func(context.Context, cardea.Actor, manage.None) (healthReport, error) {
	return func(ctx context.Context, _ cardea.Actor, _ manage.None) (healthReport, error) {
		if err := m.Healthy(ctx); err != nil {
			return healthReport{}, &cardea.Error{Kind: cardea.KindUnavailable, Public: "the store does not answer", Cause: err}
		}
		return healthReport{Status: "ok"}, nil
	}
}

// backup streams a backup. The status is sent with the first byte, so a failure after
// it drops the connection: a cut-off file must not look complete.
func backup(h *Handler, w http.ResponseWriter, r *http.Request, actor cardea.Actor) error {
	if err := decode(w, r, nil, &manage.None{}); err != nil {
		return err
	}
	file, err := h.manager.Backup(r.Context(), actor)
	if err != nil {
		return err
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", `attachment; filename="cardea.backup"`)
	if _, err := io.Copy(w, file); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// exportAudit streams the audit events that a filter selects. As with a backup, a failure
// after the first byte drops the connection.
func exportAudit(h *Handler, w http.ResponseWriter, r *http.Request, actor cardea.Actor) error {
	var in struct {
		Format string `json:"format"`
		insight.AuditFilter
	}
	if err := decode(w, r, nil, &in); err != nil {
		return err
	}
	out := &firstByte{ResponseWriter: w, media: "text/csv; charset=utf-8", name: "audit.csv"}
	if in.Format == insight.FormatJSON {
		out.media, out.name = "application/x-ndjson", "audit.ndjson"
	}
	err := h.insight.ExportAudit(r.Context(), actor, in.AuditFilter, in.Format, out)
	if err != nil && out.written {
		panic(http.ErrAbortHandler)
	}
	return err
}

// A firstByte is a response that becomes a download with its first byte, so that an error
// before it is answered as one.
type firstByte struct {
	http.ResponseWriter
	media, name string
	written     bool
}

// Write implements [io.Writer].
func (f *firstByte) Write(p []byte) (int, error) {
	if !f.written {
		f.written = true
		f.Header().Set("Content-Type", f.media)
		f.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	}
	return f.ResponseWriter.Write(p)
}
