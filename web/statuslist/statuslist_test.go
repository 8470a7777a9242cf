package statuslist_test

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
	"github.com/signet-auth/signet/web/statuslist"
)

const issuer = "https://signet.example"

// world is a published list and a server.
type world struct {
	t       *testing.T
	store   *storage.Store
	lists   *revocation.Lists
	handler *statuslist.Handler
	url     string
}

// from is the header that says where a request of a test comes from.
const from = "Test-From"

func newWorld(t *testing.T, lists statuslist.Lists, maxWaiting int) *world {
	t.Helper()
	return newHastyWorld(t, lists, maxWaiting, 0)
}

// newHastyWorld has a server that gives a request no more than limit, unless the limit is 0.
func newHastyWorld(t *testing.T, lists statuslist.Lists, maxWaiting int, limit time.Duration) *world {
	t.Helper()
	pages, err := page.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: storagetest.New(t)}
	if lists == nil {
		w.lists = revocation.New(revocation.Config{
			Store: w.store, Issuer: issuer, Now: time.Now, Random: rand.Reader,
			Sign: func(_, typ string, claims []byte) (string, error) { return typ + "." + string(claims), nil },
		})
		lists = w.lists
		running, stop := context.WithCancel(context.Background())
		var reading sync.WaitGroup
		reading.Go(func() { w.lists.Run(running) })
		t.Cleanup(func() {
			stop()
			reading.Wait()
		})
	}
	w.handler = statuslist.New(statuslist.Config{Lists: lists, MaxWaiting: maxWaiting, PerNetwork: 4, Answers: answer.New(pages, time.Now)})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		origin := authz.Origin{Address: r.Header.Get(from)}
		w.handler.ServeHTTP(rw, r.WithContext(authz.WithOrigin(r.Context(), origin)))
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = limit, limit
	server.Start()
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// get asks for a list; headers are pairs.
func (w *world) get(path string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Error(err)
		return &http.Response{Header: http.Header{}}, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Error(err)
	}
	return res, string(body)
}

// revoke makes an API token with a place in the list, and revokes it.
func (w *world) revoke() {
	w.t.Helper()
	ctx, now := w.t.Context(), time.Now()
	index, err := w.lists.Allocate(ctx, now.Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := authz.NewID("", rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	u := &authz.User{ID: authz.PrefixUser + id, Username: id, CreatedAt: now, UpdatedAt: now, Version: 1}
	v := &authz.APIToken{
		ID: authz.PrefixToken + id, Hash: []byte(id), UserID: u.ID, API: "https://orders.example",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), StatusIndex: index,
	}
	if err := errors.Join(w.store.InsertUser(ctx, u), w.store.InsertAPIToken(ctx, v)); err != nil {
		w.t.Fatal(err)
	}
	if n, err := w.store.RevokeAPIToken(ctx, v.ID, "", authz.RevokedByUser, now); n != 1 || err != nil {
		w.t.Fatalf("revoked %d: %v", n, err)
	}
	w.lists.Changed()
}

func TestAListIsASignedDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, 0)
	res, body := w.get("/status-lists/0")
	h := res.Header
	if res.StatusCode != http.StatusOK || h.Get("Content-Type") != "application/statuslist+jwt" || !strings.HasPrefix(body, "statuslist+jwt.") {
		t.Errorf("status %d, %s: %.60s", res.StatusCode, h.Get("Content-Type"), body)
	}
	if h.Get("Cache-Control") != "public, max-age=12" || !strings.HasPrefix(h.Get("ETag"), `W/"`) {
		t.Errorf("Cache-Control %q, ETag %q", h.Get("Cache-Control"), h.Get("ETag"))
	}
}

