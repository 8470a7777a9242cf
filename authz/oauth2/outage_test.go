package oauth2_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// cut is a database that goes away in the middle of a request: at its n-th statement.
type cut struct {
	mu    sync.Mutex
	left  int
	stop  context.CancelFunc
	fired bool
}

// arm lets the next request fail at its n-th statement.
func (c *cut) arm(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.fired = n, false
}

// disarm lets all statements succeed, and reports whether one has failed.
func (c *cut) disarm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.stop = 0, nil
	return c.fired
}

func (c *cut) context(ctx context.Context) context.Context {
	if c == nil {
		return ctx
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left > 0 {
		ctx, c.stop = context.WithCancel(ctx)
	}
	return ctx
}

// count is told of each statement before it runs.
func (c *cut) count(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop == nil {
		return
	}
	if c.left--; c.left == 0 {
		c.stop()
		c.stop, c.fired = nil, true
	}
}

// onBothCut is onBoth for tests in which the database goes away.
func onBothCut(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		var c cut
		w := newWorld(t, open(storage.WithStatementCounter(c.count)))
		w.cut = &c
		test(t, w)
	})
}

// eachCut does the same again and again, with the database gone at its first statement, its
// second and so on, until it gets through. It gives how often it was cut.
func (w *world) eachCut(name string, prepare func() (do func() (outage, done bool))) {
	w.t.Helper()
	for n := 1; n < 20; n++ {
		do := prepare()
		w.cut.arm(n)
		outage, done := do()
		switch fired := w.cut.disarm(); {
		case fired && (!outage || done):
			w.t.Errorf("%s: without the database at statement %d it is taken for something else", name, n)
		case !fired && (outage || !done):
			w.t.Fatalf("%s: it fails with the database there", name)
		case !fired && n == 1:
			w.t.Errorf("%s: it does not use the database", name)
			return
		case !fired:
			return
		}
	}
	w.t.Errorf("%s: it takes 20 statements", name)
}

// Whichever statement of a request fails, the answer is 503 with Retry-After: not a refusal,
// and not success.
func TestEveryStatementMayFail(t *testing.T) {
	onBothCut(t, func(t *testing.T, w *world) {
		w.must(w.store.UpdateAPI(t.Context(), w.orders(func(api *authz.API) { api.Claims = []string{"roles", "email"} })))
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		w.addRelay("back", rule(billing, orders, "orders:read"))
		s := newSigner(t, jose.ES256)
		w.addKeyClient("keyed", s)
		w.addClient("told", func(m *authz.ClientMetadata) { m.ClaimsInIDToken = true })
		own := url.Values{"grant_type": {"client_credentials"}}
		post := func(path, client string, form func() url.Values) func() func() (bool, bool) {
			return func() func() (bool, bool) {
				v := form()
				return func() (outage, done bool) {
					a := w.post(path, client, v)
					return a.status == 503 && a.header.Get("Retry-After") != "" && a.text("error") == "temporarily_unavailable", a.status == 200
				}
			}
		}
		still := func(v url.Values) func() url.Values { return func() url.Values { return v } }
		code := func(client string) func() url.Values {
			return func() url.Values {
				return codeForm(w.code(authorizeParams("client_id", client, "scope", "openid profile orders:read")))
			}
		}
		a := w.tokens("web")
		swapped := w.exchange("relay", a.text("access_token")).text("access_token")
		short := w.mint(w.addAPIToken(orders, "orders:read"))
		native := func() url.Values { return refreshForm(w.tokens("native").text("refresh_token")) }
		for name, prepare := range map[string]func() func() (bool, bool){
			"code":                             post("/oauth2/token", "web", code("web")),
			"code, told who it is":             post("/oauth2/token", "told", code("told")),
			"code with a resource":             post("/oauth2/token", "web", func() url.Values { return cloneWith(code("web")(), "resource", orders) }),
			"refresh":                          post("/oauth2/token", "web", still(refreshForm(a.text("refresh_token")))),
			"refresh with a scope":             post("/oauth2/token", "web", still(cloneWith(refreshForm(a.text("refresh_token")), "scope", "openid"))),
			"rotation":                         post("/oauth2/token", "native", native),
			"client credentials":               post("/oauth2/token", "service", still(own)),
			"exchange":                         post("/oauth2/token", "relay", still(exchangeForm(a.text("access_token")))),
			"exchange onwards":                 post("/oauth2/token", "back", still(exchangeForm(swapped, "resource", orders))),
			"exchange of an API token":         post("/oauth2/token", "relay", still(exchangeForm(short))),
			"private_key_jwt":                  post("/oauth2/token", "", func() url.Values { return assertionForm(s.sign(t, w.assertion("keyed", w.clock.Now(), nil))) }),
			"introspection":                    post("/oauth2/introspect", "web", still(url.Values{"token": {a.text("access_token")}})),
			"introspection by the API":         post("/oauth2/introspect", "service", still(url.Values{"token": {a.text("access_token")}})),
			"introspection of a refresh token": post("/oauth2/introspect", "web", still(url.Values{"token": {a.text("refresh_token")}})),
			"introspection of an API token":    post("/oauth2/introspect", "service", still(url.Values{"token": {short}})),
			"introspection of a client":        post("/oauth2/introspect", "service", still(url.Values{"token": {w.own("service")}})),
			"revocation of an access token":    post("/oauth2/revoke", "web", func() url.Values { return url.Values{"token": {w.tokens("web").text("access_token")}} }),
			"revocation":                       post("/oauth2/revoke", "web", func() url.Values { return url.Values{"token": {w.tokens("web").text("refresh_token")}} }),
			"userinfo": func() func() (bool, bool) {
				return func() (bool, bool) {
					a := w.userinfo(a.text("access_token"))
					return a.status == 503 && a.header.Get("Retry-After") != "" && a.header.Get("WWW-Authenticate") == "", a.status == 200
				}
			},
		} {
			w.eachCut(name, prepare)
		}
	})
}

