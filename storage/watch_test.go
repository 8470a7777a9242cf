package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// watcher remembers what Watch said.
type watcher struct {
	t       *testing.T
	changes chan storage.Change
	lost    chan error
}

// watch starts to watch, and returns when what was before no longer matters.
func watch(t *testing.T, s *storage.Store) *watcher {
	t.Helper()
	w := &watcher{t: t, changes: make(chan storage.Change, 10000), lost: make(chan error, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		s.Watch(ctx, func(c storage.Change) { w.changes <- c }, func(err error) { w.lost <- err })
	})
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	w.await(storage.Change{})
	return w
}

// await waits for a change, and gives those that came before it.
func (w *watcher) await(want storage.Change) (before []storage.Change) {
	w.t.Helper()
	for {
		c := w.next()
		if c == want {
			return before
		}
		before = append(before, c)
	}
}

func (w *watcher) next() storage.Change {
	w.t.Helper()
	select {
	case c := <-w.changes:
		return c
	case <-w.t.Context().Done():
		w.t.Fatal("nothing more came")
	}
	return storage.Change{}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func user(id string) *authz.User {
	return &authz.User{ID: id, Username: id, CreatedAt: now, UpdatedAt: now, Version: 1}
}

func client(id string) *authz.Client {
	return &authz.Client{ID: id, CreatedAt: now, UpdatedAt: now, Version: 1}
}

func session(id, userID string) *authz.Session {
	return &authz.Session{
		ID: id, SecretHash: []byte{1}, UserID: userID, AuthTime: now, CreatedAt: now, LastSeenAt: now,
		IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
	}
}

func grant(id string) *authz.Grant {
	return &authz.Grant{
		ID: id, ClientID: "app", UserID: "ann", AuthTime: now, CodeHash: []byte("hash"), RefreshSeq: 1,
		CodeExpiresAt: now.Add(time.Minute), CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func redeem(ctx context.Context, s *storage.Store, id string) error {
	_, err := s.RedeemCode(ctx, authz.CodeClaim{
		GrantID: id, ClientID: "app", CodeHash: []byte("hash"),
		RefreshExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour), Now: now,
	})
	return err
}

func rotate(ctx context.Context, s *storage.Store, id string, seq int64) error {
	_, err := s.UseRefresh(ctx, authz.RefreshClaim{
		GrantID: id, ClientID: "app", Seq: seq, Rotate: true, Now: now, RefreshExpiresAt: now.Add(time.Hour),
	})
	return err
}

// happening is something done to the database, and what those who cache shall hear of it.
type happening struct {
	name string
	do   func(ctx context.Context, s *storage.Store) error
	want []storage.Change
}

func happenings() []happening {
	role := authz.Role{Name: "baker", CreatedAt: now, UpdatedAt: now, Version: 1}
	api := &authz.API{Identifier: "https://orders.example", CreatedAt: now, UpdatedAt: now, Version: 1}
	key := func(kid string, state authz.KeyState) authz.SigningKey {
		return authz.SigningKey{KID: kid, Alg: "ES256", State: state, Sealed: []byte{1}, PublicJWK: []byte(`{}`), CreatedAt: now}
	}
	token := &authz.APIToken{ID: "tok", Hash: []byte{1}, UserID: "ann", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	type S = *storage.Store
	return []happening{
		{"client changed", func(ctx context.Context, s S) error { return s.UpdateClient(ctx, client("app")) }, []storage.Change{{Table: "clients", Key: "app"}}},
		{"secret added", func(ctx context.Context, s S) error {
			return s.InsertClientSecret(ctx, "app", authz.ClientSecret{ID: "sec", Hash: []byte{1}, CreatedAt: now})
		}, []storage.Change{{Table: "client_secrets", Key: "app"}}},
		{"secret ended", func(ctx context.Context, s S) error { return s.ExpireClientSecrets(ctx, "app", "", now) }, []storage.Change{{Table: "client_secrets", Key: "app"}}},
		{"API added", func(ctx context.Context, s S) error { return s.InsertAPI(ctx, api) }, []storage.Change{{Table: "apis", Key: api.Identifier}}},
		{"API changed", func(ctx context.Context, s S) error { return s.UpdateAPI(ctx, api) }, []storage.Change{{Table: "apis", Key: api.Identifier}}},
		{"API deleted", func(ctx context.Context, s S) error { return s.DeleteAPI(ctx, api.Identifier, 0) }, []storage.Change{{Table: "apis", Key: api.Identifier}}},
		{"role added", func(ctx context.Context, s S) error { return s.InsertRole(ctx, role) }, []storage.Change{{Table: "roles", Key: "baker"}}},
		{"role changed", func(ctx context.Context, s S) error { return s.UpdateRole(ctx, role) }, []storage.Change{{Table: "roles", Key: "baker"}}},
		{"role deleted", func(ctx context.Context, s S) error { return s.DeleteRole(ctx, "baker", 0) }, []storage.Change{{Table: "roles", Key: "baker"}}},
		{"keys added", func(ctx context.Context, s S) error {
			return errors.Join(s.InsertSigningKey(ctx, key("k1", authz.KeyActive)), s.InsertSigningKey(ctx, key("k2", authz.KeyNext)))
		}, []storage.Change{{Table: "signing_keys", Key: "k1"}, {Table: "signing_keys", Key: "k2"}}},
		{"keys rotated", func(ctx context.Context, s S) error {
			return s.RotateSigningKey(ctx, "k1", "k2", key("k3", authz.KeyNext), now, now)
		}, []storage.Change{{Table: "signing_keys", Key: "k1"}, {Table: "signing_keys", Key: "k2"}, {Table: "signing_keys", Key: "k3"}}},
		{"person added", func(ctx context.Context, s S) error { return s.InsertUser(ctx, user("bob")) }, nil},
		{"person changed", func(ctx context.Context, s S) error { return s.UpdateUser(ctx, user("bob")) }, []storage.Change{{Table: "users", Key: "bob"}}},
		{"person deleted", func(ctx context.Context, s S) error { return s.DeleteUser(ctx, "bob", 0) }, []storage.Change{{Table: "users", Key: "bob"}}},
		{"login", func(ctx context.Context, s S) error { return s.BeginSession(ctx, session("ses", "ann"), 1) }, nil},
		{"session seen", func(ctx context.Context, s S) error { return s.TouchSession(ctx, "ses", now, now.Add(1), now) }, nil},
		{"session ended", func(ctx context.Context, s S) error { return s.DeleteSession(ctx, "ses", "ann") }, []storage.Change{{Table: "sessions", Key: "ses"}}},
		{"grant made", func(ctx context.Context, s S) error { return s.InsertGrant(ctx, grant("g")) }, nil},
		{"code redeemed", func(ctx context.Context, s S) error { return redeem(ctx, s, "g") }, nil},
		{"grant used", func(ctx context.Context, s S) error { return s.NoteGrantUse(ctx, "g", now.Add(time.Hour)) }, nil},
		{"refresh token rotated", func(ctx context.Context, s S) error { return rotate(ctx, s, "g", 1) }, nil},
		{"grant revoked", func(ctx context.Context, s S) error {
			_, err := s.RevokeGrant(ctx, "g", "app", "r", now)
			return err
		}, []storage.Change{{Table: "grants", Key: "g"}}},
		{"grant deleted", func(ctx context.Context, s S) error {
			_, err := s.Sweep(ctx, now.Add(26*time.Hour)) // and the secret that has ended
			return err
		}, []storage.Change{{Table: "client_secrets", Key: "app"}, {Table: "grants", Key: "g"}}},
		{"access token revoked", func(ctx context.Context, s S) error { return s.RevokeToken(ctx, "jti", now, now) }, []storage.Change{{Table: "revoked_tokens", Key: "jti"}}},
		{"API token made and used", func(ctx context.Context, s S) error {
			return errors.Join(s.InsertAPIToken(ctx, token), s.NoteTokenUse(ctx, authz.TokenUse{TokenID: "tok", At: now}))
		}, nil},
		{"API token shortened", func(ctx context.Context, s S) error { return s.ShortenAPIToken(ctx, "tok", "ann", now, now.Add(1)) }, []storage.Change{{Table: "api_tokens", Key: "tok"}}},
		{"client disabled that has a place in the status lists", func(ctx context.Context, s S) error {
			c := client("app")
			c.Version, c.DisabledAt = 2, now
			_, err := s.ClaimStatusIndex(ctx, 5, now)
			_, set := s.SetClientStatusIndex(ctx, "app", 5)
			return errors.Join(err, set, s.UpdateClient(ctx, c))
		}, []storage.Change{{Table: "clients", Key: "app"}, {Table: "status_entries", Key: "*"}}},
		{"client changed while it is disabled", func(ctx context.Context, s S) error {
			c := client("app")
			c.Version, c.DisabledAt = 3, now
			return s.UpdateClient(ctx, c)
		}, []storage.Change{{Table: "clients", Key: "app"}}},
		{"client enabled", func(ctx context.Context, s S) error {
			c := client("app")
			c.Version = 4
			return s.UpdateClient(ctx, c)
		}, []storage.Change{{Table: "clients", Key: "app"}, {Table: "status_entries", Key: "*"}}},
		{"what was undone", func(ctx context.Context, s S) error {
			_ = s.InTx(ctx, func(ctx context.Context) error {
				return errors.Join(s.RevokeToken(ctx, "undone", now, now), errors.New("undo"))
			})
			return nil
		}, nil},
	}
}

// Every kind of change is heard by other processes on the same database, once, and what
// nobody caches is not: above all no refresh, of which there are very many. One of them reads
// only, and hears the same.
func TestWatchHearsOfChanges(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		here, there, deaf := open(), open(), open(storage.WithoutListening())
		must(t, there.InsertUser(t.Context(), user("ann")))
		must(t, there.InsertClient(t.Context(), client("app")))
		w, reader := watch(t, here), watch(t, deaf)
		hears := func(w *watcher, h happening) {
			t.Helper()
			got := w.await(storage.Change{Table: "revoked_tokens", Key: "end of " + h.name})
			for len(got) < len(h.want) { // what was before it listened comes with the next reading
				got = append(got, w.next())
			}
			slices.SortFunc(got, cmpChange)
			if !slices.Equal(got, h.want) {
				t.Errorf("%s: heard %+v, want %+v", h.name, got, h.want)
			}
		}
		for _, h := range happenings() {
			must(t, h.do(t.Context(), there))
			// A change of our own marks the end of what is to be heard of this one.
			must(t, there.RevokeToken(t.Context(), "end of "+h.name, now, now))
			hears(w, h)
		}
		for _, h := range happenings() {
			hears(reader, h)
		}
	})
}

func cmpChange(a, b storage.Change) int {
	if a.Table != b.Table {
		return map[bool]int{true: -1, false: 1}[a.Table < b.Table]
	}
	return map[bool]int{true: -1, false: 1}[a.Key < b.Key]
}

// The watcher must not take the one connection that everything else needs.
func TestWatchOnAPoolOfOne(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s := open(storage.WithMaxConns(1))
		w := watch(t, s)
		must(t, s.RevokeToken(t.Context(), "jti", now, now))
		w.await(storage.Change{Table: "revoked_tokens", Key: "jti"})
	})
}

