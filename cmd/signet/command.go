package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-auth/signet/authz"
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
		newDemo(t), newToken(t), newConfig(t), newVersion(t))
	root.Long = "Signet signs people in to apps, and signs the tokens by which services know who is asking.\n\n" +
		"Settings come from a flag, else a SIGNET_ environment variable, else signet.yaml."
	root.Example = "  signet serve\n  signet client create --name \"Acme Calendar\" --redirect-uri https://calendar.example/callback"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentFlags().Bool("json", false, "print JSON for programs")
	root.PersistentFlags().String("config", defaultFile, "`file` with settings")
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// wrongFlag says what is wrong with a flag.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		name := unknown.GetSpecifiedName()
		return usage("%sthere is no flag --%s: did you mean --%s?", below(c), name, authz.Nearest(name, known))
	case errors.As(err, &invalid): // of a switch: all else is read later
		return usage("%s--%s: %q is neither true nor false", below(c), invalid.GetFlag().Name, invalid.GetValue())
	}
	return usage("%s%s: see %s --help", below(c), oneLine(err), c.CommandPath())
}

// group is a command that only has commands below it.
func group(name, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs}
	c.AddCommand(commands...)
	var words []string
	for _, b := range commands {
		words = append(words, b.Name())
	}
	c.Example = "  signet " + name + " " + words[0] + " --help"
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%ssay what to do: %s", below(c), strings.Join(words, ", "))
		}
		return usage("%sthere is no command %q: did you mean %q?", below(c), args[0], authz.Nearest(args[0], words))
	}
	return c
}

// below names a command that is not the root, for the beginning of an error.
func below(c *cobra.Command) string {
	if !c.HasParent() {
		return ""
	}
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") + ": "
}

// arguments requires one argument for each name.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage("%s%s is missing: see %s --help", below(c), names[len(args)], c.CommandPath())
		case len(args) > len(names):
			return usage("%sunexpected %q: see %s --help", below(c), args[len(names)], c.CommandPath())
		}
		return nil
	}
}

// addSettings gives a command flags for settings: those named, or all.
func addSettings(c *cobra.Command, only ...string) {
	c.Flags().SortFlags = false // those of the command itself come first
	for _, one := range new(settings).table() {
		if len(only) > 0 && !slices.Contains(only, one.name) {
			continue
		}
		text := &flagText{text: one.fallback, kind: "text"}
		f := c.Flags().VarPF(text, one.name, "", one.usage)
		if one.fallback == "false" {
			text.kind, f.NoOptDefVal, f.DefValue = "bool", "true", ""
		}
	}
}

// needs has a command refused before anything is done, unless a flag is given.
func needs(c *cobra.Command, flag, otherwise string) {
	check(c, func() error {
		if f := c.Flags().Lookup(flag); !f.Changed || f.Value.String() == "" {
			return usage("%s%s", below(c), otherwise)
		}
		return nil
	})
}

// check adds one to what is looked at before a command does anything.
func check(c *cobra.Command, fn func() error) {
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if before != nil {
			if err := before(c, args); err != nil {
				return err
			}
		}
		return fn()
	}
}

// flagText keeps what was typed; load checks it with what comes from elsewhere. A flag
// that is repeated makes a list.
type flagText struct {
	text string
	kind string
	set  bool
}

var _ pflag.Value = (*flagText)(nil)

func (f *flagText) String() string { return f.text }
func (f *flagText) Type() string   { return f.kind }

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
