package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	fetchTimeout    = 10 * time.Second
	pingTimeout     = 15 * time.Second
	maxDocument     = 1 << 20 // metadata and JWKS
	maxRedirects    = 5
	mediaJSON       = "application/json"
	mediaKeys       = "application/jwk-set+json, application/json"
	mediaStatusList = "application/statuslist+jwt"
)

// fetcher asks the issuer for documents, with a limit on everything that a stranger could
// stretch: time, size and where a redirect leads.
type fetcher struct {
	client    *http.Client
	timeout   time.Duration
	allowHTTP bool
}

// newClient makes the client that is used unless another is given. Long polls sit on quiet
// connections, and a proxy may drop one without a word: pings find that out, where otherwise
// every later request would be sent into the void as well.
func newClient() *http.Client {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Client{}
	}
	own := shared.Clone()
	own.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingTimeout, PingTimeout: pingTimeout}
	return &http.Client{Transport: own}
}

// newFetcher takes a copy of client, whose own Timeout would cut long polls: it is turned into
// a limit on ordinary requests.
func newFetcher(client *http.Client, allowHTTP bool) *fetcher {
	own := *client
	timeout := fetchTimeout
	if own.Timeout > 0 && own.Timeout < timeout {
		timeout = own.Timeout
	}
	own.Timeout = 0
	own.CheckRedirect = sameOriginOnly
	return &fetcher{client: &own, timeout: timeout, allowHTTP: allowHTTP}
}

func sameOriginOnly(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	if origin(next.URL) != origin(via[0].URL) {
		return fmt.Errorf("redirect to another host: %s", next.URL.Host)
	}
	return nil
}

// request is one conditional GET.
type request struct {
	url, accept, etag string
	timeout           time.Duration
	limit             int64 // bytes of body
}

// answer is what came back: 200 with a body, or 304 without.
type answer struct {
	unchanged bool
	header    http.Header
	body      []byte
}

// statusError is any answer but 200 and 304.
type statusError int

func (e statusError) Error() string {
	return "unexpected status " + strconv.Itoa(int(e)) + " " + http.StatusText(int(e))
}

func (f *fetcher) get(ctx context.Context, want request) (*answer, error) {
	if err := f.checkURL(want.url); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, want.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, want.url, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", want.accept)
	if want.etag != "" {
		req.Header.Set("If-None-Match", want.etag)
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && want.etag != "":
		return &answer{unchanged: true, header: res.Header}, nil
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("get %s: %w", want.url, statusError(res.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, want.limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", want.url, err)
	}
	if int64(len(body)) > want.limit {
		return nil, fmt.Errorf("read %s: more than %d bytes", want.url, want.limit)
	}
	return &answer{header: res.Header, body: body}, nil
}

// checkURL wants https, or http to this very machine.
func (f *fetcher) checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("not a URL") // the cause would print it, and with it a password
	}
	if u.Hostname() == "" || u.User != nil || strings.Contains(raw, "#") {
		return fmt.Errorf("%q is not a plain absolute URL", u.Redacted())
	}
	if u.Scheme == "https" || u.Scheme == "http" && (f.allowHTTP || isLoopback(u.Hostname())) {
		return nil
	}
	return fmt.Errorf("%q is not an https URL", u)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// origin is scheme, host and port in one spelling (RFC 6454 §4).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// maxAge reads how long an answer stays fresh (RFC 9111 §4.2), within bounds: an issuer can ask
// neither for a fetch per request nor for a withdrawn key to live for days.
func maxAge(h http.Header, fallback, low, high time.Duration) time.Duration {
	age := fallback
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return low
		case "max-age":
			if seconds, ok := deltaSeconds(strings.Trim(value, `"`)); ok {
				age = seconds
			}
		}
	}
	if spent, ok := deltaSeconds(h.Get("Age")); ok {
		age -= spent
	}
	return min(max(age, low), high)
}

// deltaSeconds reads a time span as HTTP writes it (RFC 9111 §1.2.2).
func deltaSeconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return time.Duration(n) * time.Second, err == nil && n >= 0
}
