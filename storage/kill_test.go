package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// With these set this test binary is a server that works until it is killed.
const (
	envVictimURL     = "SIGNET_TEST_VICTIM_URL"
	envVictimJournal = "SIGNET_TEST_VICTIM_JOURNAL"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(envVictimURL); url != "" {
		fmt.Fprintln(os.Stderr, work(url, os.Getenv(envVictimJournal)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Steps of a grant, as the journal calls them. Each is written before it is tried ("will")
// and after it was done ("did").
const (
	insert = "insert" // the grant is there
	spend  = "redeem" // its code is spent
	turn   = "rotate" // its refresh token with the number that follows is spent
)

// work redeems codes and rotates refresh tokens with several hands, and keeps a journal. It
// returns only when something fails.
func work(url, journal string) error {
	ctx := context.Background()
	s, err := storage.Open(ctx, url)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(journal, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for hand := range 4 {
		go func() {
			for n := 0; ; n++ {
				if err := workOn(ctx, s, f, fmt.Sprintf("%d-%d-%d", os.Getpid(), hand, n)); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func workOn(ctx context.Context, s *storage.Store, journal *os.File, id string) error {
	step := func(name string, seq int64, do func() error) error {
		if _, err := fmt.Fprintf(journal, "will %s %s %d\n", name, id, seq); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(journal, "did %s %s %d\n", name, id, seq)
		return err
	}
	err := errors.Join(
		step(insert, 0, func() error { return s.InsertGrant(ctx, grant(id)) }),
		step(spend, 0, func() error { return redeem(ctx, s, id) }))
	for seq := int64(1); seq < 6 && err == nil; seq++ {
		err = step(turn, seq, func() error { return rotate(ctx, s, id, seq) })
	}
	return err
}

// lives is what the journal knows of a grant: the last step that was done, and whether
// another was begun.
type lives struct {
	done string
	seq  int64 // of the last rotation that was done
	next string
}

func readJournal(t *testing.T, path string) map[string]*lives {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }()
	grants := make(map[string]*lives)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var when, step, id string
		var seq int64
		if _, err := fmt.Sscan(lines.Text(), &when, &step, &id, &seq); err != nil {
			t.Fatalf("journal: %q: %v", lines.Text(), err)
		}
		g := grants[id]
		if g == nil {
			g = new(lives)
			grants[id] = g
		}
		if when == "will" {
			g.next = step
		} else {
			g.done, g.seq, g.next = step, seq, ""
		}
	}
	must(t, lines.Err())
	return grants
}

// Whenever the process is killed, every code and every refresh token is either spent or
// good for one more use.
func TestKilledProcessLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := storagetest.URL(t, engine)
			s := storagetest.Open(t, url)
			must(t, s.InsertUser(t.Context(), user("ann")))
			must(t, s.InsertClient(t.Context(), client("app")))
			inDoubt := 0
			for round := range 4 {
				journal := filepath.Join(t.TempDir(), fmt.Sprint("journal", round))
				runAndKill(t, url, journal)
				for id, g := range readJournal(t, journal) {
					if g.next != "" {
						inDoubt++
					}
					examine(t, s, id, g)
				}
			}
			t.Logf("%d grants were killed in the middle of a step", inDoubt)
		})
	}
}

// runAndKill lets a process work on the database until it has done something, and then for
// a moment that nobody chose.
func runAndKill(t *testing.T, url, journal string) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	victim := exec.Command(self)
	victim.Env = append(os.Environ(), envVictimURL+"="+url, envVictimJournal+"="+journal)
	var said strings.Builder
	victim.Stderr = &said
	must(t, victim.Start())
	var ended sync.WaitGroup
	over := make(chan struct{})
	ended.Go(func() {
		_ = victim.Wait()
		close(over)
	})
	for working := false; !working; {
		text, _ := os.ReadFile(journal)
		working = strings.Contains(string(text), "did "+turn)
		select {
		case <-over:
			t.Fatalf("the process ended by itself: %s", &said)
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(rand.N(100 * time.Millisecond))
	must(t, victim.Process.Kill())
	ended.Wait()
}

// examine holds one grant to what the journal knows of it. It does so by using what must be
// good, once, and what must be spent.
func examine(t *testing.T, s *storage.Store, id string, g *lives) {
	t.Helper()
	ctx := t.Context()
	_, _, err := s.LiveGrant(ctx, id, "", now)
	if g.done == "" { // its very insertion is in doubt
		if errors.Is(err, authz.ErrNotFound) {
			return
		}
	}
	must(t, err)
	redeemed := redeem(ctx, s, id)
	switch spent := errors.Is(redeemed, authz.ErrNotFound); {
	case redeemed != nil && !spent:
		t.Fatal(redeemed)
	case !spent && (g.done == spend || g.done == turn):
		t.Errorf("%s: the code was spent and is good again", id)
	case spent && g.done == insert && g.next != spend, spent && g.done == "":
		t.Errorf("%s: the code is spent though nobody redeemed it", id)
	case !errors.Is(redeem(ctx, s, id), authz.ErrNotFound):
		t.Errorf("%s: the code could be redeemed twice", id)
	}
	live := g.seq + 1
	err = rotate(ctx, s, id, live)
	if errors.Is(err, authz.ErrNotFound) && g.next == turn {
		live++ // the step in doubt was done
		err = rotate(ctx, s, id, live)
	}
	if err != nil {
		t.Errorf("%s: refresh token %d is not good: %v", id, live, err)
	}
	for seq := int64(1); seq <= live; seq++ {
		if err := rotate(ctx, s, id, seq); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("%s: refresh token %d is good though it was spent: %v", id, seq, err)
		}
	}
}
