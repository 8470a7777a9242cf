// Package cluster runs a throw-away PostgreSQL server from the binaries installed on this machine: its own data folder,
// a free port on loopback, no password, nothing kept. It ends with the process that made it, whatever ends that process.
// Databases inside it, and what a test does when PostgreSQL is missing, are left to postgrestest.
package cluster

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

//go:embed supervisor.sh
var supervisorScript string

// Cluster is one PostgreSQL server. Its methods may be called from several goroutines.
type Cluster struct {
	supervisor *exec.Cmd
	commands   io.WriteCloser // the supervisor lives until this end is closed
	replies    *bufio.Reader
	dir        string
	port       int

	mu sync.Mutex // one command and its reply at a time
}

// New makes a cluster and starts it; the caller owes it a Close. The error is ErrNotInstalled, wrapped, where this
// machine has no PostgreSQL server, and otherwise carries what PostgreSQL itself said.
func New() (*Cluster, error) {
	bin, err := find(candidates())
	if err != nil {
		return nil, err
	}
	c, err := supervise(bin)
	if err != nil {
		return nil, fmt.Errorf("supervise PostgreSQL: %w", err)
	}
	if err := c.begin(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// supervise starts the shell that owns the server and everything it writes. It runs with a short, fixed environment: a
// PGPORT or PGDATA of the caller's has no say here. Its folder is / because the unprivileged user may not enter ours.
func supervise(bin string) (*Cluster, error) {
	attr, err := processAttributes()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", supervisorScript, "postgres-supervisor", bin)
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH"),
		"TMPDIR=" + os.TempDir(),
		"LC_ALL=C",
	}
	cmd.SysProcAttr = attr
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	replies, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Cluster{supervisor: cmd, commands: commands, replies: bufio.NewReader(replies)}, nil
}

// begin lays out the data folder and starts the server on a port that was free a moment ago; one that somebody else has
// taken since is exchanged for another.
func (c *Cluster) begin() error {
	output, err := c.ask("init")
	if err != nil {
		return fmt.Errorf("initialise PostgreSQL cluster: %w", err)
	}
	c.dir = strings.TrimSpace(output)
	for range 10 {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.Start(); err == nil || !strings.Contains(err.Error(), "could not bind") {
			return err
		}
	}
	return err
}

// Start starts the server again after Stop, on the same port and with the same data.
func (c *Cluster) Start() error {
	if _, err := c.ask("start " + strconv.Itoa(c.port)); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	return nil
}

// Stop ends the server as a power cut would: connections break, nothing is flushed, the data stays.
func (c *Cluster) Stop() error {
	if _, err := c.ask("stop"); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// Close ends the server, removes its files and returns when both are done.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.commands.Close(); err != nil {
		return fmt.Errorf("close PostgreSQL supervisor: %w", err)
	}
	if err := c.supervisor.Wait(); err != nil {
		return fmt.Errorf("wait for PostgreSQL supervisor: %w", err)
	}
	return nil
}

// URL is the address of the cluster's maintenance database, with a role that may do everything.
func (c *Cluster) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User("postgres"),
		Host:     "127.0.0.1:" + strconv.Itoa(c.port),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// ask sends one command and gives what the supervisor printed before its verdict; a refusal's text becomes the error.
// A failed write is not looked at: the reason, and the end of the supervisor, are found on the reading side.
func (c *Cluster) ask(command string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.commands, command+"\n")
	var output strings.Builder
	for {
		line, err := c.replies.ReadString('\n')
		switch {
		case err != nil:
			return "", fmt.Errorf("supervisor ended: %w: %s%s", err, &output, line)
		case line == "ok\n":
			return output.String(), nil
		case line == "failed\n":
			return "", errors.New(strings.TrimSpace(output.String()))
		}
		output.WriteString(line)
	}
}
