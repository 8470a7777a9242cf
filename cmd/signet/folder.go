package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage"
)

// errLocked says that another process has the lock.
var errLocked = errors.New("another process has it")

// makeFolder makes the data folder, for its owner only, and sees that it can be written.
func makeFolder(path string) error {
	err := os.MkdirAll(path, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(path, ".probe-*"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be written (%w): choose another with --data", path, cause(err))
	}
	return nil
}

// findDatabase refuses to go on where there is no embedded database. Whoever is in a wrong
// folder would make an empty one, and hear that there is nothing in it.
func findDatabase(s *settings) error {
	if s.DatabaseURL != "" {
		return nil
	}
	if _, err := os.Stat(s.database()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database in %s: run this where `signet serve` runs, or say --data", s.Data)
	}
	return nil // what else may be wrong, opening it tells
}

// cause drops the path from an error of the file system, when the message names it anyway.
func cause(err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// claimFolder sees that this is the only server on the data folder: SQLite and the caches
// of two servers would not agree.
func claimFolder(s *settings) (release func() error, err error) {
	if s.DatabaseURL != "" {
		return func() error { return nil }, nil
	}
	if err := makeFolder(s.Data); err != nil {
		return nil, err
	}
	release, err = lockFile(filepath.Join(s.Data, "signet.lock"))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("another server runs on the data folder %s: stop it, choose another with --data, "+
			"or give several servers one PostgreSQL with --database-url", s.Data)
	}
	return release, err
}

// withMigrator has fn change the schema.
func withMigrator(ctx context.Context, s *settings, fn func(*migrations.Migrator) error) (err error) {
	if s.DatabaseURL == "" {
		if err := makeFolder(s.Data); err != nil {
			return err
		}
	}
	m, err := openMigrator(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return fn(m)
}

// unreachable says which database did not answer, without its password, and why in a few
// words: drivers tell every attempt they made.
func unreachable(s *settings, err error) error {
	if s.DatabaseURL == "" {
		return fmt.Errorf("the database %s cannot be opened: %w", s.database(), err)
	}
	message := storage.ServerMessage(err)
	var network *net.OpError
	var name *net.DNSError
	switch {
	case message != "":
		err = errors.New(message)
	case errors.As(err, &name):
		err = fmt.Errorf("there is no host %s", name.Name)
	case errors.Is(err, context.DeadlineExceeded):
		err = errors.New("it does not answer")
	case errors.As(err, &network):
		err = network.Err
	}
	return fmt.Errorf("the database %s cannot be reached (%w): start it, or correct database-url", redactURL(s.DatabaseURL), err)
}
