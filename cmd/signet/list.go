package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

const pageSize = 500

// everything reads a list to its end.
func everything[T any](ctx context.Context, read func(context.Context, string, int) ([]T, error), key func(T) string) ([]T, error) {
	var all []T
	for after := ""; ; {
		part, err := read(ctx, after, pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
		if len(part) < pageSize {
			return all, nil
		}
		after = key(part[len(part)-1])
	}
}

// printList prints a list as the REST API has it, or as a table.
func printList[T, D any](c *cobra.Command, t terminal, all []T, show func(T) D, headings []string, row func(T) []string) error {
	if asJSON(c) {
		items := make([]D, 0, len(all))
		for _, one := range all {
			items = append(items, show(one))
		}
		return printJSON(t.out, map[string]any{"items": items})
	}
	rows := make([][]string, 0, len(all))
	for _, one := range all {
		rows = append(rows, row(one))
	}
	return printTable(t.out, headings, rows)
}

// said prints what a command has done.
func said(c *cobra.Command, t terminal, sentence string, document any) error {
	if asJSON(c) {
		return printJSON(t.out, document)
	}
	_, err := fmt.Fprintln(t.out, sentence)
	return err
}

func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}
