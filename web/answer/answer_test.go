package answer_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

func newWriter(t *testing.T) *answer.Writer {
	t.Helper()
	pages, err := page.New()
	if err != nil {
		t.Fatal(err)
	}
	return answer.New(pages, func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
}

// request comes with a correlation id, and with a place for the cause.
func request(accept string, cause *error) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", accept)
	ctx := authz.WithOrigin(r.Context(), authz.Origin{CorrelationID: "id-of-this-request"})
	return r.WithContext(authz.WithNotes(ctx, func(err error) { *cause = err }))
}

func TestOutageIsToldToEverybodyInTheirWords(t *testing.T) {
	t.Parallel()
	gone := errors.New("dial tcp: connection refused")
	for accept, want := range map[string][]string{
		"text/html,*/*;q=0.8": {"text/html; charset=utf-8", `<code id="error">temporarily_unavailable</code>`, `<code id="error-id">id-of-this-request</code>`, "Nothing is lost."},
		"application/json":    {"application/problem+json", `{"type":"urn:signet:problem:temporarily_unavailable","title":"Service Unavailable","status":503,"detail":"Signet cannot answer right now.","code":"temporarily_unavailable","instance":"id-of-this-request"}`},
		"":                    {"application/problem+json"},
	} {
		var cause error
		w := httptest.NewRecorder()
		newWriter(t).ByAccept(w, request(accept, &cause), answer.Outage(gone))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "5" || w.Header().Get("Cache-Control") != "no-store" ||
			w.Header().Get("Content-Type") != want[0] {
			t.Errorf("%q: status %d, %v", accept, w.Code, w.Header())
		}
		for _, words := range want[1:] {
			if !strings.Contains(w.Body.String(), words) {
				t.Errorf("%q: lacks %s: %s", accept, words, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "refused") || !errors.Is(cause, gone) {
			t.Errorf("%q: the cause belongs in the log only: %v, %s", accept, cause, w.Body)
		}
	}
}

func TestRetryAfterIsNeverTooEarly(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Second: "1", 1001 * time.Millisecond: "2", time.Nanosecond: "1", time.Minute: "60"} {
		w := httptest.NewRecorder()
		answer.RetryAfter(w, d)
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %s, want %s", d, got, want)
		}
	}
}

// A page that cannot be drawn must not be an empty 200.
func TestBrokenPage(t *testing.T) {
	t.Parallel()
	var cause error
	w := httptest.NewRecorder()
	newWriter(t).Show(w, request("", &cause), http.StatusOK, page.FormPost{Action: "javascript:alert(1)"})
	if w.Code != http.StatusInternalServerError || cause == nil || strings.Contains(w.Body.String(), "javascript") {
		t.Errorf("status %d, cause %v: %s", w.Code, cause, w.Body)
	}
}
