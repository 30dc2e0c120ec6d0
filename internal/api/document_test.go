package api_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/api/apitest"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// The document describes the operations there are, and there are the operations it
// describes.
func TestDocumentAndOperationsAreTheSame(t *testing.T) {
	w := newWorld(t)
	doc := apitest.Load(t, api.Document())
	operations := api.Names(w.config)
	slices.Sort(operations)
	if diff := cmp.Diff(doc.Names(), operations); diff != "" {
		t.Errorf("operations (-document +handlers):\n%s", diff)
	}
	open := api.Open(w.config)
	for _, op := range doc.Operations {
		if op.Open != open[op.ID] {
			t.Errorf("%s: open is %v in the document, %v in the handler", op.ID, op.Open, open[op.ID])
		}
	}
}

// The client has a method for every operation, and no other but pages and the iterators
// over them.
func TestClientHasEveryOperation(t *testing.T) {
	var want []string
	for _, name := range apitest.Load(t, api.Document()).Names() {
		id, _, _ := strings.Cut(name, ":")
		want = append(want, strings.ToUpper(id[:1])+id[1:])
	}
	slices.Sort(want)
	var got []string
	for m := range reflect.TypeFor[*admin.Client]().Methods() {
		if !strings.HasSuffix(m.Name, "Page") {
			got = append(got, m.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods of the client (-operations +methods):\n%s", diff)
	}
}

// What the document shows as an example is taken as it stands, for an organization that is
// there.
func TestExamplesOfTheDocumentWork(t *testing.T) {
	w := newWorld(t)
	o := must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "Acme"}))(t)
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Examples []map[string]any `json:"examples"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(api.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	for schema, path := range map[string]string{"CreateClient": "/v1/clients", "CreateServiceAccount": "/v1/service-accounts"} {
		examples := doc.Components.Schemas[schema].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no example", schema)
		}
		for _, example := range examples {
			example["organization"] = o.ID
			body, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.send("POST", path, string(body), nil); got.status != 201 {
				t.Errorf("%s: %d %s", body, got.status, got.body)
			}
		}
	}
}

// The client's types and the use cases' are the same on the wire: same members, same
// JSON types. They are two sets so that the client drags in no server.
func TestClientTypesMirrorTheUseCases(t *testing.T) {
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[manage.Organization](), reflect.TypeFor[admin.Organization]()},
		{reflect.TypeFor[manage.CreateOrganization](), reflect.TypeFor[admin.CreateOrganization]()},
		{reflect.TypeFor[manage.UpdateOrganization](), reflect.TypeFor[admin.UpdateOrganization]()},
		{reflect.TypeFor[manage.Offboard](), reflect.TypeFor[admin.Offboard]()},
		{reflect.TypeFor[manage.Offboarded](), reflect.TypeFor[admin.Offboarded]()},
		{reflect.TypeFor[manage.Member](), reflect.TypeFor[admin.Member]()},
		{reflect.TypeFor[manage.CreateMember](), reflect.TypeFor[admin.CreateMember]()},
		{reflect.TypeFor[manage.UpdateMember](), reflect.TypeFor[admin.UpdateMember]()},
		{reflect.TypeFor[manage.MemberFilter](), reflect.TypeFor[admin.MemberFilter]()},
		{reflect.TypeFor[manage.OrganizationFilter](), reflect.TypeFor[admin.OrganizationFilter]()},
		{reflect.TypeFor[manage.Counts](), reflect.TypeFor[admin.Counts]()},
		{reflect.TypeFor[manage.RevokeKeys](), reflect.TypeFor[admin.RevokeKeys]()},
		{reflect.TypeFor[manage.Revoked](), reflect.TypeFor[admin.Revoked]()},
		{reflect.TypeFor[manage.RevokeAll](), reflect.TypeFor[admin.RevokeAll]()},
		{reflect.TypeFor[manage.RevokedAll](), reflect.TypeFor[admin.RevokedAll]()},
		{reflect.TypeFor[manage.CreateHandoff](), reflect.TypeFor[admin.CreateHandoff]()},
		{reflect.TypeFor[manage.SetUp](), reflect.TypeFor[admin.SetUp]()},
		{reflect.TypeFor[manage.Key](), reflect.TypeFor[admin.Key]()},
		{reflect.TypeFor[manage.KeySecret](), reflect.TypeFor[admin.KeySecret]()},
		{reflect.TypeFor[manage.CreateKey](), reflect.TypeFor[admin.CreateKey]()},
		{reflect.TypeFor[manage.UpdateKey](), reflect.TypeFor[admin.UpdateKey]()},
		{reflect.TypeFor[manage.RotateKey](), reflect.TypeFor[admin.RotateKey]()},
		{reflect.TypeFor[manage.RevokeKey](), reflect.TypeFor[admin.RevokeKey]()},
		{reflect.TypeFor[manage.IdentifyKey](), reflect.TypeFor[admin.IdentifyKey]()},
		{reflect.TypeFor[manage.KeyFilter](), reflect.TypeFor[admin.KeyFilter]()},
		{reflect.TypeFor[manage.AddressList](), reflect.TypeFor[admin.AddressList]()},
		{reflect.TypeFor[manage.Addresses](), reflect.TypeFor[admin.Addresses]()},
		{reflect.TypeFor[manage.Plan](), reflect.TypeFor[admin.Plan]()},
		{reflect.TypeFor[insight.UsageQuery](), reflect.TypeFor[admin.UsageQuery]()},
		{reflect.TypeFor[insight.Usage](), reflect.TypeFor[admin.Usage]()},
		{reflect.TypeFor[insight.RequestFilter](), reflect.TypeFor[admin.RequestFilter]()},
		{reflect.TypeFor[insight.Explanation](), reflect.TypeFor[admin.Explanation]()},
		{reflect.TypeFor[insight.AuditFilter](), reflect.TypeFor[admin.AuditFilter]()},
		{reflect.TypeFor[insight.AuditEvent](), reflect.TypeFor[admin.AuditEvent]()},
		{reflect.TypeFor[insight.Checkpoint](), reflect.TypeFor[admin.Checkpoint]()},
		{reflect.TypeFor[insight.VerifyAudit](), reflect.TypeFor[admin.VerifyAudit]()},
		{reflect.TypeFor[insight.AuditVerification](), reflect.TypeFor[admin.AuditVerification]()},
		{reflect.TypeFor[insight.Groups](), reflect.TypeFor[admin.RequestGroups]()},
		{reflect.TypeFor[insight.Series](), reflect.TypeFor[admin.UsageSeries]()},
		{reflect.TypeFor[insight.LimitsQuery](), reflect.TypeFor[admin.LimitsQuery]()},
		{reflect.TypeFor[insight.Limits](), reflect.TypeFor[admin.LimitsNow]()},
		{reflect.TypeFor[insight.Impact](), reflect.TypeFor[admin.Impact]()},
		{reflect.TypeFor[insight.Health](), reflect.TypeFor[admin.ServerStatus]()},
		{reflect.TypeFor[manage.ManagementToken](), reflect.TypeFor[admin.ManagementToken]()},
		{reflect.TypeFor[manage.ManagementTokenSecret](), reflect.TypeFor[admin.ManagementTokenSecret]()},
		{reflect.TypeFor[manage.CreateManagementToken](), reflect.TypeFor[admin.CreateManagementToken]()},
		{reflect.TypeFor[manage.Client](), reflect.TypeFor[admin.OAuthClient]()},
		{reflect.TypeFor[manage.ClientSecret](), reflect.TypeFor[admin.ClientSecret]()},
		{reflect.TypeFor[manage.CreateClient](), reflect.TypeFor[admin.CreateClient]()},
		{reflect.TypeFor[manage.UpdateClient](), reflect.TypeFor[admin.UpdateClient]()},
		{reflect.TypeFor[manage.ClientFilter](), reflect.TypeFor[admin.ClientFilter]()},
		{reflect.TypeFor[manage.ServiceAccount](), reflect.TypeFor[admin.ServiceAccount]()},
		{reflect.TypeFor[manage.CreateServiceAccount](), reflect.TypeFor[admin.CreateServiceAccount]()},
		{reflect.TypeFor[manage.ServiceAccountKey](), reflect.TypeFor[admin.ServiceAccountKey]()},
		{reflect.TypeFor[manage.CreateServiceAccountKey](), reflect.TypeFor[admin.CreateServiceAccountKey]()},
		{reflect.TypeFor[manage.ServiceAccountKeyFile](), reflect.TypeFor[admin.ServiceAccountKeyFile]()},
		{reflect.TypeFor[manage.SetPassword](), reflect.TypeFor[admin.SetPassword]()},
		{reflect.TypeFor[manage.Link](), reflect.TypeFor[admin.Link]()},
		{reflect.TypeFor[manage.Session](), reflect.TypeFor[admin.Session]()},
		{reflect.TypeFor[manage.SessionFilter](), reflect.TypeFor[admin.SessionFilter]()},
		{reflect.TypeFor[manage.Consent](), reflect.TypeFor[admin.Consent]()},
		{reflect.TypeFor[manage.Grant](), reflect.TypeFor[admin.Grant]()},
		{reflect.TypeFor[manage.GrantFilter](), reflect.TypeFor[admin.GrantFilter]()},
		{reflect.TypeFor[manage.RevokeToken](), reflect.TypeFor[admin.RevokeToken]()},
		{reflect.TypeFor[manage.RevokedToken](), reflect.TypeFor[admin.RevokedToken]()},
		{reflect.TypeFor[manage.RevokeTokens](), reflect.TypeFor[admin.RevokeTokens]()},
		{reflect.TypeFor[manage.RevokedTokens](), reflect.TypeFor[admin.RevokedTokens]()},
		{reflect.TypeFor[manage.Connection](), reflect.TypeFor[admin.Connection]()},
		{reflect.TypeFor[manage.SetConnection](), reflect.TypeFor[admin.SetConnection]()},
		{reflect.TypeFor[manage.TrustedIssuer](), reflect.TypeFor[admin.TrustedIssuer]()},
		{reflect.TypeFor[manage.OrganizationIssuer](), reflect.TypeFor[admin.OrganizationIssuer]()},
		{reflect.TypeFor[manage.IssuerFilter](), reflect.TypeFor[admin.IssuerFilter]()},
		{reflect.TypeFor[manage.SetOrganizationIssuer](), reflect.TypeFor[admin.SetIssuer]()},
		{reflect.TypeFor[manage.Hook](), reflect.TypeFor[admin.Hook]()},
		{reflect.TypeFor[manage.TestHook](), reflect.TypeFor[admin.TestHook]()},
		{reflect.TypeFor[manage.HookAnswer](), reflect.TypeFor[admin.HookAnswer]()},
		{reflect.TypeFor[webhook.Endpoint](), reflect.TypeFor[admin.Webhook]()},
		{reflect.TypeFor[webhook.EndpointSecret](), reflect.TypeFor[admin.WebhookSecret]()},
		{reflect.TypeFor[webhook.EndpointFilter](), reflect.TypeFor[admin.WebhookFilter]()},
		{reflect.TypeFor[webhook.CreateEndpoint](), reflect.TypeFor[admin.CreateWebhook]()},
		{reflect.TypeFor[webhook.UpdateEndpoint](), reflect.TypeFor[admin.UpdateWebhook]()},
		{reflect.TypeFor[webhook.Delivery](), reflect.TypeFor[admin.WebhookDelivery]()},
		{reflect.TypeFor[webhook.DeliveryFilter](), reflect.TypeFor[admin.WebhookDeliveryFilter]()},
		{reflect.TypeFor[manage.ReportLeak](), reflect.TypeFor[admin.ReportLeak]()},
		{reflect.TypeFor[manage.LeakReport](), reflect.TypeFor[admin.LeakReport]()},
		{reflect.TypeFor[manage.HookSecret](), reflect.TypeFor[admin.HookSecret]()},
		{reflect.TypeFor[manage.SigningKey](), reflect.TypeFor[admin.SigningKey]()},
		{reflect.TypeFor[manage.RotateSigningKeys](), reflect.TypeFor[admin.RotateSigningKeys]()},
		{reflect.TypeFor[manage.EnvironmentSummary](), reflect.TypeFor[admin.EnvironmentSummary]()},
		{reflect.TypeFor[manage.ContractInfo](), reflect.TypeFor[admin.ContractInfo]()},
	} {
		if diff := cmp.Diff(wire(pair[0]), wire(pair[1])); diff != "" {
			t.Errorf("%s (-use case +client):\n%s", pair[0].Name(), diff)
		}
	}
}

// wire describes a type as it goes over the wire. Members that travel in the path are
// left out: the use cases decode them, the client writes them into the URL.
func wire(t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time](), t.Name() == "Secret", t.Kind() == reflect.String:
		return "string"
	case t.PkgPath() != "" && t.Kind() == reflect.Slice: // raw JSON
		return "any"
	case t.Kind() == reflect.Slice:
		return []any{wire(t.Elem())}
	case t.Kind() == reflect.Map:
		return map[string]any{"*": wire(t.Elem())}
	case t.Kind() != reflect.Struct:
		return t.Kind().String()
	}
	members := map[string]any{}
	path := map[string]string{ // :: use case's input → the member that is in the path
		"UpdateOrganization": "id", "Offboard": "id", "UpdateMember": "id", "UpdateKey": "id", "RotateKey": "id", "RevokeKey": "id",
		"UpdateClient": "id", "TestHook": "id", "SetPassword": "member", "CreateHandoff": "member", "UpdateEndpoint": "id", "CreateServiceAccountKey": "service_account", "SetConnection": "organization",
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("json")
		switch {
		case f.Anonymous && f.Name != "AddressListID":
			for k, v := range wire(f.Type).(map[string]any) {
				members[k] = v
			}
		case f.Anonymous, name == "-", name != "" && name == path[t.Name()]:
		default:
			members[name] = wire(f.Type)
		}
	}
	return members
}
