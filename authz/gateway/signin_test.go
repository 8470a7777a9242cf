package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/gateway"
)

// sealer is a gateway that needs no database.
func sealer(t testing.TB, key byte, at *authztest.Clock) *gateway.Service {
	t.Helper()
	s, err := gateway.New(gateway.Config{CookieKey: bytes.Repeat([]byte{key}, 32), Now: at.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessionOpensForItsAPIOnly(t *testing.T) {
	t.Parallel()
	s, grant := sealer(t, 1, &authztest.Clock{}), random(16)
	sealed, err := s.SealSession(orders, grant)
	if err != nil || fmt.Sprint(sealed) != "[redacted]" {
		t.Fatalf("%v, %v", sealed, err)
	}
	value := sealed.Reveal()
	if got, ok := s.OpenSession(orders, value); !ok || got != grant {
		t.Errorf("opened %q, %v", got, ok)
	}
	if _, ok := s.OpenSession(bills, value); ok {
		t.Error("opened for another API")
	}
	if _, ok := sealer(t, 2, &authztest.Clock{}).OpenSession(orders, value); ok {
		t.Error("opened with another key")
	}
	for i := range value {
		for _, c := range []byte("Ax_.") {
			changed := value[:i] + string(c) + value[i+1:]
			if _, ok := s.OpenSession(orders, changed); ok && changed != value {
				t.Errorf("opened with %c at %d", c, i)
			}
		}
	}
	for _, bad := range []string{"", "sgg_", value[4:], value + "A", value[:len(value)-1], strings.ToUpper(value), "\n" + value} {
		if _, ok := s.OpenSession(orders, bad); ok {
			t.Errorf("opened %q", bad)
		}
	}
	for _, bad := range []string{"", "x", random(15), random(17), random(16) + "="} {
		if _, err := s.SealSession(orders, bad); err == nil {
			t.Errorf("sealed %q", bad)
		}
	}
}

func TestCookieHoldsTheSessionsOfAHost(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1, &authztest.Clock{})
	cookie := ""
	grants := map[string]string{}
	for i := range 10 {
		api := fmt.Sprintf("https://app.example/%d", i)
		for range 2 { // the second takes the place of the first
			grants[api] = random(16)
			sealed, err := s.SealSession(api, grants[api])
			if err != nil {
				t.Fatal(err)
			}
			cookie = s.AddSession(cookie, api, sealed).Reveal()
		}
	}
	if strings.Count(cookie, ".") != 7 || len(cookie) > 1000 {
		t.Errorf("cookie of %d bytes with %d sessions, want the 8 newest", len(cookie), 1+strings.Count(cookie, "."))
	}
	for i := range 10 {
		api := fmt.Sprintf("https://app.example/%d", i)
		got, ok := s.OpenSession(api, cookie)
		if ok != (i >= 2) || ok && got != grants[api] {
			t.Errorf("API %d: %q, %v", i, got, ok)
		}
	}
	if _, ok := s.OpenSession("https://app.example/9", "x."+cookie); ok {
		t.Error("opened the ninth of a cookie that nobody made")
	}
	cookie = s.DropSession(cookie, "https://app.example/5").Reveal()
	if _, ok := s.OpenSession("https://app.example/5", cookie); ok {
		t.Error("still signed in to what was signed out of")
	}
	if _, ok := s.OpenSession("https://app.example/6", cookie); !ok {
		t.Error("signed out of another API")
	}
}

func TestCookieHoldsNothingElse(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1, &authztest.Clock{})
	one, err := s.SealSession(orders, random(16))
	if err != nil || s.DropSession(one.Reveal(), orders) != "" {
		t.Error("something is left of the last session")
	}
	if got := s.AddSession("sgg_x."+strings.Repeat("x", 2000), orders, one); got != one {
		t.Error("what we did not make is carried on")
	}
}

func FuzzOpenSession(f *testing.F) {
	s := sealer(f, 1, &authztest.Clock{})
	sealed, err := s.SealSession(orders, "AAAAAAAAAAAAAAAAAAAAAA")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed.Reveal())
	f.Add("a." + sealed.Reveal())
	f.Add("sgg_.")
	f.Fuzz(func(t *testing.T, cookie string) {
		_, ok := s.OpenSession(orders, cookie)
		if ok != slices.Contains(first8(cookie), sealed.Reveal()) {
			t.Errorf("%q: %v", cookie, ok)
		}
	})
}

