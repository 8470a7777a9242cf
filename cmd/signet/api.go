package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/adminapi"
)

const (
	noAPI  = "api"
	theAPI = "the API's identifier"
)

func newAPI(t terminal) *cobra.Command {
	return group("api", "Register the APIs that tokens are for, and their scopes",
		newAPICreate(t), newAPIList(t), newAPIShow(t), newAPIUpdate(t), newAPIDelete(t))
}

func newAPICreate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "create --identifier URI --name NAME",
		Short: "Register an API",
		Example: "  signet api create --identifier https://orders.example --name Orders \\\n" +
			"    --scope 'orders:read=See your orders' --scope 'orders:write=Change your orders'",
		Args: arguments(),
	}
	identifier := c.Flags().String("identifier", "", "`URI` that its tokens have as audience (RFC 8707)")
	apply := apiFlags(c)
	needs(c, "identifier", "say which tokens it takes with --identifier, a URI such as https://orders.example")
	needs(c, "name", "give it a name with --name: people see it on the consent page")
	return atNewDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		a := authz.API{Identifier: *identifier}
		if err := apply(&a); err != nil {
			return err
		}
		made, err := d.apis.Create(ctx, a)
		if err != nil {
			return explain(c, err, noAPI, a.Identifier)
		}
		return showAPI(c, t, made, "Registered "+made.Name+".")
	})
}

// apiFlags adds the flags for what can change about an API, and gives what writes those
// that were given.
func apiFlags(c *cobra.Command) func(*authz.API) error {
	f := c.Flags()
	name := f.String("name", "", "`name` that people see")
	scopes := f.StringArray("scope", nil, "`scope=sentence`, the sentence for the consent page; repeatable")
	owner := f.String("owner", "", "`client_id` of the client that may introspect its tokens")
	signIn := f.Bool("browser-sign-in", false, "whether the gateway signs people in at it")
	lifetime := f.String("access-token-lifetime", "", "`time` such as 5m; 0s is the client's or the server's own")
	claims := f.StringArray("claim", nil, "`claim` that its tokens have: "+
		"roles, preferred_username, name, email, email_verified, or one that people have (user set-claim); repeatable")
	return func(a *authz.API) (err error) {
		for flag, set := range map[string]func() error{
			"name":                  func() error { a.Name = *name; return nil },
			"scope":                 func() error { a.Scopes, err = readScopes(*scopes); return err },
			"owner":                 func() error { a.OwnerClientID = *owner; return nil },
			"browser-sign-in":       func() error { a.BrowserSignIn = *signIn; return nil },
			"claim":                 func() error { a.Claims = withoutEmpty(*claims); return nil },
			"access-token-lifetime": func() error { a.AccessTokenLifetime, err = readSeconds(*lifetime); return err },
		} {
			if !f.Changed(flag) {
				continue
			}
			if err := set(); err != nil {
				return usage("api %s: --%s: %s", c.Name(), flag, err)
			}
		}
		return nil
	}
}

func readScopes(texts []string) ([]authz.APIScope, error) {
	var out []authz.APIScope
	for _, text := range withoutEmpty(texts) {
		name, sentence, ok := strings.Cut(text, "=")
		if !ok || sentence == "" {
			return nil, fmt.Errorf("%q has no sentence for people: write 'orders:read=See your orders'", text)
		}
		out = append(out, authz.APIScope{Name: name, Description: sentence})
	}
	return out, nil
}

// readSeconds reads a length of time in whole seconds.
func readSeconds(text string) (int64, error) {
	d, err := readSpan(text)
	if err == nil && d%time.Second != 0 {
		err = fmt.Errorf("%q is not a number of whole seconds", text)
	}
	return int64(d / time.Second), err
}

func newAPIList(t terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List APIs", Example: "  signet api list", Args: arguments()}
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		all, err := everything(ctx, d.apis.List, func(a *authz.API) string { return a.Identifier })
		if err != nil {
			return explain(c, err, noAPI, "")
		}
		return printList(c, t, all, adminapi.APIDocument, []string{"IDENTIFIER", "NAME", "SCOPES"},
			func(a *authz.API) []string { return []string{a.Identifier, a.Name, a.ScopeNames().String()} })
	})
}

func newAPIShow(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "show IDENTIFIER", Short: "Show an API", Example: "  signet api show https://orders.example", Args: arguments(theAPI),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		a, err := d.apis.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noAPI, args[0])
		}
		return showAPI(c, t, a, "")
	})
}

func newAPIUpdate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "update IDENTIFIER",
		Short:   "Change an API; what no flag is given for stays",
		Example: "  signet api update https://orders.example --scope 'orders:read=See what you ordered'",
		Args:    arguments(theAPI),
	}
	apply := apiFlags(c)
	needsChange(c)
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		a, err := d.apis.Get(ctx, args[0])
		if err != nil {
			return explain(c, err, noAPI, args[0])
		}
		if err := apply(a); err != nil {
			return err
		}
		changed, err := d.apis.Update(ctx, a.Identifier, a.Version, *a)
		if err != nil {
			return explain(c, err, noAPI, args[0])
		}
		return showAPI(c, t, changed, "Changed "+changed.Name+".")
	})
}

func newAPIDelete(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "delete IDENTIFIER", Short: "Delete an API: no more tokens are made for it", Example: "  signet api delete https://orders.example",
		Args: arguments(theAPI),
	}
	return atDesk(c, t, func(ctx context.Context, d *desk, args []string) error {
		if err := d.apis.Delete(ctx, args[0], 0); err != nil {
			return explain(c, err, noAPI, args[0])
		}
		return said(c, t, "The API "+args[0]+" is deleted.", map[string]any{"identifier": args[0], "deleted": true})
	})
}

func showAPI(c *cobra.Command, t terminal, a *authz.API, sentence string) error {
	if asJSON(c) {
		return printJSON(t.out, adminapi.APIDocument(a))
	}
	if sentence != "" {
		if _, err := fmt.Fprintln(t.out, sentence); err != nil {
			return err
		}
	}
	facts := [][2]string{{"identifier", a.Identifier}, {"name", a.Name}, {"owner", a.OwnerClientID}, {"claims", strings.Join(a.Claims, " ")}}
	if a.AccessTokenLifetime > 0 {
		facts = append(facts, [2]string{"access token", showSpan(time.Duration(a.AccessTokenLifetime) * time.Second)})
	}
	for _, s := range a.Scopes {
		facts = append(facts, [2]string{s.Name, s.Description})
	}
	return printFacts(t.out, facts)
}
