package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/audit"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/storage"
)

// desk is what a command line works with: the same deciders as the server's, on the same
// database.
type desk struct {
	settings *settings
	store    *storage.Store
	master   *keys.Master
	audit    *audit.Log
	people   *directory.Service
	apis     *catalog.Service
	clients  *registration.Service
}

// action is what a command does at the desk.
type action func(ctx context.Context, d *desk, args []string) error

// atDesk makes a command on the database of it: flags for the settings, and fn between
// opening and closing. There must be a database.
func atDesk(c *cobra.Command, t terminal, fn action) *cobra.Command {
	return atDeskAfter(c, t, findDatabase, fn)
}

// atNewDesk is atDesk for a command that registers something, which may come before the
// first start of the server. Where there is no database it says that it makes one: whoever is
// in a wrong folder must see it.
func atNewDesk(c *cobra.Command, t terminal, fn action) *cobra.Command {
	return atDeskAfter(c, t, func(s *settings) error {
		if findDatabase(s) == nil {
			return nil
		}
		_, err := fmt.Fprintf(t.err, "There was no database in %s: this makes one.\n", s.Data)
		return err
	}, fn)
}

// atDeskAfter is atDesk for a command that has its own mind about whether it may go on.
func atDeskAfter(c *cobra.Command, t terminal, may func(*settings) error, fn action) *cobra.Command {
	addSettings(c, databaseSettings()...)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		s, err := settle(c, t)
		if err != nil {
			return err
		}
		if err := may(s); err != nil {
			return err
		}
		d, err := openDesk(c.Context(), s, t.err)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close(c.Context())) }()
		return fn(c.Context(), d, args)
	}
	return c
}

// needsChange has an update refused that changes nothing.
func needsChange(c *cobra.Command) {
	check(c, func() error {
		given := false
		c.Flags().Visit(func(f *pflag.Flag) {
			given = given || c.LocalNonPersistentFlags().Lookup(f.Name) != nil && !slices.Contains(databaseSettings(), f.Name)
		})
		if !given {
			return usage("%ssay what to change: see %s --help", below(c), c.CommandPath())
		}
		return nil
	})
}

func openDesk(ctx context.Context, s *settings, log io.Writer) (_ *desk, err error) {
	if err := s.namesMasterKey(); err != nil {
		return nil, err
	}
	d := &desk{settings: s}
	if d.store, err = openStore(ctx, s); err != nil {
		return nil, err
	}
	if err := d.assemble(ctx, log); err != nil {
		return nil, errors.Join(err, d.store.Close())
	}
	return d, nil
}

// assemble makes the deciders. Their events become rows, and log lines from warnings up:
// what a command did it says itself.
func (d *desk) assemble(ctx context.Context, log io.Writer) (err error) {
	if d.master, err = openMaster(ctx, d.settings, d.store); err != nil {
		return err
	}
	quiet := *d.settings
	quiet.LogLevel = "warn"
	d.audit = audit.New(audit.Config{Store: d.store, Log: newLog(log, &quiet), Actor: "cli"})
	limiter := ratelimit.New(ratelimit.Config{}) // nobody logs in here
	passwords, err := login.New(login.Config{
		Store: d.store, Audit: d.audit, DeviceKey: d.master.Derive("known devices"),
		PerAddress: limiter, PerName: limiter, PerAccount: limiter, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return err
	}
	d.people = directory.NewService(directory.Config{
		Store: d.store, Passwords: passwords, Audit: d.audit, DefaultRole: d.settings.DefaultRole, Now: time.Now, Random: rand.Reader,
	})
	d.apis = catalog.New(catalog.Config{Store: d.store, Issuer: d.settings.Issuer, Audit: d.audit, Now: time.Now})
	d.clients = registration.NewService(registration.Config{
		Store: d.store, APIs: apisWithOwn{d.store, d.settings.Issuer}, Audit: d.audit,
		Algorithms: d.settings.KeyAlgorithms, Now: time.Now, Random: rand.Reader,
	})
	if err := d.people.EnsureRoles(ctx); !errors.Is(err, authz.ErrNotFound) {
		return err
	}
	return nil // the default role is about to be made, perhaps
}

// apisWithOwn finds the server's own API among those registered.
type apisWithOwn struct {
	*storage.Store
	issuer string
}

func (a apisWithOwn) API(ctx context.Context, identifier string) (*authz.API, error) {
	if identifier == a.issuer {
		own := authz.ServerAPI(a.issuer)
		return &own, nil
	}
	return a.Store.API(ctx, identifier)
}

func (d *desk) close(ctx context.Context) error {
	return errors.Join(d.audit.Flush(context.WithoutCancel(ctx)), d.store.Close())
}

// ring opens the signing keys.
func (d *desk) ring(ctx context.Context, log io.Writer) (*keys.Ring, error) {
	return keys.Open(ctx, keys.Config{
		Store: d.store, Master: d.master, Algorithms: d.settings.KeyAlgorithms, RotateEvery: d.settings.KeyRotation,
		KeepRetired: oauth2.MaxAccessTokenLifetime, Log: newLog(log, d.settings), Audit: d.audit,
	})
}
