package proxy

import "testing"

// TestScrubCutsSecretsOnly holds that a recorded path shows no secret, and everything
// else as it was.
func TestScrubCutsSecretsOnly(t *testing.T) {
	const tail = "0123456789abcdefghijABCDEFGHIJ01234567"
	for path, want := range map[string]string{
		"/v1/ck_live_" + tail:             "/v1/ck_live_…",
		"/v1/ck_live_" + tail + "/x":      "/v1/ck_live_…/x",
		"/v1/x=ck_live_" + tail + "&b":    "/v1/x=ck_live_…&b",
		"/ck_live_" + tail + "/ck_live_x": "/ck_live_…/ck_live_x",
		"/ck_live_x/ck_live_" + tail:      "/ck_live_x/ck_live_…",
		"/v1/ck_live_":                    "/v1/ck_live_",
		"/v1/ck_live_docs":                "/v1/ck_live_docs",
		"/v1/" + tail:                     "/v1/" + tail,
	} {
		if got := scrubPrefix(path, "ck_live_"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
