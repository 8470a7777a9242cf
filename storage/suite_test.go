package storage_test

import (
	"testing"

	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) { storagetest.Run(t, engine) })
	}
}

// A statement that leaves its transaction needs a second connection. Here there is none.
func TestStoreWithOneConnection(t *testing.T) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) { storagetest.Run(t, engine, storage.WithMaxConns(1)) })
	}
}
