package authz

import "context"

// Origin is what is known of where a request came from. Address is believed: a proxy's
// word counts only when the proxy is trusted.
type Origin struct {
	CorrelationID string
	Address       string
	UserAgent     string
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
