package browser

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// tick chooses what a label says in its first line: a check box or a radio button.
func (b *tab) tick(text string) {
	b.t.Helper()
	if e := b.box(text); !e.checked() {
		e.click()
	}
}

// untick takes a choice back.
func (b *tab) untick(text string) {
	b.t.Helper()
	if e := b.box(text); e.checked() {
		e.click()
	}
}

// box returns the check box or radio button whose label says a text in its first line.
func (b *tab) box(text string) element {
	b.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("label")].find(l => l.checkVisibility() && l.control?.matches("[type=checkbox], [type=radio]") && l.innerText.trim().split("\n")[0].trim() == %q)?.control ?? null`, text)
	b.await("there is nothing to tick that says "+text, func() bool {
		found, err := evaluate[bool](b, "("+find+") != null")
		return err == nil && found
	})
	return b.element(find, text)
}

// offered returns the values of the boxes of a name, in order.
func (b *tab) offered(name string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll("main input")].filter(e => e.name == %q).map(e => e.value)`, name))
}

// inDays returns a date as a date field has it.
func inDays(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

// A wish is what somebody fills into the form of a new key.
type wish struct {
	name        string
	environment string   // as the page calls it; "": there is nothing to choose
	scopes      []string // as the page calls them; nil: as they are
	expires     string   // a date, "" for none
}

// create fills in the form of a new key and sends it, and returns the secret, which is
// shown this once.
func (b *tab) create(submit string, in wish) (secret string) {
	b.t.Helper()
	b.fill("Name", in.name)
	if in.environment != "" {
		b.tick(in.environment)
	}
	if in.scopes != nil {
		for _, box := range eval[[]string](b, `[...document.querySelectorAll("main [name=scope]:checked")].map(e => e.labels[0].innerText.trim().split("\n")[0].trim())`) {
			b.untick(box)
		}
		for _, s := range in.scopes {
			b.tick(s)
		}
	}
	if in.expires != "" {
		b.field(eval[string](b, `document.querySelector("main [name=expires]").labels[0].firstChild.textContent.trim()`)).fill(in.expires)
	}
	b.click("button", submit)
	return b.secret("secret")
}

// kept says that the secret is kept, and leaves the page.
func (b *tab) kept() { b.t.Helper(); b.follow("I have copied it") }

// revoke ends the key whose page is open, as its page says.
func (b *tab) revoke(button, name string) {
	b.t.Helper()
	b.follow(button)
	b.sees("Type its name")
	if b.scripted {
		dialog := b.find("dialog", "")
		if !dialog.find("button", button).disabled() {
			b.t.Error("it can be revoked before its name is typed")
		}
	}
	b.fill("Type its name: "+name, name)
	b.submit(button)
	b.sees("is revoked")
}

// runs runs a line that a page shows in a shell and returns the status that the API
// answered.
func (w *world) runs(t testing.TB, line string) string {
	t.Helper()
	options := "-sS -o /dev/null -w '%{http_code}' "
	if !strings.Contains(line, "127.0.0.1") {
		options += "--cacert " + filepath.Join(w.data, "ca.pem") + " --connect-to ::" + w.TLS + " "
	}
	script := `curl() { command curl ` + options + `"$@"; }` + "\n" + line
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v %s", line, err, out)
	}
	return string(out)
}

