package demo

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// Gateway is a reverse proxy before the orders service that asks Signet about each request,
// as Traefik's ForwardAuth and Caddy's forward_auth do. It stands in where there is no nginx.
type Gateway struct {
	signet  *url.URL
	signIn  *httputil.ReverseProxy
	service *httputil.ReverseProxy
}

// identity names the headers by which the service learns who is asking. What the request
// itself carries under these names never reaches it.
func identity() []string {
	return []string{"Authorization", "Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"}
}

// NewGateway makes the proxy before service, with Signet at issuer.
func NewGateway(issuer, service string) (*Gateway, error) {
	signet, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	upstream, err := url.Parse(service)
	if err != nil {
		return nil, err
	}
	return &Gateway{signet: signet, signIn: forwardTo(signet), service: forwardTo(upstream)}, nil
}

// forwardTo keeps the host that was asked for, and says so.
func forwardTo(target *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/.signet/") {
		g.signIn.ServeHTTP(w, r)
		return
	}
	answer, err := g.ask(r)
	if err != nil {
		http.Error(w, "Signet cannot be asked", http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	r.Header.Del("Cookie") // the service has no use for it
	for _, name := range identity() {
		r.Header.Del(name)
		if value := answer.Header.Get(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	g.service.ServeHTTP(w, r)
}

// ask puts the request's facts before Signet.
func (g *Gateway) ask(r *http.Request) (*http.Response, error) {
	ctx, stop := context.WithCancel(r.Context())
	check, err := http.NewRequestWithContext(ctx, http.MethodGet, g.signet.JoinPath("/gateway/forward-auth").String(), nil)
	if err != nil {
		stop()
		return nil, err
	}
	for _, name := range []string{"Authorization", "Cookie", "Accept", "User-Agent"} {
		check.Header[name] = r.Header[name]
	}
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	check.Header.Set("X-Forwarded-For", host)
	check.Header.Set("X-Forwarded-Method", r.Method)
	check.Header.Set("X-Forwarded-Proto", "http")
	check.Header.Set("X-Forwarded-Host", r.Host)
	check.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
	answer, err := http.DefaultTransport.RoundTrip(check)
	if err != nil {
		stop()
		return nil, err
	}
	answer.Body = &closing{answer.Body, stop}
	return answer, nil
}

// closing ends the check when its answer has been read.
type closing struct {
	io.ReadCloser
	stop func()
}

func (c *closing) Close() error {
	defer c.stop()
	return c.ReadCloser.Close()
}
