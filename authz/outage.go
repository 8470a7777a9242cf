package authz

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// reminder is how often it is said that something still does not work.
const reminder = time.Minute

// Outage logs what is tried again and again while the database is away: when it fails first,
// once a minute for as long as that lasts, and when it works again. It is safe for use by
// many goroutines.
type Outage struct {
	Log  *slog.Logger
	Now  func() time.Time
	What string // for the log, as in "signing keys cannot be read"
	Over string // when it works again; empty: nobody will say so

	mu      sync.Mutex
	failing bool
	told    time.Time
	held    int // failures that no line tells of yet
}

// Note takes down how an attempt went. One that was given up because ctx ended says nothing.
func (o *Outage) Note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		if o.failing {
			o.Log.InfoContext(ctx, o.Over)
		}
		o.failing, o.held = false, 0
		return
	}
	now := o.Now()
	if age := now.Sub(o.told); o.failing && age >= 0 && age < reminder {
		o.held++
		return
	}
	attrs := []slog.Attr{slog.Any("error", err)}
	if o.held > 0 {
		attrs = append(attrs, slog.Int("failures_since", o.held))
	}
	o.Log.LogAttrs(ctx, slog.LevelError, o.What, attrs...)
	o.failing, o.told, o.held = true, now, 0
}
