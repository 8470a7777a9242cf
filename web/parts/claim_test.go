package parts_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/verifier"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

const teamClaim = "https://acme.example/team"

// claimWorld is a server, a replica of it, an administrator, and alice with an app for two APIs
// of which one asks what is said of her.
type claimWorld struct {
	*webtest.Server
	t       *testing.T
	replica *webtest.Server
	heard   <-chan struct{}
	admin   string // an API token
	app     *webtest.App
	tokens  webtest.Tokens
	orders  *verifier.Verifier // of the service that asks
}

func newClaimWorld(t *testing.T, open func(...storage.Option) *storage.Store) *claimWorld {
	t.Helper()
	store := open()
	w := &claimWorld{t: t, Server: webtest.Start(t, store, webtest.With(trustLoopback))}
	w.replica = webtest.Start(t, open(), webtest.With(func(c *parts.Config) { trustLoopback(c); c.Issuer = w.Issuer }))
	w.heard = watch(t, w.Server, store)
	w.admin = administrator(t, w.Server)
	w.rest(w.Server, 201, "POST", "/api/v1/apis", `{"identifier":"`+orders+`","name":"Orders",
		"scopes":[{"name":"orders:read","description":"See your orders"}],"claims":["department","badge","`+teamClaim+`"]}`)
	w.rest(w.Server, 201, "POST", "/api/v1/apis", `{"identifier":"`+parcels+`","name":"Parcels",
		"scopes":[{"name":"parcels:read","description":"See your parcels"}],"claims":["roles"]}`)
	w.rest(w.Server, 201, "POST", "/api/v1/users", `{"username":"alice","password":"`+passwords+`",
		"claims":{"department":"sales","badge":9007199254740993,"`+teamClaim+`":["a","b"],"hobby":"chess"}}`)
	w.app = w.App("app", "https://app.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = m.Scope.With(authz.Scopes{"orders:read", "parcels:read"}), []string{orders, parcels}
	})
	asked := w.app.Params("openid profile email offline_access orders:read parcels:read")
	asked["resource"] = []string{orders, parcels}
	w.tokens = w.app.Redeem(w.Browser().Open("/oauth2/authorize?"+asked.Encode()).
		Fill("username", "alice").Fill("password", passwords).Press("sign-in").Press("allow"))
	w.orders = newVerifier(t, w.Server, orders)
	return w
}

// rest calls the REST API of one of the two servers as the administrator.
func (w *claimWorld) rest(at *webtest.Server, want int, method, path, body string) {
	w.t.Helper()
	status, answer := call(w.t, at, method, path, w.admin, "198.51.100.7", body, "If-Match", "*")
	if status != want {
		w.t.Fatalf("%s %s: status %d: %s", method, path, status, answer)
	}
}

// refresh gives a new access token for an API.
func (w *claimWorld) refresh(api string) string {
	w.t.Helper()
	got := w.app.Token(url.Values{"grant_type": {authz.GrantRefreshToken}, "refresh_token": {w.tokens.RefreshToken}, "resource": {api}})
	if got.Status != http.StatusOK {
		w.t.Fatalf("refresh for %s: %+v", api, got)
	}
	return got.AccessToken
}

// gateway gives what the service behind a gateway is handed for a credential.
func (w *claimWorld) gateway(credential string) string {
	w.t.Helper()
	status, short := check(w.t, w.Server, orders, credential, "198.51.100.7")
	if status != http.StatusOK {
		w.t.Fatalf("at the gateway: status %d", status)
	}
	return short
}

// script makes an API token of alice for the API that asks.
func (w *claimWorld) script() string {
	w.t.Helper()
	alice, err := w.People.Get(w.t.Context(), "alice")
	if err != nil {
		w.t.Fatal(err)
	}
	return second(token(w.t, w.Server, alice, orders, "orders:read"))
}

// What an administrator says of a person reaches the services that ask for it, whatever they
// are shown, and a change reaches them with the next token, or the next check.
func TestClaimsReachTheServicesThatAskForThem(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		w := newClaimWorld(t, open)
		script, access := w.script(), w.refresh(orders)
		const first = `department="sales" badge=9007199254740993 ` + teamClaim + `=["a","b"]`
		for name, c := range map[string]struct{ token, want string }{
			"the access token": {access, first}, "a token for two APIs of which one lists none": {w.tokens.AccessToken, ""},
			"the gateway's, of an app": {w.gateway(access), first}, "the gateway's, of an API token": {w.gateway(script), first},
		} {
			if got := said(t, w.orders, c.token); got != c.want {
				t.Errorf("%s says %s, want %s", name, got, c.want)
			}
		}
		if got := said(t, newVerifier(t, w.Server, parcels), w.refresh(parcels)); got != "" {
			t.Errorf("another API is told %s", got)
		}
		for _, change := range []struct{ body, want string }{
			{`{"claims":{"department":"law","` + teamClaim + `":null}}`, `department="law" badge=9007199254740993`},
			{`{"claims":null}`, ``},
		} {
			w.rest(w.replica, 200, "PATCH", "/api/v1/users/alice", change.body)
			if got := said(t, w.orders, w.refresh(orders)); got != change.want {
				t.Errorf("after %s a new token says %s, want %s", change.body, got, change.want)
			}
			for _, credential := range []string{access, script} {
				for said(t, w.orders, w.gateway(credential)) != change.want {
					<-w.heard // of what the replica has changed
				}
			}
		}
	})
}

// watch has a server hear of what others change, as a running one does. The channel tells
// each time that it has heard.
func watch(t *testing.T, s *webtest.Server, store *storage.Store) <-chan struct{} {
	ctx, stop := context.WithCancel(context.Background())
	heard := make(chan struct{}, 1)
	var done sync.WaitGroup
	done.Go(func() {
		store.Watch(ctx, func(c storage.Change) {
			s.Changed(ctx, c.Table, c.Key)
			select {
			case heard <- struct{}{}:
			default: // one that has not been taken yet tells the same
			}
		}, func(err error) { t.Logf("watch: %v", err) })
	})
	t.Cleanup(func() { stop(); done.Wait() })
	return heard
}

// administrator gives an API token that may do everything.
func administrator(t *testing.T, s *webtest.Server) string {
	t.Helper()
	root, err := s.People.Create(t.Context(), directory.New{Username: "root", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	return second(token(t, s, root, s.Issuer, authz.ScopeAdmin))
}

func newVerifier(t *testing.T, s *webtest.Server, audience string) *verifier.Verifier {
	t.Helper()
	v, err := verifier.New(t.Context(), s.Issuer, audience, verifier.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// said is what a service finds in a token of what an administrator might have said.
func said(t *testing.T, v *verifier.Verifier, text string) string {
	t.Helper()
	token, err := v.Verify(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range []string{"department", "badge", teamClaim, "hobby"} {
		var value json.RawMessage
		switch err := token.Claim(name, &value); {
		case errors.Is(err, verifier.ErrNoClaim):
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, name+"="+string(value))
		}
	}
	return strings.Join(out, " ")
}
