package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// hot are the calls that requests make, and the indexes by which PostgreSQL shall find the
// rows.
func hot() []struct {
	name    string
	call    func(context.Context, *storage.Store) error
	indexes []string
} {
	type S = *storage.Store
	return []struct {
		name    string
		call    func(context.Context, *storage.Store) error
		indexes []string
	}{
		{"redeem a code", func(ctx context.Context, s S) error { return redeem(ctx, s, "g") }, []string{"grants_pkey", "users_pkey", "clients_pkey"}},
		{"rotate a refresh token", func(ctx context.Context, s S) error { return rotate(ctx, s, "g", 1) }, []string{"grants_pkey", "users_pkey", "clients_pkey"}},
		{"keep a refresh token", func(ctx context.Context, s S) error {
			_, err := s.UseRefresh(ctx, authz.RefreshClaim{GrantID: "g", Now: now, RefreshExpiresAt: now})
			return err
		}, []string{"grants_pkey", "users_pkey"}},
		{"introspect", func(ctx context.Context, s S) error { _, _, err := s.LiveGrant(ctx, "g", "jti", now); return err }, []string{"grants_pkey", "users_pkey", "clients_pkey", "revoked_tokens_pkey"}},
		{"client", func(ctx context.Context, s S) error { _, err := s.Client(ctx, "app"); return err }, []string{"clients_pkey", "client_secrets_client_id"}},
		{"session", func(ctx context.Context, s S) error { _, _, err := s.SessionWithUser(ctx, "ses", now); return err }, []string{"sessions_pkey", "users_pkey"}},
		{"session seen", func(ctx context.Context, s S) error { return s.TouchSession(ctx, "ses", now, now, now) }, []string{"sessions_pkey"}},
		{"login", func(ctx context.Context, s S) error { return s.BeginSession(ctx, session("new", "ann"), 1) }, []string{"users_pkey"}},
		{"person by name", func(ctx context.Context, s S) error { _, err := s.UserByName(ctx, "ann"); return err }, []string{"users_username_folded_key", "users_email_folded_key"}},
		{"person with password", func(ctx context.Context, s S) error { _, _, err := s.UserWithPassword(ctx, "ann"); return err }, []string{"users_username_folded_key", "users_email_folded_key", "passwords_pkey"}},
		{"consent", func(ctx context.Context, s S) error { _, err := s.Consent(ctx, "ann", "app"); return err }, []string{"consents_pkey"}},
		{"interaction", func(ctx context.Context, s S) error { _, err := s.Interaction(ctx, "i", now); return err }, []string{"interactions_pkey"}},
		{"end of an interaction", func(ctx context.Context, s S) error { return s.ConsumeInteraction(ctx, "i", now) }, []string{"interactions_pkey"}},
		{"access token revoked", func(ctx context.Context, s S) error { _, err := s.TokenRevoked(ctx, "jti"); return err }, []string{"revoked_tokens_pkey"}},
		{"API token", func(ctx context.Context, s S) error { _, _, err := s.LiveAPIToken(ctx, "tok", now); return err }, []string{"api_tokens_pkey", "users_pkey", "clients_pkey"}},
		{"leaked API tokens", func(ctx context.Context, s S) error { _, err := s.APITokensByID(ctx, []string{"tok"}); return err }, []string{"api_tokens_pkey"}},
		{"use of an API token", func(ctx context.Context, s S) error {
			return s.NoteTokenUse(ctx, authz.TokenUse{TokenID: "tok", At: now})
		}, []string{"api_tokens_pkey"}},
		{"end of the API tokens that an app made", func(ctx context.Context, s S) error {
			_, err := s.RevokeAPITokensMadeBy(ctx, "app", "ann", "r", now)
			return err
		}, []string{"api_tokens_client_id"}},
		{"end of an API token and those it made", func(ctx context.Context, s S) error {
			_, err := s.RevokeAPIToken(ctx, "tok", "ann", "r", now)
			return err
		}, []string{"api_tokens_made_by"}},
		{"use of a grant", func(ctx context.Context, s S) error { return s.NoteGrantUse(ctx, "g", now) }, []string{"grants_pkey"}},
		{"protected host", func(ctx context.Context, s S) error { _, _, _, err := s.GrantWithSession(ctx, "g", now); return err }, []string{"grants_pkey", "sessions_pkey", "users_pkey", "clients_pkey"}},
		{"apps of a person", func(ctx context.Context, s S) error { _, err := s.GrantsOfUser(ctx, "ann", now); return err }, []string{"grants_user_id"}},
		{"sessions of a person", func(ctx context.Context, s S) error { _, err := s.Sessions(ctx, "ann", now); return err }, []string{"sessions_user_id"}},
		{"events of a person", func(ctx context.Context, s S) error { _, err := s.Events(ctx, "ann", 10); return err }, []string{"events_user_id"}},
		{"newest events", func(ctx context.Context, s S) error { _, err := s.Events(ctx, "", 10); return err }, []string{"events_at"}},
		{"end of all grants of a person", func(ctx context.Context, s S) error { _, err := s.RevokeGrants(ctx, "ann", "", "r", now); return err }, []string{"grants_user_id"}},
		{"a status list", func(ctx context.Context, s S) error {
			off, err := s.Client(ctx, "app3")
			if err != nil {
				return err
			}
			off.DisabledAt = now
			if err := s.UpdateClient(ctx, off); err != nil {
				return err
			}
			_, err = s.RevokedStatusIndexes(ctx, 0, 9, now)
			return err
		}, []string{"status_entries_revoked", "status_entries_client_id", "clients_disabled_at"}},
		{"end of the API tokens that a disabled app made", func(ctx context.Context, s S) error {
			_, _, err := s.EndAPITokensOf(ctx, "app", now)
			return err
		}, []string{"api_tokens_client_id"}},
		{"end of a client", func(ctx context.Context, s S) error {
			_, err := s.DeleteClient(ctx, "app4", 0, now)
			return err
		}, []string{"apis_owner_client_id", "clients_pkey", "grants_client_id", "consents_client_id", "interactions_client_id", "api_tokens_client_id"}},
	}
}

