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

	heard := make(chan Change, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- listen(context.Background(), cfg, time.Second, func(c Change) { heard <- c })
	}()
	<-heard // it listens

	// Over several beats, with nothing to tell, it stays and hears the next news.
	time.Sleep(2500 * time.Millisecond)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `SELECT pg_notify('signet', 'roles:a:b')`); err != nil {
		t.Fatal(err)
	}
	if c := <-heard; c != (Change{Table: "roles", Key: "a:b"}) {
		t.Errorf("heard %+v", c)
	}
	n.Silence()
	if err := <-ended; err == nil {
		t.Error("listening ended without a reason")
	}
}
