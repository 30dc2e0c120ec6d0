package proxy

import (
	"net/http/httptest"
	"strings"
	"testing"
	"unsafe"
)

// TestRecordsHoldNoWholeRequest holds that what waits to be written is small, whatever
// the client sent: method and path are parts of the request line, which may have 32 kB.
func TestRecordsHoldNoWholeRequest(t *testing.T) {
	for _, line := range []string{
		"GET /v1/x?" + strings.Repeat("q", 30<<10), "GET /" + strings.Repeat("p", 30<<10),
		strings.Repeat("M", 30<<10) + " /v1/x",
	} {
		method, target, _ := strings.Cut(line, " ")
		c := &call{}
		c.r, c.target = httptest.NewRequest("GET", "/", nil), target
		c.r.Method, c.r.Host = method, strings.Repeat("h", 30<<10)
		e := c.event(0)
		if n := len(e.Method) + len(e.Path) + len(e.Host); n > 3*maxKept {
			t.Errorf("%.20s: %d bytes are recorded", line, n)
		}
		if unsafe.StringData(e.Method) == unsafe.StringData(method) || unsafe.StringData(e.Path) == unsafe.StringData(target) {
			t.Errorf("%.20s: the record holds the request line", line)
		}
	}
}
