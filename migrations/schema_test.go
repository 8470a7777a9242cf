package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage/storagetest"
)

// schema is what a database looks like, in words that both databases share: one line for
// each column, index and foreign key, and a line for each trigger in words of their own.
type schema struct {
	columns, indexes, references, triggers []string
}

// connect opens a database for looking at it.
func connect(t *testing.T, engine, url string) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+url+"?_pragma=busy_timeout(10000)"
	if engine == storagetest.Postgres {
		driver, dsn = "pgx", url
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func read(t *testing.T, engine, url string) schema {
	t.Helper()
	q := postgresSchema
	if engine == storagetest.SQLite {
		q = sqliteSchema
	}
	db := connect(t, engine, url)
	return schema{
		columns:    lines(t, db, q["columns"]),
		indexes:    lines(t, db, q["indexes"]),
		references: lines(t, db, q["references"]),
		triggers:   lines(t, db, q["triggers"]),
	}
}

// lines gives the rows of a query, each as one line.
func lines(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fields := make([]string, len(columns))
		for i, v := range values {
			fields[i] = v.String
		}
		out = append(out, strings.Join(fields, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// unlike are the tables that each database has in words of its own.
const unlike = `'schema_migrations', 'changes'`

var sqliteSchema = map[string]string{
	"columns": `
		SELECT m.name, c.name, upper(c.type), CASE c."notnull" WHEN 1 THEN 'not null' ELSE 'null' END,
		       'default', coalesce(c.dflt_value, 'none'), 'key', c.pk
		  FROM sqlite_master m, pragma_table_info(m.name) c
		 WHERE m.type = 'table' AND m.name NOT IN (` + unlike + `)`,
	"indexes": `
		SELECT m.name, CASE i."unique" WHEN 1 THEN 'unique' ELSE '' END,
		       (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)),
		       CASE WHEN i.partial THEN (SELECT substr(sql, instr(sql, ' WHERE ') + 7) FROM sqlite_master WHERE name = i.name) END
		  FROM sqlite_master m, pragma_index_list(m.name) i
		 WHERE m.type = 'table' AND m.name NOT IN (` + unlike + `)`,
	"references": `
		SELECT m.name, f."from", f."table", f."to", f.on_delete
		  FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
	"triggers": `SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'`,
}

var postgresSchema = map[string]string{
	"columns": `
		SELECT c.relname, a.attname,
		       CASE format_type(a.atttypid, a.atttypmod) WHEN 'timestamp with time zone' THEN 'TIMESTAMPTZ'
		            ELSE upper(format_type(a.atttypid, a.atttypmod)) END,
		       CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
		       'default', coalesce(replace(pg_get_expr(d.adbin, d.adrelid), '::jsonb', ''), 'none'),
		       'key', coalesce(array_position(p.conkey, a.attnum), 0)
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		  LEFT JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
		 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT IN (` + unlike + `)`,
	"indexes": `
		SELECT t.relname, CASE WHEN i.indisunique THEN 'unique' ELSE '' END,
		       (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k (attnum, n)
		          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum),
		       replace(btrim(pg_get_expr(i.indpred, i.indrelid), '()'), '::text', '')
		  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
		 WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT IN (` + unlike + `)`,
	"references": `
		SELECT t.relname, a.attname, r.relname, b.attname,
		       CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END
		  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
		  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
		  JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = c.confkey[1]
		 WHERE c.contype = 'f'`,
	"triggers": `
		SELECT t.relname, g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
		 WHERE NOT g.tgisinternal
		 UNION ALL
		SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
}

// difference tells which lines one side has and the other has not; empty when there is none.
func difference(a, b []string) string {
	count := make(map[string]int)
	for _, line := range a {
		count[line]++
	}
	for _, line := range b {
		count[line]--
	}
	var out strings.Builder
	for _, line := range slices.Sorted(maps.Keys(count)) {
		switch n := count[line]; {
		case n > 0:
			fmt.Fprintf(&out, "\n- %s", line)
		case n < 0:
			fmt.Fprintf(&out, "\n+ %s", line)
		}
	}
	return out.String()
}

func (s schema) compare(t *testing.T, what string, other schema) {
	t.Helper()
	for part, d := range map[string]string{
		"columns": difference(s.columns, other.columns), "indexes": difference(s.indexes, other.indexes),
		"references": difference(s.references, other.references),
	} {
		if d != "" {
			t.Errorf("%s: %s differ:%s", what, part, d)
		}
	}
}
