package storagetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage"
)

// Place is, for the copy with the number i, a place of its own in the first status list.
const Place = "(i * 1021) % 1048576"

// Copies lays out very many rows like one that there is, behind the back of the store: copies
// with the numbers i from 1 to n. The columns that are named have the values of these SQL
// expressions, which may speak of i. What has the Place as its status_index gets it.
func Copies(ctx context.Context, t testing.TB, url, table, where string, n int, columns map[string]string) {
	t.Helper()
	db := behind(t, url)
	defer func() { _ = db.Close() }()
	names := columnsOf(ctx, t, db, table)
	values := make([]string, len(names))
	for i, name := range names {
		if values[i] = name; columns[name] != "" {
			values[i] = columns[name]
		}
	}
	numbers := fmt.Sprintf("WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %d)", n)
	statements := []string{fmt.Sprintf("%s INSERT INTO %s (%s) SELECT %s FROM numbers, %s WHERE %s",
		numbers, table, strings.Join(names, ", "), strings.Join(values, ", "), table, where)}
	if columns["status_index"] == Place {
		statements = append([]string{numbers + " INSERT INTO status_entries (status_index, owner, client_id) SELECT " + Place + ", '', '' FROM numbers"}, statements...)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func columnsOf(ctx context.Context, t testing.TB, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err := errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return names
}

// behind opens a database for a look or a hand that is not the store's.
func behind(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+url+"?_pragma=busy_timeout(60000)"
	if storage.IsPostgres(url) {
		driver, dsn = "pgx", url
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
