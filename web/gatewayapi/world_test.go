package gatewayapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/verifier"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

const (
	orders      = "https://orders.example.com" // the API, and the host that the proxies guard
	ordersRead  = "orders:read"
	ordersWrite = "orders:write"
	password    = "correct horse battery"
)

// world is a Signet, a service that verifies what it is given, and a person; a proxy comes
// between them.
type world struct {
	*webtest.Server
	t       testing.TB
	alice   *authz.User
	service *service
	checks  *httptest.Server // Signet as the proxies reach it
	cert    *certificate
	proxy   string // its address; empty: any that is free
}

// loopback is the proxies' address, which is trusted because it is listed.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newWorld(t testing.TB, options ...webtest.Option) *world {
	t.Helper()
	return worldAt(t, orders, options...)
}

// worldAt makes a world whose API and protected host are another.
func worldAt(t testing.TB, host string, options ...webtest.Option) *world {
	t.Helper()
	store := storagetest.New(t)
	options = append([]webtest.Option{webtest.With(func(c *parts.Config) { c.TrustedProxies = loopback })}, options...)
	w := &world{Server: webtest.Start(t, store, options...), t: t, cert: newCertificate(t)}
	w.alice = w.Person("alice", password)
	w.API(authz.API{
		Identifier: host, Name: "Orders", BrowserSignIn: true, Scopes: []authz.APIScope{
			{Name: ordersRead, Description: "See your orders"}, {Name: ordersWrite, Description: "Change your orders"},
		},
	})
	w.checks = httptest.NewServer(w.Site)
	t.Cleanup(w.checks.Close)
	w.run(store)
	w.service = newService(t, w.Issuer, host)
	return w
}

// run does what a server does beside answering, until the test ends.
func (w *world) run(store *storage.Store) {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { w.Run(ctx) })
	all.Go(func() {
		store.Watch(ctx, func(c storage.Change) { w.Changed(ctx, c.Table, c.Key) }, func(err error) { w.t.Logf("watch: %v", err) })
	})
	w.t.Cleanup(func() {
		stop()
		all.Wait()
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// token makes an API token of alice.
func (w *world) token(lives time.Duration, scopes ...string) (*authz.APIToken, string) {
	w.t.Helper()
	v, secret, err := w.APITokens.Create(w.t.Context(), w.alice, apitoken.New{
		Name: rand.Text(), API: orders, Scopes: scopes, ExpiresAt: w.Clock.Now().Add(lives),
	})
	w.must(err)
	return v, secret.Reveal()
}

// transport reaches every name under the protected host's address at the proxy.
func (w *world) transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); host == strings.TrimPrefix(orders, "https://") {
				address = w.proxy
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{RootCAs: w.cert.roots},
	}
}

// ask sends a request through the proxy as a program does. headers are pairs.
func (w *world) ask(method, path string, body io.Reader, headers ...string) *answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, orders+path, body)
	w.must(err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	transport := w.transport()
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	w.must(err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	w.must(err)
	return &answer{t: w.t, status: res.StatusCode, header: res.Header, body: string(got)}
}

// get is ask with a bearer token and nothing else.
func (w *world) get(path, token string) *answer {
	w.t.Helper()
	return w.ask(http.MethodGet, path, nil, "Authorization", "Bearer "+token)
}

// browser opens one that goes to both hosts.
func (w *world) browser() *webtest.Browser {
	transport := w.transport()
	w.t.Cleanup(transport.CloseIdleConnections)
	b := webtest.NewBrowser(w.t, w.Issuer, transport)
	b.Visit(orders)
	return b
}

// signIn fills in the page that the browser was sent to.
func signIn(p *webtest.Page) *webtest.Page {
	return p.Fill("username", "alice").Fill("password", password).Press("sign-in")
}

// answer is what a client of the proxy gets.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// arrived gives what came through to the service.
func (a *answer) arrived() arrival {
	a.t.Helper()
	if a.status != http.StatusOK {
		a.t.Fatalf("status %d: %s", a.status, a.body)
	}
	return arrivalIn(a.t, a.body)
}

func arrivalIn(t testing.TB, body string) arrival {
	t.Helper()
	var out arrival
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("not an answer of the service: %v: %s", err, body)
	}
	return out
}

// refused fails the test unless the request was refused with a status and one challenge.
func (a *answer) refused(status int, challenge string) {
	a.t.Helper()
	all := a.header.Values("WWW-Authenticate")
	if a.status != status || len(all) != 1 || !strings.Contains(all[0], challenge) {
		a.t.Errorf("status %d with %q, want %d with one challenge that has %s", a.status, all, status, challenge)
	}
}

// service is a microservice as its authors write one: it believes what the verifier says.
type service struct {
	*httptest.Server
	mu   sync.Mutex
	seen []arrival
}

// arrival is a request as the service sees it.
type arrival struct {
	Method, Host, URI string
	Body              string
	Header            http.Header
	Subject, ClientID string
	Scopes            []string
	Lifetime          time.Duration
}

func newService(t testing.TB, issuer, audience string) *service {
	t.Helper()
	v, err := verifier.New(t.Context(), issuer, audience, verifier.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	s := &service{}
	s.Server = httptest.NewServer(s.note(v.Middleware(http.HandlerFunc(s.answer))))
	t.Cleanup(s.Close)
	return s
}

// note keeps every request, whether the service accepts it or not.
func (s *service) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.seen = append(s.seen, arrival{Method: r.Method, Host: r.Host, URI: r.RequestURI, Body: string(body), Header: r.Header.Clone()})
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (s *service) answer(w http.ResponseWriter, r *http.Request) {
	token, _ := verifier.FromContext(r.Context())
	s.mu.Lock()
	a := s.seen[len(s.seen)-1]
	s.mu.Unlock()
	a.Subject, a.ClientID, a.Scopes = token.Subject, token.ClientID, token.Scopes
	a.Lifetime = token.ExpiresAt.Sub(token.IssuedAt)
	_ = json.NewEncoder(w).Encode(a)
}

// arrivals is how many requests came through.
func (s *service) arrivals() []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// certificate is that of the protected host, as files for the proxy.
type certificate struct {
	file, key string
	roots     *x509.CertPool
}

func newCertificate(t testing.TB) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := url.Parse(orders)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name.Host}, DNSNames: []string{name.Host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &certificate{file: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: x509.NewCertPool()}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.roots.AppendCertsFromPEM(text)
	for file, content := range map[string][]byte{
		c.file: text, c.key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func trustNobody(c *parts.Config) { c.TrustedProxies = nil }
