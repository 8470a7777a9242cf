package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web"
	"github.com/signet-auth/signet/web/webtest"
)

const password = "correct horse battery"

// address fills in the names of a path.
func address(line web.Line) string {
	path := strings.NewReplacer("{id}", "some-id", "{name}", "some-name").Replace(line.Path)
	if path == "/static/" {
		return "/static/nothing.css"
	}
	return path
}

// ask sends a request as a program would, with changes.
func ask(t *testing.T, s *webtest.Server, method, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Issuer+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestHeadersOfEveryRoute(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]webtest.Option{"https": {webtest.WithHTTPS()}, "loopback": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Start(t, storagetest.New(t), options...)
			for _, line := range web.Lines(s.Site) {
				form := strings.NewReader("")
				res := ask(t, s, line.Method, address(line), form, "Content-Type", "application/x-www-form-urlencoded")
				where := line.Method + " " + line.Path
				checkSecurity(t, where, res.Header, len(options) > 0 && !line.Elsewhere)
				checkPolicy(t, where, line, res.Header)
			}
		})
	}
}

func checkSecurity(t *testing.T, where string, h http.Header, https bool) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %s is %q", where, name, h.Get(name))
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action "} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s: policy %q lacks %s", where, policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("%s: policy %q", where, policy)
	}
	if got := h.Get("Strict-Transport-Security") != ""; got != https {
		t.Errorf("%s: Strict-Transport-Security %q", where, h.Get("Strict-Transport-Security"))
	}
	if h.Get("X-Request-Id") == "" {
		t.Errorf("%s: no correlation id", where)
	}
}

func checkPolicy(t *testing.T, where string, line web.Line, h http.Header) {
	t.Helper()
	if got := strings.Contains(h.Get("Cache-Control"), "no-store"); !line.Cacheable && !got {
		t.Errorf("%s: Cache-Control %q", where, h.Get("Cache-Control"))
	}
	if got := h.Get("Cross-Origin-Opener-Policy") == "same-origin"; got != line.OwnWindow {
		t.Errorf("%s: Cross-Origin-Opener-Policy %q", where, h.Get("Cross-Origin-Opener-Policy"))
	}
	if got := h.Get("Access-Control-Allow-Origin") == "*"; got != line.AnyOrigin || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%s: Access-Control-Allow-Origin %q", where, h.Get("Access-Control-Allow-Origin"))
	}
	if got := h.Get("Permissions-Policy") != ""; got != line.ForPeople {
		t.Errorf("%s: Permissions-Policy %q", where, h.Get("Permissions-Policy"))
	}
	if len(h.Values("Set-Cookie")) > 0 && !line.ForPeople {
		t.Errorf("%s: sets %q", where, h.Values("Set-Cookie"))
	}
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	methods := map[string][]string{}
	for _, line := range web.Lines(s.Site) {
		methods[line.Path] = append(methods[line.Path], line.Method)
	}
	for _, line := range web.Lines(s.Site) {
		for _, wrong := range []string{http.MethodDelete, http.MethodPatch, http.MethodTrace, "BREW"} {
			if slices.Contains(methods[line.Path], wrong) || slices.Contains(methods[line.Path], "*") {
				continue
			}
			res := ask(t, s, wrong, address(line), nil, "Accept", "text/html")
			if res.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d", wrong, line.Path, res.StatusCode)
			}
			for _, right := range methods[line.Path] {
				if !slices.Contains(strings.Split(res.Header.Get("Allow"), ", "), right) {
					t.Errorf("%s %s: Allow is %q and lacks %s", wrong, line.Path, res.Header.Get("Allow"), right)
				}
			}
			kind := "application/problem+json"
			if line.ForPeople {
				kind = "text/html; charset=utf-8"
			}
			if got := res.Header.Get("Content-Type"); got != kind {
				t.Errorf("%s %s: Content-Type %q", wrong, line.Path, got)
			}
			if len(res.Header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s %s: sets a cookie", wrong, line.Path)
			}
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	for _, path := range []string{
		"/nothing", "/login/", "//login", "/%6cogin", "/./login", "/x/../login", "/LOGIN", "/oauth2", "/oauth2/", "/api/v2/clients", "/static", "/.well-known/nothing",
	} {
		browser := ask(t, s, "GET", path, nil, "Accept", "text/html,*/*")
		body, _ := io.ReadAll(browser.Body)
		if browser.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `id="error">not_found`) {
			t.Errorf("a browser at %s: status %d: %s", path, browser.StatusCode, body)
		}
		program := ask(t, s, "POST", path, nil)
		var problem struct {
			Status         int
			Code, Instance string
		}
		err := json.NewDecoder(program.Body).Decode(&problem)
		if err != nil || program.StatusCode != http.StatusNotFound || program.Header.Get("Content-Type") != "application/problem+json" ||
			problem.Status != 404 || problem.Code != "not_found" || problem.Instance != program.Header.Get("X-Request-Id") {
			t.Errorf("a program at %s: status %d, %+v, %v", path, program.StatusCode, problem, err)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	for _, line := range web.Lines(s.Site) {
		if line.Method == "*" {
			continue
		}
		res := ask(t, s, "OPTIONS", address(line), nil,
			"Origin", "https://app.example", "Access-Control-Request-Method", line.Method, "Access-Control-Request-Headers", "authorization")
		h := res.Header
		if !line.AnyOrigin {
			if res.StatusCode != http.StatusMethodNotAllowed || h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: status %d, Access-Control-Allow-Origin %q", line.Path, res.StatusCode, h.Get("Access-Control-Allow-Origin"))
			}
			continue
		}
		if res.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.Contains(h.Get("Access-Control-Allow-Methods"), line.Method) ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: status %d, %v", line.Path, res.StatusCode, h)
		}
	}
}

