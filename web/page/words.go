package page

import (
	"hash/fnv"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// How much is shown of what strangers write.
const (
	nameLength = 64
	textLength = 280
)

// plain makes a stranger's text safe to show in the middle of ours: white space becomes
// single spaces, control and format characters (among them those that turn the direction
// of writing) go away, and what is longer than limit ends in an ellipsis.
func plain(s string, limit int) string {
	var b strings.Builder
	length, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = length > 0
			continue
		}
		if hidden(r) {
			continue
		}
		if length >= limit {
			return strings.TrimSpace(b.String()) + "…"
		}
		if space {
			b.WriteByte(' ')
			length, space = length+1, false
		}
		b.WriteRune(r)
		length++
	}
	return b.String()
}

// hidden keeps the zero-width joiner, which emoji and some scripts are written with.
func hidden(r rune) bool {
	const joiner = '\u200d'
	return r != joiner && (unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || r == unicode.ReplacementChar)
}

// initial is the letter that stands for a name in its badge; empty for a name without any.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return ""
}

// tone picks one of the badge colours of the stylesheet; the same name has always the same.
func tone(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	return "tone-" + strconv.Itoa(int(h.Sum32()%6)+1)
}

// webAddress returns s if a browser may be sent there: https, or http on a loopback
// address; otherwise nothing.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil {
		return ""
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return s
	}
	return ""
}

// ownPath reports whether s is a path on this server. Browsers read a backslash as a
// slash, and two slashes as the start of another host.
func ownPath(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" &&
		strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.Contains(s, `\`)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// list hands several values to a template that is called with one.
func list(values ...string) []string { return values }
