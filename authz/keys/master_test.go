package keys_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/keys"
)

func TestMasterNeedsEnoughBytes(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]bool{0: false, 31: false, 32: true, 64: true} {
		if _, err := keys.NewMaster(make([]byte, size)); (err == nil) != want {
			t.Errorf("NewMaster of %d bytes: %v", size, err)
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	m := newMaster(t, 1)
	sealed, err := m.Seal([]byte("plain"), []byte("what it is"))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := m.Seal([]byte("plain"), []byte("what it is"))
	if bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes: the nonce is not random")
	}
	if got, err := m.Open(sealed, []byte("what it is")); err != nil || string(got) != "plain" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := m.Open(sealed, []byte("something else")); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("Open as something else = %v, want ErrSealed", err)
	}
	if _, err := newMaster(t, 2).Open(sealed, []byte("what it is")); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("Open with another master key = %v, want ErrSealed", err)
	}
}

// TestDeriveStaysAsItIs pins the derivation: another one would make every sealed value and
// every cookie key of a running server useless.
func TestDeriveStaysAsItIs(t *testing.T) {
	t.Parallel()
	const want = "604b6cc6e3a2ed5098e7d52b009303b1d4d7584435518568ed00e4f9077eb50e"
	if got := hex.EncodeToString(newMaster(t, 1).Derive("pinned")); got != want {
		t.Errorf("Derive = %s, want %s", got, want)
	}
	m := newMaster(t, 1)
	if bytes.Equal(m.Derive("a"), m.Derive("b")) || bytes.Equal(m.Derive("a"), newMaster(t, 2).Derive("a")) {
		t.Error("two purposes or two master keys give the same bytes")
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	first, other := newMaster(t, 1), newMaster(t, 2)
	for i := range 2 {
		if err := first.Claim(t.Context(), store, authztest.Start); err != nil {
			t.Fatalf("claim %d: %v", i, err)
		}
	}
	if err := other.Claim(t.Context(), store, authztest.Start); !errors.Is(err, keys.ErrWrongMaster) {
		t.Errorf("claim with another master key = %v, want ErrWrongMaster", err)
	}
	_ = store.Close()
	if err := first.Claim(t.Context(), store, authztest.Start); err == nil || errors.Is(err, keys.ErrWrongMaster) {
		t.Errorf("claim during an outage = %v, want the outage", err)
	}
}

func TestOneMasterKeyWins(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = newMaster(t, byte(i+1)).Claim(t.Context(), store, authztest.Start) })
	}
	wg.Wait()
	wins := 0
	for _, err := range errs {
		switch {
		case err == nil:
			wins++
		case !errors.Is(err, keys.ErrWrongMaster):
			t.Error(err)
		}
	}
	if wins != 1 {
		t.Errorf("%d of %d master keys own the database, want one", wins, len(errs))
	}
}

func TestMasterNeverPrints(t *testing.T) {
	t.Parallel()
	m := newMaster(t, 'M')
	asJSON, _ := json.Marshal(struct{ Master *keys.Master }{m})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "master", m)
	texts := map[string]string{
		"%v": fmt.Sprintf("%v", m), "%+v": fmt.Sprintf("%+v", m), "%#v": fmt.Sprintf("%#v", m), "%s": fmt.Sprintf("%s", m),
		"in a struct": fmt.Sprintf("%+v", keys.Config{Master: m}), "JSON": string(asJSON), "log": log.String(),
	}
	for how, text := range texts {
		if !strings.Contains(text, "[redacted]") {
			t.Errorf("%s prints %s", how, text)
		}
	}
}
