package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz/keys"
)

func newKeys(t terminal) *cobra.Command {
	return group("keys", "See the signing keys, and rotate them", newKeysList(t), newKeysRotate(t))
}

func newKeysList(t terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List signing keys", Example: "  signet keys list", Args: arguments()}
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		ring, err := d.ring(ctx, t.err)
		if err != nil {
			return err
		}
		return showKeys(c, t, ring)
	})
}

func newKeysRotate(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Sign with the next key from now on",
		Long: "Sign with the next key from now on, and make a new next one. The old key stays published until the\n" +
			"last token that it signed has expired. Running servers follow within seconds.\n\n" +
			"With --force --withdraw the old key goes at once, for when it is stolen, and with it every key that was\n" +
			"retired before. Signet refuses what they signed, within seconds. A service refuses it from when it fetches\n" +
			"the key set again: one that has the old set in memory believes the stolen key until then. People and\n" +
			"programs get new tokens by refreshing; nobody has to sign in again.",
		Example: "  signet keys rotate\n  signet keys rotate --alg ES256\n  signet keys rotate --force --withdraw",
		Args:    arguments(),
	}
	alg := c.Flags().String("alg", "", "`algorithm` whose key is rotated (default all)")
	force := c.Flags().Bool("force", false, "rotate although services may not know the next key yet")
	withdraw := c.Flags().Bool("withdraw", false, "with --force, when a key is stolen: refuse what the old keys have signed")
	check(c, func() error {
		if *withdraw && !*force {
			return usage("%s--withdraw makes tokens invalid that people and programs use: say --force too if you mean it", below(c))
		}
		return nil
	})
	return atDesk(c, t, func(ctx context.Context, d *desk, _ []string) error {
		if *alg != "" && !slices.Contains(d.settings.KeyAlgorithms, *alg) {
			return usage("--alg: there are no keys for %q: it is not one of key-algorithms", *alg)
		}
		ring, err := d.ring(ctx, t.err)
		if err != nil {
			return err
		}
		if *withdraw {
			err = ring.Withdraw(ctx, *alg)
		} else {
			err = ring.Rotate(ctx, *alg, *force)
		}
		if errors.Is(err, keys.ErrTooYoung) {
			return errors.New("the next key is published for less than an hour, and services that have not fetched it would " +
				"refuse its tokens: wait, or repeat with --force in an emergency")
		}
		if err != nil {
			return explain(c, err, "key", *alg)
		}
		return showKeys(c, t, ring)
	})
}

func showKeys(c *cobra.Command, t terminal, ring *keys.Ring) error {
	return printList(c, t, ring.List(), func(k keys.Info) keys.Info { return k },
		[]string{"KID", "ALGORITHM", "STATE", "MADE", "SIGNS SINCE", "GOES"},
		func(k keys.Info) []string {
			return []string{k.KID, k.Alg, string(k.State), moment(k.CreatedAt), moment(k.ActivatedAt), moment(k.ExpiresAt)}
		})
}