// orders gives the API with a change.
func (w *world) orders(change func(*authz.API)) *authz.API {
	w.t.Helper()
	api, err := w.store.API(context.Background(), orders)
	w.must(err)
	change(api)
	return api
}

// The same for what costs a grant when it is shown again: it must not be called spent or
// reused before that is known.
func TestEveryStatementMayFailWhenSomethingIsReused(t *testing.T) {
	onBothCut(t, func(t *testing.T, w *world) {
		refused := func(client string, form url.Values) func() (bool, bool) {
			return func() (bool, bool) {
				a := w.post("/oauth2/token", client, form)
				return a.status == 503, a.status == 400 && a.text("error") == "invalid_grant"
			}
		}
		w.eachCut("a spent code", func() func() (bool, bool) {
			form := codeForm(w.code(authorizeParams()))
			w.post("/oauth2/token", "web", form)
			return refused("web", form)
		})
		w.eachCut("a rotated refresh token", func() func() (bool, bool) {
			form := refreshForm(w.tokens("native").text("refresh_token"))
			w.post("/oauth2/token", "native", form)
			w.clock.Advance(time.Minute)
			return refused("native", form)
		})
		s := newSigner(t, jose.ES256)
		w.addKeyClient("keyed", s)
		w.eachCut("a used assertion", func() func() (bool, bool) {
			form := assertionForm(s.sign(t, w.assertion("keyed", w.clock.Now(), nil)))
			w.post("/oauth2/token", "", form)
			return func() (bool, bool) {
				a := w.post("/oauth2/token", "", form)
				return a.status == 503, a.status == 401
			}
		})
	})
}

