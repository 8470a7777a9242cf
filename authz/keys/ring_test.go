package keys_test

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage"
)

var everyAlgorithm = []string{authz.AlgES256, authz.AlgRS256, authz.AlgPS256, authz.AlgEdDSA}

func newStore(t testing.TB, options ...storage.Option) *storage.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.db")
	m, err := migrations.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Up(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func newMaster(t testing.TB, fill byte) *keys.Master {
	t.Helper()
	m, err := keys.NewMaster(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func config(t testing.TB, store keys.Store) keys.Config {
	return keys.Config{
		Store:      store,
		Master:     newMaster(t, 1),
		Algorithms: []string{authz.AlgES256, authz.AlgEdDSA},
		Now:        new(authztest.Clock).Now,
		Random:     rand.Reader,
		Log:        slog.New(slog.DiscardHandler),
		Audit:      &authztest.Events{},
	}
}

func openRing(t testing.TB, store keys.Store, change func(*keys.Config)) *keys.Ring {
	t.Helper()
	cfg := config(t, store)
	if change != nil {
		change(&cfg)
	}
	ring, err := keys.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func sign(t testing.TB, ring *keys.Ring, alg string) string {
	t.Helper()
	token, err := ring.Sign(alg, "at+jwt", claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
