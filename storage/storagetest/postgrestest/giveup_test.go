package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest/cluster"
)

// verdict is a test that only remembers how it was ended.
type verdict struct {
	testing.TB

	outcome   string
	announced bool
}

func (v *verdict) Helper() {}

func (v *verdict) Fatalf(format string, args ...any) {
	v.outcome = "fail: " + fmt.Sprintf(format, args...)
	panic(v)
}

func (v *verdict) Skipf(format string, args ...any) {
	v.outcome = "skip: " + fmt.Sprintf(format, args...)
	panic(v)
}

func TestWithoutAServer(t *testing.T) {
	broken := errors.New("initdb: no space left on device")
	for _, c := range []struct {
		name, ci string
		cause    error
		want     []string
	}{
		{"not installed, a person's machine", "", cluster.ErrNotInstalled, []string{"skip", "not installed", EnvURL}},
		{"not installed, CI=false", "false", cluster.ErrNotInstalled, []string{"skip", "not installed"}},
		{"not installed, CI", "true", cluster.ErrNotInstalled, []string{"fail", "not installed"}},
		{"installed but broken, a person's machine", "", broken, []string{"fail", "no space left"}},
		{"installed but broken, CI", "true", broken, []string{"fail", "no space left"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CI", c.ci)
			v := &verdict{TB: t}
			func() {
				defer func() { _ = recover() }()
				giveUp(v, fmt.Errorf("start: %w", c.cause), func(error) { v.announced = true })
			}()
			if skipped := strings.HasPrefix(v.outcome, "skip"); v.announced != skipped {
				t.Errorf("skipped: %t, but announced: %t", skipped, v.announced)
			}
			for _, part := range c.want {
				if !strings.Contains(v.outcome, part) {
					t.Errorf("the test ended with %q, which lacks %q", v.outcome, part)
				}
			}
		})
	}
}

func TestServerAddressMustBeAURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"host=localhost user=postgres password=hush",
		"mysql://root:hush@localhost/test",
		"postgres://postgres:hush@[::1/test",
	} {
		_, err := newServer(context.Background(), address)
		if err == nil || !strings.Contains(err.Error(), EnvURL) {
			t.Errorf("%q gave %v; the error must name %s", address, err, EnvURL)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestNextProcessSweepsWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	private := Start(t)
	killed, err := newServer(ctx, private.URL())
	if err != nil {
		t.Fatal(err)
	}
	left, err := killed.create(ctx, "template0")
	if err != nil {
		t.Fatal(err)
	}
	running, err := newServer(ctx, private.URL())
	if err != nil {
		t.Fatal(err)
	}
	if !exists(t, running, left) {
		t.Fatal("a database was swept while its process was alive")
	}
	kept, err := running.create(ctx, "template0")
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.admin.Close(); err != nil { // what the end of a process comes to
		t.Fatal(err)
	}
	awaitNoConnection(t, running, killed.mark)
	next, err := newServer(ctx, private.URL())
	if err != nil {
		t.Fatal(err)
	}
	if exists(t, next, left) {
		t.Error("the database of the ended process is still there")
	}
	if !exists(t, next, kept) {
		t.Error("the database of the running process was swept too")
	}
}

func exists(t *testing.T, s *server, database string) bool {
	t.Helper()
	var n int
	row := s.admin.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_database WHERE datname = $1`, database)
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// awaitNoConnection waits for the server to notice that a client has left.
func awaitNoConnection(t *testing.T, s *server, mark string) {
	t.Helper()
	for n := 1; n > 0; {
		row := s.admin.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, mark)
		if err := row.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}
