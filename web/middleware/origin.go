package middleware

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const (
	requestIDHeader    = "X-Request-Id"
	forwardedForHeader = "X-Forwarded-For"
)

// Origin notes where each request comes from, for audit, throttles and the log: the
// address that is believed, the user agent, and the correlation id, which the answer
// carries too. newID makes one. Headers of proxies count only when the connection comes
// from one of trusted; from others they are ignored, and counted. The scheme is always the
// issuer's, so X-Forwarded-Proto and X-Forwarded-Host are not read at all: nothing here could
// be misled by them.
func Origin(trusted []netip.Prefix, newID func() string, ignored *Ignored) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer, _ := parseAddress(r.RemoteAddr)
			fromProxy := within(trusted, peer)
			o := authz.Origin{
				CorrelationID: correlationID(r, fromProxy, newID),
				Address:       clientAddress(r, trusted, peer),
				UserAgent:     firstBytes(r.UserAgent(), maxUserAgent),
			}
			if !fromProxy && claims(r.Header) {
				ignored.note(r.Context(), o)
			}
			w.Header().Set(requestIDHeader, o.CorrelationID)
			next.ServeHTTP(w, r.WithContext(authz.WithOrigin(r.Context(), o)))
		})
	}
}

const maxUserAgent = 512

// clientAddress gives the rightmost address on the way here that is not a trusted proxy's:
// each proxy appends the one it was called from, so whatever stands further left may be
// invented. An entry that is no address ends the search at the proxy that passed it on.
func clientAddress(r *http.Request, trusted []netip.Prefix, peer netip.Addr) string {
	if !peer.IsValid() {
		return ""
	}
	believed := peer
	way := strings.Split(strings.Join(r.Header.Values(forwardedForHeader), ","), ",")
	for i := len(way) - 1; i >= 0 && within(trusted, believed); i-- {
		before, ok := parseAddress(strings.TrimSpace(way[i]))
		if !ok {
			break
		}
		believed = before
	}
	return believed.String()
}

// parseAddress reads an address with or without a port.
func parseAddress(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		host, _, splitErr := net.SplitHostPort(s)
		if splitErr != nil {
			return netip.Addr{}, false
		}
		if addr, err = netip.ParseAddr(host); err != nil {
			return netip.Addr{}, false
		}
	}
	return addr.Unmap().WithZone(""), true
}

func within(trusted []netip.Prefix, addr netip.Addr) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// correlationID takes over the id of a trusted proxy, so that its log and ours can be read
// together, if it could not be mistaken for anything else in a log.
func correlationID(r *http.Request, fromProxy bool, newID func() string) string {
	if id := r.Header.Get(requestIDHeader); fromProxy && wellFormedID(id) {
		return id
	}
	return newID()
}

func wellFormedID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

func firstBytes(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "")
}