// No request may read a whole table.
func TestRequestsFindRowsByIndex(t *testing.T) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := storagetest.URL(t, engine)
			var mu sync.Mutex
			var ran []string
			s := storagetest.Open(t, url, storage.WithStatementCounter(func(statement string) {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, statement)
			}))
			fill(t, s)
			plan := planner(t, engine, url)
			for _, h := range hot() {
				ran = nil
				if err := h.call(t.Context(), s); err != nil && !errors.Is(err, authz.ErrNotFound) {
					t.Fatal(err)
				}
				var plans string
				for _, statement := range slices.Compact(ran) {
					if strings.Contains(statement, "INSERT") {
						continue
					}
					plans += plan(statement)
				}
				// What a recursive statement has found is no table.
				if whole.MatchString(strings.ReplaceAll(plans, "SCAN gone\n", "")) || plans == "" {
					t.Errorf("%s reads a whole table:\n%s", h.name, plans)
				}
				if engine != storagetest.Postgres {
					continue
				}
				for _, index := range h.indexes {
					if !strings.Contains(plans, " "+index+" ") {
						t.Errorf("%s does not use %s:\n%s", h.name, index, plans)
					}
				}
			}
		})
	}
}

// fill lays out so many rows that a planner has a choice: many people, each with several of
// everything, and few clients.
func fill(t *testing.T, s *storage.Store) {
	t.Helper()
	const people, clients = 200, 5
	must(t, s.InTx(t.Context(), func(ctx context.Context) error {
		err := errors.Join(s.InsertUser(ctx, user("ann")), s.InsertClient(ctx, client("app")))
		for n := range clients {
			err = errors.Join(err, s.InsertClient(ctx, client(fmt.Sprint("app", n))))
		}
		for n := range people {
			id := fmt.Sprint("user", n)
			u := user(id)
			u.Email = id + "@example.org"
			err = errors.Join(err, s.InsertUser(ctx, u))
			for i := range clients {
				own, app := fmt.Sprint(id, " ", i), fmt.Sprint("app", i)
				g := grant(own)
				g.UserID, g.ClientID, g.StatusIndex = id, app, int64(1+clients*n+i)
				_, claim := s.ClaimStatusIndex(ctx, g.StatusIndex, now)
				err = errors.Join(err, claim, s.InsertGrant(ctx, g), s.InsertSession(ctx, session(own, id)),
					s.PutConsent(ctx, &authz.Consent{UserID: id, ClientID: app, CreatedAt: now, UpdatedAt: now}),
					s.InsertInteraction(ctx, &authz.Interaction{ID: own, ClientID: app, BrowserHash: []byte{1}, CreatedAt: now, ExpiresAt: now}),
					s.InsertAPIToken(ctx, &authz.APIToken{ID: own, Hash: []byte{1}, UserID: id, MadeBy: app, CreatedAt: now, ExpiresAt: now}),
					s.RevokeToken(ctx, own, now, now))
			}
		}
		return err
	}))
}

