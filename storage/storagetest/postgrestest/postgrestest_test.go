package postgrestest_test

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
)

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// number gives what a query for one number answers.
func number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

const countNotes = `SELECT count(*) FROM pg_tables WHERE tablename = 'note'`

func TestURLGivesEmptyDatabasesThatDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	one, other := open(t, postgrestest.URL(t)), open(t, postgrestest.URL(t))
	exec(t, one, `CREATE TABLE note (line TEXT)`)
	if n := number(t, one, countNotes); n != 1 {
		t.Errorf("the database with the table has %d of it", n)
	}
	if n := number(t, other, countNotes); n != 0 {
		t.Errorf("the other database has the table too")
	}
}

func TestURLDatabaseIsGoneAfterItsTestEvenWhileInUse(t *testing.T) {
	t.Parallel()
	postgrestest.URL(t) // a missing server skips this test, not the one inside
	var url string
	var db *sql.DB
	t.Run("user", func(inner *testing.T) {
		url = postgrestest.URL(inner)
		db = open(t, url) // outlives the inner test, as a leaked pool would
		exec(t, db, `CREATE TABLE note (line TEXT)`)
	})
	err := open(t, url).PingContext(t.Context())
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) || refusal.Code != "3D000" {
		t.Errorf("connecting to a dropped database gave %v, not 3D000 (no such database)", err)
	}
}

func TestTemplateIsPreparedOnceAndCopied(t *testing.T) {
	t.Parallel()
	postgrestest.URL(t) // a missing server skips this test, not those inside
	var prepared atomic.Int32
	prepare := func(ctx context.Context, url string) error {
		prepared.Add(1)
		db, err := sql.Open("pgx", url)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, `CREATE TABLE note (line TEXT); INSERT INTO note VALUES ('from the template')`)
		return errors.Join(err, db.Close())
	}
	t.Run("copies", func(t *testing.T) {
		for range 4 {
			t.Run("copy", func(t *testing.T) {
				t.Parallel()
				db := open(t, postgrestest.Template(t, "copied", prepare))
				exec(t, db, `INSERT INTO note VALUES ('of my own')`)
				if n := number(t, db, `SELECT count(*) FROM note`); n != 2 {
					t.Errorf("a copy has %d notes; the template's one and its own make 2", n)
				}
			})
		}
	})
	if n := prepared.Load(); n != 1 {
		t.Errorf("the template was prepared %d times", n)
	}
}

func TestStartedServerKeepsAddressAndDataOverAnOutage(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	url := server.URL()
	db := open(t, url)
	exec(t, db, `CREATE TABLE note (line TEXT)`)

	server.Stop()
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("the stopped server still answers")
	}
	server.Start()
	if server.URL() != url {
		t.Errorf("the server came back as %s, it was %s", server.URL(), url)
	}
	if n := number(t, db, countNotes); n != 1 {
		t.Errorf("what was committed before the outage is gone")
	}
}
