package main

import "github.com/spf13/cobra"

func newConfig(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Show the settings in force, secrets redacted",
		Example: "  signet config\n  SIGNET_ADDR=:9000 signet config --json",
		Args:    arguments(),
		RunE:    func(c *cobra.Command, _ []string) error { return showConfig(c, t) },
	}
	addSettings(c)
	return c
}

func showConfig(c *cobra.Command, t terminal) error {
	s, found, err := load(c.Flags(), t.environ)
	if err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	values, rows := map[string]string{}, [][]string{}
	for _, one := range s.table() {
		values[one.name] = one.value.String()
		rows = append(rows, []string{one.name, one.value.String(), found[one.name].from})
	}
	if asJSON(c) {
		return printJSON(t.out, values)
	}
	return printTable(t.out, []string{"SETTING", "VALUE", "FROM"}, rows)
}