// life walks through the life of a key: made, shown once, copied, used, disabled, rotated
// with an overlap, revoked. The tab is on the list of keys.
func (b *tab) life(in wish) {
	b.t.Helper()
	t, w, p := b.t, b.world, b.world.product()
	b.inspect()
	b.follow(p.create)
	b.inspect()
	secret := b.create(p.create, in)
	b.inspect()
	b.copies("secret", secret)
	if got := w.runs(t, b.secret("curl")); got != "200" {
		t.Errorf("%s: the line of the page is answered %s: %s", w.name, got, b.secret("curl"))
	}
	if line := b.secret("env"); !strings.HasSuffix(line, "="+secret) {
		t.Errorf("%s: the line for .env is %s", w.name, line)
	}
	b.kept()
	b.sees(in.name, "Active")
	b.lacks(secret)
	w.answers(t, http.StatusOK, secret)

	b.follow("Disable")
	b.submit("Disable")
	b.sees("is disabled")
	w.answers(t, http.StatusUnauthorized, secret)
	b.inspect()
	b.click("button", "Enable")
	b.sees("works again")
	w.answers(t, http.StatusOK, secret)

	b.follow("Rotate")
	b.fill("The old secret", "86400")
	b.submit("Rotate")
	next := b.secret("secret")
	if next == secret {
		t.Errorf("%s: the rotated secret is the old one", w.name)
	}
	b.inspect()
	b.kept()
	w.answers(t, http.StatusOK, secret)
	w.answers(t, http.StatusOK, next)
	b.sees("Two secrets work now")
	b.inspect()
	b.click("button", "Finish now: stop the old secret")
	w.answers(t, http.StatusUnauthorized, secret)
	w.answers(t, http.StatusOK, next)

	b.revoke(b.revokeText(), in.name)
	w.answers(t, http.StatusUnauthorized, next)
	b.inspect()
}

// revokeText is what the product calls the end of a key.
func (b *tab) revokeText() string {
	if b.world.name == "codehooks" {
		return "Remove"
	}
	return "Revoke"
}

// clipboard is the browser's only one, and all tabs'.
var clipboard sync.Mutex

// copies clicks the button that copies a text, and looks at what was copied.
func (b *tab) copies(id, text string) {
	b.t.Helper()
	clipboard.Lock()
	defer clipboard.Unlock()
	b.grant()
	b.element(fmt.Sprintf(`document.querySelector('[data-copy=%q]')`, id), "button that copies").click()
	b.sees("Copied")
	if got := eval[string](b, "navigator.clipboard.readText()"); got != text {
		b.t.Errorf("%s: what was copied is not what is shown", b.world.name)
	}
}

// C0-04, C0-05, C0-06, C0-07, C0-08: Settings > API Keys, Create API Key, the required
// scopes, an expiration date, copy and store the key.
func TestCoheraAPIKeyIsMadeAsThePageSays(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-api")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "API Keys")
	b.picture("keys")
	b.follow("Create API Key")
	b.sees("Select the required scopes", "Set an expiration date")
	// C0-35, C0-36, C0-37, C0-38, C0-39, C0-40, C0-41, C0-42, C0-43, C0-44, C0-45, C0-46,
	// C0-47, C0-48: the picker has these, and no others.
	scopes := []string{
		"entities:read", "entities:write", "entities:delete", "certificates:read", "certificates:write", "suppliers:read", "suppliers:write",
		"quality-events:read", "quality-events:write", "workflows:read", "workflows:execute", "audit-logs:read", "admin:read", "admin:write",
	}
	if got := b.offered("scope"); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(scopes))) {
		t.Errorf("the picker has %v", got)
	}
	b.sees("Read deviations, CAPAs, audits", "Trigger workflow transitions")
	// C0-07: without a date nothing is sent. C0-01: a year at most.
	b.fill("Name", "Without a date")
	b.tick("entities:read")
	b.click("button", "Create API Key")
	if date := b.field("Set an expiration date"); !on[bool](date, "function() { return this.validity.valueMissing }") {
		t.Error("a key is made without a date")
	}
	b.fill("Set an expiration date", inDays(400))
	if date := b.field("Set an expiration date"); !on[bool](date, "function() { return this.validity.rangeOverflow }") {
		t.Error("a date of more than a year is taken")
	}
	b.menu("Settings", "API Keys")
	b.life(wish{name: "Production Integration", environment: "Production", scopes: []string{"entities:read"}, expires: inDays(90)})
	// C0-10: the prefix tells the environment. C0-11: a key of the sandbox is one.
	for environment, prefix := range map[string]string{"Production": "ck_live_", "Sandbox": "ck_test_"} {
		b.menu("Settings", "API Keys")
		b.follow("Create API Key")
		secret := b.create("Create API Key", wish{name: "In " + environment, environment: environment, scopes: []string{"entities:read"}, expires: inDays(30)})
		if !strings.HasPrefix(secret, prefix) {
			t.Errorf("a key of %s begins with %.8s", environment, secret)
		}
		b.kept()
		b.sees(environment)
	}
}

