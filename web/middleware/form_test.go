package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/middleware"
)

const formType = "application/x-www-form-urlencoded"

func post(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"a form":             {post(formType, "username=alice"), 200},
		"with a charset":     {post(formType+"; charset=utf-8", "username=alice"), 200},
		"a visit":            {httptest.NewRequest(http.MethodGet, "/login", nil), 200},
		"multipart":          {post("multipart/form-data; boundary=x", "--x--"), 415},
		"JSON":               {post("application/json", "{}"), 415},
		"of no type":         {post("", "username=alice"), 415},
		"broken escapes":     {post(formType, "username=%zz"), 400},
		"at the limit":       {post(formType, "a="+strings.Repeat("b", 98)), 200},
		"one byte too large": {post(formType, "a="+strings.Repeat("b", 99)), 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
				middleware.LimitBody(100), middleware.Form(plainly)).ServeHTTP(w, c.r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
		})
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	guard, err := middleware.SameOrigin("https://id.example", plainly)
	if err != nil {
		t.Fatal(err)
	}
	h := middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), guard)
	for name, c := range map[string]struct {
		method, site, origin string
		want                 int
	}{
		"our own page":                         {"POST", "same-origin", "null", 200},
		"our own page in an old browser":       {"POST", "", "https://id.example", 200},
		"an old browser that hides the origin": {"POST", "", "null", 200},
		"typed":                                {"POST", "none", "", 200},
		"no browser":                           {"POST", "", "", 200},
		"another site":                         {"POST", "cross-site", "https://evil.example", 403},
		"another site without an origin":       {"POST", "cross-site", "null", 403},
		"a sister site":                        {"POST", "same-site", "https://www.id.example", 403},
		"another site in an old browser":       {"POST", "", "https://evil.example", 403},
		"another port in an old browser":       {"POST", "", "https://id.example:8443", 403},
		"a plain http site in an old browser":  {"POST", "", "http://elsewhere.example", 403},
		"a link from another site":             {"GET", "cross-site", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(c.method, "http://inside.example/login", nil) // a proxy changed Host
			r.Header.Set("Sec-Fetch-Site", c.site)
			r.Header.Set("Origin", c.origin)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
		})
	}
}

func TestRevisit(t *testing.T) {
	t.Parallel()
	long, longer := "a="+strings.Repeat("b", 8000), "a="+strings.Repeat("b", 80_000)
	wide := "a=" + strings.Repeat("\u00e5", 2500) // 5000 bytes, and three times as many in a query
	for name, c := range map[string]struct {
		site, origin, cookie, contentType, query, body string
		want                                           string // where it sends the browser
		status                                         int    // 0: it passes the form on
	}{
		"another site's form":             {"cross-site", "https://app.example", "", formType, "", "b=2&a=1&a=3", "/oauth2/authorize?a=1&a=3&b=2", 303},
		"an old browser's":                {"", "https://app.example", "", formType, "", "a=1", "/oauth2/authorize?a=1", 303},
		"a program's":                     {"", "", "", formType, "", "a=1", "", 0},
		"our own":                         {"same-origin", "null", "", formType, "", "a=1", "", 0},
		"a sister site's brings cookies":  {"same-site", "https://app.example", "", formType, "", "a=1", "", 0},
		"cookies came along":              {"cross-site", "https://app.example", "signet_browser=x", formType, "?x", "a=1", "", 0},
		"to an address with a query":      {"cross-site", "https://app.example", "", formType, "?a=2&x", "a=1", "/oauth2/authorize?a=1", 303},
		"nothing":                         {"cross-site", "https://app.example", "", formType, "?x", "", "/oauth2/authorize?", 303},
		"too long for a query":            {"cross-site", "https://app.example", "", formType, "", long, "", 413},
		"too long when it is encoded":     {"cross-site", "https://app.example", "", formType, "", wide, "", 413},
		"too long for anything":           {"cross-site", "https://app.example", "", formType, "", longer, "", 413},
		"no form":                         {"cross-site", "https://app.example", "", "application/json", "", "{}", "", 415},
		"no form, and nobody says what":   {"cross-site", "https://app.example", "", "", "", "a=1", "", 415},
		"not to be read":                  {"cross-site", "https://app.example", "", formType, "", "a=%zz", "", 400},
		"a host cannot be smuggled in it": {"cross-site", "https://app.example", "", formType, "", "//evil.example", "/oauth2/authorize?%2F%2Fevil.example=", 303},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passed, reached := "", false
			h := middleware.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				passed, reached = string(body), true
			}), middleware.LimitBody(64<<10), middleware.Revisit(middleware.NewCookies("http://localhost"), "http://localhost", plainly))
			r := httptest.NewRequest(http.MethodPost, "/oauth2/authorize"+c.query, strings.NewReader(c.body))
			for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin, "Cookie": c.cookie, "Content-Type": c.contentType} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if reached != (c.status == 0) || reached && passed != c.body {
				t.Errorf("passed on: %v, with %q", reached, passed)
			}
			if got := w.Header().Get("Location"); got != c.want || !reached && w.Code != c.status {
				t.Errorf("status %d, sent to %q, want %d and %q", w.Code, got, c.status, c.want)
			}
		})
	}
}
