package main

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-auth/signet/storage/storagetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"signet": main})
}

// Every command and every refusal, as terminal sessions.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: scriptCommands(), RequireUniqueNames: true, Setup: setup,
	})
}

// What is different on PostgreSQL.
func TestScriptsOnPostgres(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/postgres/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		database := storagetest.EmptyURL(t, storagetest.Postgres)
		testscript.Run(t, testscript.Params{
			Files: []string{script}, Cmds: scriptCommands(), RequireUniqueNames: true,
			Setup: func(e *testscript.Env) error {
				e.Setenv("SIGNET_DATABASE_URL", database)
				return setup(e)
			},
		})
	}
}

func setup(e *testscript.Env) error {
	e.Values[processes{}] = map[string]*process{}
	return nil
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"refused": refused, "take": take, "start": start, "end": end, "http": request, "until": until, "schema": schema, "taken": taken, "mode": mode,
	}
}

// refused STATUS COMMAND…: the command exits with the status, prints nothing on stdout, and
// one line on stderr.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refused status command [args...]")
	}
	var exit *exec.ExitError
	err := ts.Exec(args[1], args[2:]...)
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("%v, want exit status %s", err, args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("on stdout: %s", out)
	}
	said := ts.ReadFile("stderr")
	if !strings.HasPrefix(said, "signet: ") || strings.Count(said, "\n") != 1 || !strings.HasSuffix(said, "\n") {
		ts.Fatalf("not one line on stderr: %q", said)
	}
}

// take VARIABLE PATTERN: the variable becomes the group of the pattern in stdout.
func take(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("%s does not match with one group: %s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}

// start VARIABLE ARGUMENT…: runs signet serve on a port of its own choice, beside the
// script. The variable becomes the address.
func start(ts *testscript.TestScript, _ bool, args []string) {
	p := &process{said: make(chan struct{})}
	p.cmd = exec.Command(program(ts), append([]string{"serve", "--addr", "127.0.0.1:0"}, args[1:]...)...)
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environment(ts)
	p.cmd.Stdout, p.cmd.Stderr = p, &p.err
	ts.Check(p.cmd.Start())
	ts.Defer(func() { _ = p.cmd.Process.Kill() })
	ts.Value(processes{}).(map[string]*process)[args[0]] = p
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	p.ended = ended
	select {
	case <-p.said:
		ts.Setenv(args[0], p.addr)
	case err := <-ended:
		ts.Fatalf("the server has ended: %v\n%s", err, p.err.String())
	}
}

// end VARIABLE SIGNAL: ends a server, and gives what it printed as stdout and stderr.
func end(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value(processes{}).(map[string]*process)[args[0]]
	ts.Check(p.cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[1]]))
	if err := <-p.ended; (err != nil) != neg {
		ts.Fatalf("the server ended with %v\n%s", err, p.err.String())
	}
	_, _ = io.WriteString(ts.Stdout(), p.out.String())
	_, _ = io.WriteString(ts.Stderr(), p.err.String())
}

type processes struct{}

// process is a server beside a script.
type process struct {
	cmd   *exec.Cmd
	ended <-chan error
	said  chan struct{} // closed when addr is known
	addr  string
	out   bytes.Buffer
	err   bytes.Buffer
}

var listening = regexp.MustCompile(`(?:listening on |"address": ")(\S+:[0-9]+)`)

// Write is the server's stdout.
func (p *process) Write(b []byte) (int, error) {
	p.out.Write(b)
	if found := listening.FindSubmatch(p.out.Bytes()); found != nil && p.addr == "" {
		p.addr = string(found[1])
		close(p.said)
	}
	return len(b), nil
}

// program finds the command as the script would.
func program(ts *testscript.TestScript) string {
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(folder, "signet"); exec.Command(path).Err == nil {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	ts.Fatalf("signet is not in %s", ts.Getenv("PATH"))
	return ""
}

func environment(ts *testscript.TestScript) []string {
	names := []string{"PATH", "HOME", "TMPDIR"}
	for _, one := range new(settings).table() {
		names = append(names, variableOf(one.name))
	}
	var out []string
	for _, name := range names {
		out = append(out, name+"="+ts.Getenv(name))
	}
	return out
}

// until PATTERN METHOD URL…: sends the request of http again until the answer matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	for wanted := regexp.MustCompile(args[0]); ; time.Sleep(20 * time.Millisecond) {
		if wanted.MatchString(answerTo(ts, args[1:])) {
			return
		}
	}
}

// http METHOD URL [-basic user:password] [-bearer token] [-form body] [-json body] [-match etag]
// prints the status and the body.
func request(ts *testscript.TestScript, _ bool, args []string) {
	_, err := io.WriteString(ts.Stdout(), answerTo(ts, args))
	ts.Check(err)
}

func answerTo(ts *testscript.TestScript, args []string) string {
	body := ""
	header := http.Header{}
	for i := 2; i+1 < len(args); i += 2 {
		switch args[i] {
		case "-basic":
			user, password, _ := strings.Cut(args[i+1], ":")
			r := http.Request{Header: header}
			r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
		case "-bearer":
			header.Set("Authorization", "Bearer "+args[i+1])
		case "-form":
			body = args[i+1]
			header.Set("Content-Type", "application/x-www-form-urlencoded")
		case "-json":
			body = args[i+1]
			header.Set("Content-Type", "application/json")
		case "-match":
			header.Set("If-Match", args[i+1])
		default:
			ts.Fatalf("unknown option %s", args[i])
		}
	}
	r, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	return answer.Status + "\n" + string(text) + "\n"
}

// schema VERSION [dirty]: the database says that it is at this version of the schema.
func schema(ts *testscript.TestScript, _ bool, args []string) {
	driver, source := "sqlite", ts.MkAbs("signet-data/signet.db")
	if address := ts.Getenv("SIGNET_DATABASE_URL"); address != "" {
		driver, source = "pgx", address
	}
	db, err := sql.Open(driver, source)
	ts.Check(err)
	defer func() { ts.Check(db.Close()) }()
	version, err := strconv.Atoi(args[0])
	ts.Check(err)
	_, err = db.Exec(`UPDATE schema_migrations SET version = $1, dirty = $2`, version, len(args) > 1)
	ts.Check(err)
}

// taken VARIABLE: somebody else listens at the address that the variable becomes.
func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// mode PATH BITS: the file has these permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}