// Every scope of the page, chosen for a key of its own, opens its routes and no other:
// C0-35, C0-36, C0-37, C0-38, C0-39, C0-40, C0-41, C0-42, C0-43, C0-44, C0-45, C0-46,
// C0-47, C0-48.
func TestCoheraAPIScopesChosenAreScopesGranted(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-api")
	b := enter(t, w, w.user(t, "admin"))
	routes := [][3]string{
		{"entities:read", "GET", "/v1/entities"},
		{"entities:write", "POST", "/v1/entities"},
		{"entities:delete", "DELETE", "/v1/entities/1"},
		{"certificates:read", "GET", "/v1/certificates"},
		{"certificates:write", "POST", "/v1/certificates"},
		{"suppliers:read", "GET", "/v1/suppliers"},
		{"suppliers:write", "POST", "/v1/suppliers"},
		{"quality-events:read", "GET", "/v1/quality-events"},
		{"quality-events:write", "POST", "/v1/quality-events"},
		{"workflows:read", "GET", "/v1/workflows"},
		{"workflows:execute", "POST", "/v1/workflows/1/transitions"},
		{"audit-logs:read", "GET", "/v1/audit-logs"},
		{"admin:read", "GET", "/v1/settings"},
		{"admin:write", "PUT", "/v1/settings"},
	}
	b.scopesOpen(t, routes, func(scope string) wish {
		return wish{name: scope, environment: "Sandbox", scopes: []string{scope}, expires: inDays(7)}
	})
}

// scopesOpen makes a key for each scope and sends each route's request with it: what it
// may is not refused, what the next one may is.
func (b *tab) scopesOpen(t *testing.T, routes [][3]string, with func(scope string) wish) {
	t.Helper()
	w, p := b.world, b.world.product()
	for i, r := range routes {
		b.visit("/dashboard/keys/new")
		secret := b.create(p.create, with(r[0]))
		b.kept()
		if status, body := w.request(t, r[1], r[2], secret); status >= 400 && status != http.StatusNotFound {
			t.Errorf("%s: with %s, %s %s says %d: %.200s", w.name, r[0], r[1], r[2], status, body)
		}
		next := routes[(i+1)%len(routes)]
		status, _ := w.request(t, next[1], next[2], secret)
		if r[0] == "admin" || r[0] == "Admin" { // full access
			continue
		}
		if status != http.StatusForbidden {
			t.Errorf("%s: with %s, %s %s says %d", w.name, r[0], next[1], next[2], status)
		}
	}
}

// C1-02, C1-03, C1-04, C1-05, C1-06: Settings > API Keys, Create New Key, the appropriate
// scopes, an expiration date that is optional, copy and store the key.
func TestCoheraSDKKeyIsMadeAsThePageSays(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "API Keys")
	b.follow("Create New Key")
	b.sees("Select the appropriate scopes", "Set an expiration date", "Optional but recommended")
	scopes := []string{"admin", "read:certificates", "read:products", "read:suppliers", "write:certificates", "write:products", "write:suppliers"}
	if got := slices.Sorted(slices.Values(b.offered("scope"))); !slices.Equal(got, scopes) {
		t.Errorf("the picker has %v", got)
	}
	b.menu("Settings", "API Keys")
	// C1-31: a key is rotated, too.
	b.life(wish{name: "Warehouse sync", environment: "Production", scopes: []string{"read:products"}})
	b.menu("Settings", "API Keys")
	b.follow("Create New Key")
	b.create("Create New Key", wish{name: "With a date", environment: "Sandbox", scopes: []string{"read:products"}, expires: inDays(30)})
	b.kept()
	b.sees("With a date")
}

// C1-09, C1-10, C1-11, C1-12, C1-13, C1-14, C1-15: every scope of the page, chosen for a
// key of its own, opens its routes and no other.
func TestCoheraSDKScopesChosenAreScopesGranted(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "admin"))
	b.scopesOpen(t, [][3]string{
		{"read:certificates", "GET", "/v1/certificates"},
		{"write:certificates", "POST", "/v1/certificates"},
		{"read:suppliers", "GET", "/v1/suppliers"},
		{"write:suppliers", "POST", "/v1/suppliers"},
		{"read:products", "GET", "/v1/products"},
		{"write:products", "POST", "/v1/products"},
		{"admin", "DELETE", "/v1/products/1"},
	}, func(scope string) wish {
		return wish{name: scope, environment: "Sandbox", scopes: []string{scope}}
	})
}

