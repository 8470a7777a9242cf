package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// holderEnding makes this test binary a process that holds a cluster and ends in the way the variable says.
const holderEnding = "SIGNET_TEST_HOLDER_ENDING"

func TestMain(m *testing.M) {
	if ending := os.Getenv(holderEnding); ending != "" {
		hold(ending)
	}
	os.Exit(m.Run())
}

// hold starts a cluster, prints where it is, waits for a line on standard input and ends.
func hold(ending string) {
	c, err := New()
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(c.dir, c.URL())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	switch ending {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("as a test might")
	}
	select {} // until killed
}

// needServer skips a test where PostgreSQL is missing on a person's machine.
func needServer(t *testing.T) {
	t.Helper()
	if _, err := find(candidates()); err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
}

func TestServerEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	needServer(t)
	for _, ending := range []string{"exit", "panic", "kill -9"} {
		t.Run(ending, func(t *testing.T) {
			t.Parallel()
			h := startHolder(t, ending)
			connection, err := pgx.Connect(t.Context(), h.url)
			if err != nil {
				t.Fatalf("connect to the held server: %v", err)
			}
			h.end(t)
			if _, err := connection.WaitForNotification(t.Context()); err == nil {
				t.Error("the server, which nobody notifies, sent a notification")
			}
			awaitGone(h.dir)
			if late, err := pgx.Connect(t.Context(), h.url); err == nil {
				_ = late.Close(t.Context())
				t.Error("the server still answers")
			}
		})
	}
}

// holder is another process that holds a cluster.
type holder struct {
	process  *exec.Cmd
	stdin    io.Writer
	ending   string
	dir, url string // of its cluster
}

func startHolder(t *testing.T, ending string) *holder {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holderEnding+"="+ending)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("read where the holder's cluster is: %v", err)
	}
	dir, url, found := strings.Cut(strings.TrimSpace(line), " ")
	if !found || dir == "error" {
		t.Fatalf("the holder said %q", line)
	}
	return &holder{process: cmd, stdin: stdin, ending: ending, dir: dir, url: url}
}

// end has the holder end in its way.
func (h *holder) end(t *testing.T) {
	t.Helper()
	var err error
	if h.ending == "kill -9" {
		err = h.process.Process.Kill()
	} else {
		_, err = io.WriteString(h.stdin, "end\n")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func awaitGone(path string) {
	for {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	t.Parallel()
	needServer(t)
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.dir); err != nil {
		t.Fatalf("the cluster's folder: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close the folder is still there (%v)", err)
	}
	if err := c.Start(); err == nil {
		t.Error("a closed cluster started again")
	}
}

func TestStartSaysWhatPostgreSQLSaid(t *testing.T) {
	t.Parallel()
	needServer(t)
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c.port = taken.Addr().(*net.TCPAddr).Port
	if err := c.Start(); err == nil || !strings.Contains(err.Error(), "could not bind") {
		t.Errorf("starting on a taken port gave %v", err)
	}
}

func TestFindTakesTheFirstCompleteFolder(t *testing.T) {
	t.Parallel()
	client := folder(t, "psql")
	half := folder(t, "initdb", "pg_ctl")
	whole := folder(t, "initdb", "pg_ctl", "postgres")
	later := folder(t, "initdb", "pg_ctl", "postgres")
	if got, err := find([]string{"/nowhere", client, half, whole, later}); err != nil || got != whole {
		t.Errorf("found %q, %v; want %q", got, err, whole)
	}
	if _, err := find([]string{"/nowhere", client, half}); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("no complete folder gave %v", err)
	}
}

func folder(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(dir, program), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNewestVersionFirst(t *testing.T) {
	t.Parallel()
	got := newestFirst([]string{"/lib/postgresql/9.6/bin", "/lib/postgresql/17/bin", "/opt/postgresql/bin", "/lib/postgresql/15/bin"})
	want := []string{"/lib/postgresql/17/bin", "/lib/postgresql/15/bin", "/lib/postgresql/9.6/bin", "/opt/postgresql/bin"}
	if !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}
