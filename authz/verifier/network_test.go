package verifier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/signet-auth/signet/authz/verifier"
)

// The other tests replace the transport; these two have a real one.

// listen puts s on a socket, where its issuer is the server's URL.
func (s *signet) listen(server *httptest.Server) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/jwks")
	})
	mux.HandleFunc("/jwks", s.jwks)
	mux.HandleFunc("/status-lists/1", s.statusList)
	server.Config.Handler = mux
	return server
}

func TestLoopbackWithTheDefaultClient(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	server := newSignet(key).listen(httptest.NewUnstartedServer(nil))
	server.Start()
	t.Cleanup(server.Close)
	var log bytes.Buffer
	v, err := verifier.New(context.Background(), server.URL, audience,
		verifier.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	want(t, "token", errorOf(v, key.token(with(map[string]any{"iss": server.URL}))), nil)
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
}

func TestRevocationArrivesOverHTTP2(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	s := newSignet(key)
	server := s.listen(httptest.NewUnstartedServer(nil))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	s.list.claims = map[string]any{"sub": server.URL + "/status-lists/1"}
	v, err := verifier.New(context.Background(), server.URL, audience,
		verifier.WithHTTPClient(server.Client()), verifier.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	claims := with(status(1, server.URL+"/status-lists/1"))
	claims["iss"] = server.URL
	token := key.token(claims)
	want(t, "at first", errorOf(v, token), nil)
	s.mark(1, 1)
	for err = nil; err == nil; {
		err = errorOf(v, token)
	}
	if !errors.Is(err, verifier.ErrRevoked) {
		t.Error(err)
	}
}
