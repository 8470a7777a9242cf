package storage_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// BenchmarkPopularClient takes the times of one client with very many live grants, each by
// another person who has consented: what an administrator waits for who disables, enables or
// deletes it, how long it takes until nothing is left of it, and what reading a status list
// takes meanwhile. SIGNET_BENCH_GRANTS says how many grants there are; 50 000 without it. The
// time of the whole says nothing: most of it goes into laying them out.
func BenchmarkPopularClient(b *testing.B) {
	grants := 50_000
	if text := os.Getenv("SIGNET_BENCH_GRANTS"); text != "" {
		var err error
		if grants, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for _, engine := range storagetest.Engines() {
		b.Run(fmt.Sprint(engine, "/", grants), func(b *testing.B) {
			for b.Loop() {
				popular(b, engine, grants)
			}
		})
	}
}

func popular(b *testing.B, engine string, grants int) {
	b.Helper()
	ctx, url := b.Context(), storagetest.URL(b, engine)
	s := storagetest.Open(b, url)
	crowd(ctx, b, s, url, grants)
	step := func(name string, do func() error) {
		b.Helper()
		began := time.Now()
		if err := do(); err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ms-"+name)
	}
	read := func() error {
		_, err := s.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, now)
		return err
	}
	set := func(disabled time.Time) func() error {
		return func() error {
			c, err := s.Client(ctx, "app")
			if err != nil {
				return err
			}
			c.DisabledAt = disabled
			return s.UpdateClient(ctx, c)
		}
	}
	step("list", read)
	step("disable", set(now))
	for range 7 { // a connection has a plan for good after some
		if err := read(); err != nil {
			b.Fatal(err)
		}
	}
	step("list-disabled", read)
	step("enable", set(time.Time{}))
	step("list-enabled", read)
	step("delete", func() error {
		removed, err := s.DeleteClient(ctx, "app", 0, now)
		if removed.Finished {
			b.Error("there was not enough of it")
		}
		return err
	})
	step("list-deleted", read)
	step("sweep", func() error { _, err := s.Sweep(ctx, now); return err })
	step("list-swept", read)
	step("sweep-again", func() error { _, err := s.Sweep(ctx, now); return err })
}

// crowd lays out the client "app" and so many people who have let it in.
func crowd(ctx context.Context, b *testing.B, s *storage.Store, url string, people int) {
	b.Helper()
	for _, err := range []error{
		s.InsertUser(ctx, user("ann")), s.InsertClient(ctx, client("app")), s.InsertClient(ctx, client("other")),
		s.InsertGrant(ctx, grant("g")), redeem(ctx, s, "g"),
		s.PutConsent(ctx, &authz.Consent{UserID: "ann", ClientID: "app", CreatedAt: now, UpdatedAt: now}),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	person := "'ann-' || i"
	for _, table := range []struct {
		name, where string
		columns     map[string]string
	}{
		{"users", "id = 'ann'", map[string]string{"id": person, "username": person, "username_folded": person}},
		{"grants", "id = 'g'", map[string]string{"id": "'grant-' || i", "user_id": person, "status_index": storagetest.Place}},
		{"consents", "user_id = 'ann'", map[string]string{"user_id": person}},
	} {
		storagetest.Copies(ctx, b, url, table.name, table.where, people, table.columns)
	}
	if !strings.HasPrefix(url, "postgres") {
		return
	}
	db, err := sql.Open("pgx", url) // does what PostgreSQL does by itself within minutes
	if err == nil {
		_, err = db.ExecContext(ctx, "VACUUM ANALYZE")
	}
	if err != nil {
		b.Fatal(err)
	}
	_ = db.Close()
}
