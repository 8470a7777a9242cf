package migrations_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage/storagetest"
)

// each runs a test once per database, which is empty.
func each(t *testing.T, test func(t *testing.T, engine, url string)) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, engine, storagetest.EmptyURL(t, engine))
		})
	}
}

func open(t *testing.T, url string) *migrations.Migrator {
	t.Helper()
	m, err := migrations.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func status(t *testing.T, m *migrations.Migrator, want migrations.Status) {
	t.Helper()
	got, err := m.Status()
	must(t, err)
	if got != want {
		t.Errorf("status %+v, want %+v", got, want)
	}
}

func TestUpDownUp(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		m := open(t, url)
		status(t, m, migrations.Status{Latest: migrations.Latest()})
		must(t, m.Up())
		must(t, m.Up()) // finds nothing to do
		status(t, m, migrations.Status{Current: migrations.Latest(), Latest: migrations.Latest()})
		first := read(t, engine, url)
		if len(first.columns) < 100 || len(first.indexes) < 30 || len(first.references) < 8 || len(first.triggers) < 12 {
			t.Errorf("the schema has %d columns, %d indexes, %d references, %d triggers: the test does not see all",
				len(first.columns), len(first.indexes), len(first.references), len(first.triggers))
		}
		must(t, m.Down())
		status(t, m, migrations.Status{Latest: migrations.Latest()})
		read(t, engine, url).compare(t, "after down", schema{})
		if left := difference(read(t, engine, url).triggers, nil); left != "" {
			t.Errorf("triggers and functions after down:%s", left)
		}
		must(t, m.Up())
		second := read(t, engine, url)
		second.compare(t, "after up, down, up", first)
		if d := difference(second.triggers, first.triggers); d != "" {
			t.Errorf("triggers after up, down, up:%s", d)
		}
	})
}

// Each step back leaves what the step before had made.
func TestEveryStepCanBeUndone(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		m := open(t, url)
		before := []schema{read(t, engine, url)}
		for range migrations.Latest() {
			must(t, m.Steps(1))
			before = append(before, read(t, engine, url))
		}
		for n := int(migrations.Latest()) - 1; n >= 0; n-- {
			must(t, m.Steps(-1))
			got := read(t, engine, url)
			got.compare(t, "after a step back", before[n])
			if d := difference(got.triggers, before[n].triggers); d != "" {
				t.Errorf("triggers after the step back to %d:%s", n, d)
			}
		}
	})
}

func TestDatabasesHaveOneSchema(t *testing.T) {
	t.Parallel()
	read(t, storagetest.SQLite, storagetest.URL(t, storagetest.SQLite)).compare(t, "PostgreSQL (+) and SQLite (-)",
		read(t, storagetest.Postgres, storagetest.URL(t, storagetest.Postgres)))
}

