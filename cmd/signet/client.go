package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/web/adminapi"
)

const noClient = "client"

func newClient(t terminal) *cobra.Command {
	return group("client", "Register apps and services, and change them",
		newClientCreate(t), newClientList(t), newClientShow(t), newClientUpdate(t), newRotateSecret(t),
		newClientSwitch(t, "disable", "Refuse a client everywhere, until it is enabled again", true),
		newClientSwitch(t, "enable", "Let a client in again", false),
		newClientDelete(t))
}

func newClientCreate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Register a client; its secret is shown this once",
		Example: "  signet client create --name \"Acme Calendar\" --redirect-uri https://calendar.example/callback\n" +
			"  signet client create --name \"Nightly report\" --type service --api https://orders.example --json",
		Args: arguments(),
	}
	id := c.Flags().String("id", "", "the client_id (default: one is made up)")
	metadata := newMetadataFlags(c, true)
	needs(c, "name", "give it a name with --name: people see it on the consent page")
	return atNewDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		n := registration.New{ID: *id, DefaultIDTokenAlg: authz.AlgES256}
		if err := metadata.apply(&n.Metadata); err != nil {
			return err
		}
		n.WaivePKCE = c.Flags().Changed("require-pkce") && !n.Metadata.RequirePKCE
		made, secret, err := d.clients.Create(ctx, n)
		if err != nil {
			return explain(c, err, noClient, n.ID)
		}
		return showClient(c, t, made, secret, "Registered "+made.Metadata.Name+".")
	})
}

func newClientList(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List clients", Example: "  signet client list --json", Args: arguments(),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		all, err := everything(ctx, d.clients.List, func(c *authz.Client) string { return c.ID })
		if err != nil {
			return explain(c, err, noClient, "")
		}
		return printList(c, t, all, clientDocument, []string{"CLIENT ID", "NAME", "TYPE", "AUTHENTICATES WITH", "STATE"},
			func(c *authz.Client) []string {
				return []string{c.ID, c.Metadata.Name, c.Metadata.Type, c.Metadata.AuthMethod, state(c.Disabled())}
			})
	})
}

func clientDocument(c *authz.Client) adminapi.Client { return adminapi.ClientDocument(c, time.Now()) }

func newClientShow(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "Show a client", Example: "  signet client show cli_… --json", Args: arguments("the client's ID"),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		found, err := d.clients.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noClient, args[0])
		}
		return showClient(c, t, found, "", "")
	})
}

func newClientUpdate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "update ID",
		Short:   "Change a client; what no flag is given for stays",
		Long:    "Change a client. What no flag is given for stays as it is; a list is replaced whole, and emptied by an empty value.",
		Example: "  signet client update cli_… --redirect-uri https://a.example/cb --redirect-uri https://b.example/cb",
		Args:    arguments("the client's ID"),
	}
	metadata := newMetadataFlags(c, false)
	needsChange(c)
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		found, err := d.clients.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noClient, args[0])
		}
		m := found.Metadata
		if err := metadata.apply(&m); err != nil {
			return err
		}
		changed, err := d.clients.Update(ctx, found.ID, found.Version, m)
		if err != nil {
			return explain(c, err, noClient, args[0])
		}
		return showClient(c, t, changed, "", "Changed "+changed.ID+".")
	})
}

func newRotateSecret(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "rotate-secret ID",
		Short:   "Give a client a new secret; it is shown this once",
		Long:    "Give a client a new secret. Those it had end at once, or after --overlap, so that a deployment has time to change.",
		Example: "  signet client rotate-secret cli_… --overlap 24h",
		Args:    arguments("the client's ID"),
	}
	overlap := c.Flags().String("overlap", "0s", "`time` for which the old secrets stay good, at most 90d")
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		wait, err := readSpan(*overlap)
		if err != nil {
			return usage("--overlap: %s", err)
		}
		secret, err := d.clients.RotateSecret(ctx, args[0], wait)
		if err != nil {
			return explain(c, err, noClient, args[0])
		}
		found, err := d.clients.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noClient, args[0])
		}
		text := "The old secrets are refused from now on."
		if wait > 0 {
			text = "The old secrets stay good for " + showSpan(wait) + "."
		}
		return showClient(c, t, found, secret, text)
	})
}

func newClientSwitch(t terminal, verb, short string, disabled bool) *cobra.Command {
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Example: "  signet client " + verb + " cli_…", Args: arguments("the client's ID"),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		if err := d.clients.SetDisabled(ctx, args[0], disabled); err != nil {
			return explain(c, err, noClient, args[0])
		}
		return said(c, t, "The client "+args[0]+" is "+state(disabled)+".", map[string]any{"client_id": args[0], "disabled": disabled})
	})
}

func newClientDelete(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "delete ID",
		Short:   "Delete a client, and revoke what it was granted",
		Example: "  signet client delete cli_…",
		Args:    arguments("the client's ID"),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		if err := d.clients.Delete(ctx, args[0], 0); err != nil {
			return explain(c, err, noClient, args[0])
		}
		return said(c, t, "The client "+args[0]+" is deleted, and what it was granted is revoked.",
			map[string]any{"client_id": args[0], "deleted": true})
	})
}

// showClient prints a client, its secret if it is new, and a sentence before it.
func showClient(c *cobra.Command, t terminal, one *authz.Client, secret authz.Secret, sentence string) error {
	if asJSON(c) {
		return printJSON(t.out, clientDocument(one).WithSecret(secret))
	}
	if sentence != "" {
		if _, err := fmt.Fprintln(t.out, sentence); err != nil {
			return err
		}
	}
	m := one.Metadata
	facts := [][2]string{
		{"client_id", one.ID}, {"client_secret", secret.Reveal()}, {"name", m.Name}, {"type", m.Type}, {"state", state(one.Disabled())},
		{"authenticates with", m.AuthMethod}, {"grants", strings.Join(m.GrantTypes, " ")},
		{"redirect URIs", strings.Join(m.RedirectURIs, " ")}, {"after sign-out", strings.Join(m.PostLogoutRedirectURIs, " ")},
		{"scope", m.Scope.String()}, {"default scope", m.DefaultScope.String()},
		{"APIs", strings.Join(m.APIs, " ")}, {"default API", m.DefaultAPI},
	}
	for _, rule := range m.TokenExchange {
		facts = append(facts, [2]string{"exchanges", rule.From + " for " + rule.To + ": " + rule.Scopes.String()})
	}
	facts = append(facts, [][2]string{
		{"ID token", m.IDTokenAlg}, {"live secrets", liveSecrets(one)},
		{"registered", moment(one.CreatedAt)}, {"changed", moment(one.UpdatedAt)},
	}...)
	err := printFacts(t.out, facts)
	if err == nil && secret != "" {
		_, err = fmt.Fprintln(t.out, "Keep the secret now: it is not shown again.")
	}
	return err
}

func liveSecrets(c *authz.Client) string {
	n := len(clientDocument(c).Secrets)
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