func first8(cookie string) []string {
	all := strings.Split(cookie, ".")
	return all[:min(len(all), 8)]
}

func TestStateIsGoodOnceMoreInItsBrowserOnly(t *testing.T) {
	t.Parallel()
	at := &authztest.Clock{}
	s, api := sealer(t, 1, at), &authz.API{Identifier: orders}
	begun, err := s.NewState(api, orders+"/7?x=y")
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.NewState(api, "https://evil.example/")
	if err != nil || other.ID == begun.ID || other.Verifier == begun.Verifier || other.ReturnTo != orders+"/" {
		t.Fatalf("two sign-ins are alike, or the second goes back to %s; %v", other.ReturnTo, err)
	}
	sealed, err := s.SealState(begun)
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%v %+v %#v", begun, begun, begun); strings.Contains(printed, begun.Verifier.Reveal()) ||
		len(begun.Verifier.Reveal()) < 43 || len(begun.Challenge()) != 43 || begun.Challenge() == begun.Verifier.Reveal() {
		t.Errorf("challenge %q of %s", begun.Challenge(), printed)
	}
	want := begun
	want.ReturnTo, want.API = orders+"/7?x=y", orders
	got, err := s.OpenState(sealed, begun.ID)
	if got.Expires = got.Expires.UTC(); err != nil || got != want {
		t.Errorf("opened %+v, %v; want %+v", got, err, want)
	}
	refusesStates(t, s, sealed, begun, other)
	if _, err := sealer(t, 2, at).OpenState(sealed, begun.ID); !errors.Is(err, gateway.ErrState) {
		t.Errorf("opened with another key: %v", err)
	}
	at.Advance(time.Hour - time.Second)
	if _, err := s.OpenState(sealed, begun.ID); err != nil {
		t.Errorf("just in time: %v", err)
	}
	at.Advance(time.Second)
	if _, err := s.OpenState(sealed, begun.ID); !errors.Is(err, gateway.ErrState) {
		t.Errorf("too late: %v", err)
	}
}

