package interaction_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestLogout(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	signIn(b.Open("/login"), "alice")
	cookie := sessionOf(b)
	ask := b.Open("/logout")
	if !ask.Says("Signed in as alice") {
		t.Fatalf("status %d: %s", ask.Status, ask.Body)
	}
	if stay := ask.Press("stay"); stay.URL.Path != "/account" || sessionOf(b) != cookie {
		t.Errorf("at %s", stay.URL)
	}
	if out := ask.Press("sign-out"); !out.Says("You are signed out") || sessionOf(b) != "" {
		t.Errorf("status %d: %s", out.Status, out.Body)
	}
	if twice := ask.Press("sign-out"); !twice.Says("You are signed out") {
		t.Errorf("a second time: status %d: %s", twice.Status, twice.Body)
	}
	b.SetCookie(&http.Cookie{Name: "signet_session", Value: cookie, Path: "/"})
	if p := b.Open("/account"); p.URL.Path != "/login" {
		t.Errorf("the session outlived its end: at %s", p.URL)
	}
}

// Whoever could not be signed out must not be told that they were.
func TestLogoutWhileTheDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	var store atomic.Pointer[storage.Store]
	w := newWorld(t, storagetest.New(t, storage.WithStatementCounter(func(statement string) {
		if s := store.Load(); s != nil && strings.Contains(statement, "DELETE FROM sessions") {
			_ = s.Close()
		}
	})))
	b := w.Browser()
	signIn(b.Open("/login"), "alice")
	ask := b.Open("/logout")
	store.Store(w.Store)
	if p := ask.Press("sign-out"); p.Status != http.StatusServiceUnavailable || sessionOf(b) == "" {
		t.Errorf("status %d at %s", p.Status, p.URL)
	}
}

func TestLogoutFromTheAccount(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	if p := signIn(b.Open("/account"), "alice").Press("sign-out"); !p.Says("You are signed out") || sessionOf(b) != "" {
		t.Errorf("status %d: %s", p.Status, p.Body)
	}
}

func TestErrorPage(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	for query, want := range map[string]string{
		"?error=access_denied": "access_denied",
		"?error=Call+0800+123456&error_description=Your+account": "unknown",
		"": "unknown",
	} {
		p := w.Browser().Open("/error" + query)
		if p.Text("error") != want || p.Text("error-id") != p.Header.Get("X-Request-Id") || p.Says("0800") || p.Says("Your account is") {
			t.Errorf("%s: %s", query, p.Body)
		}
	}
}