// A person sees a page that says so, nobody is sent away, and the same step works afterwards.
// Only behind the scenes (prompt=none), where nobody sees a page, the client is told.
func TestEveryStatementMayFailWhileAPersonSignsIn(t *testing.T) {
	onBothCut(t, func(t *testing.T, w *world) {
		went := func(b *browser, target, where string) func() (bool, bool) {
			return func() (bool, bool) {
				rec := w.get(b, target)
				u, _ := url.Parse(rec.Header().Get("Location"))
				told := u.Query().Get("error") == "temporarily_unavailable" && strings.Contains(target, "prompt=none")
				return rec.Code == 503 && rec.Header().Get("Retry-After") != "" && u.Path == "" || told,
					rec.Code == 303 && (u.Path == where || u.Query().Has(where))
			}
		}
		visit := func(v url.Values) string { return "/oauth2/authorize?" + v.Encode() }
		back := func(p pages) string { return "/oauth2/authorize?interaction=" + p.id }
		fresh := func() pages { return w.begin(w.signIn(), authorizeParams("prompt", "consent")) }
		w.code(authorizeParams()) // consent is remembered
		for name, prepare := range map[string]func() func() (bool, bool){
			"a first visit": func() func() (bool, bool) { return went(w.visitor(), visit(authorizeParams()), "/login") },
			"signed in":     func() func() (bool, bool) { return went(w.signIn(), visit(authorizeParams()), "code") },
			"prompt=none":   func() func() (bool, bool) { return went(w.signIn(), visit(authorizeParams("prompt", "none")), "code") },
			"to the consent page": func() func() (bool, bool) {
				return went(w.signIn(), visit(authorizeParams("prompt", "consent")), "/consent")
			},
			"back with a yes": func() func() (bool, bool) { p := fresh(); p.allow("openid"); return went(p.browser, back(p), "code") },
			"back with a no":  func() func() (bool, bool) { p := fresh(); p.deny(); return went(p.browser, back(p), "error") },
		} {
			w.eachCut(name, prepare)
		}
		p := fresh()
		step := func(do func(ctx context.Context) error) func() func() (bool, bool) {
			return func() func() (bool, bool) {
				return func() (bool, bool) {
					err := do(w.cut.context(p.browser.context()))
					var refused *oauth2.Error
					refusal := errors.As(err, &refused) && refused.Status < http.StatusInternalServerError
					return err != nil && !errors.Is(err, authz.ErrNotFound) && !refusal, err == nil
				}
			}
		}
		w.eachCut("the page", step(func(ctx context.Context) error { _, err := w.provider.Pending(ctx, p.id); return err }))
		w.eachCut("the login", step(func(ctx context.Context) error {
			_, err := w.provider.LoggedIn(ctx, p.id, p.browser.session)
			return err
		}))
		w.eachCut("the answer", step(func(ctx context.Context) error {
			_, err := w.provider.Answer(ctx, p.id, true, authz.Scopes{"openid"})
			return err
		}))
		w.eachCut("the refusal", step(func(ctx context.Context) error { _, err := w.provider.Answer(ctx, p.id, false, nil); return err }))
	})
}

// What the gateway and the REST API ask: an outage is neither ErrInvalidToken nor
// authz.ErrNotFound.
func TestEveryStatementMayFailForThoseWhoAskInProcess(t *testing.T) {
	onBothCut(t, func(t *testing.T, w *world) {
		token := w.tokens("web").text("access_token")
		short := w.mint(w.addAPIToken(orders, "orders:read"))
		ask := func(do func(ctx context.Context) error) func() (bool, bool) {
			return func() (bool, bool) {
				err := do(w.cut.context(context.Background()))
				return err != nil && !errors.Is(err, oauth2.ErrInvalidToken) && !errors.Is(err, authz.ErrNotFound), err == nil
			}
		}
		for name, do := range map[string]func(ctx context.Context) error{
			"access token":            func(ctx context.Context) error { _, err := w.provider.AccessToken(ctx, token); return err },
			"short token":             func(ctx context.Context) error { _, err := w.provider.AccessToken(ctx, short); return err },
			"access token at gateway": func(ctx context.Context) error { _, err := w.provider.ShownAtGateway(ctx, token); return err },
			"sign out at gateway":     func(ctx context.Context) error { return w.provider.EndForGateway(ctx, "web", "nothing") },
		} {
			w.eachCut(name, func() func() (bool, bool) { return ask(do) })
		}
		w.eachCut("sign in at gateway", func() func() (bool, bool) {
			code := w.code(authorizeParams())
			return ask(func(ctx context.Context) error {
				_, err := w.provider.RedeemForGateway(ctx, "web", code, appURI, verifier)
				return err
			})
		})
	})
}

// An app or an account that was deleted a moment ago, and is still held in memory, is gone
// and no outage.
func TestWhoIsGoneIsNoOutage(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store := open()
		w := newWorld(t, store, cached(store))
		w.addClient("own", func(m *authz.ClientMetadata) { m.FirstParty = true })
		ask := func(b *browser, client string) string {
			u := w.location(w.authorize(b, authorizeParams("client_id", client)))
			return u.Path + " " + u.Query().Get("error")
		}
		for _, client := range []string{"web", "own"} {
			ask(w.signIn(), client) // fills the cache
		}
		gone := w.signIn()
		_, err := store.DeleteClient(t.Context(), "web", 0, w.clock.Now())
		w.must(err)
		if got := ask(w.visitor(), "web"); got != "/callback unauthorized_client" {
			t.Errorf("an app that is gone, before the login page: %s", got)
		}
		w.must(store.DeleteUser(t.Context(), w.alice.ID, 0))
		if got := ask(gone, "own"); got != "/callback access_denied" {
			t.Errorf("a person who is gone: %s", got)
		}
	})
}
