package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes of every command.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// usageError says that a command line is wrong, rather than what it asked for.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// run executes one command line and gives the exit code. An error is one line on stderr.
func run(ctx context.Context, t terminal, args []string) int {
	root := newRoot(t)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintln(t.err, "signet: "+oneLine(err))
	if wrong := new(usageError); errors.As(err, &wrong) {
		return exitUsage
	}
	return exitError
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func newRoot(t terminal) *cobra.Command {
	root := group("signet", "An OAuth 2 and OpenID Connect authorization server",
		newServe(t), newMigrate(t), newClient(t), newUser(t), newRole(t), newAPI(t), newKeys(t),
		newDemo(t), newConfig(t), newVersion(t))
	root.Long = "Signet signs people in to apps, and signs the tokens by which services know who is asking.\n\n" +
		"Settings come from a flag, else a SIGNET_ environment variable, else signet.yaml."
	root.Example = "  signet serve\n  signet client create --name \"Acme Calendar\" --redirect-uri https://calendar.example/callback"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%s: see %s --help", oneLine(err), c.CommandPath())
	})
	root.PersistentFlags().Bool("json", false, "print JSON for programs")
	root.PersistentFlags().String("config", defaultFile, "`file` with settings")
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// group is a command that only has commands below it.
func group(name, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs}
	c.AddCommand(below...)
	var words []string
	for _, b := range below {
		words = append(words, b.Name())
	}
	c.Example = "  signet " + name + " " + words[0] + " --help"
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%s: say what to do: %s", c.CommandPath(), strings.Join(words, ", "))
		}
		return usage("%s: there is no command %q: did you mean %q?", c.CommandPath(), args[0], nearest(args[0], words))
	}
	return c
}

// arguments requires one argument for each name.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage("%s: %s is missing: see %s --help", c.CommandPath(), names[len(args)], c.CommandPath())
		case len(args) > len(names):
			return usage("%s: unexpected %q: see %s --help", c.CommandPath(), args[len(names)], c.CommandPath())
		}
		return nil
	}
}

// addSettings gives a command flags for settings: those named, or all.
func addSettings(c *cobra.Command, only ...string) {
	for _, one := range new(settings).table() {
		if len(only) > 0 && !contains(only, one.name) {
			continue
		}
		text := &flagText{text: one.fallback}
		f := c.Flags().VarPF(text, one.name, "", one.usage)
		if one.fallback == "false" {
			f.NoOptDefVal = "true"
			f.DefValue = ""
		}
	}
}

func contains(list []string, one string) bool {
	for _, s := range list {
		if s == one {
			return true
		}
	}
	return false
}

// flagText keeps what was typed; load checks it with what comes from elsewhere. A flag
// that is repeated makes a list.
type flagText struct {
	text string
	set  bool
}

var _ pflag.Value = (*flagText)(nil)

func (f *flagText) String() string { return f.text }
func (f *flagText) Type() string   { return "text" }

func (f *flagText) Set(s string) error {
	if f.set {
		s = f.text + "," + s
	}
	f.text, f.set = s, true
	return nil
}

// asJSON reports whether the command shall print for programs.
func asJSON(c *cobra.Command) bool {
	yes, _ := c.Flags().GetBool("json")
	return yes
}

// settle reads and completes the settings of a command.
func settle(c *cobra.Command, t terminal) (*settings, error) {
	s, _, err := load(c.Flags(), t.environ)
	if err != nil {
		return nil, err
	}
	return s, s.complete()
}
