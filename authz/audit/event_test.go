package audit_test

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/audit"
)

// recorded gives the log line and the row of one event.
func recorded(t *testing.T, e authz.Event) (line string, row authz.Event) {
	t.Helper()
	var text bytes.Buffer
	store := newStore(t)
	l := audit.New(audit.Config{Store: store, Now: func() time.Time { return start },
		Log: slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{ReplaceAttr: withoutTime}))})
	l.Record(t.Context(), e)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := store.Events(t.Context(), "", 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return text.String(), rows[0]
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func TestOneEventIsOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		event authz.Event
		want  string
	}{
		{"all fields", authz.Event{ID: "evt_1", Kind: authz.EventGrantRevoked, Actor: "usr_ann", UserID: "usr_ann",
			ClientID: "cli_web", GrantID: "g1", Address: "192.0.2.1", UserAgent: "Firefox", CorrelationID: "c1",
			Detail: map[string]string{"reason": "user", "by": "account page"}},
			`{"level":"INFO","msg":"event","kind":"grant.revoked","id":"evt_1","actor":"usr_ann","user":"usr_ann",` +
				`"client":"cli_web","grant":"g1","address":"192.0.2.1","user_agent":"Firefox","correlation_id":"c1",` +
				`"detail":{"by":"account page","reason":"user"}}` + "\n"},
		{"what alarms", authz.Event{ID: "evt_2", Kind: authz.EventRefreshReuse},
			`{"level":"WARN","msg":"event","kind":"grant.refresh_reuse","id":"evt_2","actor":"system"}` + "\n"},
		{"a stranger who wants a line of his own", authz.Event{ID: "evt_3", Kind: authz.EventLoginFailed,
			UserAgent: "x\n{\"level\":\"INFO\"}"},
			`{"level":"INFO","msg":"event","kind":"login.failed","id":"evt_3","actor":"system",` +
				`"user_agent":"x\n{\"level\":\"INFO\"}"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if line, _ := recorded(t, tt.event); line != tt.want {
				t.Errorf("line\n%swant\n%s", line, tt.want)
			}
		})
	}
}

func TestADroppedRowIsSaidInItsLine(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	l := audit.New(audit.Config{Store: &sink{}, Buffer: 1, Log: slog.New(slog.NewTextHandler(&text, nil))})
	for range 2 {
		l.Record(t.Context(), authz.Event{Kind: authz.EventLoginFailed})
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 2 || strings.Contains(lines[0], "row_dropped") || !strings.Contains(lines[1], "row_dropped=true") {
		t.Errorf("log:\n%s", &text)
	}
}

func TestSecretsAreNeverWritten(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{
		"a signed token":   "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c3JfYW5uIn0.AAECAwQFBgcICQoLDA0ODw",
		"a composed token": "sgr_0123456789abcdef.7.AAECAwQFBgcICQoLDA0ODw",
	}
	for _, prefix := range []string{authz.PrefixCode, authz.PrefixRefreshToken, authz.PrefixClientSecret,
		authz.PrefixAPIToken, authz.PrefixRegistration} {
		secret, err := authz.NewSecret(prefix, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secrets[prefix] = secret.Reveal()
	}
	for name, secret := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "token=" + secret + "&x=1"
			line, row := recorded(t, authz.Event{Kind: authz.EventClientAuthFail, Actor: text, UserAgent: text, ClientID: text,
				Detail: map[string]string{"body": text, text: "x"}})
			everything := line + row.Actor + row.UserAgent + row.ClientID
			for name, value := range row.Detail {
				everything += name + value
			}
			if part := secret[:20]; strings.Contains(everything, part) {
				t.Errorf("%s is in\n%s", part, everything)
			}
			if !strings.Contains(everything, "token=[redacted]") {
				t.Errorf("more than the secret was taken out of\n%s", everything)
			}
		})
	}
}

func TestNamesThatLookAlmostLikeSecretsStay(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"msgs_gateway_of_the_northern_branch", "sgs_short", "cli_4f2kd0", "usr_sgseyJ.x"} {
		if line, row := recorded(t, authz.Event{Kind: authz.EventClientCreated, ClientID: id}); row.ClientID != id {
			t.Errorf("client %s became %s in\n%s", id, row.ClientID, line)
		}
	}
}

// TestStrangersTextFitsTheDatabase: PostgreSQL refuses NUL and broken UTF-8, and a refused
// row would hold up all that come after it.
func TestStrangersTextFitsTheDatabase(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, give, want string }{
		{"NUL", "a\x00b", "a\uFFFDb"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
		{"far too long", strings.Repeat("x", 70_000), strings.Repeat("x", 512)},
		{"cut inside of a character", strings.Repeat("x", 511) + "é", strings.Repeat("x", 511) + "\uFFFD"},
		{"other scripts", "日本 ünïcode", "日本 ünïcode"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, row := recorded(t, authz.Event{Kind: authz.EventLoginFailed, UserAgent: tt.give,
				Detail: map[string]string{"x": tt.give}})
			if row.UserAgent != tt.want || row.Detail["x"] != tt.want {
				t.Errorf("row has %q and %q, want %q", row.UserAgent, row.Detail["x"], tt.want)
			}
		})
	}
}

func TestRecordLeavesTheCallersEventAsItIs(t *testing.T) {
	t.Parallel()
	detail := map[string]string{"x": "a\x00b"}
	l := newLog(&sink{}, 0)
	l.Record(t.Context(), authz.Event{Kind: authz.EventLogout, Detail: detail})
	if detail["x"] != "a\x00b" {
		t.Error("the caller's own map was changed")
	}
}
