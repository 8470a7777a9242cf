package verifier_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

var described = verifier.WithResourceMetadata(verifier.ResourceMetadata{ResourceName: "Orders"})

const pointer = `resource_metadata="https://orders.example/.well-known/oauth-protected-resource"`

// ask sends a request with these Authorization headers and gives the answer.
func ask(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "https://orders.example/orders?access_token=x", nil)
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// greet answers with the subject of the request's token.
var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	token, ok := verifier.FromContext(r.Context())
	if !ok {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	_, _ = w.Write([]byte(token.Subject))
})

func TestMiddleware(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	s := newSignet(key)
	s.mark(1, 1)
	good := key.token(goodClaims())
	expired := key.token(with(map[string]any{"exp": time.Now().Unix() - 60}))
	revoked := key.token(with(status(1, listURI)))
	beyond := key.token(with(status(1<<40, listURI)))
	foreign := key.token(with(map[string]any{"aud": "https://stock.example"}))
	const (
		invalid = `Bearer error="invalid_token", error_description="the access token is not valid"`
		unread  = `Bearer error="invalid_request", error_description="the Authorization header holds no bearer token"`
		twice   = `Bearer error="invalid_request", error_description="more than one Authorization header"`
	)
	tests := map[string]struct {
		authorization []string
		status        int
		challenge     string
	}{
		"good":                          {[]string{"Bearer " + good}, 200, ""},
		"scheme in small letters":       {[]string{"bearer " + good}, 200, ""},
		"scheme in capitals":            {[]string{"BEARER " + good}, 200, ""},
		"two spaces":                    {[]string{"Bearer  " + good}, 200, ""},
		"nothing":                       {nil, 401, `Bearer`},
		"empty header":                  {[]string{""}, 401, `Bearer`},
		"another scheme":                {[]string{"Basic YTpi"}, 401, `Bearer`},
		"DPoP":                          {[]string{"DPoP " + good}, 401, `Bearer`},
		"scheme without token":          {[]string{"Bearer"}, 400, unread},
		"scheme and spaces":             {[]string{"Bearer   "}, 400, unread},
		"two tokens":                    {[]string{"Bearer " + good + " " + good}, 400, unread},
		"two credentials in one header": {[]string{"Bearer " + good + ", Bearer " + good}, 400, unread},
		"characters of no token":        {[]string{`Bearer "` + good + `"`}, 400, unread},
		"only padding":                  {[]string{"Bearer =="}, 400, unread},
		"two headers":                   {[]string{"Bearer " + good, "Bearer " + good}, 400, twice},
		"two headers, one empty":        {[]string{"Bearer " + good, ""}, 400, twice},
		"not a JWT":                     {[]string{"Bearer sgp_abc/~+=="}, 401, invalid},
		"too long":                      {[]string{"Bearer " + strings.Repeat("a", 9000)}, 401, invalid},
		"another API":                   {[]string{"Bearer " + foreign}, 401, `Bearer error="invalid_token", error_description="the access token is for another API"`},
		"expired":                       {[]string{"Bearer " + expired}, 401, `Bearer error="invalid_token", error_description="the access token has expired"`},
		"revoked":                       {[]string{"Bearer " + revoked}, 401, `Bearer error="invalid_token", error_description="the access token is revoked"`},
		"status cannot be told":         {[]string{"Bearer " + beyond}, 503, ""},
	}
	plain, withPointer := s.start(t).Middleware(greet), s.start(t, described).Middleware(greet)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(plain, test.authorization...)
			equal(t, "status", w.Code, test.status)
			equal(t, "challenge", w.Header().Get("WWW-Authenticate"), test.challenge)
			if test.status == http.StatusOK {
				equal(t, "body", w.Body.String(), "alice")
				return
			}
			equal(t, "Cache-Control", w.Header().Get("Cache-Control"), "no-store")
			equal(t, "Retry-After is set", w.Header().Get("Retry-After") != "", test.status == 503)
			if !json.Valid(w.Body.Bytes()) || strings.Contains(w.Body.String(), good) {
				t.Errorf("body is %s", w.Body)
			}
			if test.challenge != "" {
				separator := ", "
				if test.challenge == "Bearer" {
					separator = " "
				}
				got := ask(withPointer, test.authorization...).Header().Get("WWW-Authenticate")
				equal(t, "challenge of a described API", got, test.challenge+separator+pointer)
			}
		})
	}
}

func TestOutageIsNeverARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.down = true
		v := s.start(t)
		for range 3 {
			w := ask(v.Middleware(greet), "Bearer "+key.token(goodClaims()))
			equal(t, "status", w.Code, 503)
			equal(t, "challenge", w.Header().Get("WWW-Authenticate"), "")
			equal(t, "Retry-After", w.Header().Get("Retry-After"), "5")
		}
	})
}

func TestRequireScope(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	v := newSignet(key).start(t, described)
	reader := "Bearer " + key.token(with(map[string]any{"scope": "orders:read orders:readall"}))
	const lacks = `Bearer error="insufficient_scope", error_description="the access token lacks a scope", scope=`
	tests := map[string]struct {
		scopes        []string
		authorization []string
		status        int
		challenge     string
	}{
		"has it":               {[]string{"orders:read"}, []string{reader}, 200, ""},
		"has both":             {[]string{"orders:readall", "orders:read"}, []string{reader}, 200, ""},
		"none is asked for":    {nil, []string{reader}, 200, ""},
		"lacks it":             {[]string{"orders:write"}, []string{reader}, 403, lacks + `"orders:write", ` + pointer},
		"lacks one of two":     {[]string{"orders:read", "orders:write"}, []string{reader}, 403, lacks + `"orders:read orders:write", ` + pointer},
		"has one that is like": {[]string{"orders"}, []string{reader}, 403, lacks + `"orders", ` + pointer},
		"scope with a quote":   {[]string{`a"b`}, []string{reader}, 403, lacks + `"a\"b", ` + pointer},
		"no token":             {[]string{"orders:read"}, nil, 401, "Bearer " + pointer},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guarded := v.RequireScope(test.scopes...)(greet)
			for how, h := range map[string]http.Handler{"alone": guarded, "behind Middleware": v.Middleware(guarded)} {
				w := ask(h, test.authorization...)
				equal(t, how+": status", w.Code, test.status)
				equal(t, how+": challenge", w.Header().Get("WWW-Authenticate"), test.challenge)
			}
		})
	}
}

// A token that one verifier let through must not pass another's gate unseen.
func TestVerifiersDoNotTrustEachOther(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	orders := newSignet(key).start(t)
	other := newSignet(newES256("k")).start(t)
	w := ask(other.Middleware(orders.RequireScope("orders:read")(greet)), "Bearer "+key.token(goodClaims()))
	equal(t, "outer refuses", w.Code, 401)
	w = ask(orders.Middleware(other.RequireScope("orders:read")(greet)), "Bearer "+key.token(goodClaims()))
	equal(t, "inner refuses", w.Code, 401)
}

func TestFromContextWithoutMiddleware(t *testing.T) {
	t.Parallel()
	equal(t, "status", ask(greet).Code, http.StatusTeapot)
}
