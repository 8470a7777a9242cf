package oauth2_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage/storagetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a structure against the file of a name, member by member.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make it with -update", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs from %s:\n%s", name, path, got.Bytes())
	}
}

// masked puts a word in the place of each value that is random, wherever it stands.
func masked(v any, names ...string) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if value = masked(value, names...); strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
				value = "(" + name + ")"
			}
			v[name] = value
		}
	case string:
		if strings.HasPrefix(v, authz.PrefixToken) {
			return "(id of an API token)"
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i], names...)
		}
	}
	return v
}

// header and claims of a JWT, without what is random in them.
func (w *world) anatomy(token string) any {
	w.t.Helper()
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	w.must(err)
	var header map[string]any
	w.must(json.Unmarshal(raw, &header))
	return masked(map[string]any{"header": header, "claims": w.claims(token)}, "kid", "jti", "sid", "at_hash")
}

func TestGoldenDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	for name, path := range map[string]string{"metadata": "/.well-known/openid-configuration", "jwks": "/.well-known/jwks.json"} {
		rec := w.get(w.visitor(), path)
		var body any
		w.must(json.Unmarshal(rec.Body.Bytes(), &body))
		golden(t, name, map[string]any{
			"content-type": rec.Header().Get("Content-Type"), "cache-control": rec.Header().Get("Cache-Control"),
			"body": masked(body, "kid", "x", "y"),
		})
	}
}

// curious has the API of orders ask for all that there is to be told about a person, and for
// more; alice has one claim that it does not ask for.
func (w *world) curious() {
	w.must(w.store.UpdateAPI(w.t.Context(), w.orders(func(api *authz.API) {
		api.Claims = []string{"roles", "preferred_username", "name", "email", "email_verified", "department", team, "desk", "badge", "sub"}
	})))
	w.alice.Roles = []string{"editor"}
	w.alice.Claims = authz.UserClaims{
		"department": "sales & <law>", team: []string{"a", "b"}, "badge": json.Number("417"), "hobby": "chess", "sub": "usr_root",
	}
	w.must(w.store.UpdateUser(w.t.Context(), w.alice))
}

func TestGoldenTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.addRelay("relay", rule(orders, billing, "bills:read"))
	w.addClient("told", func(m *authz.ClientMetadata) { m.ClaimsInIDToken = true })
	a := w.tokens("web")
	golden(t, "access-token", w.anatomy(a.text("access_token")))
	golden(t, "id-token", w.anatomy(a.text("id_token")))
	golden(t, "access-token-of-client", w.anatomy(w.own("service")))
	golden(t, "access-token-exchanged", w.anatomy(w.exchange("relay", a.text("access_token")).text("access_token")))
	golden(t, "access-token-of-api-token", w.anatomy(w.mint(w.addAPIToken(orders, "orders:read"))))
	golden(t, "id-token-refreshed", w.anatomy(w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token"))).text("id_token")))
	w.curious()
	told := w.tokens("told", "scope", "openid profile email orders:read", "nonce", "-")
	golden(t, "access-token-personal", w.anatomy(told.text("access_token")))
	golden(t, "id-token-personal", w.anatomy(told.text("id_token")))
}

func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.addRelay("relay", rule(orders, billing, "bills:read"))
	a := w.tokens("web", "scope", "openid profile email orders:read")
	ask := func(client, token string) answer {
		return w.post("/oauth2/introspect", client, url.Values{"token": {token}})
	}
	swapped := w.exchange("relay", a.text("access_token"))
	for name, got := range map[string]answer{
		"token-code":         a,
		"token-refresh":      w.post("/oauth2/token", "web", cloneWith(refreshForm(a.text("refresh_token")), "scope", "openid")),
		"token-client":       w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}),
		"token-exchange":     swapped,
		"userinfo":           w.userinfo(a.text("access_token")),
		"introspect-access":  ask("web", a.text("access_token")),
		"introspect-refresh": ask("web", a.text("refresh_token")),
		"introspect-client":  ask("service", w.own("service")),
		"introspect-swapped": ask("relay", swapped.text("access_token")),
		"introspect-foreign": ask("other", a.text("access_token")),
	} {
		golden(t, name, map[string]any{
			"status": got.status, "content-type": got.header.Get("Content-Type"), "cache-control": got.header.Get("Cache-Control"),
			"body": masked(got.body, "access_token", "refresh_token", "id_token", "jti"),
		})
	}
}

