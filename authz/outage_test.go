package authz_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
)

func TestAnOutageIsToldWhenItBeginsOnceAMinuteAndWhenItEnds(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var clock authztest.Clock
	o := authz.Outage{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: clock.Now, What: "no bread", Over: "bread again"}
	down := errors.New("connection refused")
	gone, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name  string
		err   error
		times int
		after time.Duration
		want  string // the line, or none
	}{
		{"it works", nil, 3, 0, ""},
		{"it fails", down, 1, 0, `level=ERROR msg="no bread" error="connection refused"`},
		{"for half a minute", down, 30, 30 * time.Second, ""},
		{"for a minute", down, 1, 30 * time.Second, `level=ERROR msg="no bread" error="connection refused" failures_since=30`},
		{"it works again", nil, 1, time.Second, `level=INFO msg="bread again"`},
		{"and goes on", nil, 3, time.Second, ""},
		{"it fails at once again", down, 1, 0, `level=ERROR msg="no bread" error="connection refused"`},
		{"the clock was set back", down, 1, -time.Hour, `level=ERROR msg="no bread" error="connection refused"`},
	} {
		log.Reset()
		clock.Advance(c.after)
		for range c.times {
			o.Note(t.Context(), c.err)
			o.Note(gone, down)
		}
		_, line, _ := strings.Cut(strings.TrimSuffix(log.String(), "\n"), " ")
		if line != c.want {
			t.Errorf("%s: %q, want %q", c.name, line, c.want)
		}
	}
}
