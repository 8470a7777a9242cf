package middleware_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
)

func plainly(w http.ResponseWriter, r *http.Request, t answer.Trouble) {
	authz.NoteError(r.Context(), t.Cause)
	http.Error(w, t.Code, t.Status)
}

// observed runs a handler and gives its answer and its log lines.
func observed(t *testing.T, r *http.Request, h http.HandlerFunc) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	times := []time.Time{time.Unix(0, 0), time.Unix(0, int64(time.Second))}
	clock := func() time.Time { now := times[0]; times = times[1:]; return now }
	w := httptest.NewRecorder()
	around := middleware.Chain(h,
		middleware.Origin(nil, func() string { return "id-of-this-request" }, middleware.NewIgnored(log, clock)),
		middleware.Observe(log, clock, "/the/{route}", slog.LevelInfo, plainly))
	func() {
		defer func() {
			if cause := recover(); cause != nil {
				w.Code = -1 // the connection is broken
			}
		}()
		around.ServeHTTP(w, r)
	}()
	var lines []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		lines = append(lines, one)
	}
	return w, lines
}

func TestOneLogLinePerRequestAndNoSecrets(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/the/secret-path?code=secret-code", strings.NewReader("password=secret-password"))
	r.Header.Set("Authorization", "Bearer secret-token")
	r.Header.Set("Cookie", "signet_session=secret-cookie")
	_, lines := observed(t, r, func(w http.ResponseWriter, r *http.Request) {
		authz.NoteError(r.Context(), errors.New("the database is gone"))
		http.Error(w, "no", http.StatusServiceUnavailable)
	})
	if len(lines) != 1 {
		t.Fatalf("%d log lines, want 1", len(lines))
	}
	line := lines[0]
	for key, want := range map[string]any{
		"method": "POST", "route": "/the/{route}", "status": 503.0, "level": "ERROR",
		"correlation_id": "id-of-this-request", "address": "192.0.2.1",
		"error": "the database is gone", "duration": float64(time.Second),
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	if text, _ := json.Marshal(line); strings.Contains(string(text), "secret") {
		t.Errorf("a secret in the log: %s", text)
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		h      http.HandlerFunc
		status int
		logged string
	}{
		"before the answer": {func(http.ResponseWriter, *http.Request) { panic("boom") }, 500, "panic: boom"},
		"in the middle of the answer, which must not look whole": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("boom")
		}, -1, "panic: boom"},
		"on purpose": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, lines := observed(t, httptest.NewRequest(http.MethodGet, "/", nil), c.h)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			cause, _ := lines[0]["error"].(string)
			if len(lines) != 1 || !strings.HasPrefix(cause, c.logged) {
				t.Errorf("logged %v, want one line with %q", lines, c.logged)
			}
			if strings.Contains(w.Body.String(), "boom") || strings.Contains(w.Body.String(), "goroutine") {
				t.Errorf("the cause was sent: %s", w.Body)
			}
		})
	}
}
