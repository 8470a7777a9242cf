package interaction

import (
	"net/url"
	"strings"
)

const maxReturnTo = 2048

// ownPath gives a return_to as a path of ours with its query, or nothing if a browser could
// take it for anything else. Browsers read a backslash as a slash, and skip tabs and line
// breaks, before they look for a host.
func ownPath(raw string) string {
	if len(raw) > maxReturnTo || !strings.HasPrefix(raw, "/") || strings.Contains(raw, `\`) {
		return ""
	}
	for _, c := range []byte(raw) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || suspicious(u.Path) || suspicious(u.EscapedPath()) {
		return ""
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// suspicious reports a path that is another one after any proxy on the way has cleaned or
// decoded it.
func suspicious(path string) bool {
	return strings.Contains(path, "//") || strings.Contains(path, `\`) ||
		strings.Contains(path, "/.") || strings.ContainsAny(path, "\t\r\n\x00")
}