// C2-03, C2-04, C2-11, C2-30: Settings > API, Create API Key, a name, permissions, copy
// it; it is shown only once; find it and click Revoke; which keys are active.
func TestCoherenceKeyIsMadeAsThePageSays(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "API")
	b.sees("Active")
	b.follow("Create API Key")
	for _, label := range []string{"View records and data", "Create and update records", "Remove records", "Manage settings and users"} {
		b.sees(label)
	}
	b.click("button", "Create API Key")
	if name := b.field("Name"); !on[bool](name, "function() { return this.validity.valueMissing }") {
		t.Error("a key is made without a name")
	}
	b.menu("Settings", "API")
	b.life(wish{name: "Production Integration", environment: "Production", scopes: []string{"Read"}})
	b.menu("Settings", "API")
	b.lacks("Copy")
}

// C2-07, C2-08, C2-09, C2-10, C2-20, C2-21, C2-22, C2-26: every permission of the page,
// chosen for a key of its own, opens its routes and no other.
func TestCoherencePermissionsChosenArePermissionsGranted(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "admin"))
	b.scopesOpen(t, [][3]string{
		{"Read", "GET", "/v1/modules/crm/records"},
		{"Write", "POST", "/v1/modules/crm/records"},
		{"Delete", "DELETE", "/v1/modules/crm/records/1"},
		{"Admin", "GET", "/v1/settings"},
	}, func(permission string) wish {
		return wish{name: permission, environment: "Sandbox/Test", scopes: []string{permission}}
	})
}

// C2-28: the settings of a key list addresses, and requests from others fail.
func TestCoherenceKeyWorksFromItsAddresses(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "owner"))
	b.visit("/dashboard/keys/new")
	secret := b.create("Create API Key", wish{name: "At home only", environment: "Production", scopes: []string{"Read"}})
	b.kept()
	w.answers(t, http.StatusOK, secret)
	for address, want := range map[string]int{"203.0.113.7": http.StatusForbidden, "127.0.0.1": http.StatusOK} {
		b.follow("Edit")
		b.fill("Allowed IP addresses", address)
		b.click("button", "Save")
		b.sees(address)
		w.answers(t, want, secret)
	}
}

// C3-04: project, space settings, a new token.
func TestCodehooksTokenIsMadeAsThePageSays(t *testing.T) {
	t.Parallel()
	w := open(t, "codehooks")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Project", "Space settings", "Tokens")
	b.life(wish{name: "My function", environment: "", scopes: []string{"READ"}})
}

// A key lives from its form to its end without JavaScript: forms do it all.
func TestKeyLivesWithoutJavaScript(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := newTab(t, w)
	b.scriptsOff()
	b.enter(w.user(t, "developer"))
	b.visit("/dashboard")
	b.menu("Settings", "API")
	b.follow("Create API Key")
	b.fits()
	secret := b.create("Create API Key", wish{name: "No script", environment: "Production", scopes: []string{"Read"}, expires: inDays(9)})
	b.inspect()
	b.kept()
	w.answers(t, http.StatusOK, secret)
	b.fits()
	b.follow("Rotate")
	b.fits()
	b.fill("The old secret", "86400")
	b.submit("Rotate")
	next := b.secret("secret")
	b.kept()
	b.click("button", "Finish now: stop the old secret")
	w.answers(t, http.StatusUnauthorized, secret)
	w.answers(t, http.StatusOK, next)
	b.follow("Disable")
	b.submit("Disable")
	w.answers(t, http.StatusUnauthorized, next)
	b.click("button", "Enable")
	w.answers(t, http.StatusOK, next)
	b.follow("Edit")
	b.fill("Name", "Still no script")
	b.click("button", "Save")
	b.sees("Still no script")
	b.revoke("Revoke", "Still no script")
	w.answers(t, http.StatusUnauthorized, next)
}
