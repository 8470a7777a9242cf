package webtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Browser keeps cookies, follows redirects one by one and sends what browsers send. It
// stops at the border of the sites it visits, so that a test can look at the address an app
// would get. A failure to load anything fails the test.
type Browser struct {
	t      testing.TB
	client *http.Client
	home   *url.URL
	visits []string
}

// NewBrowser opens a browser without cookies for the site of an issuer. A nil transport is
// the default one.
func NewBrowser(t testing.TB, issuer string, transport http.RoundTripper) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t, client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	b.home = b.parse(issuer)
	b.Visit(issuer)
	return b
}

// Visit has the browser follow redirects to another site too.
func (b *Browser) Visit(origin string) { b.visits = append(b.visits, originOf(b.parse(origin))) }

// Open goes to an address, as if it were typed. A path is one of the issuer's.
func (b *Browser) Open(address string) *Page {
	b.t.Helper()
	return b.load(b.request(http.MethodGet, b.home.ResolveReference(b.parse(address)), nil, "none"))
}

// Post sends a form with the headers of a page of the issuer, whatever is in it.
func (b *Browser) Post(path string, form url.Values) *Page {
	b.t.Helper()
	return b.load(b.request(http.MethodPost, b.home.ResolveReference(b.parse(path)), form, "same-origin"))
}

// PostOnly is Post, without going where the answer points.
func (b *Browser) PostOnly(path string, form url.Values) *Page {
	b.t.Helper()
	visits := b.visits
	b.visits = nil
	defer func() { b.visits = visits }()
	return b.Post(path, form)
}

// PostFromElsewhere sends a form as a page of another site would make this browser send it:
// our SameSite=Lax cookies stay at home.
func (b *Browser) PostFromElsewhere(path string, form url.Values) *Page {
	b.t.Helper()
	r := b.request(http.MethodPost, b.home.ResolveReference(b.parse(path)), form, "cross-site")
	r.Header.Set("Origin", "https://elsewhere.example")
	bare := *b.client
	bare.Jar = nil
	res, err := bare.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(r.URL, res.Cookies())
	return b.follow(r, res, nil)
}

// Cookies lists the cookies that the browser would send to the issuer.
func (b *Browser) Cookies() []*http.Cookie { return b.client.Jar.Cookies(b.home) }

// CookiesAt lists the cookies that the browser would send to another address.
func (b *Browser) CookiesAt(address string) []*http.Cookie {
	b.t.Helper()
	return b.client.Jar.Cookies(b.parse(address))
}

// SetCookie plants a cookie for the issuer.
func (b *Browser) SetCookie(c *http.Cookie) { b.client.Jar.SetCookies(b.home, []*http.Cookie{c}) }

// request carries the headers that tell where a request comes from.
func (b *Browser) request(method string, u *url.URL, form url.Values, site string) *http.Request {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, u.String(), body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.Header.Set("Sec-Fetch-Site", site)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "null") // what the referrer policy of our pages leads to
	}
	return r
}

func (b *Browser) load(r *http.Request) *Page {
	b.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(r, res, nil)
}

const maxHops = 20

// follow reads an answer, and goes where it points as long as that is a site to visit.
func (b *Browser) follow(r *http.Request, res *http.Response, trail []string) *Page {
	b.t.Helper()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("read %s: %v", r.URL.Path, err)
	}
	trail = append(trail, r.URL.String())
	next := b.redirect(r, res)
	if next == nil {
		return b.page(res, string(body), r.URL, trail)
	}
	if !slices.Contains(b.visits, originOf(next)) || len(trail) > maxHops {
		return b.page(res, string(body), next, trail)
	}
	again := b.request(http.MethodGet, next, nil, "same-origin")
	res, err = b.client.Do(again)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(again, res, trail)
}

// redirect gives where an answer sends the browser; nil when it stays.
func (b *Browser) redirect(r *http.Request, res *http.Response) *url.URL {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return r.URL.ResolveReference(b.parse(res.Header.Get("Location")))
	}
	return nil
}

func (b *Browser) page(res *http.Response, body string, at *url.URL, trail []string) *Page {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("parse page: %v", err)
	}
	return &Page{Status: res.StatusCode, Header: res.Header, Body: body, URL: at, Trail: trail, browser: b, root: root}
}

func (b *Browser) parse(address string) *url.URL {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
