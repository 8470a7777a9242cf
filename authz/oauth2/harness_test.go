package oauth2_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const (
	issuer  = "https://signet.example"
	orders  = "https://orders.example"
	billing = "https://billing.example"
	appURI  = "https://app.example/callback"
)

// registered finds clients by the name that package consent has for it.
type registered struct{ *storage.Store }

func (r registered) Get(ctx context.Context, id string) (*authz.Client, error) {
	return r.Client(ctx, id)
}

// places gives out places in the status lists one after the other.
type places struct{ next atomic.Int64 }

func (p *places) Allocate(context.Context, time.Time) (int64, error) { return p.next.Add(1), nil }

func (p *places) ClientIndex(context.Context, *authz.Client) (int64, error) { return 7, nil }

// world is a provider on a real store, with a person, two APIs and clients.
type world struct {
	t        testing.TB
	clock    *authztest.Clock
	store    *storage.Store
	provider *oauth2.Provider
	ring     *keys.Ring
	events   *authztest.Events
	alice    *authz.User
	secret   authz.Secret // of the clients "web" and "service"
	roles    []authz.Role
	handler  http.Handler
	outage   *bool
	cut      *cut // nil: statements succeed
}

// browser is one browser and who is signed in with it.
type browser struct {
	binding authz.Secret
	session *authz.Session
	user    *authz.User
}

func newWorld(t testing.TB, store *storage.Store, change ...func(*oauth2.Config)) *world {
	t.Helper()
	return newWorldOf(t, store, []string{authz.AlgES256, authz.AlgEdDSA}, change...)
}

