package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

func newServe(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: "Run the server until it is told to stop by SIGINT or SIGTERM.\n\n" +
			"Without a database URL it keeps everything in the data folder, in an SQLite file that it brings\n" +
			"up to date by itself. With one, any number of servers may run on the same PostgreSQL database.",
		Example: "  signet serve\n" +
			"  signet serve --issuer https://login.example.com --database-url postgres://signet@db/signet --master-key-file master.key",
		Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error { return serve(c, t) },
	}
	addSettings(c)
	return c
}

func serve(c *cobra.Command, t terminal) (err error) {
	s, err := settle(c, t)
	if err != nil {
		return err
	}
	v, err := newServer(c.Context(), s, newLog(t.err, s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := announce(c, t, v); err != nil {
		return err
	}
	return v.Run(c.Context())
}

// announce says where the server is and, while it has no administrator, how to make one.
func announce(c *cobra.Command, t terminal, v *server) error {
	setup, err := v.SetupURL(c.Context())
	if err != nil {
		return err
	}
	if asJSON(c) {
		return printJSON(t.out, struct {
			Address string `json:"address"`
			Issuer  string `json:"issuer"`
			Setup   string `json:"setup_url,omitempty"`
		}{v.Addr(), v.settings.Issuer, setup})
	}
	_, err = fmt.Fprintf(t.out, "Signet serves %s, listening on %s.\n", v.settings.Issuer, v.Addr())
	if err == nil && setup != "" {
		_, err = fmt.Fprintf(t.out, "It has no administrator yet. Make the first one here, once:\n  %s\n", setup)
	}
	return err
}

// newLog makes the logger that the settings ask for.
func newLog(w io.Writer, s *settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked when it was read
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
