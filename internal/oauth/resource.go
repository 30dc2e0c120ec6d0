package oauth

import (
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/discovery"
)

// maxResource bounds a resource indicator, in bytes.
const maxResource = 2 << 10

// errTarget refuses resource indicators: RFC 8707 §2.
var errTarget = refuse(codeInvalidTarget, "the resource is not one that tokens are issued for")

// checkResource says whether resource indicators name the API. There is one API under a
// contract, so each of them must. It returns "" for none.
func checkResource(c *contract.Contract, origin string, values []string) (string, error) {
	resource := ""
	for _, value := range values {
		if value == "" {
			continue
		}
		if len(value) > maxResource || !discovery.IsResource(c, origin, value) {
			return "", errTarget
		}
		resource = discovery.ResourceURL(c, origin)
	}
	return resource, nil
}
