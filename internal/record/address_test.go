package record_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// The first use of a key from a new address is told, whether or not it is the use that is
// written as the last one; a refusal is no use. A restart tells nothing twice.
func TestTheFirstUseFromANewAddressIsTold(t *testing.T) {
	db := storetest.Open(t)
	withKey(t, db)
	storetest.Change(t, db, func(tx *store.Tx) error {
		return tx.InsertWebhookEndpoint(t.Context(), store.WebhookEndpoint{ID: "we_1", URL: "https://hooks.example.com", Sealed: []byte{1}, Events: []string{store.EventNewAddress}})
	})
	at := time.Now()
	for round := range 2 {
		r := record.New(record.Config{Store: db})
		for i, address := range []string{"192.0.2.7", "192.0.2.8", "::ffff:192.0.2.7", "2001:db8::1", "2001:db8::2", "192.0.2.8"} {
			e := event(i, at)
			e.NoteUse, e.Client = i == 0, netip.MustParseAddr(address)
			r.Add(e)
			if i == 0 { // the usual address comes first
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		refused := event(9, at)
		refused.Client, refused.Reason, refused.Status = netip.MustParseAddr("192.0.2.9"), cardea.ReasonAddress, 403
		r.Add(refused)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		list, _, err := db.WebhookDeliveries(t.Context(), store.WebhookDeliveryFilter{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, d := range list {
			_, address, _ := strings.Cut(d.Payload, `"address":"`)
			address, _, _ = strings.Cut(address, `"`)
			told = append(told, address)
		}
		slices.Sort(told)
		if want := []string{"192.0.2.8", "2001:db8::"}; !slices.Equal(told, want) {
			t.Errorf("round %d: told %v, want %v", round, told, want)
		}
	}
}
