package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/storage"
)

const masterKeyBytes = 32

// masterKeyClaim is the name under which a database knows its master key.
const masterKeyClaim = "master_key"

// openMaster reads the master key and sees that it is the one of this database. The
// embedded database gets one when it is new; where one was used already, another could not
// open what is sealed.
func openMaster(ctx context.Context, s *settings, store *storage.Store) (*keys.Master, error) {
	secret, err := readMasterKey(s.MasterKeyFile)
	if errors.Is(err, fs.ErrNotExist) && s.DatabaseURL == "" {
		_, claimErr := store.Instance(ctx, masterKeyClaim)
		switch {
		case claimErr == nil:
			return nil, fmt.Errorf("the master key %s is gone, and the database was used with it: put it back from a backup",
				s.MasterKeyFile)
		case !errors.Is(claimErr, authz.ErrNotFound):
			return nil, claimErr
		}
		secret, err = makeMasterKey(s.MasterKeyFile)
	}
	if err != nil {
		return nil, unusable(s, err)
	}
	master, err := keys.NewMaster(secret)
	if err != nil {
		return nil, fmt.Errorf("the master key %s cannot be used: %w", s.MasterKeyFile, err)
	}
	err = master.Claim(ctx, store, time.Now())
	if errors.Is(err, keys.ErrWrongMaster) {
		return nil, fmt.Errorf("the master key %s is not the one of this database: name the right file with master-key-file",
			s.MasterKeyFile)
	}
	return master, err
}

// checkMaster sees that the master key can be read, before the database is brought up to
// date for somebody who cannot use it. The embedded one may have no key yet.
func checkMaster(s *settings) error {
	_, err := readMasterKey(s.MasterKeyFile)
	if err == nil || errors.Is(err, fs.ErrNotExist) && s.DatabaseURL == "" {
		return nil
	}
	return unusable(s, err)
}

func unusable(s *settings, err error) error {
	return fmt.Errorf("the master key %s cannot be used (%w): see master-key-file", s.MasterKeyFile, cause(err))
}

// readMasterKey gives the bytes of the file. White space around a key that is written as
// text does not count, so that an editor's line end does no harm.
func readMasterKey(path string) ([]byte, error) {
	content, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	secret := []byte(content)
	if isText(secret) {
		secret = bytes.TrimSpace(secret)
	}
	if len(secret) < masterKeyBytes {
		return nil, fmt.Errorf("it has %d bytes and needs at least %d", len(secret), masterKeyBytes)
	}
	return secret, nil
}

func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// makeMasterKey writes a new key, whole or not at all. Of two processes that do so at once,
// both use the key of the first.
func makeMasterKey(path string) ([]byte, error) {
	raw := make([]byte, masterKeyBytes)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(raw))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readMasterKey(path)
}
