package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

func newToken(t terminal) *cobra.Command {
	return group("token", "Look at tokens", newTokenInspect(t))
}

func newTokenInspect(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "inspect -",
		Short: "Say what a token on standard input is, without asking anybody",
		Long: "Say what a token on standard input is: of an API token, a client secret, an authorization code or a refresh\n" +
			"token whether its form is right, and the checksum where it has one; of a JWT what each part of it means, and\n" +
			"whether it has expired. Nobody is asked, so it cannot say whether a token works or who signed it.",
		Example: "  echo \"$TOKEN\" | signet token inspect -\n  pbpaste | signet token inspect - --json",
		Args:    arguments("the - for standard input"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if args[0] != "-" {
			return usage("%spipe the token in and say so with -: on the command line others could see it", below(c))
		}
		text, err := readToken(t.in)
		if err != nil {
			return err
		}
		found := inspect(text, time.Now())
		if err := showInspection(c, t, found); err != nil {
			return err
		}
		if found.Problem != "" {
			return errors.New(found.Problem)
		}
		return nil
	}
	return c
}

// maxTokenInput is more than any token has; a status list is the longest.
const maxTokenInput = 1 << 20

func readToken(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxTokenInput+1))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	switch {
	case token == "":
		return "", usage("there is no token on standard input: pipe it in, as --help shows")
	case len(text) > maxTokenInput:
		return "", errors.New("what is on standard input is longer than any token")
	}
	return token, nil
}

// showInspection prints what a token is. Of one that is malformed, programs get what there
// is to say, and people the error.
func showInspection(c *cobra.Command, t terminal, found inspection) error {
	if asJSON(c) {
		return printJSON(t.out, found)
	}
	if found.Problem != "" {
		return nil
	}
	if _, err := fmt.Fprintln(t.out, strings.Join(append([]string{found.Summary}, found.Notes...), "\n")); err != nil {
		return err
	}
	if found.ID != "" {
		return printFacts(t.out, [][2]string{{"id", found.ID}})
	}
	for _, part := range []struct {
		heading string
		members []member
	}{{"HEADER", found.Header}, {"CLAIM", found.Claims}} {
		if len(part.members) == 0 {
			continue
		}
		if _, err := fmt.Fprintln(t.out); err != nil {
			return err
		}
		var rows [][]string
		for _, m := range part.members {
			rows = append(rows, []string{legible(m.Name), shown(m), m.Meaning})
		}
		if err := printTable(t.out, []string{part.heading, "VALUE", "MEANING"}, rows); err != nil {
			return err
		}
	}
	return nil
}

// mostShown is how much of a value people are shown, in characters.
const mostShown = 100

// shown is a value as people read it: a string without its quotes, JSON otherwise.
func shown(m member) string {
	text, isText := m.text()
	if !isText || text == "" {
		text = compact(m.Value)
	}
	text = legible(text)
	if runes := []rune(text); len(runes) > mostShown {
		return fmt.Sprintf("%s… (%d characters)", string(runes[:mostShown]), len(runes))
	}
	return text
}

// legible writes out what would do something to a terminal, or to the text beside it.
func legible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}
