package oauth2_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func TestCodeFlowGivesAnAccessTokenAnIDTokenAndARefreshToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := authorizeParams()
		got := w.walk(w.signIn(), v)
		if got.Get("iss") != issuer || got.Get("state") != "s-1" {
			t.Errorf("answer %v: want iss (RFC 9207 §2) and the state", got)
		}
		a := w.post("/oauth2/token", "web", codeForm(got.Get("code")))
		if a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("token: %d %v %s", a.status, a.header, a.raw)
		}
		access := w.claims(a.text("access_token"))
		for name, want := range map[string]any{
			"iss": issuer, "sub": w.alice.ID, "aud": orders, "client_id": "web",
			"scope": "openid profile orders:read offline_access",
		} {
			if access[name] != want {
				t.Errorf("access token %s = %v, want %v", name, access[name], want)
			}
		}
		id := w.claims(a.text("id_token"))
		if id["aud"] != "web" || id["nonce"] != "n-1" || id["sub"] != w.alice.ID || id["at_hash"] == nil || id["name"] != nil {
			t.Errorf("id token %v", id)
		}
		r := w.post("/oauth2/token", "web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.text("refresh_token")}})
		if r.status != http.StatusOK || r.text("access_token") == a.text("access_token") {
			t.Fatalf("refresh: %d %s", r.status, r.raw)
		}
		if again := w.claims(r.text("id_token")); again["nonce"] != nil {
			t.Error("a refreshed ID token repeats the nonce (OpenID Connect Core §12.2)")
		}
	})
}

func TestConcurrentRedemptionsOfOneCodeHaveOneWinner(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams())
		results := race(16, func() answer { return w.post("/oauth2/token", "web", codeForm(code)) })
		won := 0
		for _, a := range results {
			switch {
			case a.status == http.StatusOK:
				won++
			case a.status != http.StatusBadRequest || a.text("error") != "invalid_grant":
				t.Errorf("a loser got %d %s, want invalid_grant", a.status, a.raw)
			}
		}
		if won != 1 {
			t.Errorf("%d of 16 redemptions won, want 1", won)
		}
		if !w.recorded(authz.EventCodeReuse) {
			t.Error("the reuse of the code was not recorded")
		}
	})
}

func TestConcurrentRefreshesInsideTheGraceGetTheSameSuccessor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.tokens("native").text("refresh_token")
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first}}
		var successors []string
		for _, a := range race(16, func() answer { return w.post("/oauth2/token", "native", form) }) {
			if a.status != http.StatusOK {
				t.Fatalf("refresh: %d %s", a.status, a.raw)
			}
			successors = append(successors, a.text("refresh_token"))
		}
		slices.Sort(successors)
		if len(slices.Compact(successors)) != 1 || successors[0] == first {
			t.Errorf("successors differ, or are the token itself: %v", successors)
		}
	})
}

func TestReuseOfARotatedRefreshTokenRevokesTheGrant(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("native")
		first := a.text("refresh_token")
		refresh := func(token string) answer {
			return w.post("/oauth2/token", "native", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
		}
		second := refresh(first).text("refresh_token")
		w.clock.Advance(11 * time.Second)
		if got := refresh(first); got.text("error") != "invalid_grant" {
			t.Fatalf("a rotated token after the grace: %d %s", got.status, got.raw)
		}
		if got := refresh(second); got.text("error") != "invalid_grant" {
			t.Errorf("the successor still works after the reuse: %d %s", got.status, got.raw)
		}
		if got := w.userinfo(a.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("userinfo answers a token of the revoked grant with %d", got.status)
		}
		if !w.recorded(authz.EventRefreshReuse) {
			t.Error("the reuse was not recorded")
		}
	})
}

func TestAConfidentialClientKeepsItsRefreshToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		token := w.tokens("web").text("refresh_token")
		for range 3 {
			w.clock.Advance(30 * time.Second)
			a := w.post("/oauth2/token", "web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
			if a.status != http.StatusOK || a.text("refresh_token") != token {
				t.Fatalf("refresh again: %d %s", a.status, a.raw)
			}
		}
	})
}

func TestReplayOfACodeRevokesWhatGrewFromIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams())
		a := w.post("/oauth2/token", "web", codeForm(code))
		if again := w.post("/oauth2/token", "web", codeForm(code)); again.text("error") != "invalid_grant" {
			t.Fatalf("replay: %d %s", again.status, again.raw)
		}
		if got := w.userinfo(a.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("userinfo answers %d after the replay", got.status)
		}
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.text("refresh_token")}}
		if got := w.post("/oauth2/token", "web", form); got.text("error") != "invalid_grant" {
			t.Errorf("refresh after the replay: %d %s", got.status, got.raw)
		}
	})
}

// A stranger's attempt must not cost the owner anything: a wrong verifier does not burn the
// code, and dropping the verifier afterwards does not help (RFC 7636 §4.6).
func TestAWrongVerifierNeitherBurnsTheCodeNorLeadsToADowngrade(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams())
		for name, form := range map[string]url.Values{
			"wrong verifier":   codeForm(code, "code_verifier", strings.Repeat("x", 43)),
			"missing verifier": codeForm(code, "code_verifier", ""),
			"wrong redirect":   codeForm(code, "redirect_uri", appURI+"/other"),
		} {
			if a := w.post("/oauth2/token", "web", form); a.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
		if a := w.post("/oauth2/token", "other", codeForm(code)); a.text("error") != "invalid_grant" {
			t.Errorf("another client: %d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "web", codeForm(code)); a.status != http.StatusOK {
			t.Errorf("the owner after all this: %d %s", a.status, a.raw)
		}
	})
}

func TestClientCredentialsGiveTheClientItsOwnToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post("/oauth2/token", "service", url.Values{
			"grant_type": {"client_credentials"}, "scope": {"orders:read"}, "resource": {orders},
		})
		if a.status != http.StatusOK || a.body["refresh_token"] != nil || a.body["id_token"] != nil {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		c := w.claims(a.text("access_token"))
		if c["sub"] != "service" || c["aud"] != orders || c["scope"] != "orders:read" || c["auth_time"] != nil {
			t.Errorf("claims %v", c)
		}
	})
}

func (w *world) userinfo(token string) answer {
	r, err := http.NewRequest(http.MethodGet, "/oauth2/userinfo", nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	return w.send(r)
}

// race calls fn n times at once.
func race(n int, fn func() answer) []answer {
	out := make([]answer, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = fn()
		})
	}
	close(start)
	wg.Wait()
	return out
}
