package apps

import (
	"strings"

	"github.com/cardea-dev/cardea/internal/people"
)

// methodName returns how somebody signed in, in words.
func methodName(method string) string {
	switch method {
	case people.MethodPassword:
		return "Password"
	case people.MethodPasskey:
		return "Passkey"
	case people.MethodSSO:
		return "Company sign-in"
	case people.MethodDevice:
		return "Allowed from another device"
	case people.MethodLink:
		return "Link"
	}
	return method
}

// What browsers and systems call themselves, the more particular first: every browser
// also claims to be the others.
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
	browser, system := firstIn(agent, browsers), firstIn(agent, systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "Unknown device"
}

// firstIn returns the name of the first mark that a text has, "" for none.
func firstIn(text string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(text, m[0]) {
			return m[1]
		}
	}
	return ""
}
