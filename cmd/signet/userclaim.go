package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
)

func newSetClaim(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "set-claim NAME CLAIM=VALUE",
		Short: "Say something of a person to the APIs that list the claim",
		Long: "Say something of a person to the APIs that list the claim (`signet api update --claim`).\n\n" +
			"A value that is JSON is taken as what it is: true, 7, '[\"a\",\"b\"]', or '\"7\"' for a text of one digit.\n" +
			"Any other is a text.",
		Example: "  signet user set-claim alice department=sales\n  signet user set-claim alice teams='[\"a\",\"b\"]'",
		Args:    arguments(theUser, "the claim with its value"),
	}
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, args []string) error {
		claims, err := readClaims(args[1:])
		if err != nil {
			return usage("%s%s", below(c), err)
		}
		changed, err := d.people.SetClaims(ctx, u.ID, claims)
		if err != nil {
			return err
		}
		return showUser(c, t, changed, "The account "+u.Username+" has the claim "+args[1]+" now.")
	})
}

func newRemoveClaim(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "remove-claim NAME CLAIM", Short: "Say no more what a claim says of a person",
		Example: "  signet user remove-claim alice department", Args: arguments(theUser, "the name of the claim"),
	}
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, args []string) error {
		changed, err := d.people.RemoveClaim(ctx, u.ID, args[1])
		if err != nil {
			return err
		}
		return showUser(c, t, changed, "The account "+u.Username+" does not have the claim "+args[1]+" now.")
	})
}

// readClaims reads claims as they are given on the command line: a name and a value each.
func readClaims(texts []string) (authz.UserClaims, error) {
	all := map[string]json.RawMessage{}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		switch _, twice := all[name]; {
		case !utf8.ValidString(text):
			return nil, fmt.Errorf("%q is not UTF-8", text)
		case name == "" || value == "":
			return nil, fmt.Errorf("%q has no value: write department=sales", text)
		case twice:
			return nil, fmt.Errorf("%q is given twice", name)
		}
		all[name] = json.RawMessage(value)
		if !json.Valid(all[name]) {
			all[name], _ = json.Marshal(value) // text is always written
		}
	}
	whole, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	var out authz.UserClaims
	return out, json.Unmarshal(whole, &out)
}

// claimFacts shows claims as readClaims takes them, by name.
func claimFacts(claims authz.UserClaims) [][2]string {
	var out [][2]string
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		out = append(out, [2]string{"claim", name + "=" + claimText(claims[name])})
	}
	return out
}

func claimText(value any) string {
	if text, ok := value.(string); ok && text != "" && !json.Valid([]byte(text)) {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // a claim is always written
	return strings.TrimSuffix(b.String(), "\n")
}
