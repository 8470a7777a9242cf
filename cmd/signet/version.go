package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are what a release build calls itself; the linker sets them. Without
// them the Go command's own account counts, which a build outside of git does not have.
var version, commit string

// build says which program this is.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// thisBuild reads what the Go command wrote into the binary.
func thisBuild() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = cmp.Or(b.Version, info.Main.Version)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = cmp.Or(b.Commit, s.Value)
			}
		}
	}
	b.Version, b.Commit = cmp.Or(b.Version, "(devel)"), cmp.Or(b.Commit, "unknown")
	return b
}

func newVersion(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show version, commit and Go version",
		Example: "  signet version --json",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			b := thisBuild()
			if asJSON(c) {
				return printJSON(t.out, b)
			}
			_, err := fmt.Fprintf(t.out, "signet %s (commit %s, %s)\n", b.Version, b.Commit, b.Go)
			return err
		},
	}
}
