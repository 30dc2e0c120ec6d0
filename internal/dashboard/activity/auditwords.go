package activity

import (
	"strings"

	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// deeds say what was done, by action: for a list of who did what. What is not here is
// said with the action's own words.
var deeds = map[string]string{
	"key.create":          "created the key",
	"key.update":          "changed the key",
	"key.rotate":          "gave a new secret to the key",
	"key.regenerate":      "regenerated the secret of the key",
	"key.finish_rotation": "ended the old secret of the key",
	"key.disable":         "disabled the key",
	"key.enable":          "enabled the key",
	"key.reveal":          "looked at the secret of the key",
	"key.revoke":          "revoked the key",
	"key.revoke_tokens":   "revoked the access tokens of the key",

	"client.create":          "created the application",
	"client.update":          "changed the application",
	"client.rotate":          "gave a new secret to the application",
	"client.regenerate":      "regenerated the secret of the application",
	"client.finish_rotation": "ended the old secret of the application",
	"client.disable":         "disabled the application",
	"client.enable":          "enabled the application",
	"client.reveal":          "looked at the secret of the application",
	"client.revoke":          "revoked the application",
	"client.revoke_tokens":   "revoked the access tokens of the application",
	"client.discover":        "registered the application by its address",

	"service_account.create":        "created the service account",
	"service_account.update":        "changed the service account",
	"service_account.disable":       "disabled the service account",
	"service_account.enable":        "enabled the service account",
	"service_account.revoke":        "revoked the service account",
	"service_account.revoke_tokens": "revoked the access tokens of the service account",
	"service_account_key.create":    "made a key file for the service account’s key",
	"service_account_key.revoke":    "revoked the service account’s key",

	"member.create":             "added the member",
	"member.update":             "changed the member",
	"member.disable":            "disabled the member",
	"member.enable":             "enabled the member",
	"member.invite":             "invited the member",
	"member.invitation":         "invited the member",
	"member.reset":              "made a link to reset the password of the member",
	"member.handoff":            "made a link that signs in the member",
	"member.set_password":       "set the password of the member",
	"member.end_sessions":       "signed out everywhere the member",
	"member.end_other_sessions": "signed out on all other devices the member",
	"member.revoke_all":         "revoked everything of the member",
	"member.revoke_tokens":      "revoked the access tokens of the member",

	"session.start":   "signed in",
	"session.end":     "ended the session",
	"session.end_all": "signed out everywhere",
	"signin.fail":     "failed to sign in",
	"passkey.add":     "added the passkey",
	"passkey.rename":  "renamed the passkey",
	"passkey.remove":  "removed the passkey",

	"consent.give":     "allowed an application to act for them",
	"consent.refresh":  "allowed an application again to act for them",
	"consent.refuse":   "refused the application",
	"consent.withdraw": "withdrew what an application was allowed",
	"code.issue":       "let an application in",
	"device.ask":       "asked to sign in on a device with the application",
	"device.start":     "started to sign in on a device with the application",
	"device.approve":   "approved a device for the application",
	"device.deny":      "refused a device for the application",
	"request.push":     "prepared an authorization for the application",
	"grant.revoke":     "ended what was granted",
	"grant.replay":     "used a refresh token twice: all of its tokens were ended",
	"token.issue":      "issued an access token",
	"token.refresh":    "refreshed an access token",
	"token.repeat":     "repeated a refresh after a lost answer",
	"token.revoke":     "revoked an access token",

	"address_list.update": "changed the IP list of the environment",
	"issuer.set":          "set the trusted issuer of the environment",
	"issuer.unset":        "removed the trusted issuer of the environment",
	"connection.set":      "set the company sign-in",
	"connection.delete":   "removed the company sign-in",

	"organization.create":     "created the organization",
	"organization.update":     "changed the organization",
	"organization.suspend":    "suspended the organization",
	"organization.resume":     "resumed the organization",
	"organization.offboard":   "ended everything of the organization",
	"organization.revoke_all": "revoked every credential of the organization",
	"staff.setup":             "set up the organization of the company’s own people:",
	"staff.setup_link":        "made the link for setting up",

	"webhook.create":        "created the webhook",
	"webhook.update":        "changed the webhook",
	"webhook.delete":        "deleted the webhook",
	"webhook.rotate":        "gave a new secret to the webhook",
	"webhook.rotate_secret": "gave a new secret to the webhook",
	"webhook.reveal":        "looked at the secret of the webhook",
	"webhook.disable":       "disabled the webhook",
	"webhook.enable":        "enabled the webhook",
	"webhook.test":          "tried out the webhook",
	"webhook.redeliver":     "sent a message again to the webhook",

	"management_token.create": "created the management token",
	"management_token.revoke": "revoked the management token",
	"signing_key.create":      "created the signing key",
	"signing_key.rotate":      "brought the signing key into use",
	"signing_key.retire":      "retired the signing key",
	"signing_key.revoke":      "revoked the signing key",
	"hook_secret.reveal":      "looked at the secret of the hooks",
	"backup.create":           "made a backup",
	"server.master_key":       "noted which master key is in use",
}

// deed returns what an event was, in words.
func deed(action string) string {
	if words, ok := deeds[action]; ok {
		return words
	}
	noun, verb, _ := strings.Cut(action, ".")
	return strings.ReplaceAll(verb, "_", " ") + ": " + strings.ReplaceAll(noun, "_", " ")
}

// nouns are what events are about, in the order of a field that chooses between them.
var nouns = []web.Option{
	{Text: "Anything"},
	{Value: "key.", Text: "Keys"},
	{Value: "key.create", Text: "Keys: created"},
	{Value: "key.update", Text: "Keys: changed"},
	{Value: "key.rotate", Text: "Keys: rotated"},
	{Value: "key.reveal", Text: "Keys: secret looked at"},
	{Value: "key.disable", Text: "Keys: disabled"},
	{Value: "key.revoke", Text: "Keys: revoked"},
	{Value: "client.", Text: "Applications"},
	{Value: "service_account.", Text: "Service accounts"},
	{Value: "service_account_key.", Text: "Service accounts: keys"},
	{Value: "token.", Text: "Access tokens"},
	{Value: "grant.", Text: "Granted access"},
	{Value: "consent.", Text: "Consents"},
	{Value: "member.", Text: "Members"},
	{Value: "session.", Text: "Sessions"},
	{Value: "signin.fail", Text: "Failed sign-ins"},
	{Value: "passkey.", Text: "Passkeys"},
	{Value: "connection.", Text: "Company sign-in"},
	{Value: "address_list.", Text: "IP lists"},
	{Value: "issuer.", Text: "Trusted issuers"},
	{Value: "webhook.", Text: "Webhooks"},
	{Value: "organization.", Text: "The organization"},
}

// operatorNouns are those that concern no organization.
var operatorNouns = []web.Option{
	{Value: "management_token.", Text: "Management tokens"},
	{Value: "signing_key.", Text: "Signing keys"},
	{Value: "backup.", Text: "Backups"},
}

// machines are the parts of Cardea that act by themselves.
var machines = map[string]string{
	"signing": "Key rotation", "server": "The server", "dev": "Preparation of the demo", "watch": "The watch over credentials",
	"webhook": "Webhook delivery", "webhooks": "Webhook delivery",
}

// actorOf names who did something.
func actorOf(v *web.Visit, n *names, actor insight.AuditActor) credential {
	who := credential{ID: actor.ID, Name: actor.ID}
	switch actor.Type {
	case "member":
		who.Sort = "Member"
		if m := n.member(actor.ID); m != nil {
			who.Name, who.Path = m.Name, portalOf(v, m.Organization)+"/members/"+m.ID
			if who.Name == "" {
				who.Name = m.Email
			}
		}
	case "operator", "observer":
		who.Sort, who.Name = v.Contract.Product(), "Operator"
		if v.Staff() {
			who.Name = actor.ID
			if m := n.member(actor.ID); m != nil {
				who.Name = m.Name
			} else if token := n.token(actor.ID); token != "" {
				who.Name, who.Sort = token, "Management token"
			}
		}
	case "system":
		who.Name, who.Sort = machines[actor.ID], "By itself"
		if who.Name == "" {
			who.Name = v.Contract.Product()
		}
	case "client", "key", "service_account":
		who = n.credential(actor.ID)
	default:
		if who.Name == "" {
			who.Name = "Somebody"
		}
		who.Sort = "Not signed in"
	}
	return who
}

// targetOf names what something was done to.
func targetOf(v *web.Visit, n *names, e insight.AuditEvent) credential {
	t := credential{ID: e.Target.ID, Name: e.Target.ID}
	switch e.Target.Type {
	case "session", "consent", "grant", "token", "passkey", "server", "staff":
		return credential{} // what was done says enough
	case "key", "client", "service_account":
		return n.credential(e.Target.ID)
	case "member":
		if m := n.member(e.Target.ID); m != nil {
			t.Name, t.Path = m.Name, portalOf(v, m.Organization)+"/members/"+m.ID
			if t.Name == "" {
				t.Name = m.Email
			}
		}
	case "organization", "connection":
		t.Name = n.organization(e.Target.ID)
	case "address_list", "issuer":
		_, place, found := strings.Cut(e.Target.ID, "/")
		if found {
			t.Name = environment(v.Contract, place)
		}
	case "management_token":
		if name := n.token(e.Target.ID); name != "" {
			t.Name = name
		}
	case "webhook":
		t.Name = n.webhook(e.Target.ID)
		t.Path = portalOf(v, e.Organization) + "/webhooks/" + e.Target.ID
	}
	return t
}
