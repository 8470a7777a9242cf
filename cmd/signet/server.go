package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/web"
	"github.com/signet-auth/signet/web/parts"
)

// sweepPeriod is how often expired rows are looked for.
const sweepPeriod = time.Minute

// server is one process that serves: the parts, and what they stand on. Its fields are in
// the order in which they are made; close takes them down from the last to the first.
type server struct {
	settings *settings
	log      *slog.Logger

	release  func() error // lets go of the data folder
	listener net.Listener
	store    *storage.Store
	master   *keys.Master
	parts    *parts.Parts
}

// newServer makes a server that listens already and answers once Run is called. The error
// is a sentence for the operator; nothing is left open then.
func newServer(ctx context.Context, s *settings, log *slog.Logger) (*server, error) {
	if err := s.namesMasterKey(); err != nil {
		return nil, err
	}
	v := &server{settings: s, log: log}
	for _, step := range []func(context.Context) error{
		v.claimFolder, v.listen, v.openStore, v.openMaster, v.assemble,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

func (v *server) claimFolder(context.Context) (err error) {
	v.release, err = claimFolder(v.settings)
	return err
}

// listen comes early, because the issuer may follow from the port that the system chooses.
func (v *server) listen(ctx context.Context) (err error) {
	var config net.ListenConfig
	addr := v.settings.Addr
	v.listener, err = config.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken: stop what listens there, or choose another address with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not be listened on by this user: choose a port above 1023 with --addr", addr)
	case err != nil:
		return fmt.Errorf("%s cannot be listened on (%w): choose another address with --addr", addr, cause(err))
	}
	if v.settings.Issuer == "" {
		v.settings.Issuer, err = issuerAt(v.listener.Addr().String())
	}
	return err
}

func (v *server) openStore(ctx context.Context) (err error) {
	v.store, err = openStore(ctx, v.settings)
	return err
}

func (v *server) openMaster(ctx context.Context) (err error) {
	v.master, err = openMaster(ctx, v.settings, v.store)
	return err
}

func (v *server) assemble(ctx context.Context) (err error) {
	s := v.settings
	v.parts, err = parts.New(ctx, parts.Config{
		Issuer: s.Issuer, Store: v.store, Master: v.master,
		Lifetimes: s.Lifetimes, RefreshGrace: s.RefreshGrace, SessionIdle: s.SessionIdle, Session: s.Session,
		APITokenLifetime: s.APIToken,
		KeyAlgorithms:    s.KeyAlgorithms, KeyRotation: s.KeyRotation, DefaultRole: s.DefaultRole,
		TrustedProxies: s.TrustedProxies, Log: v.log, Now: time.Now, Random: rand.Reader,
	})
	if errors.Is(err, authz.ErrNotFound) {
		return fmt.Errorf("default-role: there is no role %q: make it with `signet role create --name %s`", s.DefaultRole, s.DefaultRole)
	}
	return err
}

// Handler answers every URL.
func (v *server) Handler() http.Handler { return v.parts.Site }

// Addr is where the server listens.
func (v *server) Addr() string { return v.listener.Addr().String() }

// SetupURL is where the first administrator is made; empty when there is one.
func (v *server) SetupURL(ctx context.Context) (string, error) {
	needs, err := v.parts.People.NeedsSetup(ctx)
	if err != nil || !needs {
		return "", err
	}
	return v.settings.Issuer + "/setup?token=" + v.parts.People.SetupToken().Reveal(), nil
}

// Run answers requests until ctx ends, then finishes those in flight, for at most ten
// seconds, and writes down what is left to write.
func (v *server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { v.parts.Run(background) })
	all.Go(func() { v.watch(background) })
	all.Go(func() { v.sweep(background) })
	err := web.Serve(ctx, v.listener, v.Handler(), v.log)
	stop()
	all.Wait()
	return err
}

// watch has the parts forget what others, replicas and command lines, have changed.
func (v *server) watch(ctx context.Context) {
	v.store.Watch(ctx,
		func(c storage.Change) { v.parts.Changed(ctx, c.Table, c.Key) },
		v.parts.Unwatched)
}

// sweep deletes expired rows, now and once a minute. A batch that fails is tried again in
// the next minute.
func (v *server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepPeriod)
	defer tick.Stop()
	for {
		n, err := v.store.Sweep(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			v.log.Warn("expired rows are not deleted", "error", err)
		case n > 0:
			v.log.Debug("expired rows deleted", "rows", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close lets go of everything. It is safe after Run and after a failed start.
func (v *server) Close() error {
	var errs []error
	if v.store != nil {
		errs = append(errs, v.store.Close())
	}
	if v.listener != nil {
		if err := v.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if v.release != nil {
		errs = append(errs, v.release())
	}
	return errors.Join(errs...)
}
