package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ignoredAgain is how often the log is told, however many requests there are.
const ignoredAgain = time.Minute

// Ignored counts requests that say something which only trusted proxies are believed to
// know, and come from somebody else: somebody tries something, or a proxy of ours is missing
// from the settings. It is safe for concurrent use.
type Ignored struct {
	log   *slog.Logger
	now   func() time.Time
	count atomic.Uint64
	told  atomic.Int64 // when the log was told last, in nanoseconds since 1970; 0: never
}

// NewIgnored begins to count.
func NewIgnored(log *slog.Logger, now func() time.Time) *Ignored {
	return &Ignored{log: log, now: now}
}

// Count is how many there were since the start.
func (i *Ignored) Count() uint64 { return i.count.Load() }

// note counts a request. The log is told of the first, and then at most once a minute.
func (i *Ignored) note(ctx context.Context, o authz.Origin) {
	n := i.count.Add(1)
	told, now := i.told.Load(), i.now()
	ago := now.Sub(time.Unix(0, told))
	if told != 0 && 0 <= ago && ago < ignoredAgain || !i.told.CompareAndSwap(told, now.UnixNano()) {
		return
	}
	i.log.WarnContext(ctx, "ignored what somebody who is no trusted proxy says about a request (--trusted-proxy)",
		slog.String("address", o.Address), slog.String("correlation_id", o.CorrelationID), slog.Uint64("ignored_so_far", n))
}

// claims reports whether a request says what we take from proxies: about any request where
// it comes from, about a check or a protected host which one is meant.
func claims(h http.Header) bool {
	for _, name := range [...]string{
		forwardedForHeader, "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method",
		"X-Original-Url", "X-Original-Method",
	} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}
