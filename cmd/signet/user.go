package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/web/adminapi"
)

const (
	noUser  = "user"
	theUser = "the user's name"
)

func newUser(t terminal) *cobra.Command {
	return group("user", "Make accounts for people, and change them",
		newUserCreate(t), newUserList(t), newUserShow(t), newSetPassword(t),
		newUserSwitch(t, "disable", "Lock an account: sessions end and grants are revoked", true),
		newUserSwitch(t, "enable", "Unlock an account", false),
		newUserDelete(t),
		newUserRole(t, "grant-role", "Give a role to a person", "has", (*directory.Service).GrantRole),
		newUserRole(t, "revoke-role", "Take a role from a person", "does not have", (*directory.Service).RevokeRole),
		newSetClaim(t), newRemoveClaim(t))
}

func newUserCreate(t terminal) *cobra.Command {
	var n directory.New
	c := &cobra.Command{
		Use:   "create --username NAME",
		Short: "Make an account",
		Long:  "Make an account. Without a password nobody can sign in to it until it has one.",
		Example: "  echo \"correct horse battery staple\" | signet user create --username alice --admin --password-stdin\n" +
			"  signet user create --username bob --email bob@example.com --claim department=sales --claim teams='[\"a\",\"b\"]'",
		Args: arguments(),
	}
	c.Flags().StringVar(&n.Username, "username", "", "`name` to sign in with")
	c.Flags().StringVar(&n.Email, "email", "", "email `address`")
	c.Flags().StringVar(&n.Name, "name", "", "`name` that apps see")
	c.Flags().BoolVar(&n.Admin, "admin", false, "give them the role administrator")
	claims := c.Flags().StringArray("claim", nil, "`name=value` of a claim for the APIs that list it: a text, or JSON as set-claim takes it; repeatable")
	password := c.Flags().Bool("password-stdin", false, "read the password from standard input")
	needs(c, "username", "say who with --username")
	check(c, func() (err error) {
		if n.Claims, err = readClaims(*claims); err != nil {
			err = usage("%s--claim: %s", below(c), err)
		}
		return err
	})
	return atNewDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		if *password {
			var err error
			if n.Password, err = readPassword(t.in); err != nil {
				return err
			}
		}
		made, err := d.people.Create(ctx, n)
		if err != nil {
			return explain(c, err, noUser, n.Username)
		}
		sentence := "Made the account " + made.Username + "."
		if n.Password == "" {
			sentence += " It has no password yet: `signet user set-password " + made.Username + " --password-stdin`."
		}
		return showUser(c, t, made, sentence)
	})
}

// maxPasswordInput is more than any password may have.
const maxPasswordInput = 8 << 10

// readPassword reads all there is, without the end of the line.
func readPassword(in io.Reader) (authz.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxPasswordInput))
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case password == "":
		return "", usage("there is no password on standard input: pipe it in, as --help shows")
	case strings.ContainsAny(password, "\r\n"):
		return "", usage("the password on standard input must be one line")
	}
	return authz.Secret(password), nil
}

func newUserList(t terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List accounts", Example: "  signet user list --json", Args: arguments()}
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		all, err := everything(ctx, d.people.List, func(u *authz.User) string { return u.ID })
		if err != nil {
			return explain(c, err, noUser, "")
		}
		return printList(c, t, all, adminapi.UserDocument, []string{"ID", "USERNAME", "EMAIL", "ROLES", "STATE"},
			func(u *authz.User) []string {
				return []string{u.ID, u.Username, u.Email, strings.Join(u.Roles, " "), state(u.Disabled())}
			})
	})
}

// onUser makes a command on one person, who is named by username, email address or id.
func onUser(c *cobra.Command, t terminal, fn func(ctx context.Context, d *desk, u *authz.User, args []string) error) *cobra.Command {
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		u, err := d.people.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noUser, args[0])
		}
		return explain(c, fn(ctx, d, u, args), noUser, args[0])
	})
}

func newUserShow(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "show NAME", Short: "Show an account", Example: "  signet user show alice", Args: arguments(theUser),
	}
	return onUser(c, t, func(_ context.Context, _ *desk, u *authz.User, _ []string) error { return showUser(c, t, u, "") })
}

func newSetPassword(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "set-password NAME --password-stdin",
		Short:   "Give a person a new password: sessions end and grants are revoked",
		Example: "  echo \"correct horse battery staple\" | signet user set-password alice --password-stdin",
		Args:    arguments(theUser),
	}
	c.Flags().Bool("password-stdin", false, "read the password from standard input")
	needs(c, "password-stdin", "pipe the password in and say so with --password-stdin: on the command line others could see it")
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, _ []string) error {
		password, err := readPassword(t.in)
		if err != nil {
			return err
		}
		if err := d.people.SetPassword(ctx, u.ID, password); err != nil {
			return err
		}
		return said(c, t, "The account "+u.Username+" has a new password.", map[string]any{"id": u.ID, "username": u.Username})
	})
}

func newUserSwitch(t terminal, verb, short string, disabled bool) *cobra.Command {
	c := &cobra.Command{
		Use: verb + " NAME", Short: short, Example: "  signet user " + verb + " alice", Args: arguments(theUser),
	}
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, _ []string) error {
		if err := d.people.SetDisabled(ctx, u.ID, disabled); err != nil {
			return err
		}
		return said(c, t, "The account "+u.Username+" is "+state(disabled)+".",
			map[string]any{"id": u.ID, "username": u.Username, "disabled": disabled})
	})
}

func newUserDelete(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete an account and all that is theirs",
		Example: "  signet user delete alice",
		Args:    arguments(theUser),
	}
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, _ []string) error {
		if err := d.people.Delete(ctx, u.ID, 0); err != nil {
			return err
		}
		return said(c, t, "The account "+u.Username+" is deleted.", map[string]any{"id": u.ID, "username": u.Username, "deleted": true})
	})
}

type roleMove func(people *directory.Service, ctx context.Context, userID, role string) error

func newUserRole(t terminal, verb, short, words string, move roleMove) *cobra.Command {
	c := &cobra.Command{
		Use: verb + " NAME ROLE", Short: short, Example: "  signet user " + verb + " alice administrator",
		Args: arguments(theUser, "the role"),
	}
	return onUser(c, t, func(ctx context.Context, d *desk, u *authz.User, args []string) error {
		if _, err := d.people.Role(ctx, args[1]); err != nil {
			return explain(c, err, noRole, args[1])
		}
		if err := move(d.people, ctx, u.ID, args[1]); err != nil {
			return err
		}
		changed, err := d.people.Get(ctx, u.ID)
		if err != nil {
			return err
		}
		return showUser(c, t, changed, "The account "+u.Username+" "+words+" the role "+args[1]+" now.")
	})
}

func showUser(c *cobra.Command, t terminal, u *authz.User, sentence string) error {
	if asJSON(c) {
		return printJSON(t.out, adminapi.UserDocument(u))
	}
	if sentence != "" {
		if _, err := fmt.Fprintln(t.out, sentence); err != nil {
			return err
		}
	}
	facts := [][2]string{
		{"id", u.ID}, {"username", u.Username}, {"email", u.Email}, {"name", u.Profile.Name},
		{"roles", strings.Join(u.Roles, " ")}, {"state", state(u.Disabled())},
		{"made", moment(u.CreatedAt)}, {"changed", moment(u.UpdatedAt)},
	}
	return printFacts(t.out, append(facts, claimFacts(u.Claims)...))
}
