package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestCommandHasAServerForAsLongAsItRuns(t *testing.T) {
	t.Parallel()
	var address string
	var notes bytes.Buffer
	code, err := withServer("", &notes, func(url string) (int, error) {
		address = url
		return 7, ping(t.Context(), url)
	})
	if notes.Len() > 0 && os.Getenv("CI") == "" {
		t.Skip(&notes) // PostgreSQL is missing on a person's machine
	}
	if address == "" {
		t.Fatalf("no server for the command: %v %s", err, &notes)
	}
	if err != nil || code != 7 {
		t.Errorf("status %d, %v; the command's own was 7", code, err)
	}
	if ping(t.Context(), address) == nil {
		t.Error("the server still answers after the command")
	}
}

func TestServerThatIsThereAlreadyIsUsed(t *testing.T) {
	t.Parallel()
	const given = "postgres://somebody@elsewhere/test"
	_, err := withServer(given, &bytes.Buffer{}, func(url string) (int, error) {
		if url != given {
			t.Errorf("the command got %q", url)
		}
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExitStatusIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		command []string
		want    int
		err     bool
	}{
		{"success", []string{"true"}, 0, false},
		{"failure", []string{"/bin/sh", "-c", "exit 7"}, 7, false},
		{"killed", []string{"/bin/sh", "-c", "kill -9 $$"}, 1, true},
		{"no such command", []string{"/nowhere/at-all"}, 127, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := execute(exec.Command(c.command[0], c.command[1:]...))
			if got != c.want || (err != nil) != c.err {
				t.Errorf("status %d, error %v; want %d, error %t", got, err, c.want, c.err)
			}
		})
	}
}

func ping(ctx context.Context, url string) error {
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return connection.Close(ctx)
}
