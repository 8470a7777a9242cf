package gateway

import (
	"net/url"
	"strings"
)

// place is where something is on the web: an origin and a path, in the form in which two
// that mean the same are equal.
type place struct {
	origin origin
	path   string // decoded, without a slash at its end
}

// origin is a scheme, a host and a port (RFC 6454 §4).
type origin struct {
	scheme, host string // lower case
	port         string // empty: the scheme's own
}

// String gives the origin as it begins a URL.
func (o origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

func originOf(u *url.URL) (origin, bool) {
	o := origin{
		scheme: strings.ToLower(u.Scheme),
		host:   strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")),
		port:   u.Port(),
	}
	if o.scheme == "https" && o.port == "443" || o.scheme == "http" && o.port == "80" {
		o.port = ""
	}
	return o, (o.scheme == "https" || o.scheme == "http") && o.host != ""
}

// placeOf reads the place of a URL. What is wrong with one is told as the end of a sentence:
// such a URL could be read as another one by the proxy or by a service behind it.
func placeOf(u *url.URL) (p place, wrong string) {
	o, ok := originOf(u)
	switch {
	case !ok:
		return p, "is no http or https URL with a host"
	case u.User != nil:
		return p, "has a user name"
	}
	if wrong := ambiguous(u); wrong != "" {
		return p, wrong
	}
	return place{o, strings.TrimRight(u.Path, "/")}, ""
}

// ambiguous tells what in a path is read in different ways by different programs.
func ambiguous(u *url.URL) string {
	if wrong := escapes(u.EscapedPath()); wrong != "" {
		return wrong
	}
	for rest, more := u.Path, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		// Some servers take what follows a semicolon for parameters and then see the dots.
		if segment, _, _ = strings.Cut(segment, ";"); segment == "." || segment == ".." {
			return "has a dot segment"
		}
	}
	return ""
}

// twofold tells what in a path would let a proxy and a service see different places in it,
// of which one may need another scope: beside what is ambiguous, what plain leaves out. There
// are sites that mean something by it, whose proxies tell no places apart.
func twofold(u *url.URL) string {
	switch wrong := ambiguous(u); {
	case wrong != "":
		return wrong
	case strings.Contains(u.Path, "//"):
		return "has an empty segment"
	case strings.Contains(u.Path, ";"):
		return "has a semicolon"
	}
	return ""
}

// escapes tells what a path hides: separators and dots that appear once somebody decodes it,
// and control characters.
func escapes(path string) string {
	for i := range len(path) {
		if path[i] != '%' || i+2 >= len(path) {
			continue
		}
		switch c := unhex(path[i+1])<<4 | unhex(path[i+2]); {
		case c == '/' || c == '\\':
			return "has an escaped slash or a backslash"
		case c == '.':
			return "has an escaped dot"
		case c < ' ' || c == 0x7f:
			return "has a control character"
		}
	}
	return ""
}

// unhex reads a digit of an escape, which url.Parse has checked.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// below reports whether a path is another one or lies below it, segment by segment.
func below(path, top string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && (rest == "" || rest[0] == '/')
}

// plain gives a path as servers read it that merge slashes and drop parameters of segments.
func plain(path string) string {
	if !strings.Contains(path, "//") && !strings.Contains(path, ";") {
		return path
	}
	var out strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment, _, _ = strings.Cut(segment, ";"); segment != "" {
			out.WriteString("/" + segment)
		}
	}
	return out.String()
}
