// Command run executes a command with one PostgreSQL server for all the tests that it starts, so that `go test ./...`
// does not start one per package. The server's URL is in SIGNET_TEST_DATABASE_URL; it ends with the command, whose exit
// status becomes this one's.
//
//	go run ./storage/storagetest/postgrestest/run -- go test ./...
//
// A server that the variable names already is used as it is. Where PostgreSQL is not installed the command runs without
// one, and its tests skip or fail by the rules of package postgrestest.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
	"github.com/signet-auth/signet/storage/storagetest/postgrestest/cluster"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: run -- command [argument …]")
		os.Exit(2)
	}
	status, err := withServer(os.Getenv(postgrestest.EnvURL), os.Stderr, func(url string) (int, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), postgrestest.EnvURL+"="+url)
		return execute(cmd)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
	}
	os.Exit(status)
}

// withServer calls do with the URL of a server: the given one, else its own for as long as do takes, else none.
func withServer(url string, notes io.Writer, do func(url string) (int, error)) (int, error) {
	if url != "" {
		return do(url)
	}
	server, err := cluster.New()
	if errors.Is(err, cluster.ErrNotInstalled) {
		fmt.Fprintf(notes, "run: going on without a database: %v\n", err)
		return do("")
	}
	if err != nil {
		return 1, err
	}
	status, err := do(server.URL())
	return status, errors.Join(err, server.Close())
}

// execute runs the command to its end and gives its exit status. A Ctrl-C reaches the command by itself, as the terminal
// sends it to both; other requests to stop are passed on, and either way the server is stopped after the command is.
func execute(cmd *exec.Cmd) (int, error) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case received := <-stop:
			if received != os.Interrupt {
				_ = cmd.Process.Signal(received) // fails only when the command has just ended
			}
		case err := <-done:
			return status(cmd, err)
		}
	}
}

// status tells the command's own verdict, which is not an error of ours, from a failure to learn it.
func status(cmd *exec.Cmd, err error) (int, error) {
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return 1, err
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code, nil
	}
	return 1, fmt.Errorf("command ended: %w", err)
}
