package oauth2_test

import (
	"net/url"
	"testing"
)

func TestRevocation(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		access, refresh := a.text("access_token"), a.text("refresh_token")
		revoke := func(client, token string) answer {
			return w.post("/oauth2/revoke", client, url.Values{"token": {token}})
		}
		for name, got := range map[string]answer{"access": revoke("other", access), "ID": revoke("other", a.text("id_token"))} {
			if name == "access" && got.text("error") != "invalid_grant" {
				t.Errorf("another client's %s token: %d %s", name, got.status, got.raw)
			}
		}
		if got := revoke("other", refresh); got.status != 200 {
			t.Errorf("another client's refresh token: %d %s", got.status, got.raw)
		}
		if got := w.userinfo(access); got.status != 200 {
			t.Fatalf("a stranger revoked it: %d", got.status)
		}
		if got := revoke("web", access); got.status != 200 {
			t.Errorf("access token: %d %s", got.status, got.raw)
		}
		if got := w.userinfo(access); got.status != 401 {
			t.Errorf("a revoked access token works: %d", got.status)
		}
		again := w.post("/oauth2/token", "web", refreshForm(refresh))
		if again.status != 200 {
			t.Fatalf("the grant went with its access token: %d %s", again.status, again.raw)
		}
		for range 2 { // revoking twice is fine (RFC 7009 §2.2)
			if got := revoke("web", refresh); got.status != 200 {
				t.Errorf("refresh token: %d %s", got.status, got.raw)
			}
		}
		if got := w.userinfo(again.text("access_token")); got.status != 401 {
			t.Errorf("an access token outlives its grant here: %d", got.status)
		}
		if got := revoke("web", "unknown"); got.status != 200 {
			t.Errorf("an unknown token: %d %s", got.status, got.raw)
		}
		if got := revoke("", refresh); got.status != 401 {
			t.Errorf("nobody: %d %s", got.status, got.raw)
		}
	})
}

func TestRevocationOfAClientsOwnToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		own := w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}).text("access_token")
		w.post("/oauth2/revoke", "service", url.Values{"token": {own}})
		if got := w.post("/oauth2/introspect", "service", url.Values{"token": {own}}); got.body["active"] != false {
			t.Errorf("%d %s", got.status, got.raw)
		}
	})
}
