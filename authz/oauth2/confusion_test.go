package oauth2_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

// Everything that this server hands out is good where it belongs and nowhere else
// (RFC 8725 §2.8, §3.11, RFC 9068 §5).
func TestNothingIsTakenForAnotherKind(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		const inside = "rest gateway"
		held := w.everything()
		want := map[string]string{
			"access token":            inside + " userinfo introspection exchange",
			"exchanged token":         inside + " introspection",
			"client's own token":      inside + " introspection exchange",
			"gateway token":           inside + " introspection exchange",
			"gateway token of script": inside + " introspection exchange",
			"ID token":                "hint",
			"refresh token":           "refresh introspection",
			"code":                    "code",
			"client secret":           "secret",
		}
		for kind, credential := range held {
			var at []string
			for place, accepts := range w.places() {
				if accepts(credential) {
					at = append(at, place)
				}
			}
			slices.Sort(at)
			should := strings.Fields(want[kind])
			slices.Sort(should)
			if !slices.Equal(at, should) {
				t.Errorf("%s: accepted at %q, want %q", kind, at, should)
			}
		}
		for kind := range want {
			if held[kind] == "" {
				t.Errorf("%s is not tried", kind)
			}
		}
	})
}

// everything is one credential of each kind, and some that nobody should take.
func (w *world) everything() map[string]string {
	a := w.tokens("web", "scope", "openid profile orders:read")
	script := w.addAPIToken(orders, "orders:read")
	secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	w.must(err)
	gateway, _, err := w.provider.MintForGateway(oauth2.GatewayToken{
		API: w.orders(func(*authz.API) {}), Scopes: authz.Scopes{"orders:read"}, ClientID: "web", User: w.alice,
		Lifetime: time.Minute, Token: a.text("access_token"),
	})
	w.must(err)
	claims := w.claims(a.text("access_token"))
	signed := func(typ string, changes map[string]any) string {
		changed := map[string]any{}
		maps.Copy(changed, claims)
		maps.Copy(changed, changes)
		raw, err := json.Marshal(changed)
		w.must(err)
		token, err := w.ring.Sign("", typ, raw)
		w.must(err)
		return token
	}
	return map[string]string{
		"access token": a.text("access_token"), "ID token": a.text("id_token"), "refresh token": a.text("refresh_token"),
		"exchanged token":               w.exchange("relay", a.text("access_token")).text("access_token"),
		"client's own token":            w.own("service"),
		"gateway token":                 gateway,
		"gateway token of script":       w.mint(script),
		"code":                          w.code(authorizeParams()),
		"API token":                     secret.Reveal(),
		"client secret":                 w.secret.Reveal(),
		"introspection as a JWT":        w.introspectionJWT(a.text("access_token")),
		"status list":                   signed("statuslist+jwt", nil),
		"no typ":                        signed("", map[string]any{"aud": "web"}),
		"logout token":                  signed("logout+jwt", map[string]any{"aud": "web"}),
		"another spelling of typ":       signed("AT+JWT", nil),
		"another issuer":                signed("at+jwt", map[string]any{"iss": "https://evil.example"}),
		"another person's sub":          signed("at+jwt", map[string]any{"sub": "usr_bob"}),
		"a person without a grant":      signed("at+jwt", map[string]any{"jti": "AAAAAAAAAAAAAAAAAAAAAA"}),
		"a grant that is not there":     signed("at+jwt", map[string]any{"jti": strings.Repeat("A", 38)}),
		"a client that is not there":    signed("at+jwt", map[string]any{"client_id": "nobody"}),
		"a client called like a person": signed("at+jwt", map[string]any{"client_id": "usr_alice"}),
		"expired":                       signed("at+jwt", map[string]any{"exp": w.clock.Now().Unix()}),
		"never ending":                  signed("at+jwt", map[string]any{"exp": nil}),
		"alg none":                      "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + strings.Split(a.text("access_token"), ".")[1] + ".",
		"nothing":                       "",
	}
}

func (w *world) introspectionJWT(token string) string {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/introspect", strings.NewReader("token="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/token-introspection+jwt")
	r.SetBasicAuth("web", w.secret.Reveal())
	return w.send(r).raw
}

// places are those where credentials are shown, and how to see that one is accepted.
func (w *world) places() map[string]func(credential string) bool {
	posted := func(client string, form url.Values) bool { return w.post("/oauth2/token", client, form).status == 200 }
	active := func(client, token string) bool {
		return w.post("/oauth2/introspect", client, url.Values{"token": {token}}).body["active"] == true
	}
	return map[string]func(string) bool{
		"rest":     func(c string) bool { return w.good(c) },
		"gateway":  func(c string) bool { _, err := w.provider.ShownAtGateway(context.Background(), c); return err == nil },
		"userinfo": func(c string) bool { return w.userinfo(c).status == 200 },
		"introspection": func(c string) bool {
			return active("web", c) || active("service", c) || active("relay", c)
		},
		"exchange": func(c string) bool { return posted("relay", exchangeForm(c)) },
		"refresh":  func(c string) bool { return posted("web", refreshForm(c)) },
		"code":     func(c string) bool { return posted("web", codeForm(c)) },
		"hint": func(c string) bool {
			q := w.location(w.authorize(w.signIn(), authorizeParams("id_token_hint", c, "prompt", "none"))).Query()
			return c != "" && q.Get("code") != ""
		},
		"secret": func(c string) bool {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("service", url.QueryEscape(c))
			return w.send(r).status == 200
		},
		"assertion": func(c string) bool { return w.post("/oauth2/token", "", assertionForm(c)).status == 200 },
	}
}

// People and clients have subjects of their own (RFC 9068 §5): a client that got itself
// called like a person is nobody, wherever it shows itself.
func TestAClientIsNeverTakenForAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		s := newSigner(t, jose.ES256)
		imposter := w.alice.ID
		w.addClient(imposter, func(m *authz.ClientMetadata) {
			m.GrantTypes = append(m.GrantTypes, authz.GrantClientCredentials)
		})
		w.addKeyClient("usr_keyed", s)
		for name, a := range map[string]answer{
			"client credentials": w.post("/oauth2/token", imposter, url.Values{"grant_type": {"client_credentials"}}),
			"assertion":          w.post("/oauth2/token", "", assertionForm(s.sign(t, w.assertion("usr_keyed", w.clock.Now(), nil)))),
			"introspection":      w.post("/oauth2/introspect", imposter, url.Values{"token": {"x"}}),
		} {
			if a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
		if rec := w.authorize(w.signIn(), authorizeParams("client_id", imposter)); rec.Code != http.StatusBadRequest {
			t.Errorf("authorize: %d %v", rec.Code, rec.Header())
		}
		for _, sub := range []any{w.claims(w.own("service"))["sub"], w.claims(w.tokens("web").text("access_token"))["sub"]} {
			if person := strings.HasPrefix(sub.(string), authz.PrefixUser); person != (sub == w.alice.ID) {
				t.Errorf("the subject %v", sub)
			}
		}
	})
}