func TestFilesComeInPairs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(\d{6}_[a-z_]+)\.(up|down)\.sql$`)
	list := func(folder string) map[string]bool {
		paths, err := filepath.Glob(filepath.Join(folder, "*.sql"))
		must(t, err)
		names := make(map[string]bool)
		for _, path := range paths {
			name := filepath.Base(path)
			if !form.MatchString(name) {
				t.Errorf("%s is not named NNNNNN_words.up.sql or .down.sql", path)
			}
			names[name] = true
		}
		return names
	}
	canonical, sqlite := list("."), list("sqlite")
	versions := make(map[string]string)
	for name := range canonical {
		stem, direction, _ := strings.Cut(name, ".")
		other := map[string]string{"up.sql": ".down.sql", "down.sql": ".up.sql"}[direction]
		if !canonical[stem+other] {
			t.Errorf("%s has no %s%s", name, stem, other)
		}
		if taken := versions[stem[:6]]; taken != "" && taken != stem {
			t.Errorf("%s and %s have one number", taken, stem)
		}
		versions[stem[:6]] = stem
	}
	if len(versions) != int(migrations.Latest()) {
		t.Errorf("%d versions, the latest is %d: numbers are missing", len(versions), migrations.Latest())
	}
	for name := range sqlite {
		if !canonical[name] {
			t.Errorf("sqlite/%s replaces nothing", name)
		}
	}
}

// Replicas start at once, and so may a server and a command line.
func TestMigratingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		var migrating sync.WaitGroup
		for range 4 {
			migrating.Go(func() {
				m, err := migrations.Open(context.Background(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := m.Up(); err != nil {
					t.Error(err)
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		migrating.Wait()
		status(t, open(t, url), migrations.Status{Current: migrations.Latest(), Latest: migrations.Latest()})
		read(t, engine, url).compare(t, "after many at once", read(t, engine, storagetest.URL(t, engine)))
	})
}

func TestSchemaAhead(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		m := open(t, url)
		must(t, m.Up())
		before := read(t, engine, url)
		_, err := connect(t, engine, url).Exec(`UPDATE schema_migrations SET version = 900001`)
		must(t, err)
		s, err := m.Status()
		must(t, err)
		if !s.Ahead() || s.Behind() || s.Current != 900001 {
			t.Errorf("status %+v: not ahead", s)
		}
		if err := m.Up(); err == nil {
			t.Error("an unknown schema was migrated")
		}
		if err := m.Down(); err == nil {
			t.Error("an unknown schema was undone")
		}
		read(t, engine, url).compare(t, "after refusals", before)
	})
}

func TestDirtySchemaIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		m := open(t, url)
		must(t, m.Steps(1))
		before := read(t, engine, url)
		_, err := connect(t, engine, url).Exec(`UPDATE schema_migrations SET dirty = $1`, true)
		must(t, err)
		status(t, m, migrations.Status{Current: 1, Latest: migrations.Latest(), Dirty: true})
		if err := m.Up(); err == nil || !strings.Contains(strings.ToLower(err.Error()), "dirty") {
			t.Errorf("up on a dirty schema gave %v", err)
		}
		read(t, engine, url).compare(t, "after a refusal", before)
	})
}

func TestBehind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s             migrations.Status
		behind, ahead bool
	}{
		{migrations.Status{Current: 0, Latest: 3}, true, false},
		{migrations.Status{Current: 3, Latest: 3}, false, false},
		{migrations.Status{Current: 4, Latest: 3}, false, true},
	} {
		if c.s.Behind() != c.behind || c.s.Ahead() != c.ahead {
			t.Errorf("%+v: behind %t, ahead %t", c.s, c.s.Behind(), c.s.Ahead())
		}
	}
}

// A database of the first version, with something in it, arrives at the newest.
func TestRowsSurvive(t *testing.T) {
	each(t, func(t *testing.T, engine, url string) {
		m := open(t, url)
		must(t, m.Steps(1))
		then := map[string]string{storagetest.SQLite: "1772625600000000", storagetest.Postgres: "'2026-03-04 12:00:00+00'"}[engine]
		end := map[string]string{storagetest.SQLite: "1772712000000000", storagetest.Postgres: "'2026-03-05 12:00:00+00'"}[engine]
		db := connect(t, engine, url)
		for _, row := range []string{
			`INSERT INTO users VALUES ('ann', 'Ann', 'ann', '', NULL, FALSE, '{}', '["user"]', NULL, THEN, THEN, 1)`,
			`INSERT INTO clients VALUES ('app', '{"client_name":"App"}', NULL, NULL, THEN, THEN, 1)`,
			`INSERT INTO client_secrets VALUES ('sec', 'app', '', THEN, NULL)`,
			`INSERT INTO grants VALUES ('g', 'app', 'ann', '', 'openid', 'null', THEN, '', 'null', '', 'null', '', '', '',
				THEN, THEN, 1, THEN, END, THEN, THEN, END, NULL, '')`,
		} {
			_, err := db.Exec(strings.NewReplacer("THEN", then, "END", end).Replace(row))
			must(t, err)
		}
		must(t, m.Up())
		s := storagetest.Open(t, url)
		grant, user, err := s.LiveGrant(t.Context(), "g", "", time.Date(2026, 3, 4, 13, 0, 0, 0, time.UTC))
		must(t, err)
		client, err := s.Client(t.Context(), "app")
		must(t, err)
		if grant.RefreshSeq != 1 || user.Username != "Ann" || client.Metadata.Name != "App" || len(client.Secrets) != 1 {
			t.Errorf("after the migration: %+v %+v %+v", grant, user, client)
		}
	})
}

func TestSQLiteFileIsForItsOwner(t *testing.T) {
	t.Parallel()
	url := storagetest.EmptyURL(t, storagetest.SQLite)
	m := open(t, url)
	must(t, m.Up())
	for _, path := range []string{url, url + "-wal"} {
		info, err := os.Stat(path)
		must(t, err)
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(path), mode)
		}
	}
}

func TestFileNamesThatMeanSomethingInAURI(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a?b#c%20d e.db")
	must(t, open(t, path).Up())
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if _, err := storagetest.Open(t, path).Roles(t.Context()); err != nil {
		t.Errorf("storage opens another file: %v", err)
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none", "signet.db")
	if _, err := migrations.Open(t.Context(), missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a file in no folder gave %v", err)
	}
	if _, err := migrations.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5"); err == nil {
		t.Error("a server that is not there was reached")
	}
}
