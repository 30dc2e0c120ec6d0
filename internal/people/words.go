package people

import "strings"

// MethodName returns how somebody signed in, in words that follow "by": "by password".
func MethodName(method string) string {
	switch method {
	case MethodSSO:
		return "company sign-in"
	case MethodDevice:
		return "approval on another device"
	case MethodLink:
		return "one-time link"
	case MethodHandoff:
		return "link of an application, for a day"
	case MethodSetup:
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

// DeviceName returns what people call the device that a user agent is of: "Firefox on
// Linux". It is what the device says of itself and proves nothing.
func DeviceName(agent string) string {
	browser, system := markOf(agent, browsers), markOf(agent, systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "Unknown device"
}

// markOf returns the name of the first mark that a user agent has, "" for none.
func markOf(agent string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(agent, m[0]) {
			return m[1]
		}
	}
	return ""
}
