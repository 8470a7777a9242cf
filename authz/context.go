package authz

import (
	"context"
	"net/netip"
)

// Origin is what is known of where a request came from. Address is believed: a proxy's
// word counts only when the proxy is trusted.
type Origin struct {
	CorrelationID string
	Address       string
	UserAgent     string
}

// Network gives what one subscriber has of addresses: the one of IPv4, a /64 of IPv6. What is
// no address stands for itself.
func (o Origin) Network() string { return o.prefix(32) }

// Neighbourhood is a /24 of IPv4, of which the neighbours may be anybody, and Network of IPv6.
func (o Origin) Neighbourhood() string { return o.prefix(24) }

func (o Origin) prefix(bits int) string {
	a, err := netip.ParseAddr(o.Address)
	if err != nil {
		return o.Address
	}
	if a = a.Unmap().WithZone(""); !a.Is4() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}

type originKey struct{}

// WithOrigin puts the origin of a request in its context.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginFrom gives the origin of the request, or an empty one outside of requests.
func OriginFrom(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

type sessionKey struct{}

type signedIn struct {
	session *Session
	user    *User
}

// WithSession puts the browser session of a request, and whose it is, in its context.
func WithSession(ctx context.Context, s *Session, u *User) context.Context {
	return context.WithValue(ctx, sessionKey{}, signedIn{s, u})
}

// SessionFrom gives the browser session of the request; nil, nil when nobody is signed in.
func SessionFrom(ctx context.Context) (*Session, *User) {
	s, _ := ctx.Value(sessionKey{}).(signedIn)
	return s.session, s.user
}

type clientKey struct{}

// WithClient puts the client, or the API token, that asks in the context of a request.
func WithClient(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, clientKey{}, id)
}

// ClientFrom gives what asks, for the audit log; empty when a person does, on our pages.
func ClientFrom(ctx context.Context) string {
	id, _ := ctx.Value(clientKey{}).(string)
	return id
}

type browserKey struct{}

// WithBrowser puts the value of the browser's binding cookie in the context of a request.
func WithBrowser(ctx context.Context, binding Secret) context.Context {
	return context.WithValue(ctx, browserKey{}, binding)
}

// BrowserFrom gives the value that binds interactions and forms to one browser; empty
// outside of pages.
func BrowserFrom(ctx context.Context) Secret {
	b, _ := ctx.Value(browserKey{}).(Secret)
	return b
}

type noteKey struct{}

// WithNotes gives the request a place for the error that its one log line shall carry.
// What is handed to NoteError later in the request arrives in note.
func WithNotes(ctx context.Context, note func(error)) context.Context {
	return context.WithValue(ctx, noteKey{}, note)
}

// NoteError hands the cause of a failed request to whoever writes its log line. The
// client is never told.
func NoteError(ctx context.Context, err error) {
	if note, ok := ctx.Value(noteKey{}).(func(error)); ok {
		note(err)
	}
}