func refusesStates(t *testing.T, s *gateway.Service, sealed authz.Secret, begun, other gateway.State) {
	t.Helper()
	value := sealed.Reveal()
	for name, try := range map[string]struct{ sealed, id string }{
		"answer to another sign-in": {value, other.ID}, "no answer": {value, ""}, "no state": {"", begun.ID},
		"changed": {value[:20] + swapped(value[20]) + value[21:], begun.ID}, "cut": {value[:30], begun.ID}, "not base64": {"!" + value, begun.ID},
	} {
		if _, err := s.OpenState(authz.Secret(try.sealed), try.id); !errors.Is(err, gateway.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func swapped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestStateFitsACookie(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1, &authztest.Clock{})
	api := &authz.API{Identifier: "https://long.example/" + strings.Repeat("a", 1000)}
	begun, err := s.NewState(api, "https://long.example/?"+strings.Repeat("&", 1478))
	if err != nil || len(begun.ReturnTo) != 1500 {
		t.Fatalf("%d, %v", len(begun.ReturnTo), err)
	}
	if sealed, err := s.SealState(begun); err != nil || len(sealed.Reveal()) > 3700 {
		t.Errorf("%d bytes, %v", len(sealed.Reveal()), err)
	}
}

func TestWithoutRandomnessNothingBegins(t *testing.T) {
	t.Parallel()
	s, err := gateway.New(gateway.Config{CookieKey: make([]byte, 32), Now: new(authztest.Clock).Now, Random: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewState(&authz.API{Identifier: orders}, ""); err == nil {
		t.Error("a sign-in began")
	}
	if _, err := s.SealState(gateway.State{}); err == nil {
		t.Error("a state was sealed")
	}
}

func TestReturnTo(t *testing.T) {
	t.Parallel()
	const home = "https://app.example/shop"
	for _, c := range []struct{ asked, want string }{
		{"https://app.example/shop/7?a=b", "https://app.example/shop/7?a=b"},
		{"https://app.example/elsewhere", "https://app.example/elsewhere"},
		{"HTTPS://APP.example:443/x", "https://app.example/x"},
		{"/shop/7?a=b", "https://app.example/shop/7?a=b"},
		{"https://app.example/caf%C3%A9", "https://app.example/caf%C3%A9"},
		{"https://app.example/x#fragment", "https://app.example/x"},
		{"", home},
		{"shop", home},
		{"?a=b", home},
		{"https://evil.example/", home},
		{"http://app.example/", home},
		{"https://app.example:8443/", home},
		{"https://app.example@evil.example/", home},
		{"https://alice@app.example/", home},
		{"https://app.example.evil.example/", home},
		{"//evil.example/", home},
		{"///evil.example/", home},
		{`/\evil.example/`, home},
		{`\\evil.example/`, home},
		{"/\tevil", home},
		{"https://app.example/\r\nSet-Cookie: a=b", home},
		{"https://app.example/?a=\u00e9", home},
		{"https://app.example/?a= b", home},
		{"javascript:alert(1)", home},
		{"https:app.example/", home},
		{"https://app.example/.signet/sign-out", home},
		{"/.signet/sign-in", home},
		{"/a/../.signet/sign-in", home},
		{"/%2esignet/sign-in", home},
		{"https://app.example/" + strings.Repeat("a", 1500), home},
	} {
		t.Run(c.asked[:min(len(c.asked), 60)], func(t *testing.T) {
			t.Parallel()
			got := gateway.ReturnTo(&authz.API{Identifier: home + "/"}, c.asked)
			if got != c.want {
				t.Errorf("back to %q, want %q", got, c.want)
			}
		})
	}
	if got := gateway.ReturnTo(&authz.API{Identifier: "https://app.example"}, ""); got != "https://app.example/" {
		t.Errorf("back to %q", got)
	}
	if got := gateway.ReturnTo(&authz.API{Identifier: "urn:a:b"}, "https://app.example"); got != "" {
		t.Errorf("back to %q from nowhere", got)
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"https://app.example/a?b", "/a", "//evil.example", `/\evil`, "https://app.example:443@evil/", "/.signet/x", "/%2e./a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		got := gateway.ReturnTo(&authz.API{Identifier: "https://app.example/shop"}, asked)
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "app.example" || u.User != nil || strings.HasPrefix(asServed(u.Path)+"/", "/.signet/") {
			t.Errorf("%q leads to %q", asked, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
			t.Errorf("%q gives %q", asked, got)
		}
		if again := gateway.ReturnTo(&authz.API{Identifier: "https://app.example/shop"}, got); again != got && len(got) <= 1500 {
			t.Errorf("%q gives %q, then %q", asked, got, again)
		}
	})
}

func TestClientOfAnAPI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ identifier, redirect string }{
		{"https://app.example", "https://app.example/.signet/callback"},
		{"https://app.example/orders/", "https://app.example/.signet/callback"},
		{"HTTPS://App.Example:443", "https://app.example/.signet/callback"},
		{"https://app.example:8443/x", "https://app.example:8443/.signet/callback"},
		{"http://127.0.0.1:9000", "http://127.0.0.1:9000/.signet/callback"},
		{"http://[::1]:9000", "http://[::1]:9000/.signet/callback"},
		{"http://app.example", ""},
		{"urn:example:reports", ""},
		{"https://app.example/?x", ""},
		{"https://a@app.example/", ""},
	} {
		t.Run(c.identifier, func(t *testing.T) {
			t.Parallel()
			m, err := gateway.ClientMetadata(&authz.API{Identifier: c.identifier, Name: "App", Scopes: []authz.APIScope{{Name: "read"}}})
			var invalid *authz.InvalidError
			if c.redirect == "" {
				if !errors.As(err, &invalid) || invalid.Field != "identifier" {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || !slices.Equal(m.RedirectURIs, []string{c.redirect}) {
				t.Fatalf("redirect URIs %q, %v; want %q", m.RedirectURIs, err, c.redirect)
			}
			if !m.FirstParty || !m.RequirePKCE || m.AuthMethod == authz.AuthNone || m.Scope.String() != "openid read" ||
				!slices.Equal(m.GrantTypes, []string{authz.GrantAuthorizationCode}) || m.DefaultAPI != c.identifier {
				t.Errorf("metadata %+v", m)
			}
		})
	}
}

func TestClientIDFitsEverywhere(t *testing.T) {
	t.Parallel()
	id := gateway.ClientID(orders)
	if id == gateway.ClientID(bills) || !strings.HasPrefix(id, gateway.PrefixClient) || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567-") != "" {
		t.Errorf("client id %q", id)
	}
}

func TestSignInAPIsOfAHost(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	for raw, want := range map[string]string{
		"https://APP.example:443/plain/x": "https://app.example", "https://shop.example/": "", "urn:example:people": "", "/x": "",
	} {
		got := catalogue.SignInAPIs(parse(raw))
		if len(got) > 1 || (len(got) == 1) != (want != "") || want != "" && got[0].Identifier != want {
			t.Errorf("%s: people sign in to %v, want %q", raw, got, want)
		}
	}
}

// TestPersonSignsInAtAProtectedHost goes the whole way of a browser: refused, sent to sign
// in, through the authorization endpoint without a page, and back with a cookie.
func TestPersonSignsInAtAProtectedHost(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx, api := context.Background(), w.apis[0]
		for range 2 {
			changed, err := gateway.Register(ctx, w.store, api, w.clock.Now())
			if err != nil || changed {
				t.Fatalf("registered again: %v, %v", changed, err)
			}
		}
		v := w.check(browsing(""), gateway.SignIn)
		begun, err := w.service.NewState(api, parse(v.Location).Query().Get("return_to"))
		w.must(err)
		sealed, err := w.service.SealState(begun)
		w.must(err)

		rec := httptest.NewRecorder()
		session := w.session()
		r := httptest.NewRequest(http.MethodGet, "/oauth2/authorize?"+url.Values{
			"client_id": {gateway.ClientID(orders)}, "response_type": {"code"}, "state": {begun.ID}, "redirect_uri": {orders + gateway.CallbackPath},
			"scope": {"openid orders:read orders:write"}, "code_challenge": {begun.Challenge()}, "code_challenge_method": {"S256"},
		}.Encode(), nil)
		w.provider.Authorize(rec, r.WithContext(authz.WithSession(authz.WithBrowser(ctx, "b"), session, w.alice)))
		answer := parse(rec.Header().Get("Location")).Query()
		if answer.Get("code") == "" {
			t.Fatalf("status %d, location %s", rec.Code, rec.Header().Get("Location"))
		}
		back, err := w.service.OpenState(sealed, answer.Get("state"))
		w.must(err)
		grant, err := w.provider.RedeemForGateway(ctx, gateway.ClientID(back.API), answer.Get("code"), orders+gateway.CallbackPath, back.Verifier)
		w.must(err)
		one, err := w.service.SealSession(back.API, grant)
		w.must(err)
		cookie := w.service.AddSession("", back.API, one).Reveal()
		if back.ReturnTo != orders+"/7" {
			t.Errorf("back to %s", back.ReturnTo)
		}
		got := w.check(browsing(cookie), gateway.Allow)
		if claims := w.claims(got.Token); claims["sub"] != w.alice.ID || claims["auth_time"] == nil {
			t.Errorf("claims %v", claims)
		}
		w.must(w.store.DeleteSession(ctx, session.ID, w.alice.ID))
		w.service.Changed("sessions", session.ID)
		w.check(browsing(cookie), gateway.SignIn)
	})
}