// newWorldOf gives a world that signs with these algorithms. RSA keys take their time.
func newWorldOf(t testing.TB, store *storage.Store, algs []string, change ...func(*oauth2.Config)) *world {
	t.Helper()
	w := &world{
		t: t, store: store, clock: &authztest.Clock{}, events: &authztest.Events{}, outage: new(bool),
		roles: []authz.Role{{Name: authz.RoleDefault, Scopes: authz.Scopes{authz.AnyScope}}},
	}
	w.seed()
	master, err := keys.NewMaster(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	w.ring, err = keys.Open(context.Background(), keys.Config{
		Store: store, Master: master, Algorithms: algs,
		Now: w.clock.Now, Random: rand.Reader, Audit: w.events,
		Log: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	cfg := oauth2.Config{
		Issuer: issuer, Store: store, Interactions: store, Keys: w.ring, Audit: w.events,
		Consents: consent.New(consent.Config{Store: store, Clients: registered{store}, Audit: w.events, Now: w.clock.Now}),
		Statuses: &places{},
		Failures: ratelimit.New(ratelimit.Config{Burst: oauth2.FailureBurst, Refill: oauth2.FailureRefill, Now: w.clock.Now}),
		Client:   store.Client, API: w.api,
		Roles:     func(context.Context, []string) ([]authz.Role, error) { return w.roles, nil },
		Lifetimes: oauth2.DefaultLifetimes(), RefreshGrace: 10 * time.Second, RefreshKey: bytes.Repeat([]byte{9}, 32),
		ErrorPage: func(rw http.ResponseWriter, _ *http.Request, e oauth2.PageError) {
			rw.Header().Set("Content-Type", "text/html")
			rw.WriteHeader(e.Status)
			_, _ = io.WriteString(rw, "page: "+e.Code+": "+e.Description)
		},
		FormPost: func(rw http.ResponseWriter, _ *http.Request, action string, params url.Values) {
			_, _ = io.WriteString(rw, "form "+action+"?"+params.Encode())
		},
		Now: w.clock.Now, Random: rand.Reader,
	}
	for _, fn := range change {
		fn(&cfg)
	}
	w.provider, err = oauth2.New(cfg)
	w.must(err)
	w.handler = w.mux()
	return w
}

func (w *world) mux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth2/authorize", w.provider.Authorize)
	mux.HandleFunc("/oauth2/token", w.provider.Token)
	mux.HandleFunc("/oauth2/revoke", w.provider.Revoke)
	mux.HandleFunc("/oauth2/introspect", w.provider.Introspect)
	mux.HandleFunc("/oauth2/userinfo", w.provider.UserInfo)
	mux.HandleFunc("/.well-known/openid-configuration", w.provider.Metadata)
	mux.HandleFunc("/.well-known/jwks.json", w.provider.JWKS)
	return mux
}

func (w *world) api(ctx context.Context, identifier string) (*authz.API, error) {
	if identifier == issuer {
		api := authz.ServerAPI(issuer)
		return &api, nil
	}
	return w.store.API(ctx, identifier)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) recorded(kind string) bool { return len(w.events.Of(kind)) > 0 }

func (w *world) seed() {
	ctx, now := context.Background(), w.clock.Now()
	secret, err := authz.NewSecret(authz.PrefixClientSecret, rand.Reader)
	w.must(err)
	w.secret = secret
	w.alice = &authz.User{
		ID: authz.PrefixUser + "alice", Username: "alice", Email: "alice@example.com", EmailVerified: true,
		Profile: authz.Profile{Name: "Alice Liddell"}, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	w.must(w.store.InsertUser(ctx, w.alice))
	for _, api := range []*authz.API{
		{Identifier: orders, Name: "Orders", OwnerClientID: "service", Scopes: []authz.APIScope{
			{Name: "orders:read", Description: "See your orders"}, {Name: "orders:write", Description: "Change your orders"},
		}},
		{Identifier: billing, Name: "Billing", Scopes: []authz.APIScope{{Name: "bills:read", Description: "See your bills"}}},
	} {
		api.CreatedAt, api.UpdatedAt, api.Version = now, now, 1
		w.must(w.store.InsertAPI(ctx, api))
	}
	w.addClient("web", func(m *authz.ClientMetadata) {})
	w.addClient("native", func(m *authz.ClientMetadata) {
		m.Type, m.AuthMethod = authz.ClientNative, authz.AuthNone
		m.RedirectURIs = []string{"http://127.0.0.1/callback", "https://app.example/native"}
	})
	w.addClient("other", func(m *authz.ClientMetadata) {})
	w.addClient("service", func(m *authz.ClientMetadata) {
		m.Type, m.GrantTypes, m.RedirectURIs = authz.ClientService, []string{authz.GrantClientCredentials}, nil
		m.Scope, m.APIs = authz.Scopes{"orders:read", "orders:write"}, []string{orders}
	})
}

func (w *world) addClient(id string, change func(*authz.ClientMetadata)) *authz.Client {
	w.t.Helper()
	now := w.clock.Now()
	c := &authz.Client{ID: id, CreatedAt: now, UpdatedAt: now, Version: 1, Metadata: authz.ClientMetadata{
		Name: "Acme " + id, Type: authz.ClientWeb, RedirectURIs: []string{appURI},
		GrantTypes: []string{authz.GrantAuthorizationCode, authz.GrantRefreshToken},
		AuthMethod: authz.AuthSecretBasic, RequirePKCE: true, APIs: []string{orders, billing}, DefaultAPI: orders,
		Scope:      authz.OIDCScopes().With(authz.Scopes{"orders:read", "orders:write", "bills:read"}),
		IDTokenAlg: authz.AlgES256,
	}}
	change(&c.Metadata)
	if c.Metadata.AuthMethod == authz.AuthSecretBasic || c.Metadata.AuthMethod == authz.AuthSecretPost {
		c.Secrets = []authz.ClientSecret{{ID: id + "-1", Hash: w.secret.Hash(), CreatedAt: now}}
	}
	w.must(w.store.InsertClient(context.Background(), c))
	return c
}

// signIn gives a browser with which alice has just signed in.
func (w *world) signIn() *browser {
	b := w.visitor()
	b.session, b.user = w.session(), w.alice
	return b
}

func (w *world) session() *authz.Session {
	w.t.Helper()
	now := w.clock.Now()
	id, err := authz.NewID(authz.PrefixSession, rand.Reader)
	w.must(err)
	return &authz.Session{ID: id, UserID: w.alice.ID, AuthTime: now, ACR: authz.ACROneFactor, AMR: []string{"pwd"}, CreatedAt: now}
}

// visitor gives a browser with which nobody is signed in.
func (w *world) visitor() *browser {
	b, err := authz.NewID("", rand.Reader)
	w.must(err)
	return &browser{binding: authz.Secret(b)}
}

func (b *browser) context() context.Context {
	ctx := authz.WithBrowser(context.Background(), b.binding)
	if b.session != nil {
		ctx = authz.WithSession(ctx, b.session, b.user)
	}
	return ctx
}

// verifier is the PKCE verifier that every test uses.
const verifier = "verifier-verifier-verifier-verifier-verifier"

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorizeParams are those of a good request of the client "web", with changes: pairs of
// a name and a value, where "-" takes the parameter away.
func authorizeParams(changes ...string) url.Values {
	v := url.Values{
		"client_id": {"web"}, "redirect_uri": {appURI}, "response_type": {"code"},
		"scope": {"openid profile orders:read"}, "state": {"s-1"}, "nonce": {"n-1"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

// get sends a browser to a path of the server.
func (w *world) get(b *browser, target string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, target, nil).WithContext(w.trouble(b.context()))
	w.handler.ServeHTTP(rec, r)
	return rec
}

func (w *world) authorize(b *browser, v url.Values) *httptest.ResponseRecorder {
	return w.get(b, "/oauth2/authorize?"+v.Encode())
}

// location gives where an answer redirects to.
func (w *world) location(rec *httptest.ResponseRecorder) *url.URL {
	w.t.Helper()
	if rec.Code != http.StatusSeeOther {
		w.t.Fatalf("status %d, want a redirect; body %s", rec.Code, rec.Body)
	}
	u, err := url.Parse(rec.Header().Get("Location"))
	w.must(err)
	return u
}

// walk goes through the pages with a signed-in browser, allowing everything that is asked,
// and gives what the client receives.
func (w *world) walk(b *browser, v url.Values) url.Values {
	w.t.Helper()
	u := w.location(w.authorize(b, v))
	for range 3 {
		id := u.Query().Get("interaction")
		switch u.Path {
		case "/login":
			b.session, b.user = w.session(), w.alice
			_, err := w.provider.LoggedIn(b.context(), id, b.session)
			w.must(err)
		case "/consent":
			pending, err := w.provider.Pending(b.context(), id)
			w.must(err)
			var all authz.Scopes
			for _, g := range pending.Groups {
				for _, s := range g.Scopes {
					all = append(all, s.Name)
				}
			}
			_, err = w.provider.Answer(b.context(), id, true, all)
			w.must(err)
		default:
			return u.Query()
		}
		u = w.location(w.get(b, "/oauth2/authorize?interaction="+id))
	}
	return u.Query()
}

// code walks through the pages and gives the code.
func (w *world) code(v url.Values) string {
	w.t.Helper()
	got := w.walk(w.signIn(), v)
	if got.Get("code") == "" {
		w.t.Fatalf("no code: %v", got)
	}
	return got.Get("code")
}

// answer is what a program gets.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

// post sends a form as a client: "web" and others with their secret by Basic, a public one
// with its client_id, "" as nobody.
func (w *world) post(path, clientID string, form url.Values) answer {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	switch clientID {
	case "":
	case "native":
		form = cloneWith(form, "client_id", clientID)
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	default:
		r.SetBasicAuth(clientID, w.secret.Reveal())
	}
	return w.send(r)
}

func (w *world) serve(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	a := answer{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &a.body)
	return a
}

func cloneWith(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, values := range v {
		out[k] = slices.Clone(values)
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func codeForm(code string, pairs ...string) url.Values {
	return cloneWith(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appURI}, "code_verifier": {verifier},
	}, pairs...)
}

// tokens signs alice in to a client and redeems the code.
func (w *world) tokens(clientID string, changes ...string) answer {
	w.t.Helper()
	if clientID == "native" {
		changes = append([]string{"redirect_uri", "https://app.example/native"}, changes...)
	}
	v := authorizeParams(append([]string{"client_id", clientID}, changes...)...)
	got := w.post("/oauth2/token", clientID, codeForm(w.code(v), "redirect_uri", v.Get("redirect_uri")))
	if got.status != http.StatusOK {
		w.t.Fatalf("redeem code: %d %s", got.status, got.raw)
	}
	return got
}

// claims reads the claims of a JWT without looking at its signature.
func (w *world) claims(token string) map[string]any {
	w.t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		w.t.Fatalf("not a JWT: %q", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	w.must(err)
	var out map[string]any
	w.must(json.Unmarshal(raw, &out))
	return out
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, w *world), change ...func(*oauth2.Config)) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		test(t, newWorld(t, open(), change...))
	})
}

// newFuzzWorld gives a world that any number of fuzz inputs share.
func newFuzzWorld(f *testing.F) *world {
	f.Helper()
	return newWorld(f, storagetest.New(f))
}

// in gives the world to one input of a fuzz target.
func (w *world) in(t *testing.T) *world {
	out := *w
	out.t = t
	return &out
}
