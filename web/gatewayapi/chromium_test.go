package gatewayapi_test

import (
	"net"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/webtest"
)

// A real browser has its own mind about prefixes, SameSite, redirects between sites and the
// form policy of the page on which somebody signs in.
func TestARealBrowserSignsInAtTheProtectedHost(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(w *world, host string){
		"nginx": func(w *world, host string) { w.behindNginx("orders.example.com", host) },
		"caddy": func(w *world, host string) { w.behindCaddy("https://orders.example.com:", "https://orders.localhost:") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := free(t)
			_, port, _ := net.SplitHostPort(address)
			host := "orders.localhost:" + port // of which browsers know where it is
			w := worldAt(t, "https://"+host)
			w.proxy = address
			put(w, host)
			chromium := webtest.StartChromium(t)
			at := func(url string) {
				t.Helper()
				chromium.WaitFor("location.href === '" + url + "' && document.readyState === 'complete'")
			}

			chromium.Open("https://" + host + "/orders?page=2")
			chromium.Fill("username", "alice")
			chromium.Fill("password", password)
			chromium.Press("sign-in")
			at("https://" + host + "/orders?page=2")
			got := arrivalIn(t, chromium.Eval("document.body.innerText"))
			if got.Subject != w.alice.ID || strings.Contains(got.Header.Get("Cookie"), "sgg_") {
				t.Errorf("the service sees %+v", got)
			}
			if cookies := chromium.Eval("document.cookie"); strings.Contains(cookies, "signet") {
				t.Errorf("scripts see %s", cookies)
			}

			chromium.Open("https://" + host + "/.signet/sign-out")
			at(w.Issuer + "/logout")
			chromium.Press("sign-out")
			chromium.WaitFor("document.getElementById('sign-out') === null && document.readyState === 'complete'")
			chromium.Open("https://" + host + "/orders")
			chromium.WaitFor("location.href.startsWith('" + w.Issuer + "/login')")

			chromium.Open("https://" + host + "/.signet/callback?code=x&state=y")
			chromium.WaitFor("document.getElementById('error') !== null && document.readyState === 'complete'")
			if seal := chromium.Eval("getComputedStyle(document.querySelector('main')).display + document.styleSheets.length"); !strings.HasSuffix(seal, "1") {
				t.Errorf("the page at the protected host has no style: %s", seal)
			}
			for _, line := range chromium.Console() {
				if strings.Contains(line, "Content Security Policy") {
					t.Errorf("the browser complains: %s", line)
				}
			}
		})
	}
}