// The list is compressed for those who ask for it, and the same (draft-ietf-oauth-status-list
// §8.2).
func TestAListIsCompressedForWhoAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, 0)
	plain, body := w.get("/status-lists/0", "Accept-Encoding", "identity")
	for accept, want := range map[string]bool{
		"gzip": true, "br, GZIP ;q=0.5": true, "deflate, gzip;q=1.0, *;q=0": true, "gzip;q=0": false, "gzip; q=0.0": false,
		"gzip;q=x": false, "*": false, "x-gzip": false, "": false, "gzipped": false,
	} {
		res, got := w.get("/status-lists/0", "Accept-Encoding", accept)
		if zipped := res.Header.Get("Content-Encoding") == "gzip"; zipped != want || res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: compressed %t, Vary %q", accept, zipped, res.Header.Get("Vary"))
			continue
		}
		if want {
			r, err := gzip.NewReader(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(r)
			if err != nil || len(got) >= len(raw) {
				t.Errorf("%q: %d bytes of %d, %v", accept, len(got), len(raw), err)
			}
			got = string(raw)
		}
		if got != body || res.Header.Get("ETag") != plain.Header.Get("ETag") {
			t.Errorf("%q: another list: %.80s", accept, got)
		}
	}
}

func TestWhoHasTheListIsNotSentItAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, 0)
	first, _ := w.get("/status-lists/0")
	etag := first.Header.Get("ETag")
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"the same":             {etag, 304},
		"as if it were strong": {strings.TrimPrefix(etag, "W/"), 304},
		"one of several":       {`"other", ` + etag, 304},
		"any":                  {"*", 304},
		"another":              {`"other"`, 200},
		"not quoted":           {strings.Trim(strings.TrimPrefix(etag, "W/"), `"`), 200},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := w.get("/status-lists/0", "If-None-Match", c.header)
			if res.StatusCode != c.status || (c.status == 304) != (body == "") || res.Header.Get("ETag") != etag {
				t.Errorf("status %d with %d bytes", res.StatusCode, len(body))
			}
		})
	}
	w.revoke()
	if res, _ := w.get("/status-lists/0", "If-None-Match", etag); res.StatusCode != http.StatusOK {
		t.Errorf("status %d after a revocation", res.StatusCode)
	}
}

func TestWhatIsNoListIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, 0)
	for _, path := range []string{"/status-lists/1", "/status-lists/-1", "/status-lists/00", "/status-lists/+0", "/status-lists/x", "/status-lists/", "/status-lists/99999999999999999999", "/status-lists/0/0"} {
		if res, body := w.get(path); res.StatusCode != http.StatusNotFound || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: status %d: %s", path, res.StatusCode, body)
		}
	}
	for _, wait := range []string{"x", "-1", "1.5", "1s"} {
		if res, _ := w.get("/status-lists/0?wait=" + wait); res.StatusCode != http.StatusBadRequest {
			t.Errorf("wait=%s: status %d", wait, res.StatusCode)
		}
	}
}

// The wait is longer than the server gives any other request.
func TestWhoWaitsHearsOfARevocation(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second
	w := newHastyWorld(t, nil, 0, limit)
	first, _ := w.get("/status-lists/0")
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() {
			res, body := w.get("/status-lists/0?wait=30", "If-None-Match", first.Header.Get("ETag"))
			if res.StatusCode != http.StatusOK || res.Header.Get("ETag") == first.Header.Get("ETag") || body == "" {
				t.Errorf("status %d", res.StatusCode)
			}
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("what was waited for may be kept: %s", res.Header.Get("Cache-Control"))
			}
		})
	}
	time.Sleep(limit + time.Second)
	w.revoke()
	waiting.Wait()
}

func TestAWaitEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, 0)
	first, _ := w.get("/status-lists/0")
	began := time.Now()
	res, _ := w.get("/status-lists/0?wait=1", "If-None-Match", first.Header.Get("ETag"))
	if res.StatusCode != http.StatusNotModified || time.Since(began) < time.Second {
		t.Errorf("status %d after %s", res.StatusCode, time.Since(began))
	}
	if res, _ := w.get("/status-lists/0?wait=30"); res.StatusCode != http.StatusOK {
		t.Errorf("status %d for who has no list yet", res.StatusCode)
	}
}

// held lets nobody go who waits, until released.
type held struct {
	arrived, release chan struct{}
}

