package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
)

// TestClientReadBeforeAChangeIsNotKept: a client that was being read while it changed may
// lack the change, so it is not remembered; and nothing that changed is.
func TestClientReadBeforeAChangeIsNotKept(t *testing.T) {
	c := acme(t)
	row := store.Client{Credential: store.Credential{ID: "client_1", Environment: "live", Organization: "org_1"}}
	made := newClient(c, row, store.Organization{ID: "org_1"})
	var k clients
	_, before := k.find(c, "client_1")
	k.forget(store.Changes{{Kind: store.ChangeCredential, Target: "client_1"}})
	k.keep(made, before)
	if found, _ := k.find(c, "client_1"); found != nil {
		t.Fatal("kept although it changed while it was read")
	}
	for _, change := range []store.Change{
		{Kind: store.ChangeCredential, Target: "client_1"},
		{Kind: store.ChangeOrganization, Target: "org_1"},
		{Kind: store.ChangeAll},
		{Kind: "a kind of a later program"},
	} {
		_, now := k.find(c, "client_1")
		k.keep(made, now)
		if found, _ := k.find(c, "client_1"); found != made {
			t.Fatal("not kept")
		}
		k.forget(store.Changes{{Kind: store.ChangeOrganization, Target: "org_2"}, {Kind: store.ChangeMember, Target: "usr_1"}})
		if found, _ := k.find(c, "client_1"); found != made {
			t.Fatal("forgotten because of somebody else")
		}
		if found, _ := k.find(acme(t), "client_1"); found != nil {
			t.Fatal("found under another contract")
		}
		k.forget(store.Changes{change})
		if found, _ := k.find(c, "client_1"); found != nil {
			t.Errorf("%+v is not heeded", change)
		}
	}
}
