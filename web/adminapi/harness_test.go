package adminapi_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/audit"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/adminapi"
)

const (
	issuer = "https://signet.example"
	orders = "https://orders.example"
)

var update = flag.Bool("update", false, "rewrite golden files")

// tokens verifies access tokens of the form "scope+scope": those scopes, for this API. They
// are a client's own, or a person's as "username/scope+scope", and "exchanged/…" when
// another service acts with it. What a real token must be like is the business of package
// oauth2. API tokens are real ones.
type tokens struct {
	people map[string]string
	api    func() *apitoken.Service
}

func (k tokens) AccessToken(ctx context.Context, token string) (*oauth2.TokenInfo, error) {
	if strings.HasPrefix(token, authz.PrefixAPIToken) {
		v, err := k.api().Find(ctx, token)
		if err != nil {
			return nil, oauth2.ErrInvalidToken
		}
		return &oauth2.TokenInfo{
			Subject: v.User.ID, UserID: v.User.ID, ClientID: v.Token.ID, Scopes: v.Scopes, Audience: []string{v.Token.API},
		}, nil
	}
	token, exchanged := strings.CutPrefix(token, "exchanged/")
	if username, scopes, personal := strings.Cut(token, "/"); personal {
		return &oauth2.TokenInfo{
			Subject: k.people[username], UserID: k.people[username], ClientID: "robot", Audience: []string{issuer},
			Scopes: authz.ParseScopes(strings.ReplaceAll(scopes, "+", " ")), Exchanged: exchanged,
		}, nil
	}
	switch token {
	case "bad":
		return nil, oauth2.ErrInvalidToken
	case "outage":
		return nil, io.ErrUnexpectedEOF
	case "elsewhere":
		return nil, apitoken.ErrAddress
	case "other-api":
		return &oauth2.TokenInfo{Subject: "robot", Scopes: authz.Scopes{authz.ScopeAdmin}, Audience: []string{orders}}, nil
	}
	return &oauth2.TokenInfo{
		Subject: "robot", ClientID: "robot", Audience: []string{orders, issuer},
		Scopes: authz.ParseScopes(strings.ReplaceAll(token, "+", " ")),
	}, nil
}

// world is the API on a real store.
type world struct {
	t      testing.TB
	store  *storage.Store
	audit  *audit.Log
	api    http.Handler
	routes []adminapi.Route
	people *directory.Service
	tokens *apitoken.Service
	ahead  atomic.Int64 // how far the clock was moved
	ids    map[string]string
	spec   *spec
}

func (w *world) now() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(w.ahead.Load()))
}

func (w *world) advance(d time.Duration) { w.ahead.Add(int64(d)) }

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, storagetest.New(t))
}