func (h *held) Serve(ctx context.Context, _ int64, etag string, wait time.Duration) (revocation.Answer, error) {
	a := revocation.Answer{Body: []byte("list"), ETag: `"one"`, MaxAge: time.Second}
	if etag == a.ETag && wait > 0 {
		h.arrived <- struct{}{}
		select {
		case <-h.release:
		case <-ctx.Done():
			return a, ctx.Err()
		}
		a.ETag = `"two"`
	}
	return a, nil
}

// Who finds no room is answered at once, with what there is: not refused.
func TestNoMoreWaitThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	lists := &held{arrived: make(chan struct{}), release: make(chan struct{})}
	w := newWorld(t, lists, 5)
	var waiting sync.WaitGroup
	wait := func(address string) {
		waiting.Go(func() {
			if res, _ := w.get("/status-lists/0?wait=30", "If-None-Match", `"one"`, from, address); res.StatusCode != http.StatusOK {
				t.Errorf("status %d for who had a place", res.StatusCode)
			}
		})
		<-lists.arrived
	}
	full := func(address string) {
		t.Helper()
		res, body := w.get("/status-lists/0?wait=30", "If-None-Match", `"one"`, from, address)
		if res.StatusCode != http.StatusNotModified || res.Header.Get("ETag") != `W/"one"` || body != "" {
			t.Errorf("%s: status %d, ETag %s: %s", address, res.StatusCode, res.Header.Get("ETag"), body)
		}
		res, body = w.get("/status-lists/0?wait=30", "If-None-Match", `"none"`, from, address, "Accept-Encoding", "identity")
		if res.StatusCode != http.StatusOK || body != "list" {
			t.Errorf("%s, who has no list yet: status %d: %s", address, res.StatusCode, body)
		}
	}
	for _, last := range []string{"1", "2", "3:4", "ffff:1:2:3"} {
		wait("2001:db8::" + last)
	}
	full("2001:db8::5") // a fifth of one network
	wait("2001:db8:0:1::1")
	full("192.0.2.1") // a sixth of all
	close(lists.release)
	waiting.Wait()
	lists.release = make(chan struct{})
	wait("192.0.2.1") // those who went left room
	close(lists.release)
	waiting.Wait()
}

func TestNobodyWaitsForAServerThatStops(t *testing.T) {
	t.Parallel()
	lists := &held{arrived: make(chan struct{}, 2), release: make(chan struct{})}
	w := newWorld(t, lists, 0)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if res, _ := w.get("/status-lists/0?wait=30", "If-None-Match", `"one"`); res.StatusCode != http.StatusNotModified {
			t.Errorf("status %d", res.StatusCode)
		}
	})
	<-lists.arrived
	w.handler.Stop()
	w.handler.Stop()
	waiting.Wait()
	if res, _ := w.get("/status-lists/0?wait=30", "If-None-Match", `"one"`); res.StatusCode != http.StatusNotModified {
		t.Errorf("status %d after the stop", res.StatusCode)
	}
}

// A caller who goes away gives up the place.
func TestWhoGoesAwayLeavesRoom(t *testing.T) {
	t.Parallel()
	lists := &held{arrived: make(chan struct{}), release: make(chan struct{})}
	w := newWorld(t, lists, 1)
	for range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := io.WriteString(conn, "GET /status-lists/0?wait=30 HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"one\"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			arrived := false
			select {
			case <-lists.arrived:
				arrived = true
			case <-time.After(30 * time.Millisecond): // the place of the one before is not free yet
			}
			if arrived {
				break
			}
		}
		_ = conn.Close()
	}
}

// broken is a database that does not answer.
type broken struct{}

func (broken) Serve(context.Context, int64, string, time.Duration) (revocation.Answer, error) {
	return revocation.Answer{}, errors.New("connection refused")
}

func TestAnOutageIsNoEmptyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, broken{}, 0)
	res, body := w.get("/status-lists/0")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || strings.Contains(body, "refused") {
		t.Errorf("status %d: %s", res.StatusCode, body)
	}
}
