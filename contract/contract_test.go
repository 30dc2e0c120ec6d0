package contract_test

import (
	"testing"

	"github.com/cardea-dev/cardea/contract"
)

func TestDefaultLoads(t *testing.T) {
	c, err := contract.Load("default.yaml", contract.DefaultText())
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("the default contract has warnings:\n%v", w)
	}
	m := c.Match("GET", "/v1/things")
	if m.Route == nil || m.Route.Pattern != "GET /v1/{rest...}" {
		t.Errorf("Match = %+v", m.Route)
	}
}
