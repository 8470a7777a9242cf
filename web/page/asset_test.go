package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAssetsAreServedForEver(t *testing.T) {
	t.Parallel()
	assets := newSet(t).Assets()
	for name, contentType := range map[string]string{
		"signet.css": "text/css; charset=utf-8",
		"signet.js":  "text/javascript; charset=utf-8",
		"seal.svg":   "image/svg+xml",
	} {
		address, err := assets.URL(name)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		want, _ := files.ReadFile("static/" + name)
		if w.Code != 200 || w.Body.String() != string(want) {
			t.Errorf("%s: status %d, %d bytes", address, w.Code, w.Body.Len())
		}
		for header, want := range map[string]string{
			"Content-Type":           contentType,
			"Cache-Control":          "public, max-age=31536000, immutable",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestTheIconIsFoundWithoutBeingNamed(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newSet(t).Assets().Icon(w, httptest.NewRequest(http.MethodGet, "/favicon.ico", nil))
	if h := w.Header(); w.Code != 200 || h.Get("Content-Type") != "image/svg+xml" || h.Get("Cache-Control") != "public, max-age=86400" {
		t.Errorf("status %d, %v", w.Code, h)
	}
}

func TestAssetAddressFollowsContent(t *testing.T) {
	t.Parallel()
	address := func(content string) string {
		a, err := newAssets(fstest.MapFS{"static/x.css": {Data: []byte(content)}}, "static")
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.URL("x.css")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one, other := address("a{}"), address("b{}")
	if one == other || one != address("a{}") {
		t.Errorf("addresses %s and %s", one, other)
	}
	if !strings.HasPrefix(one, "/static/x.") || !strings.HasSuffix(one, ".css") {
		t.Errorf("address %s", one)
	}
}

func TestOtherAssetRequestsAreRefused(t *testing.T) {
	t.Parallel()
	assets := newSet(t).Assets()
	css, err := assets.URL("signet.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, target string
		status               int
	}{
		{"outdated hash", "GET", "/static/signet.000000000000.css", 404},
		{"no hash", "GET", "/static/signet.css", 404},
		{"folder", "GET", "/static/", 404},
		{"above", "GET", "/static/../page.go", 404},
		{"post", "POST", css, 405},
		{"head", "HEAD", css, 200},
	} {
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, httptest.NewRequest(c.method, c.target, nil))
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.status)
		}
		if c.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("%s: a body of %d bytes", c.name, w.Body.Len())
		}
	}
	if _, err := assets.URL("missing.css"); err == nil {
		t.Error("an address for a file that does not exist")
	}
}
