package storage

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
)

func TestListeningNoticesASilentNetwork(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	n := postgrestest.NewNetwork(t, url)
	cfg, err := pgx.ParseConfig(n.URL())
	if err != nil {
		t.Fatal(err)
	}

	heard := make(chan stamped, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- listen(context.Background(), cfg, time.Second, func(s stamped) { heard <- s })
	}()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	told := func(payload string, want stamped) bool {
		t.Helper()
		if _, err := conn.Exec(t.Context(), `SELECT pg_notify('signet', $1)`, payload); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %+v, want %+v", got, want)
			}
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	}
	for !told("1:roles:first", stamped{Change{"roles", "first"}, "1"}) { // until it listens
	}
	// Over several beats, with nothing to tell, it stays and hears the next news.
	time.Sleep(2500 * time.Millisecond)
	for !told("2:roles:a:b", stamped{Change{"roles", "a:b"}, "2"}) { // of a machine with much to do
	}
	n.Silence()
	if err := <-ended; err == nil {
		t.Error("listening ended without a reason")
	}
}
