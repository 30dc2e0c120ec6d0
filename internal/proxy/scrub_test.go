package proxy

import (
	"testing"

	"github.com/cardea-dev/cardea/contract"
)

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

// Tokens are secrets too: opaque ones by their prefixes, which environments may share,
// signed ones by their form.
func TestScrubCutsTokens(t *testing.T) {
	const tail, signed = "0123456789abcdefghijABCDEFGHIJ01234567", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_bmF0dXJl"
	if got := scrubPrefixes("/v1/at_"+tail, []string{"at_", "at_", "", "at_test_"}); got != "/v1/at_…" {
		t.Error(got)
	}
	for path, want := range map[string]string{
		"/v1/" + signed: "/v1/eyJ…", "/v1/" + signed + "/x": "/v1/eyJ…/x", "/v1/eyJ": "/v1/eyJ",
		"/v1/eyJust-a-name-without-any-dots-in-it": "/v1/eyJust-a-name-without-any-dots-in-it",
	} {
		if got := scrubSigned(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	c := contract.Default()
	if got := scrub("/v1/"+signed, c); got != "/v1/eyJ…" {
		t.Error(got)
	}
}

// What Cardea gives to people and to applications on their way in is a secret as well: a
// link that is opened on the wrong host ends up in a path of the API.
func TestScrubCutsWhatCardeaGivesToPeople(t *testing.T) {
	const tail = "0123456789abcdefghijABCDEFGHIJ01234567"
	for _, prefix := range []string{"cardea_link_", "cardea_mt_", "cst_", "ac_", "dc_", "cdc_"} {
		if got, want := scrub("/invite/"+prefix+tail, contract.Default()), "/invite/"+prefix+"…"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
