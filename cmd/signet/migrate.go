package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/migrations"
)

func newMigrate(t terminal) *cobra.Command {
	return group("migrate", "Bring the schema of the database up to date, or back",
		newMigrateUp(t), newMigrateDown(t), newMigrateStatus(t))
}

func newMigrateUp(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "up",
		Short:   "Apply every pending migration",
		Example: "  signet migrate up --database-url postgres://signet@db/signet",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return migrate(c, t, anywhere, func(m *migrations.Migrator) error {
				if _, err := workable(m); err != nil {
					return err
				}
				return m.Up()
			})
		},
	}
	addSettings(c, databaseSettings()...)
	return c
}

func newMigrateDown(t terminal) *cobra.Command {
	var all, yes bool
	c := &cobra.Command{
		Use:     "down",
		Short:   "Undo the last migration",
		Long:    "Undo the last migration, or all of them.\n\nUndoing the first one deletes all data; that needs --yes.",
		Example: "  signet migrate down\n  signet migrate down --all --yes",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return migrate(c, t, changing, func(m *migrations.Migrator) error { return migrateDown(m, all, yes) })
		},
	}
	c.Flags().BoolVar(&all, "all", false, "undo every migration")
	c.Flags().BoolVar(&yes, "yes", false, "agree to the loss of all data")
	addSettings(c, databaseSettings()...)
	return c
}

func migrateDown(m *migrations.Migrator, all, yes bool) error {
	status, err := workable(m)
	switch {
	case err != nil:
		return err
	case status.Current == 0:
		return nil
	case (all || status.Current == 1) && !yes:
		return usage("this deletes all data: repeat it with --yes if you mean it")
	case all:
		return m.Down()
	}
	return m.Steps(-1)
}

func newMigrateStatus(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show the version of the schema",
		Example: "  signet migrate status --json",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return migrate(c, t, looking, func(*migrations.Migrator) error { return nil })
		},
	}
	addSettings(c, databaseSettings()...)
	return c
}

// reach is what a command on the schema may do to the embedded database.
type reach int

const (
	looking  reach = iota // at one that is there
	changing              // one that is there
	anywhere              // and make it where there is none
)

// migrate runs fn and tells how the schema stands then. What changes the embedded database
// waits for no server: it is refused while one runs.
func migrate(c *cobra.Command, t terminal, far reach, fn func(*migrations.Migrator) error) error {
	s, err := settle(c, t)
	if err != nil {
		return err
	}
	if far != anywhere {
		if err := findDatabase(s); err != nil {
			return err
		}
	}
	return withMigrator(c.Context(), s, func(m *migrations.Migrator) error {
		if far != looking {
			release, err := claimFolder(s)
			if err != nil {
				return err
			}
			defer func() { _ = release() }()
		}
		if err := fn(m); err != nil {
			return err
		}
		status, err := m.Status()
		if err != nil {
			return err
		}
		return showSchema(c, t, status)
	})
}

// workable reads how the schema stands, and refuses one that this program cannot change.
func workable(m *migrations.Migrator) (migrations.Status, error) {
	status, err := m.Status()
	if err != nil {
		return status, err
	}
	return status, unworkable(status)
}

func showSchema(c *cobra.Command, t terminal, s migrations.Status) error {
	if asJSON(c) {
		return printJSON(t.out, struct {
			Version uint `json:"version"`
			Latest  uint `json:"latest"`
			Dirty   bool `json:"dirty"`
		}{s.Current, s.Latest, s.Dirty})
	}
	state := "up to date"
	switch {
	case s.Dirty:
		state = "a migration failed half-way"
	case s.Behind():
		state = fmt.Sprintf("%d to apply: run `signet migrate up`", s.Latest-s.Current)
	case s.Ahead():
		state = "ahead of this signet: run a newer one"
	}
	_, err := fmt.Fprintf(t.out, "schema version %d of %d: %s\n", s.Current, s.Latest, state)
	return err
}
