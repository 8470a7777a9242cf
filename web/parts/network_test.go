package parts_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/webtest"
)

// check asks at the check of a proxy, from an address, and gives the status and what the
// service is handed.
func check(t *testing.T, s *webtest.Server, api, token, address string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Issuer+"/gateway/nginx?"+url.Values{"api": {api}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"X-Original-Url": api + "/7", "X-Original-Method": "GET", "X-Forwarded-For": address, "Authorization": "Bearer " + token,
	} {
		r.Header.Set(name, value)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, strings.TrimPrefix(res.Header.Get("Authorization"), "Bearer ")
}

// What the gateway makes of an API token is no more use elsewhere than the token.
func TestTheShortTokenOfALimitedAPITokenIsLimitedToo(t *testing.T) {
	t.Parallel()
	s, alice := restOf(t)
	const home, next, abroad = "198.51.100.7", "198.51.100.8", "203.0.113.9"
	_, limited := token(t, s, alice, parcels, "parcels:read", "198.51.100.0/24")
	_, anywhere := token(t, s, alice, parcels, "parcels:read")
	for name, c := range map[string]struct {
		token, address string
		want           int
	}{
		"from its network": {limited, next, 200}, "from elsewhere": {limited, abroad, 401}, "of one without": {anywhere, abroad, 200},
	} {
		status, short := check(t, s, parcels, c.token, home)
		if status != 200 || short == "" {
			t.Fatalf("%s: status %d", name, status)
		}
		for range 2 { // once looked up, once kept
			if status, _ := check(t, s, parcels, short, c.address); status != c.want {
				t.Errorf("%s: status %d, want %d", name, status, c.want)
			}
		}
	}

	_, account := token(t, s, alice, s.Issuer, authz.ScopeAccount, "198.51.100.0/24")
	_, short := check(t, s, s.Issuer, account, home)
	if status, body := call(t, s, "GET", ownTokens, short, home, ""); status != 200 {
		t.Errorf("at the REST API: status %d: %s", status, body)
	}
	if status, body := call(t, s, "GET", ownTokens, short, abroad, ""); status != 401 || !strings.Contains(body, "from this address") {
		t.Errorf("at the REST API, from elsewhere: status %d: %s", status, body)
	}
}