func newWorldOn(t testing.TB, store *storage.Store) *world {
	t.Helper()
	w := &world{t: t, store: store, spec: readSpec(t), ids: map[string]string{}}
	now := w.now
	w.audit = audit.New(audit.Config{Store: w.store, Log: slog.New(slog.DiscardHandler), Now: now, Random: rand.Reader})
	limiter := func() *ratelimit.Limiter { return ratelimit.New(ratelimit.Config{Now: now}) }
	passwords, err := login.New(login.Config{
		Store: w.store, Audit: w.audit, Params: login.Argon2Params{MemoryKiB: 8, Passes: 1, Parallelism: 1},
		DeviceKey: make([]byte, 32), PerAddress: limiter(), PerName: limiter(), PerAccount: limiter(),
		Now: now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.people = directory.NewService(directory.Config{
		Store: w.store, Passwords: passwords, Audit: w.audit, Now: now, Random: rand.Reader,
	})
	if err := w.people.EnsureRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients := registration.NewService(registration.Config{
		Store: w.store, APIs: withOwn{w.store}, Audit: w.audit, Algorithms: []string{authz.AlgES256, authz.AlgRS256}, Now: now, Random: rand.Reader,
	})
	w.tokens = apitoken.NewService(apitoken.Config{
		Issuer: issuer, Store: w.store, Catalog: withOwn{w.store}, Client: w.store.Client, Roles: w.people.RolesOf,
		Audit: w.audit, Now: now, Random: rand.Reader,
		Status: revocation.New(revocation.Config{Store: w.store, Issuer: issuer, Now: now, Random: rand.Reader}),
	})
	api := adminapi.New(adminapi.Deps{
		Issuer: issuer, Tokens: tokens{w.ids, func() *apitoken.Service { return w.tokens }}, Now: now, People: w.people, Clients: clients, APITokens: w.tokens,
		Consents:    consent.New(consent.Config{Store: w.store, Clients: clients, Audit: w.audit, Now: now}),
		LeakReports: ratelimit.New(ratelimit.Config{Burst: 3, Refill: time.Minute, Now: now}),
		APIs:        catalog.New(catalog.Config{Store: w.store, Issuer: issuer, Audit: w.audit, Now: now}),
	})
	w.routes = api.Routes()
	w.api = mount(w.routes)
	return w
}

// mount makes a handler of the table, as the server does.
func mount(routes []adminapi.Route) http.Handler {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, r := range routes {
		methods := []string{r.Method}
		if r.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		router.Path(r.Path).Methods(methods...).Handler(r.Handler)
	}
	return router
}

// person makes an account, of which "username/scope" is a token then.
func (w *world) person(username string, roles ...string) *authz.User {
	w.t.Helper()
	u, err := w.people.Create(w.t.Context(), directory.New{Username: username, Admin: slices.Contains(roles, authz.RoleAdministrator)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[username] = u.ID
	return u
}

// robot registers the client that all tokens are given to, and has people let it at their
// accounts.
func (w *world) robot(people ...*authz.User) {
	w.t.Helper()
	ctx, now := w.t.Context(), w.now()
	err := w.store.InsertClient(ctx, &authz.Client{ID: "robot", CreatedAt: now, UpdatedAt: now, Version: 1, Metadata: authz.ClientMetadata{
		Name: "The robot", APIs: []string{orders}, Scope: authz.ServerScopes().With(authz.Scopes{"orders:read", "orders:write"}),
	}})
	for _, u := range people {
		g := &authz.Grant{
			ID: "g " + u.ID, UserID: u.ID, ClientID: "robot", CodeHash: []byte(u.ID), CodeChallenge: "c", AuthTime: now,
			CodeExpiresAt: now.Add(time.Minute), CreatedAt: now, ExpiresAt: now.Add(365 * 24 * time.Hour),
		}
		err = errors.Join(err, w.store.InsertGrant(ctx, g))
		_, redeem := w.store.RedeemCode(ctx, authz.CodeClaim{GrantID: g.ID, ClientID: "robot", CodeHash: g.CodeHash, CodeChallenge: "c", Now: now})
		err = errors.Join(err, redeem)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// withOwn finds the server's own API among those registered, as a server does.
type withOwn struct{ *storage.Store }

func (o withOwn) API(ctx context.Context, identifier string) (*authz.API, error) {
	if identifier == issuer {
		own := authz.ServerAPI(issuer)
		return &own, nil
	}
	return o.Store.API(ctx, identifier)
}

// request is one request; scopes becomes its token, body its body.
type request struct {
	method, path string
	token        string // "-": none; empty: signet:admin
	body         string
	address      string // where it comes from; empty: 192.0.2.7
	header       map[string]string
}

type response struct {
	*http.Response
	body string
}

func (r response) json(t testing.TB) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return out
}

// do sends a request, and holds every answer to the OpenAPI document.
func (w *world) do(q request) response {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), q.method, "https://signet.example"+q.path, strings.NewReader(q.body))
	r = r.WithContext(authz.WithOrigin(r.Context(), authz.Origin{CorrelationID: "corr-1", Address: cmp.Or(q.address, "192.0.2.7")}))
	switch q.token {
	case "-":
	case "":
		r.Header.Set("Authorization", "Bearer "+authz.ScopeAdmin)
	default:
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	out := response{rec.Result(), rec.Body.String()}
	w.spec.check(w.t, q.method, r.URL.EscapedPath(), out)
	return out
}

// want sends a request that must have this status.
func (w *world) want(status int, q request) response {
	w.t.Helper()
	got := w.do(q)
	if got.StatusCode != status {
		w.t.Fatalf("%s %s: status %d, want %d: %s", q.method, q.path, got.StatusCode, status, got.body)
	}
	return got
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got: %s\nwant: %s", name, got, want)
	}
}

// indented makes a body readable in a golden file.
func indented(t *testing.T, r response) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return random.ReplaceAllString(string(text), "${1}_random") + "\n"
}

// random finds what the server makes up.
var random = regexp.MustCompile(`\b(sgs|sgp|sec|usr|cli|tok)_[0-9A-Za-z]{20,}`)
