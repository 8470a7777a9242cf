package audit

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const (
	maxText     = 512 // bytes of one field; strangers choose user agents
	redacted    = "[redacted]"
	unprintable = "\uFFFD"
)

// credential finds what looks like one of our secrets or like a signed token. No decider
// should put one into an event; if one does, it stops here.
var credential = regexp.MustCompile(`\bsg[a-z]_[0-9A-Za-z_.-]{24,}|\beyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_.-]+`)

// ordinary tells the kinds that happen all day and that strangers can cause at will. A kind
// that is not named here keeps its row.
func ordinary(kind string) bool {
	switch kind {
	case authz.EventLoginSucceeded, authz.EventLoginFailed, authz.EventLogout,
		authz.EventConsentGranted, authz.EventConsentDenied, authz.EventClientAuthFail:
		return true
	}
	return false
}

// alarming tells the kinds that somebody should look at.
func alarming(kind string) bool {
	switch kind {
	case authz.EventCodeReuse, authz.EventRefreshReuse, authz.EventLoginThrottled:
		return true
	}
	return false
}

func (l *Log) complete(ctx context.Context, e *authz.Event) {
	if e.ID == "" {
		id, err := authz.NewID(authz.PrefixEvent, l.cfg.Random)
		if err != nil {
			l.cfg.Log.ErrorContext(ctx, "event has no id", "error", err)
		}
		e.ID = id
	}
	if e.At.IsZero() {
		e.At = l.cfg.Now()
	}
	origin := authz.OriginFrom(ctx)
	e.Address = cmp.Or(e.Address, origin.Address)
	e.UserAgent = cmp.Or(e.UserAgent, origin.UserAgent)
	e.CorrelationID = cmp.Or(e.CorrelationID, origin.CorrelationID)
	if _, user := authz.SessionFrom(ctx); user != nil && e.Actor == "" {
		e.Actor = user.ID
	}
	e.Actor = cmp.Or(e.Actor, l.cfg.Actor)
}

// clean makes every text one that both databases take and that holds no credential: one
// row that is refused would hold up all that come after it.
func clean(e *authz.Event) {
	for _, field := range []*string{&e.Kind, &e.Actor, &e.UserID, &e.ClientID, &e.GrantID,
		&e.Address, &e.UserAgent, &e.CorrelationID} {
		*field = cleanText(*field)
	}
	detail := make(map[string]string, len(e.Detail)) // the caller's own stays as it is
	for name, value := range e.Detail {
		detail[cleanText(name)] = cleanText(value)
	}
	e.Detail = detail
}

func cleanText(s string) string {
	if strings.Contains(s, "sg") || strings.Contains(s, "eyJ") {
		s = credential.ReplaceAllString(s, redacted)
	}
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, unprintable), "\x00", unprintable)
}

// line writes the event to the log. Values that strangers choose are attributes, which the
// handlers quote, and never part of the message.
func (l *Log) line(ctx context.Context, e *authz.Event, queued bool) {
	level := slog.LevelInfo
	if alarming(e.Kind) || !queued {
		level = slog.LevelWarn
	}
	if !l.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("kind", e.Kind), slog.String("id", e.ID)}
	for _, field := range []struct{ name, value string }{
		{"actor", e.Actor}, {"user", e.UserID}, {"client", e.ClientID}, {"grant", e.GrantID},
		{"address", e.Address}, {"user_agent", e.UserAgent}, {"correlation_id", e.CorrelationID},
	} {
		if field.value != "" {
			attrs = append(attrs, slog.String(field.name, field.value))
		}
	}
	if len(e.Detail) > 0 {
		attrs = append(attrs, slog.Attr{Key: "detail", Value: slog.GroupValue(details(e.Detail)...)})
	}
	if !queued {
		attrs = append(attrs, slog.Bool("row_dropped", true))
	}
	l.cfg.Log.LogAttrs(ctx, level, "event", attrs...)
}

func details(detail map[string]string) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(detail))
	for name, value := range detail {
		attrs = append(attrs, slog.String(name, value))
	}
	slices.SortFunc(attrs, func(a, b slog.Attr) int { return cmp.Compare(a.Key, b.Key) })
	return attrs
}
