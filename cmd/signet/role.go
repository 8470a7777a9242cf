package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/adminapi"
)

const noRole = "role"

func newRole(t terminal) *cobra.Command {
	return group("role", "Say which scopes people may grant",
		newRoleCreate(t), newRoleList(t), newRoleShow(t), newRoleUpdate(t), newRoleDelete(t))
}

func newRoleCreate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "create --name NAME",
		Short:   "Make a role",
		Example: "  signet role create --name baker --description \"Bakes\" --scope bread:read --scope bread:write",
		Args:    arguments(),
	}
	name := c.Flags().String("name", "", "`name` of the role")
	apply := roleFlags(c)
	needs(c, "name", "give it a name with --name")
	return atNewDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		r := authz.Role{Name: *name}
		apply(&r)
		made, err := d.people.CreateRole(ctx, r)
		if err != nil {
			return explain(c, err, noRole, *name)
		}
		return showRole(c, t, made, "Made the role "+made.Name+".")
	})
}

// roleFlags adds the flags for what can change about a role, and gives what writes those
// that were given.
func roleFlags(c *cobra.Command) func(*authz.Role) {
	description := c.Flags().String("description", "", "`text` that says what it is for")
	scopes := c.Flags().StringArray("scope", nil, "`scope` that its people may grant, * for all but the server's own; repeatable")
	return func(r *authz.Role) {
		if c.Flags().Changed("description") {
			r.Description = *description
		}
		if c.Flags().Changed("scope") {
			r.Scopes = authz.ParseScopes(strings.Join(*scopes, " "))
		}
	}
}

func newRoleList(t terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List roles", Example: "  signet role list", Args: arguments()}
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		all, err := d.people.Roles(ctx)
		if err != nil {
			return explain(c, err, noRole, "")
		}
		return printList(c, t, all, adminapi.RoleDocument, []string{"NAME", "DESCRIPTION", "SCOPES"},
			func(r authz.Role) []string { return []string{r.Name, r.Description, r.Scopes.String()} })
	})
}

func newRoleShow(t terminal) *cobra.Command {
	c := &cobra.Command{Use: "show NAME", Short: "Show a role", Example: "  signet role show user", Args: arguments("the role")}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		r, err := d.people.Role(ctx, args[0])
		if err != nil {
			return explain(c, err, noRole, args[0])
		}
		return showRole(c, t, r, "")
	})
}

func newRoleUpdate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "update NAME",
		Short:   "Change a role; what no flag is given for stays",
		Example: "  signet role update baker --scope bread:read",
		Args:    arguments("the role"),
	}
	apply := roleFlags(c)
	needsChange(c)
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		r, err := d.people.Role(ctx, args[0])
		if err != nil {
			return explain(c, err, noRole, args[0])
		}
		apply(&r)
		changed, err := d.people.UpdateRole(ctx, r.Name, r.Version, r)
		if err != nil {
			return explain(c, err, noRole, args[0])
		}
		return showRole(c, t, changed, "Changed the role "+changed.Name+".")
	})
}

func newRoleDelete(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a role, and take it from everybody", Example: "  signet role delete baker",
		Args: arguments("the role"),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		if err := d.people.DeleteRole(ctx, args[0], 0); err != nil {
			return explain(c, err, noRole, args[0])
		}
		return said(c, t, "The role "+args[0]+" is deleted.", map[string]any{"name": args[0], "deleted": true})
	})
}

func showRole(c *cobra.Command, t terminal, r authz.Role, sentence string) error {
	if asJSON(c) {
		return printJSON(t.out, adminapi.RoleDocument(r))
	}
	if sentence != "" {
		if _, err := fmt.Fprintln(t.out, sentence); err != nil {
			return err
		}
	}
	return printFacts(t.out, [][2]string{
		{"name", r.Name}, {"description", r.Description}, {"scopes", r.Scopes.String()},
		{"made", moment(r.CreatedAt)}, {"changed", moment(r.UpdatedAt)},
	})
}
