package page

import (
	"flag"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

var assetHash = regexp.MustCompile(`(/static/[a-z]+)\.[0-9a-f]{12}\.`)

func TestGoldenPages(t *testing.T) {
	t.Parallel()
	s, all := newSet(t), samples()
	for _, name := range []string{"login-wrong", "consent", "consent-on-device", "error", "logout", "apps", "token-created", "form-post"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := assetHash.ReplaceAllString(draw(t, s, all[name]), "$1.HASH.")
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("differs from %s; look at the difference, then run with -update\n%s", file, got)
			}
		})
	}
}

func TestTemplatesAndPagesBelongTogether(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(fstest.MapFS){
		"template without page": func(m fstest.MapFS) { m["templates/spare.html"] = &fstest.MapFile{} },
		"page without template": func(m fstest.MapFS) { delete(m, "templates/consent.html") },
		"missing stylesheet":    func(m fstest.MapFS) { delete(m, "static/signet.css") },
		"broken template":       func(m fstest.MapFS) { m["templates/login.html"] = &fstest.MapFile{Data: []byte("{{if}}")} },
	} {
		changed := fstest.MapFS{}
		err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := files.ReadFile(path)
			changed[path] = &fstest.MapFile{Data: data}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		change(changed)
		s, err := load(changed)
		if err == nil {
			err = s.Write(httptest.NewRecorder(), 200, Login{})
		}
		if err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

func TestAnswerHeaders(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := newSet(t).Write(w, 400, samples()["error"]); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if w.Code != 400 {
		t.Errorf("status %d, want 400", w.Code)
	}
}

func TestFormPostGoesOnlyWhereABrowserMayBeSent(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, action := range []string{"", "javascript:alert(1)", "http://calendar.acme.example/", "acme:callback", "//acme.example/", "/login", "https://a@acme.example/", "data:text/html,x"} {
		w := httptest.NewRecorder()
		if err := s.Write(w, 200, FormPost{Action: action}); err == nil {
			t.Errorf("%q was accepted", action)
		}
		if w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%q: something was written before the refusal", action)
		}
	}
}

func TestNothingInline(t *testing.T) {
	t.Parallel()
	eachPage(t, func(t *testing.T, _ Page, d document) {
		for n := range d.elements() {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc" {
					t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
				}
				if strings.Contains(a.Val, "ZgotmplZ") {
					t.Errorf("<%s %s> was refused by the template engine", n.Data, a.Key)
				}
			}
		}
		for n := range d.elements("style", "img", "iframe", "object", "embed", "base") {
			t.Errorf("<%s> has no place on a page", n.Data)
		}
		for n := range d.elements("script", "link") {
			if where := attr(n, "src") + attr(n, "href"); !assetHash.MatchString(where) || n.FirstChild != nil {
				t.Errorf("<%s> does not point at an asset: %q", n.Data, where)
			}
		}
	})
}

func TestFormsAreProtectedPosts(t *testing.T) {
	t.Parallel()
	ours := []string{"/login", "/consent", "/logout", "/setup", "/account/apps/revoke", "/account/sessions/end", "/account/sessions/end-others", "/account/tokens", "/account/tokens/revoke", "/account/tokens/rotate"}
	eachPage(t, func(t *testing.T, p Page, d document) {
		for form := range d.elements("form") {
			if attr(form, "method") != "post" {
				t.Errorf("form to %s does not post", attr(form, "action"))
			}
			if _, leaves := p.(FormPost); leaves {
				continue
			}
			if !contains(ours, attr(form, "action")) {
				t.Errorf("form posts to %s", attr(form, "action"))
			}
			if !hasField(form, "csrf") {
				t.Errorf("form to %s has no csrf field", attr(form, "action"))
			}
		}
	})
}

func hasField(form *html.Node, name string) bool {
	for n := range (document{form}).elements("input") {
		if attr(n, "name") == name {
			return true
		}
	}
	return false
}