// More changes than are kept, or read at once, are told as one that may be anything.
func TestWatchAfterVeryManyChanges(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	w := watch(t, s)
	must(t, s.InTx(t.Context(), func(ctx context.Context) error {
		for range 6000 {
			if err := s.EnsureRole(ctx, authz.Role{Name: "r", CreatedAt: now, UpdatedAt: now}); err != nil {
				return err
			}
			if err := s.DeleteRole(ctx, "r", 0); err != nil {
				return err
			}
		}
		return nil
	}))
	if before := w.await(storage.Change{}); len(before) != 0 {
		t.Errorf("%d changes came before the one that stands for all", len(before))
	}
	must(t, s.RevokeToken(t.Context(), "next", now, now))
	if before := w.await(storage.Change{Table: "revoked_tokens", Key: "next"}); len(before) != 0 {
		t.Errorf("afterwards came %+v", before)
	}
}

// revoked is what a watcher hears when a token with this id is revoked.
func revoked(jti string) storage.Change { return storage.Change{Table: "revoked_tokens", Key: jti} }

// The same where changes are read that one transaction made.
func TestWatchAfterAVeryLargeTransaction(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	w := watch(t, storagetest.Open(t, url, storage.WithoutListening()))
	must(t, s.InTx(t.Context(), func(ctx context.Context) error {
		for i := range 1001 {
			if err := s.RevokeToken(ctx, fmt.Sprint(i), now, now); err != nil {
				return err
			}
		}
		return nil
	}))
	if before := w.await(storage.Change{}); len(before) != 0 {
		t.Errorf("%d changes came before the one that stands for all", len(before))
	}
	must(t, s.RevokeToken(t.Context(), "next", now, now))
	if before := w.await(revoked("next")); len(before) != 0 {
		t.Errorf("afterwards came %+v", before)
	}
}

