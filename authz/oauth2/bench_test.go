package oauth2_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage/storagetest"
)

// The benchmarks time the whole handler, beside the bare cost of what it cannot do without:
// a signature, a statement, and a handler that reads a form and answers.

func benchWorlds(b *testing.B, bench func(b *testing.B, w *world)) {
	for _, engine := range storagetest.Engines() {
		b.Run(engine, func(b *testing.B) {
			store := storagetest.Open(b, storagetest.URL(b, engine))
			bench(b, newWorld(b, store, cached(store)))
		})
	}
}

// form is a request that a benchmark sends again and again.
func (w *world) form(path, clientID string, v url.Values) func() *http.Request {
	body := v.Encode()
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if clientID != "" {
			r.SetBasicAuth(clientID, w.secret.Reveal())
		}
		return r
	}
}

func run(b *testing.B, h http.Handler, request func() *http.Request) {
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, request())
		if rec.Code != http.StatusOK {
			b.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
}

func BenchmarkBareHandler(b *testing.B) {
	w := newWorld(b, storagetest.New(b))
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`{"access_token":"","token_type":"Bearer"}`))
	})
	run(b, h, w.form("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}))
}

func BenchmarkBareSignature(b *testing.B) {
	w := newWorldOf(b, storagetest.New(b), []string{authz.AlgES256, authz.AlgRS256, authz.AlgEdDSA})
	claims := []byte(`{"iss":"https://signet.example","sub":"usr_alice","aud":"https://orders.example","exp":1}`)
	for _, alg := range w.ring.Algorithms() {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.ring.Sign(alg, "at+jwt", claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBareVerification(b *testing.B) {
	w := newWorld(b, storagetest.New(b))
	token := w.tokens("web").text("access_token")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.ring.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareStatement times what each request cannot do without, on a grant like theirs.
func BenchmarkBareStatement(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		ctx := context.Background()
		b.Run("refresh", func(b *testing.B) {
			g := w.grantOfAlice(b)
			now := w.clock.Now()
			claim := authz.RefreshClaim{GrantID: g.ID, ClientID: "web", Seq: 1, Now: now, RefreshExpiresAt: now.Add(time.Hour)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.store.UseRefresh(ctx, claim); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("live grant", func(b *testing.B) {
			g := w.grantOfAlice(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := w.store.LiveGrant(ctx, g.ID, "", w.clock.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkBareRedemption is on SQLite only: PostgreSQL plans for the table as it was when
// last analysed, and nobody analyses one that grows by thousands of rows in a second.
func BenchmarkBareRedemption(b *testing.B) {
	ctx, w := context.Background(), newWorld(b, storagetest.New(b))
	g, now := w.grantOfAlice(b), w.clock.Now()
	claims := make([]authz.CodeClaim, b.N)
	for i := range claims {
		fresh := *g
		fresh.ID, fresh.CodeHash, fresh.CodeChallenge = rand.Text(), g.CodeHash, "c"
		fresh.CodeExpiresAt, fresh.CodeUsedAt = now.Add(time.Minute), time.Time{}
		if err := w.store.InsertGrant(ctx, &fresh); err != nil {
			b.Fatal(err)
		}
		claims[i] = authz.CodeClaim{
			GrantID: fresh.ID, ClientID: "web", CodeHash: fresh.CodeHash, CodeChallenge: "c",
			RefreshExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(24 * time.Hour), Now: now,
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, claim := range claims {
		if _, err := w.store.RedeemCode(ctx, claim); err != nil {
			b.Fatal(err)
		}
	}
}

// grantOfAlice gives a grant that she has just given to the web client.
func (w *world) grantOfAlice(b *testing.B) *authz.Grant {
	b.Helper()
	w.tokens("web")
	grants, err := w.store.GrantsOfUser(context.Background(), w.alice.ID, w.clock.Now())
	if err != nil || len(grants) == 0 {
		b.Fatal(len(grants), err)
	}
	grants[0].CodeHash = authz.Secret("bare").Hash()
	return grants[0]
}

func BenchmarkClientCredentials(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		run(b, w.handler, w.form("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}))
	})
}

// BenchmarkCodeExchange signs two tokens. The codes are made before the clock runs.
func BenchmarkCodeExchange(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		browser := w.signIn()
		requests := make([]*http.Request, b.N)
		for i := range requests {
			code := w.walk(browser, authorizeParams()).Get("code")
			requests[i] = w.form("/oauth2/token", "web", codeForm(code))()
		}
		b.ReportAllocs()
		b.ResetTimer()
		for _, r := range requests {
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			if rec.Code != http.StatusOK {
				b.Fatalf("%d %s", rec.Code, rec.Body)
			}
		}
	})
}

func BenchmarkRefresh(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		token := w.tokens("web").text("refresh_token")
		run(b, w.handler, w.form("/oauth2/token", "web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}))
	})
}

func BenchmarkIntrospection(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		run(b, w.handler, w.form("/oauth2/introspect", "web", url.Values{"token": {w.tokens("web").text("access_token")}}))
	})
}

func BenchmarkUserInfo(b *testing.B) {
	benchWorlds(b, func(b *testing.B, w *world) {
		token := w.tokens("web").text("access_token")
		run(b, w.handler, func() *http.Request {
			r := httptest.NewRequest(http.MethodGet, "/oauth2/userinfo", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			return r
		})
	})
}

func BenchmarkJWKS(b *testing.B) {
	w := newWorld(b, storagetest.New(b))
	run(b, w.handler, func() *http.Request { return httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil) })
}

func BenchmarkMetadata(b *testing.B) {
	w := newWorld(b, storagetest.New(b))
	run(b, w.handler, func() *http.Request {
		return httptest.NewRequest(http.MethodGet, "/.well-known/openid-configuration", nil)
	})
}