// Which endpoints scripts of other sites may read is decided here, not by a policy's name.
func TestWhatIsOpenToScripts(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	open := []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json",
		"/oauth2/token", "/oauth2/revoke", "/oauth2/userinfo", "/status-lists/{list}",
	}
	for _, line := range web.Lines(s.Site) {
		res := ask(t, s, "OPTIONS", address(line), nil, "Origin", "https://app.example", "Access-Control-Request-Method", line.Method)
		if got := res.Header.Get("Access-Control-Allow-Origin") != ""; got != slices.Contains(open, line.Path) {
			t.Errorf("%s: open to scripts of other sites: %v", line.Path, got)
		}
	}
}

func TestCrossOriginAnswers(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	res := ask(t, s, "POST", "/oauth2/token", strings.NewReader("grant_type=client_credentials"),
		"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site")
	if res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusBadRequest {
		t.Errorf("the token endpoint refused a script of another site as such: %d", res.StatusCode)
	}
	if got := res.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, "WWW-Authenticate") {
		t.Errorf("exposed %q", got)
	}
}

// What every form of a page must refuse, whatever the page is about.
func TestFormsOfEveryPage(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	s.Person("alice", password)
	b := s.Browser()
	b.Open("/login").Fill("username", "alice").Fill("password", password).Press("sign-in")
	cookies := make([]string, 0, 3)
	for _, c := range b.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	const urlencoded = "application/x-www-form-urlencoded"
	for _, line := range web.Lines(s.Site) {
		if line.Method != http.MethodPost || !line.ForForms {
			continue
		}
		post := func(kind, body string, more ...string) *http.Response {
			return ask(t, s, "POST", address(line), strings.NewReader(body),
				append(more, "Content-Type", kind, "Cookie", strings.Join(cookies, "; "))...)
		}
		for name, c := range map[string]struct {
			res  *http.Response
			want int
		}{
			"from another site":                   {post(urlencoded, "a=b", "Sec-Fetch-Site", "cross-site"), 403},
			"from a sister site":                  {post(urlencoded, "a=b", "Sec-Fetch-Site", "same-site"), 403},
			"from another site in an old browser": {post(urlencoded, "a=b", "Origin", "https://evil.example"), 403},
			"multipart":                           {post("multipart/form-data; boundary=x", "--x--\r\n"), 415},
			"JSON":                                {post("application/json", "{}"), 415},
			"too large":                           {post(urlencoded, "a="+strings.Repeat("b", 64<<10)), 413},
			"broken":                              {post(urlencoded, "a=%"), 400},
		} {
			body, _ := io.ReadAll(c.res.Body)
			if c.res.StatusCode != c.want || !strings.Contains(string(body), `id="error-id"`) {
				t.Errorf("%s %s: status %d, want a page with %d", line.Path, name, c.res.StatusCode, c.want)
			}
		}
		res := post(urlencoded, "a=b")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusNotFound {
			t.Errorf("%s without a token: status %d: %s", line.Path, res.StatusCode, body)
		}
	}
	if p := b.Open("/account"); p.URL.Path != "/account" {
		t.Errorf("one of them has signed alice out: at %s", p.URL)
	}
}

// Whatever another site has a browser send, the answer binds the browser to nothing new: its
// own binding stayed at home, and so the interactions of all its tabs would end.
func TestAnotherSitesFormBindsNobody(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	const urlencoded = "application/x-www-form-urlencoded"
	for _, line := range web.Lines(s.Site) {
		if line.Method != http.MethodPost && line.Method != "*" {
			continue
		}
		for name, c := range map[string]struct{ query, contentType, body string }{
			"a form":       {"", urlencoded, "client_id=x"},
			"with a query": {"?x", urlencoded, "client_id=x"},
			"nothing":      {"", urlencoded, ""},
			"long":         {"", urlencoded, "state=" + strings.Repeat("x", 10_000)},
			"very long":    {"", urlencoded, "state=" + strings.Repeat("x", 70_000)},
			"text":         {"", "text/plain", "client_id=x"},
			"files":        {"", "multipart/form-data; boundary=x", "--x--"},
			"malformed":    {"", urlencoded, "a=%zz"},
			"of no kind":   {"", "", "client_id=x"},
		} {
			for _, from := range [][]string{
				{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
				{"Sec-Fetch-Site", "cross-site", "Origin", "null"},
				{"Origin", "https://evil.example"},
			} {
				res := ask(t, s, "POST", address(line)+c.query, strings.NewReader(c.body), append(from, "Content-Type", c.contentType)...)
				for _, cookie := range res.Cookies() {
					if strings.Contains(cookie.Name, "browser") {
						t.Errorf("%s %s, %s: %s", line.Path, name, from, cookie)
					}
				}
			}
		}
	}
}

func TestStaticFiles(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	page := ask(t, s, "GET", "/login", nil)
	body, _ := io.ReadAll(page.Body)
	_, rest, _ := strings.Cut(string(body), `<link rel="stylesheet" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	res := ask(t, s, "GET", address, nil)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: status %d, %v", address, res.StatusCode, res.Header)
	}
	if res := ask(t, s, "GET", "/static/"+url.PathEscape("../templates/login.html"), nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("a template: status %d", res.StatusCode)
	}
}