// whole is what the two databases call reading a table from end to end.
var whole = regexp.MustCompile(`Seq Scan|(?m)^SCAN \w+$`)

var placeholder = regexp.MustCompile(`\$(\d+)`)

// planner gives a function that explains statements, as they are prepared once for all
// parameters. PostgreSQL is told to avoid whole tables where it can: small ones it would
// always read as a whole.
func planner(t *testing.T, engine, url string) func(statement string) string {
	t.Helper()
	driver, dsn := "sqlite", "file:"+url
	if engine == storagetest.Postgres {
		driver, dsn = "pgx", url+"&enable_seqscan=off&plan_cache_mode=force_generic_plan&default_query_exec_mode=simple_protocol"
	}
	db, err := sql.Open(driver, dsn)
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if engine == storagetest.Postgres { // which does so by itself; SQLite never
		_, err = db.Exec("ANALYZE")
		must(t, err)
	}
	prepared := 0
	return func(statement string) string {
		if engine == storagetest.SQLite {
			return rows(t, db, "EXPLAIN QUERY PLAN "+statement, nulls(statement)...)
		}
		prepared++
		_, err := db.Exec(fmt.Sprintf("PREPARE p%d AS %s", prepared, statement))
		must(t, err)
		list := strings.TrimSuffix(strings.Repeat("NULL, ", len(nulls(statement))), ", ")
		return rows(t, db, fmt.Sprintf("EXPLAIN EXECUTE p%d(%s)", prepared, list))
	}
}

// nulls gives as many parameters as a statement has.
func nulls(statement string) []any {
	highest := 0
	for _, m := range placeholder.FindAllStringSubmatch(statement, -1) {
		n, _ := strconv.Atoi(m[1])
		highest = max(highest, n)
	}
	return make([]any, highest)
}

// rows gives the last column of each row, one a line.
func rows(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	r, err := db.Query(query, args...)
	must(t, err)
	defer func() { _ = r.Close() }()
	columns, err := r.Columns()
	must(t, err)
	var out strings.Builder
	for r.Next() {
		into := make([]any, len(columns))
		for i := range into {
			into[i] = new(any)
		}
		must(t, r.Scan(into...))
		fmt.Fprintf(&out, "%v\n", *into[len(into)-1].(*any))
	}
	must(t, r.Err())
	return out.String()
}

// A refresh, or a use that is noted, changes no indexed column, and the pages have room: PostgreSQL rewrites the row
// in place (HOT) and touches no index.
func TestRefreshesAreHeapOnly(t *testing.T) {
	t.Parallel()
	const grants, refreshes = 20, 100
	ctx, url := t.Context(), storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	must(t, s.InsertUser(ctx, user("ann")))
	must(t, s.InsertClient(ctx, client("app")))
	for n := range grants {
		id := fmt.Sprint("g", n)
		must(t, s.InsertGrant(ctx, grant(id)))
		must(t, redeem(ctx, s, id))
		for seq := range int64(refreshes) {
			must(t, rotate(ctx, s, id, seq+1))
			must(t, s.NoteGrantUse(ctx, id, now.Add(time.Duration(seq+1)*time.Minute)))
		}
	}
	must(t, s.Close()) // a backend reports what it did at the latest when it ends
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer func() { _ = db.Close() }()
	var updates, hot int
	for updates < grants*(2*refreshes+1) {
		must(t, db.QueryRow(`SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'grants'`).Scan(&updates, &hot))
		time.Sleep(10 * time.Millisecond)
	}
	if hot < 2*grants*refreshes*95/100 {
		t.Errorf("%d of %d updates were heap-only; %d were refreshes and uses", hot, updates, 2*grants*refreshes)
	}
	t.Logf("%d of %d updates heap-only, %d of them refreshes and uses", hot, updates, 2*grants*refreshes)
}
