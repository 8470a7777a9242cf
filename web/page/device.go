package page

import "strings"

// mark is a piece of a User-Agent header and what it stands for.
type mark struct{ piece, name string }

// browsers in the order in which they must be looked for: most of them claim to be
// several of those below.
var browsers = []mark{
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"},
	{"OPR/", "Opera"}, {"Opera/", "Opera"},
	{"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"YaBrowser/", "Yandex Browser"},
	{"DuckDuckGo/", "DuckDuckGo"}, {"Ddg/", "DuckDuckGo"},
	{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	{"HeadlessChrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"},
	{"Safari/", "Safari"},
	{"curl/", "curl"}, {"Wget/", "Wget"}, {"python-requests/", "Python"}, {"Python-urllib/", "Python"}, {"aiohttp/", "Python"},
	{"Go-http-client/", "Go program"}, {"okhttp/", "Java program"}, {"Java/", "Java program"}, {"node", "Node.js"}, {"PostmanRuntime/", "Postman"},
}

var systems = []mark{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"},
	{"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Mac OS X", "Mac"}, {"FreeBSD", "FreeBSD"}, {"Linux", "Linux"}, {"X11", "Linux"},
}

// Describe makes of a User-Agent header what a person calls a device, such as "Firefox on
// Windows". The header is anybody's claim: good for recognising, never for deciding.
func Describe(userAgent string) string {
	browser, system := find(browsers, userAgent), find(systems, userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	case system != "":
		return "A program on " + system
	}
	return "Unknown device"
}

// handset reports whether the device is one to hold in a hand.
func handset(userAgent string) bool {
	switch find(systems, userAgent) {
	case "iPhone", "iPad", "Android":
		return true
	}
	return false
}

// computer reports whether the device is one to sit before. What is neither may be anything.
func computer(userAgent string) bool {
	return find(systems, userAgent) != "" && !handset(userAgent)
}

func find(marks []mark, s string) string {
	for _, m := range marks {
		if strings.Contains(s, m.piece) {
			return m.name
		}
	}
	return ""
}
