// Package statuslist publishes what has been revoked (draft-ietf-oauth-status-list §8.1):
// GET /status-lists/{id}, and with ?wait=30 as soon as it changes. What is in a list is
// decided in authz/revocation.
package statuslist

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/web/answer"
)

// Path is where the lists are; the number of one follows.
const Path = "/status-lists/"

const (
	mediaType = "application/statuslist+jwt"

	// maxWaiting callers may wait at once, and perNetwork of one network: each holds a
	// connection and a goroutine, and anybody may.
	maxWaiting = 4096
	perNetwork = 64
	// sending is how long an answer may take to be sent once the wait is over.
	sending      = 30 * time.Second
	answerWithin = 10 * time.Second
)

// Lists gives the lists; *revocation.Lists is one.
type Lists interface {
	// Serve waits for a list to differ from an ETag. An unknown list is authz.ErrNotFound,
	// any other error an outage.
	Serve(ctx context.Context, list int64, etag string, wait time.Duration) (revocation.Answer, error)
}

// Config names all that a Handler needs.
type Config struct {
	Lists      Lists
	MaxWaiting int // how many callers may wait at once; 0: 4096
	PerNetwork int // how many of them with addresses of one subscriber; 0: 64
	// AnswerWithin is how long a list may take to be read, beside the wait that a caller
	// asks for; 0: 10 s.
	AnswerWithin time.Duration
	Answers      *answer.Writer
}

// Handler answers GET /status-lists/{id}. It is safe for concurrent use.
type Handler struct {
	cfg     Config
	room    room
	stop    sync.Once
	stopped chan struct{}
}

// New makes a Handler.
func New(c Config) *Handler {
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = maxWaiting
	}
	if c.AnswerWithin <= 0 {
		c.AnswerWithin = answerWithin
	}
	if c.PerNetwork <= 0 {
		c.PerNetwork = perNetwork
	}
	return &Handler{
		cfg: c, stopped: make(chan struct{}),
		room: room{all: c.MaxWaiting, each: c.PerNetwork, of: make(map[string]int)},
	}
}

// Stop answers all who wait, and has nobody wait from now on: a server that is about to
// stop finishes the requests in flight first.
func (h *Handler) Stop() { h.stop.Do(func() { close(h.stopped) }) }

// ServeHTTP answers with the signed list; with 304 when that is what If-None-Match names,
// after waiting for another for as many seconds as ?wait says, at most 30. Where there is no
// room to wait it answers at once: the caller then asks at the pace of those who cannot wait.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ask, err := parse(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	a, err := h.current(r.Context(), ask.list)
	if err == nil && ask.has(a.ETag) {
		a, err = h.news(w, r, ask, a)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	send(w, a, ask)
}

func (h *Handler) current(ctx context.Context, list int64) (revocation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.AnswerWithin)
	defer cancel()
	return h.cfg.Lists.Serve(ctx, list, "", 0)
}

// news answers a caller who has the list already.
func (h *Handler) news(w http.ResponseWriter, r *http.Request, ask question, a revocation.Answer) (revocation.Answer, error) {
	a.NotModified = true
	if ask.wait == 0 {
		return a, nil
	}
	network := authz.OriginFrom(r.Context()).Network()
	if !h.room.enter(network) {
		return a, nil
	}
	defer h.room.leave(network)
	if err := hold(w, ask.wait); err != nil {
		return a, err
	}
	ctx, cancel := h.untilStop(r.Context(), ask.wait+h.cfg.AnswerWithin)
	defer cancel()
	changed, err := h.cfg.Lists.Serve(ctx, ask.list, a.ETag, ask.wait)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return a, nil // the caller has gone, or we are about to
	}
	return changed, err
}

// untilStop gives a context that is cancelled with another one or at Stop, and whose
// deadline passes after a while.
func (h *Handler) untilStop(parent context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(parent, most)
	go func() {
		select {
		case <-h.stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// hold keeps the server's time limit for an answer from cutting a wait short.
func hold(w http.ResponseWriter, wait time.Duration) error {
	err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + sending))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("hold connection: %w", err)
	}
	return nil
}

// send writes an answer. One that was waited for is for who waited, and for no cache. The
// ETag stands for the bits: it is weak, since other bytes may say the same.
func send(w http.ResponseWriter, a revocation.Answer, ask question) {
	head := w.Header()
	head.Set("ETag", "W/"+a.ETag)
	head.Set("Vary", "Accept-Encoding")
	head.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(a.MaxAge/time.Second)))
	if ask.wait > 0 {
		head.Set("Cache-Control", "no-store")
	}
	if a.NotModified {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.Body
	if ask.gzip {
		body = a.Gzip
		head.Set("Content-Encoding", "gzip")
	}
	head.Set("Content-Type", mediaType)
	head.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that has gone needs no answer
}
