package middleware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
)

// Refusal answers a request that will not be done: answer.Writer's Page, Problem or ByAccept.
type Refusal func(http.ResponseWriter, *http.Request, answer.Trouble)

// Observe writes one log line per request under the name of its route: never the path or
// the query, which may hold secrets. A panic becomes a 500, or a broken connection when a
// part of the answer is on its way already. level is for requests that went well.
func Observe(log *slog.Logger, now func() time.Time, route string, level slog.Level, refuse Refusal) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := now()
			rec := &record{ResponseWriter: w}
			r = r.WithContext(authz.WithNotes(r.Context(), rec.note))
			abort := recovered(rec, r, next, refuse)
			rec.write(log, r, route, level, now().Sub(began))
			if abort {
				panic(http.ErrAbortHandler)
			}
		})
	}
}

// recovered runs a handler and reports whether its answer is broken beyond repair.
func recovered(rec *record, r *http.Request, next http.Handler, refuse Refusal) (abort bool) {
	defer func() {
		cause := recover()
		switch {
		case cause == nil:
			return
		case cause == any(http.ErrAbortHandler):
			abort = true
			return
		}
		err := fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		if abort = rec.status != 0; abort {
			rec.note(err)
			return
		}
		refuse(rec, r, answer.Trouble{
			Status: http.StatusInternalServerError, Code: "server_error", Cause: err,
			Reason: "Something went wrong on our side.",
		})
	}()
	next.ServeHTTP(rec, r)
	return false
}

// record watches an answer being written.
type record struct {
	http.ResponseWriter
	status int
	bytes  int64

	mu    sync.Mutex
	cause error
}

func (rec *record) note(err error) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.cause = errors.Join(rec.cause, err)
}

func (rec *record) WriteHeader(status int) {
	if rec.status == 0 && status >= http.StatusOK {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *record) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (rec *record) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

func (rec *record) write(log *slog.Logger, r *http.Request, route string, level slog.Level, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	o := authz.OriginFrom(r.Context())
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", rec.bytes), slog.Duration("duration", took),
		slog.String("address", o.Address), slog.String("correlation_id", o.CorrelationID),
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.cause != nil {
		attrs = append(attrs, slog.String("error", rec.cause.Error()))
	}
	log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
}
