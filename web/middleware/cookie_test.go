package middleware_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/middleware"
)

func TestCookiesAreGuarded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issuer, prefix string
		secure         bool
	}{
		"https":         {"https://id.example", "__Host-", true},
		"loopback http": {"http://127.0.0.1:8080", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cookies := middleware.NewCookies(c.issuer)
			w := httptest.NewRecorder()
			cookies.SetSession(w, "ses_1.secret", time.Hour)
			cookies.SetDevice(w, "device")
			cookies.SetFlash(w, "flash")
			middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
				middleware.Browser(cookies, rand.Reader, plainly)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			ages := map[string]int{"signet_session": 3600, "signet_device": 400 * 24 * 3600, "signet_browser": 0, "signet_flash": 60}
			got := w.Result().Cookies()
			if len(got) != len(ages) {
				t.Fatalf("cookies %v, want %d", got, len(ages))
			}
			for _, cookie := range got {
				age, known := ages[cookie.Name[len(c.prefix):]]
				if !known || cookie.MaxAge != age || cookie.Secure != c.secure || !cookie.HttpOnly ||
					cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
					t.Errorf("cookie %s", cookie)
				}
			}
		})
	}
}

func TestClearingACookieEndsIt(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	middleware.NewCookies("https://id.example").ClearSession(w)
	// The browser knows it by name and path.
	if got := w.Header().Get("Set-Cookie"); got != "__Host-signet_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("cookie %s", got)
	}
}

func TestAFlashIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	cookies := middleware.NewCookies("https://id.example")
	for name, c := range map[string]struct{ method, cookie, want, left string }{
		"the page":           {"GET", "__Host-signet_flash=sealed", "sealed", "__Host-signet_flash=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		"a form in between":  {"POST", "__Host-signet_flash=sealed", "", ""},
		"of another host":    {"GET", "signet_flash=planted", "", ""},
		"a page without one": {"GET", "", "", ""},
	} {
		var got string
		h := middleware.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = middleware.FlashFrom(r.Context())
		}), middleware.Flash(cookies))
		r := httptest.NewRequest(c.method, "/", nil)
		r.Header.Set("Cookie", c.cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got != c.want || w.Header().Get("Set-Cookie") != c.left {
			t.Errorf("%s: %q, and the browser gets %q", name, got, w.Header().Get("Set-Cookie"))
		}
	}
}

func TestBrowserBinding(t *testing.T) {
	t.Parallel()
	cookies := middleware.NewCookies("http://localhost")
	visit := func(cookie string) (authz.Secret, []*http.Cookie) {
		var got authz.Secret
		h := middleware.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = authz.BrowserFrom(r.Context())
		}), middleware.Browser(cookies, rand.Reader, plainly))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if cookie != "" {
			r.Header.Set("Cookie", "signet_browser="+cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return got, w.Result().Cookies()
	}
	first, set := visit("")
	if len(first) != 43 || len(set) != 1 || set[0].Value != first.Reveal() {
		t.Fatalf("a new browser gets %v, context has %d characters", set, len(first))
	}
	if again, set := visit(first.Reveal()); again != first || len(set) != 0 {
		t.Errorf("a known browser gets another binding")
	}
	if other, set := visit("guessable"); other == "guessable" || len(set) != 1 {
		t.Errorf("a binding that is not ours was taken over")
	}
}

func TestFormTokens(t *testing.T) {
	t.Parallel()
	ours := authz.WithBrowser(t.Context(), "browser one")
	tokens := middleware.NewFormTokens([]byte("0123456789abcdef0123456789abcdef"))
	good := tokens.Token(ours, "consent", "request", "alice")
	for name, c := range map[string]struct {
		browser authz.Secret
		sent    string
		want    bool
	}{
		"the form's own":       {"browser one", good, true},
		"missing":              {"browser one", "", false},
		"another browser":      {"browser two", good, false},
		"no browser":           {"", tokens.Token(t.Context(), "consent", "request", "alice"), false},
		"another request":      {"browser one", tokens.Token(ours, "consent", "other", "alice"), false},
		"another step":         {"browser one", tokens.Token(ours, "login", "request", "alice"), false},
		"another person":       {"browser one", tokens.Token(ours, "consent", "request", "bob"), false},
		"another server's key": {"browser one", middleware.NewFormTokens([]byte("f")).Token(ours, "consent", "request", "alice"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := post(formType, "csrf="+c.sent)
			if err := r.ParseForm(); err != nil {
				t.Fatal(err)
			}
			r = r.WithContext(authz.WithBrowser(r.Context(), c.browser))
			if got := tokens.Valid(r, "consent", "request", "alice"); got != c.want {
				t.Errorf("valid %v, want %v", got, c.want)
			}
		})
	}
}
