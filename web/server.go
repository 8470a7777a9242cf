package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds on what one connection may cost.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	// answerWithin is how long a request waits for the database, which takes milliseconds
	// when it is well: who asks gives up after half a minute or so, and must have had a 503
	// by then. A login waits for its turn to hash a password, too.
	answerWithin = 10 * time.Second
	// writeTimeout leaves room for that answer after a form that came slowly.
	writeTimeout   = readTimeout + answerWithin + 5*time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	stopTimeout    = 10 * time.Second
)

// Serve answers requests on a listener until ctx ends. Then it takes no new connection,
// finishes the requests in flight, and gives up on them after ten seconds, with an error.
// The handler's Stopping is called first, if it has one. The listener is closed when Serve
// returns.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	if s, ok := h.(interface{ Stopping() }); ok {
		s.Stopping()
	}
	return stop(server) //nolint:contextcheck // see stop
}

func stop(server *http.Server) error {
	// The context that told us to stop has ended; the requests in flight get their own time.
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("finish requests in flight: %w", err), server.Close())
	}
	return nil
}