// The ids are a contract with tests and programs that fill in our forms.
func TestStableIDs(t *testing.T) {
	t.Parallel()
	s, all := newSet(t), samples()
	for name, want := range map[string][]string{
		"login":         {"username", "password", "sign-in", "cancel"},
		"login-wrong":   {"username", "password", "sign-in", "problem"},
		"consent":       {"allow", "deny", "switch"},
		"error":         {"error", "error-id"},
		"logout":        {"sign-out"},
		"account":       {"sign-out"},
		"setup":         {"username", "name", "email", "password", "create"},
		"token-new":     {"name", "create"},
		"token-created": {"token"},
		"form-post":     {"continue"},
	} {
		ids := parsed(t, draw(t, s, all[name])).ids()
		for _, id := range want {
			if ids[id] != 1 {
				t.Errorf("%s: #%s occurs %d times", name, id, ids[id])
			}
		}
	}
}

func TestDocumentsAreWhole(t *testing.T) {
	t.Parallel()
	eachPage(t, func(t *testing.T, p Page, d document) {
		ids := d.ids()
		for id, n := range ids {
			if n > 1 {
				t.Errorf("#%s occurs %d times", id, n)
			}
		}
		for n := range d.elements() {
			for to := range strings.FieldsSeq(attr(n, "for") + " " + attr(n, "aria-describedby") + " " + attr(n, "aria-labelledby") + " " + attr(n, "data-copy")) {
				if ids[to] == 0 {
					t.Errorf("<%s> refers to #%s, which does not exist", n.Data, to)
				}
			}
		}
		for _, one := range []string{"title", "h1", "main"} {
			count := 0
			for n := range d.elements(one) {
				count++
				if textOf(n) == "" {
					t.Errorf("<%s> is empty", one)
				}
			}
			if count != 1 {
				t.Errorf("%d × <%s>", count, one)
			}
		}
		if strings.Contains(textOf(d.root), "<no value>") {
			t.Error("a value is missing")
		}
	})
}

func TestEveryControlHasAName(t *testing.T) {
	t.Parallel()
	eachPage(t, func(t *testing.T, _ Page, d document) {
		labelled := map[string]bool{}
		for n := range d.elements("label") {
			labelled[attr(n, "for")] = true
		}
		for n := range d.elements("input", "textarea", "select") {
			if attr(n, "type") == "hidden" || has(n, "aria-label") || attr(n, "id") != "" && labelled[attr(n, "id")] {
				continue
			}
			if n.Parent.Data != "label" || textOf(n.Parent) == "" {
				t.Errorf("the field %s has no label", attr(n, "name"))
			}
		}
		for n := range d.elements("button", "a", "summary") {
			if textOf(n) == "" {
				t.Errorf("<%s> says nothing", n.Data)
			}
		}
	})
}

func TestConsentChoices(t *testing.T) {
	t.Parallel()
	d := parsed(t, draw(t, newSet(t), consentSample()))
	boxes := map[string]bool{}
	for n := range d.elements("input") {
		if attr(n, "name") == "scope" && attr(n, "type") == "checkbox" {
			boxes[attr(n, "value")] = has(n, "checked")
		}
	}
	want := map[string]bool{"email": true, "offline_access": true, "orders:read": true, "orders:write": false}
	if len(boxes) != len(want) {
		t.Errorf("boxes %v, want %v", boxes, want)
	}
	for scope, checked := range want {
		if boxes[scope] != checked {
			t.Errorf("box %s: checked %v", scope, boxes[scope])
		}
	}
	for n := range d.elements("button") {
		if id := attr(n, "id"); (id == "allow" || id == "deny") && (attr(n, "name") != "decision" || attr(n, "value") != id) {
			t.Errorf("#%s sends %s=%s", id, attr(n, "name"), attr(n, "value"))
		}
	}
}

func TestRemovedThingsCannotBeRemovedAgain(t *testing.T) {
	t.Parallel()
	d := parsed(t, draw(t, newSet(t), samples()["tokens"]))
	got := map[string]bool{}
	for n := range d.elements("input") {
		if attr(n, "name") == "id" {
			got[attr(n, "value")] = true
		}
	}
	if len(got) != 3 || !got["token-1"] || !got["token-2"] || !got["token-6"] {
		t.Errorf("revoke buttons for %v, want token-1, token-2 and token-6", got)
	}
}
