// Package postgrestest gives tests a real PostgreSQL: an empty database each, a copy of a prepared one, or a private
// server that may be stopped and started. What goes into a database, and the suite that runs on it, are left to others.
//
// The server is the one that SIGNET_TEST_DATABASE_URL names, else a private one started from the binaries on this
// machine, once per test process; `go run ./storage/storagetest/postgrestest/run -- go test ./...` shares one between
// packages. Without either a test skips and says so, and where CI is set it fails.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest/cluster"
)

// EnvURL names the environment variable with the URL of a running server. Its role must be allowed to create databases.
const EnvURL = "SIGNET_TEST_DATABASE_URL"

// URL gives the connection URL of a new, empty database, which is dropped when the test ends, whoever is still connected.
func URL(t testing.TB) string {
	t.Helper()
	return newDatabase(t, shared(t), "template0")
}

// Template gives the connection URL of a new copy of the database that prepare has filled. The first call with a name
// runs prepare on an empty database; every other call with this name, in this process, only copies what it left there.
// prepare must have closed its connections when it returns. If it fails, every test that asks for the template fails.
func Template(t testing.TB, name string, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	s := shared(t)
	source, err := s.template(name, prepare)
	if err != nil {
		t.Fatalf("prepare template database %q: %v", name, err)
	}
	return newDatabase(t, s, source)
}

func newDatabase(t testing.TB, s *server, source string) string {
	t.Helper()
	name, err := s.create(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(context.Background(), name); err != nil { // the test's own context has ended by now
			t.Error(err)
		}
	})
	return s.address(name)
}

// connect makes this process's server on first use. The server's pipe lives in here for as long as the process does.
var connect = sync.OnceValues(func() (*server, error) {
	if url := os.Getenv(EnvURL); url != "" {
		return newServer(context.Background(), url)
	}
	private, err := cluster.New()
	if err != nil {
		return nil, err
	}
	s, err := newServer(context.Background(), private.URL())
	if err != nil {
		return nil, errors.Join(err, private.Close())
	}
	s.private = private
	return s, nil
})

func shared(t testing.TB) *server {
	t.Helper()
	s, err := connect()
	if err != nil {
		giveUp(t, err, announce)
	}
	return s
}

// giveUp skips the test, aloud, where PostgreSQL is merely missing on a person's machine, and fails it otherwise.
func giveUp(t testing.TB, err error, announce func(error)) {
	t.Helper()
	if !errors.Is(err, cluster.ErrNotInstalled) || onCI() {
		t.Fatalf("a test needs PostgreSQL: %v", err)
	}
	announce(err)
	t.Skipf("needs PostgreSQL: %v; install it or set %s", err, EnvURL)
}

// announce says it once outside the test's own log, which an ordinary run does not show for a skipped test.
func announce(err error) {
	announced.Do(func() {
		fmt.Fprintf(os.Stderr, "SKIPPING every test that needs PostgreSQL: %v; install it or set %s\n", err, EnvURL)
	})
}

var announced sync.Once

func onCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && !strings.EqualFold(ci, "false")
}
