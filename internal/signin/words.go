package signin

import (
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
)

// minPassword is the least length of a password, for the hint beside the field.
const minPassword = password.MinLength

// instant returns a time as pages show it.
func (v *visit) instant(at time.Time) pages.Instant { return pages.Instant{At: at, Now: v.cfg.Now()} }

// offers reports whether the contract lets people sign in this way.
func (v *visit) offers(method string) bool {
	return slices.Contains(v.contract.SignIn().Methods, method)
}

// methodName returns how somebody signed in, in words.
func methodName(method string) string {
	switch method {
	case people.MethodSSO:
		return "company sign-in"
	case people.MethodDevice:
		return "approval here"
	case people.MethodHandoff:
		return "link of an application, for a day"
	case people.MethodSetup:
		return "set-up link"
	}
	return method
}

// What browsers and systems call themselves in a user agent, the more particular first:
// every browser also claims to be the others.
var (
	browsers = [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
		{"cardea/", "Command line"}, {"Go-http-client/", "Command line"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"}, {"darwin", "macOS"}, {"linux", "Linux"}, {"windows", "Windows"},
	}
)

// deviceName returns what people call the device that a user agent is of. It is what the
// device says of itself and proves nothing.
func deviceName(agent string) string {
	browser, system := word(agent, browsers), word(agent, systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "Unknown device"
}

func word(agent string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}
