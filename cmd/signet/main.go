// Command signet is the server, and the tools of those who run it. Package main starts
// things and joins them; what they decide is in authz, what they remember in storage, what
// they say over HTTP in web.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// terminal is what a command sees of the world around it.
type terminal struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once, however long the first takes to be obeyed.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, terminal{os.Stdin, os.Stdout, os.Stderr, os.Environ()}, os.Args[1:]))
}
