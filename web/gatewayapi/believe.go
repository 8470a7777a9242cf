package gatewayapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// untrusted says that somebody else than a trusted proxy speaks about a request.
type untrusted struct{ peer string }

func (e *untrusted) Error() string {
	return fmt.Sprintf("the check comes from %s, which is none of the trusted proxies (--trusted-proxy): what it says about the request is ignored", e.peer)
}

// believe gives nil when a request comes straight from a trusted proxy. Everybody else's
// word is ignored; middleware.Origin has counted it.
func (a *API) believe(r *http.Request) error {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err == nil && trusted(a.TrustedProxies, peer.Addr()) {
		return nil
	}
	return &untrusted{r.RemoteAddr}
}

func trusted(proxies []netip.Prefix, peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	for _, p := range proxies {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// only gives a header that must be there once: of two, nobody knows which is the proxy's.
func only(h http.Header, name string) (string, error) {
	switch values := h.Values(name); len(values) {
	case 0:
		return "", fmt.Errorf("the proxy does not send %s", name)
	case 1:
		if values[0] == "" {
			return "", fmt.Errorf("the proxy sends an empty %s", name)
		}
		return values[0], nil
	}
	return "", fmt.Errorf("the proxy sends %s more than once: it must replace what the client sent", name)
}

// parseURL reads the URL that a client asked for. A request target has no fragment
// (RFC 9112 §3.2): what looks like one is a part of the path or query.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.ParseRequestURI(raw)
	switch {
	case err != nil:
		return nil, errors.New("the proxy passes on a URL that cannot be read")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.Opaque != "":
		return nil, errors.New("the proxy must pass on the whole URL, with scheme and host")
	}
	return u, nil
}

// joinURL puts together what proxies tell apart.
func joinURL(proto, host, target string) (*url.URL, error) {
	switch proto {
	case "http", "https":
	case "ws", "wss": // of an upgrade to WebSocket, which begins as HTTP
		proto = "http" + strings.TrimPrefix(proto, "ws")
	default:
		return nil, errors.New("the proxy passes on a scheme that is neither http nor https")
	}
	if !isHost(host) {
		return nil, errors.New("the proxy passes on something that is not one host")
	}
	if !strings.HasPrefix(target, "/") {
		return nil, errors.New("the proxy passes on something that is not the path of a URL")
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, errors.New("the proxy passes on a URL that cannot be read")
	}
	u.Scheme, u.Host = proto, host
	return u, nil
}

// isHost reports whether a text is a host with or without a port, and nothing else that a
// URL could be made of.
func isHost(s string) bool {
	u, err := url.Parse("//" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" && u.User == nil &&
		u.Path == "" && u.RawQuery == "" && u.Fragment == "" && !u.ForceQuery && !strings.ContainsAny(s, "#?, ")
}

// isMethod reports whether a text is a method (RFC 9110 §9.1), of a length that exists.
func isMethod(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return true
}
