package storage_test

import (
	"context"
	"database/sql"
	"errors"
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
		select {
		case c := <-w.changes:
			if c == want {
				return before
			}
			before = append(before, c)
		case <-w.t.Context().Done():
			w.t.Fatalf("%+v did not come, but %+v", want, before)
		}
	}
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
		}, []storage.Change{{Table: "clients", Key: "app"}, {Table: "clients", Key: "app"}, {Table: "status_entries", Key: "0"}}},
		{"what was undone", func(ctx context.Context, s S) error {
			_ = s.InTx(ctx, func(ctx context.Context) error {
				return errors.Join(s.RevokeToken(ctx, "undone", now, now), errors.New("undo"))
			})
			return nil
		}, nil},
	}
}

// Every kind of change is heard by another process on the same database, once, and what
// nobody caches is not: above all no refresh, of which there are very many.
func TestWatchHearsOfChanges(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		here, there := open(), open()
		must(t, there.InsertUser(t.Context(), user("ann")))
		must(t, there.InsertClient(t.Context(), client("app")))
		w := watch(t, here)
		for _, h := range happenings() {
			must(t, h.do(t.Context(), there))
			// A change of our own marks the end of what is to be heard of this one.
			must(t, there.RevokeToken(t.Context(), "end of "+h.name, now, now))
			got := w.await(storage.Change{Table: "revoked_tokens", Key: "end of " + h.name})
			slices.SortFunc(got, func(a, b storage.Change) int { return cmpChange(a, b) })
			if !slices.Equal(got, h.want) {
				t.Errorf("%s: heard %+v, want %+v", h.name, got, h.want)
			}
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

// A lost connection is reported, and when there is a new one everything may have changed.
func TestWatchSurvivesALostConnection(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.Postgres)
	s := storagetest.Open(t, url)
	w := watch(t, s)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer func() { _ = db.Close() }()
	_, err = db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`)
	must(t, err)
	if err := <-w.lost; err == nil {
		t.Error("the loss was reported without a reason")
	}
	w.await(storage.Change{}) // while it was lost
	w.await(storage.Change{}) // and when it is back
	must(t, s.RevokeToken(t.Context(), "jti", now, now))
	w.await(storage.Change{Table: "revoked_tokens", Key: "jti"})
}
