package verifier_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

const (
	issuer   = "https://signet.example"
	audience = "https://orders.example"
	listURI  = issuer + "/status-lists/1"
)

// signet is an authorization server as far as a verifier can see it, reached without a network:
// it is the transport of the verifier's HTTP client.
type signet struct {
	mu           sync.Mutex
	keys         []*signingKey
	extraKeys    []any
	cacheControl string
	age          string
	down         bool          // connection refused
	hang         bool          // connections that say nothing
	slow         time.Duration // before each answer
	answers      map[string]http.HandlerFunc
	hits         map[string]int
	list         *list
}

func newSignet(keys ...*signingKey) *signet {
	s := &signet{keys: keys, hits: map[string]int{}, list: newList(1, 64)}
	s.answers = map[string]http.HandlerFunc{
		"/.well-known/oauth-authorization-server": s.metadata(issuer),
		"/jwks":           s.jwks,
		"/status-lists/1": s.statusList,
	}
	return s
}

// quiet is for tests whose subject is not the log.
var quiet = slog.New(slog.DiscardHandler)

// set changes the server while it is in use.
func (s *signet) set(change func(*signet)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *signet) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

func (s *signet) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.hits[r.URL.Path]++
	if r.URL.RawQuery != "" {
		s.hits[r.URL.RequestURI()]++
	}
	down, hang, slow, answer := s.down, s.hang, s.slow, s.answers[r.URL.Path]
	s.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if down {
		return nil, errors.New("connection refused")
	}
	time.Sleep(slow)
	if answer == nil {
		answer = http.NotFound
	}
	w := httptest.NewRecorder()
	answer(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

func (s *signet) metadata(issuer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"https://signet.example/jwks"}`, issuer)
	}
}

func (s *signet) jwks(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := append([]any{}, s.extraKeys...)
	for _, k := range s.keys {
		keys = append(keys, k.jwk())
	}
	body, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	if s.cacheControl != "" {
		w.Header().Set("Cache-Control", s.cacheControl)
	}
	if s.age != "" {
		w.Header().Set("Age", s.age)
	}
	s.reply(w, r, body, fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
}

// reply wants the lock held.
func (s *signet) reply(w http.ResponseWriter, r *http.Request, body []byte, etag string) {
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		s.hits["304 "+r.URL.Path]++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}

// list is a status list and how the server treats those who ask for it.
type list struct {
	bits    int
	bytes   []byte
	version int
	changed chan struct{} // closed when it changes

	ignoresWait bool
	claims      map[string]any // over the right ones
	header      map[string]any
	signer      *signingKey
}

func newList(bits, size int) *list {
	return &list{bits: bits, bytes: make([]byte, size), changed: make(chan struct{})}
}

// mark sets the status at index and wakes who waits for it.
func (s *signet) mark(index int, status byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.list
	perByte := 8 / l.bits
	shift := index % perByte * l.bits
	next := bytes.Clone(l.bytes)
	next[index/perByte] &^= (1<<l.bits - 1) << shift
	next[index/perByte] |= status << shift
	l.bytes = next
	s.announce()
}

// announce wants the lock held.
func (s *signet) announce() {
	s.list.version++
	close(s.list.changed)
	s.list.changed = make(chan struct{})
}

func (s *signet) statusList(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Accept") != "application/statuslist+jwt" {
		http.Error(w, "not acceptable", http.StatusNotAcceptable)
		return
	}
	s.mu.Lock()
	l := s.list
	changed, same := l.changed, r.Header.Get("If-None-Match") == l.etag()
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	s.mu.Unlock()
	if same && wait > 0 && !l.ignoresWait {
		select {
		case <-changed:
		case <-time.After(time.Duration(wait) * time.Second):
		case <-r.Context().Done():
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		http.Error(w, "going down", http.StatusBadGateway)
		return
	}
	s.reply(w, r, []byte(l.sign(s.keys[0])), l.etag())
}

func (l *list) etag() string { return fmt.Sprintf(`"v%d"`, l.version) }

func (l *list) sign(key *signingKey) string {
	claims := map[string]any{
		"sub": listURI, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "ttl": 20,
		"status_list": map[string]any{"bits": l.bits, "lst": pack(l.bytes)},
	}
	maps.Copy(claims, l.claims)
	if l.signer != nil {
		key = l.signer
	}
	header := map[string]any{"alg": key.alg, "kid": key.kid, "typ": "statuslist+jwt"}
	maps.Copy(header, l.header)
	return key.sign(header, claims)
}

func pack(list []byte) string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(list)
	_ = w.Close()
	return base64.RawURLEncoding.EncodeToString(packed.Bytes())
}

// start makes a verifier that talks to s.
func (s *signet) start(t testing.TB, options ...verifier.Option) *verifier.Verifier {
	t.Helper()
	v, err := verifier.New(context.Background(), issuer, audience, append([]verifier.Option{
		verifier.WithHTTPClient(&http.Client{Transport: s}),
		verifier.WithLogger(quiet),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}