// A connection to listen on that is lost is reported, and replaced; meanwhile changes are
// read.
func TestWatchHearsWhileItCannotListen(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	w, db := watch(t, s), behind(t, url)
	for lost := 0; lost == 0; { // it begins to listen by itself
		must(t, db.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`).Scan(&lost))
	}
	if err := <-w.lost; err == nil {
		t.Error("the loss was reported without a reason")
	}
	for _, jti := range []string{"a", "b", "c"} {
		must(t, s.RevokeToken(t.Context(), jti, now, now))
		if before := w.await(revoked(jti)); len(before) != 0 {
			t.Errorf("before it came %+v", before)
		}
	}
}

// behind looks at a PostgreSQL database behind the store's back.
func behind(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Of writers that overlap each is heard when it commits, whichever began first: numbers are
// given out in another order than rows become visible.
func TestWatchHearsWritersThatOverlap(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	w := watch(t, storagetest.Open(t, url, storage.WithoutListening()))
	overtake := func(name string) {
		must(t, s.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.RevokeToken(ctx, "slow "+name, now, now); err != nil {
				return err
			}
			must(t, s.RevokeToken(t.Context(), "quick "+name, now, now))
			if before := w.await(revoked("quick " + name)); len(before) != 0 {
				t.Errorf("before the quick one came %+v", before)
			}
			return s.RevokeToken(ctx, "slow end "+name, now, now)
		}))
	}
	for _, name := range []string{"one", "two"} {
		overtake(name)
		before := w.await(revoked("slow end " + name))
		if len(before) == 0 { // of one transaction, in any order
			before = append(w.await(revoked("slow "+name)), revoked("slow "+name))
		}
		if !slices.Equal(before, []storage.Change{revoked("slow " + name)}) {
			t.Errorf("before the end of the slow one came %+v", before)
		}
	}
	must(t, s.RevokeToken(t.Context(), "end", now, now))
	if before := w.await(revoked("end")); len(before) != 0 {
		t.Errorf("told again: %+v", before)
	}
}

// Changes that cannot be read are told as one that may be anything, until they can.
func TestWatchSaysWhenItCannotRead(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	w, db := watch(t, s), behind(t, url)
	for _, hide := range []struct{ what, do, undo string }{
		{"out of reach", `ALTER TABLE changes RENAME TO elsewhere`, `ALTER TABLE elsewhere RENAME TO changes`},
		{"no answer", `BEGIN; LOCK TABLE changes IN ACCESS EXCLUSIVE MODE`, `COMMIT`},
	} {
		conn, err := db.Conn(t.Context())
		must(t, err)
		_, err = conn.ExecContext(t.Context(), hide.do)
		must(t, err)
		if err := <-w.lost; err == nil {
			t.Errorf("%s: reported without a reason", hide.what)
		}
		w.await(storage.Change{})
		_, err = conn.ExecContext(t.Context(), hide.undo)
		must(t, err)
		must(t, conn.Close())
		w.await(storage.Change{}) // since it is back
		must(t, s.RevokeToken(t.Context(), hide.what, now, now))
		w.await(revoked(hide.what))
	}
}

// What was read is forgotten after an hour of the database's clock, in batches.
func TestChangesAreForgotten(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s, db := storagetest.Open(t, url), behind(t, url)
	count := func() (n int) {
		must(t, db.QueryRow(`SELECT count(*) FROM changes`).Scan(&n))
		return n
	}
	for range 2 {
		must(t, s.InTx(t.Context(), func(ctx context.Context) error {
			for i := range 1500 {
				if err := s.RevokeToken(ctx, fmt.Sprint(i), now, now.Add(time.Hour)); err != nil {
					return err
				}
			}
			return nil
		}))
		_, err := s.Sweep(t.Context(), now)
		must(t, err)
		if n := count(); n != 1500 {
			t.Errorf("%d changes are kept, want 1500", n)
		}
		_, err = db.Exec(`UPDATE changes SET at = at - INTERVAL '61 minutes'`)
		must(t, err)
		_, err = s.Sweep(t.Context(), now.Add(2*time.Hour)) // and the tokens
		must(t, err)
		if n := count(); n != 0 {
			t.Errorf("%d old changes are kept", n)
		}
	}
}
