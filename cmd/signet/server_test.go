package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// folderSettings are those of a server on a data folder and a port of the system's choice.
func folderSettings(t *testing.T, folder string) *settings {
	t.Helper()
	s, _, err := settingsOf(t, []string{"--data", folder, "--addr", "127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAServerAnswersUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder")
	v, err := newServer(t.Context(), folderSettings(t, folder), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	for _, path := range []string{"/healthz", "/readyz", "/.well-known/openid-configuration", "/api/openapi.json"} {
		answer, err := http.Get("http://" + v.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, answer.Status)
		}
	}
	// What is recorded at the last moment is written before the end.
	if _, err := v.parts.People.Create(t.Context(), directory.New{Username: "alice"}); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run ends with %v", err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	store := storagetest.Open(t, filepath.Join(folder, "signet.db"))
	events, err := store.Events(t.Context(), "", 10)
	if err != nil || len(events) == 0 || events[0].Kind != authz.EventUserCreated {
		t.Errorf("events %v, %v", events, err)
	}
}

func TestTheSetupLinkIsGoodUntilThereIsAnAdministrator(t *testing.T) {
	t.Parallel()
	v, err := newServer(t.Context(), folderSettings(t, t.TempDir()), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	setup, err := v.SetupURL(t.Context())
	if err != nil || setup != "http://"+v.Addr()+"/setup?token="+v.parts.People.SetupToken().Reveal() {
		t.Errorf("setup at %q, %v", setup, err)
	}
	if _, err := v.parts.People.Create(t.Context(), directory.New{Username: "alice", Admin: true}); err != nil {
		t.Fatal(err)
	}
	if setup, err = v.SetupURL(t.Context()); err != nil || setup != "" {
		t.Errorf("setup goes on at %q, %v", setup, err)
	}
}

// A start that fails leaves nothing behind that would be in the way of the next.
func TestAFailedStartLetsGoOfEverything(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	wrong := filepath.Join(t.TempDir(), "wrong.key")
	if err := os.WriteFile(wrong, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := folderSettings(t, folder)
	s.MasterKeyFile = wrong
	for range 3 {
		if _, err := newServer(t.Context(), s, quiet()); err == nil {
			t.Fatal("it started with a master key that is too short")
		}
	}
	v, err := newServer(t.Context(), folderSettings(t, folder), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

func TestExpiredRowsGoAway(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	v, err := newServer(t.Context(), folderSettings(t, folder), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	then, hash := time.Now().Add(-time.Hour), bytes.Repeat([]byte{1}, 32)
	use := func(store *storage.Store) error {
		return store.Consume(t.Context(), "test", "issuer", hash, then, then.Add(time.Minute))
	}
	if err := use(v.store); err != nil {
		t.Fatal(err)
	}
	if err := use(v.store); !errors.Is(err, authz.ErrReplay) {
		t.Fatalf("a value can be used twice before it is swept: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	for use(v.store) != nil {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestALockIsGivenOnceAndLetGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	for range 2 {
		release, err := lockFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lockFile(path); !errors.Is(err, errLocked) {
			t.Errorf("the lock is given twice: %v", err)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

// Commands that come to a new folder at the same moment lay out one database and one key.
func TestManyMayComeToANewFolderAtOnce(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	var wg sync.WaitGroup
	for range 8 {
		s := folderSettings(t, folder)
		wg.Go(func() {
			d, err := openDesk(t.Context(), s, &bytes.Buffer{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	left, err := filepath.Glob(filepath.Join(folder, ".master-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAMasterKeyIsTakenAsItIsMeant(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{0xff, '\n'}, 16)
	for name, c := range map[string]struct {
		content []byte
		want    []byte // nil: refused
	}{
		"text with the end of a line": {[]byte("0123456789abcdef0123456789abcdef\n"), []byte("0123456789abcdef0123456789abcdef")},
		"text without":                {[]byte("0123456789abcdef0123456789abcdef"), []byte("0123456789abcdef0123456789abcdef")},
		"text from Windows":           {[]byte("0123456789abcdef0123456789abcdef\r\n"), []byte("0123456789abcdef0123456789abcdef")},
		"bytes that end like a line":  {raw, raw},
		"too short":                   {[]byte("0123456789abcdef0123456789abcde\n"), nil},
		"empty":                       {nil, nil},
		"a whole disk":                {bytes.Repeat([]byte("x"), 1<<17), nil},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readMasterKey(path)
		if (err != nil) != (c.want == nil) || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What is done at a terminal is in the audit log, and whose hands did it.
func TestTheCommandLineIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var out, errs bytes.Buffer
	for _, line := range []string{"migrate up", "role create --name baker"} {
		code := run(t.Context(), terminal{strings.NewReader(""), &out, &errs, nil}, append(strings.Fields(line), "--data", folder))
		if code != exitOK || errs.Len() > 0 {
			t.Fatalf("%s: exit %d: %s", line, code, &errs)
		}
	}
	events, err := storagetest.Open(t, filepath.Join(folder, "signet.db")).Events(t.Context(), "", 10)
	if err != nil || len(events) != 1 || events[0].Kind != authz.EventRoleChanged || events[0].Actor != "cli" {
		t.Errorf("events %+v, %v", events, err)
	}
}