// Every error that the token endpoint has, as a client sees it (RFC 6749 §5.2).
func TestGoldenTokenErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.addRelay("relay", rule(orders, billing, "bills:read"))
	w.addClient("off", func(*authz.ClientMetadata) {})
	w.disable("off")
	w.addClient("waived", func(m *authz.ClientMetadata) { m.RequirePKCE = false })
	s := newSigner(t, jose.ES256)
	w.addKeyClient("keyed", s)
	code, a := w.code(authorizeParams()), w.tokens("web")
	refresh, own := refreshForm(a.text("refresh_token")), url.Values{"grant_type": {"client_credentials"}}
	raw := func(change func(r *http.Request)) answer {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(r)
		return w.send(r)
	}
	post := func(client string, form url.Values) answer { return w.post("/oauth2/token", client, form) }
	asserted := func(changes map[string]any) answer {
		return post("", assertionForm(s.sign(t, w.assertion("keyed", w.clock.Now(), changes))))
	}
	spent := codeForm(w.code(authorizeParams()))
	post("web", spent)
	outage := func() answer {
		*w.outage = true
		defer func() { *w.outage = false }()
		return post("web", refresh)
	}
	out := map[string]any{}
	for name, got := range map[string]answer{
		"GET":                       raw(func(r *http.Request) { r.Method = http.MethodGet }),
		"JSON":                      raw(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
		"no authentication":         raw(func(*http.Request) {}),
		"two authorizations":        raw(func(r *http.Request) { r.Header["Authorization"] = []string{"Basic YTpi", "Basic YTpi"} }),
		"bearer":                    raw(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }),
		"repeated parameter":        post("web", url.Values{"grant_type": {"client_credentials", "client_credentials"}}),
		"no text":                   post("web", url.Values{"grant_type": {"client_credentials"}, "scope": {"\xff"}}),
		"too long":                  post("web", url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Repeat("s", 17<<10)}}),
		"no grant_type":             post("web", url.Values{"code": {code}}),
		"unknown grant_type":        post("web", url.Values{"grant_type": {"password"}}),
		"grant_type not registered": post("web", own),
		"unknown client":            post("nobody", own),
		"disabled client":           post("off", refresh),
		"two methods":               post("web", cloneWith(own, "client_id", "web", "client_secret", "x")),
		"another method":            post("", cloneWith(own, "client_id", "service", "client_secret", w.secret.Reveal())),
		"another client_id":         post("service", cloneWith(own, "client_id", "web")),
		"public client for itself":  post("native", own),
		"no code":                   post("web", codeForm("")),
		"no refresh token":          post("web", url.Values{"grant_type": {"refresh_token"}}),
		"malformed code":            post("web", codeForm("x")),
		"spent code":                post("web", spent),
		"another client's code":     post("other", codeForm(code)),
		"wrong verifier":            post("web", codeForm(code, "code_verifier", strings.Repeat("x", 43))),
		"short verifier":            post("web", codeForm(code, "code_verifier", "x")),
		"no verifier, no redirect":  post("waived", codeForm(code, "code_verifier", "", "redirect_uri", "")),
		"resource not granted":      post("web", codeForm(code, "resource", billing)),
		"malformed refresh token":   post("web", refreshForm("x")),
		"more scope":                post("web", cloneWith(refresh, "scope", "openid orders:write")),
		"scope of a person":         post("service", cloneWith(own, "scope", "openid")),
		"scope of nobody":           post("service", cloneWith(own, "scope", "fly")),
		"resource of nobody":        post("service", cloneWith(own, "resource", "https://nowhere.example")),
		"relative resource":         post("service", cloneWith(own, "resource", "/orders")),
		"malformed assertion":       post("", assertionForm("x")),
		"assertion of another type": post("", cloneWith(assertionForm("x"), "client_assertion_type", "urn:x")),
		"expired assertion":         asserted(map[string]any{"exp": w.clock.Now().Add(-time.Minute).Unix()}),
		"assertion for another":     asserted(map[string]any{"aud": "https://evil.example"}),
		"assertion without jti":     asserted(map[string]any{"jti": nil}),
		"exchange not registered":   post("web", exchangeForm(a.text("access_token"))),
		"exchange of nothing":       post("relay", exchangeForm("-")),
		"exchange of no token":      post("relay", exchangeForm("x")),
		"exchange for no API":       post("relay", exchangeForm(a.text("access_token"), "resource", "-")),
		"exchange beyond policy":    post("relay", exchangeForm(a.text("access_token"), "resource", orders)),
		"exchange for more":         post("relay", exchangeForm(a.text("access_token"), "scope", "orders:read")),
		"outage":                    outage(),
	} {
		one := map[string]any{"status": got.status, "body": got.body}
		for _, h := range []string{"WWW-Authenticate", "Retry-After"} {
			if value := got.header.Get(h); value != "" {
				one[h] = value
			}
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", name, got.header)
		}
		out[name] = one
	}
	golden(t, "token-errors", out)
}
