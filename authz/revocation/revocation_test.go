package revocation_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const issuer = "https://signet.example"

// plain stands in for the signature: what is tested here is what is signed.
func plain(_, typ string, claims []byte) (string, error) { return typ + "." + string(claims), nil }

func newLists(store *storage.Store, change ...func(*revocation.Config)) *revocation.Lists {
	cfg := revocation.Config{
		Store: store, Issuer: issuer, Sign: plain, Now: time.Now, Random: rand.Reader,
		Poll: 20 * time.Millisecond,
	}
	for _, fn := range change {
		fn(&cfg)
	}
	return revocation.New(cfg)
}

// bits unpacks an answer as a verifier would.
func bits(t testing.TB, a revocation.Answer) []byte {
	t.Helper()
	raw, ok := bytes.CutPrefix(a.Body, []byte("statuslist+jwt."))
	if !ok {
		t.Fatalf("not a status list token: %.80s", a.Body)
	}
	var claims struct {
		Subject string `json:"sub"`
		Expires int64  `json:"exp"`
		TTL     int64  `json:"ttl"`
		List    struct {
			Bits int    `json:"bits"`
			List string `json:"lst"`
		} `json:"status_list"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Subject != issuer+"/status-lists/0" || claims.List.Bits != 1 || claims.TTL < 1 || claims.Expires < time.Now().Unix() {
		t.Errorf("claims %+v", claims)
	}
	packed, err := base64.RawURLEncoding.DecodeString(claims.List.List)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func set(bits []byte, index int64) bool { return bits[index/8]&(1<<(index%8)) != 0 }

// addToken remembers a person's API token with a place, which its revocation sets.
func addToken(t testing.TB, store *storage.Store, index int64) string {
	t.Helper()
	now := time.Now()
	id, err := authz.NewID("", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	user := &authz.User{ID: authz.PrefixUser + id, Username: id, CreatedAt: now, UpdatedAt: now, Version: 1}
	token := &authz.APIToken{
		ID: authz.PrefixToken + id, Hash: []byte(id), UserID: user.ID, API: "https://api.example",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), StatusIndex: index,
	}
	if err := errors.Join(store.InsertUser(context.Background(), user), store.InsertAPIToken(context.Background(), token)); err != nil {
		t.Fatal(err)
	}
	return token.ID
}

func TestARevocationSetsItsBitAndNoOther(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store, ctx := open(), context.Background()
		lists := newLists(store)
		index, err := lists.Allocate(ctx, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		token := addToken(t, store, index)
		before, err := lists.Serve(ctx, 0, "", 0)
		if err != nil || set(bits(t, before), index) {
			t.Fatalf("before the revocation: bit set, or %v", err)
		}
		if _, err := store.RevokeAPIToken(ctx, token, "", authz.RevokedByUser, time.Now()); err != nil {
			t.Fatal(err)
		}
		lists.Changed()
		after, err := lists.Serve(ctx, 0, before.ETag, 0)
		if err != nil || after.NotModified {
			t.Fatalf("after the revocation: not modified, or %v", err)
		}
		got := bits(t, after)
		if !set(got, index) {
			t.Error("the bit of the revoked token is not set")
		}
		got[index/8] &^= 1 << (index % 8)
		if !bytes.Equal(got, make([]byte, len(got))) {
			t.Error("another bit is set")
		}
	})
}

func TestADeletedOwnerSetsTheBitToo(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store, ctx := open(), context.Background()
		lists := newLists(store)
		index, err := lists.Allocate(ctx, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		token, err := store.APIToken(ctx, addToken(t, store, index))
		if err != nil {
			t.Fatal(err)
		}
		if err := store.DeleteUser(ctx, token.UserID, 0); err != nil {
			t.Fatal(err)
		}
		a, err := lists.Serve(ctx, 0, "", 0)
		if err != nil || !set(bits(t, a), index) {
			t.Errorf("the tokens of a deleted person are not revoked: %v", err)
		}
	})
}

func TestWhoWaitsHearsOfARevocation(t *testing.T) {
	t.Parallel()
	store, ctx := storagetest.New(t), context.Background()
	running, stop := context.WithCancel(ctx)
	defer stop()
	lists := newLists(store)
	go lists.Run(running)
	index, err := lists.Allocate(ctx, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	token := addToken(t, store, index)
	before, err := lists.Serve(ctx, 0, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	for range 8 {
		waiting.Go(func() {
			a, err := lists.Serve(ctx, 0, before.ETag, revocation.MaxWait)
			if err != nil || a.NotModified || !set(bits(t, a), index) {
				t.Errorf("woken without the bit: %v", err)
			}
		})
	}
	if _, err := store.RevokeAPIToken(ctx, token, "", authz.RevokedByUser, time.Now()); err != nil {
		t.Error(err)
	}
	waiting.Wait()
}

func TestAnUnchangedListIsNotSentAgain(t *testing.T) {
	t.Parallel()
	lists, ctx := newLists(storagetest.New(t)), context.Background()
	first, err := lists.Serve(ctx, 0, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := lists.Serve(ctx, 0, first.ETag, time.Millisecond)
	if err != nil || !again.NotModified || again.Body != nil {
		t.Errorf("got %d bytes and %v, want not modified", len(again.Body), err)
	}
}

func TestStrangersCannotHaveListsMade(t *testing.T) {
	t.Parallel()
	lists, ctx := newLists(storagetest.New(t)), context.Background()
	for _, list := range []int64{-1, 1, 1 << 40} {
		if _, err := lists.Serve(ctx, list, "", 0); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("list %d: %v, want not found", list, err)
		}
	}
}

func TestAnOutageIsNoEmptyList(t *testing.T) {
	t.Parallel()
	store, ctx := storagetest.New(t), context.Background()
	lists := newLists(store)
	if _, err := lists.Serve(ctx, 0, "", 0); err != nil {
		t.Fatal(err)
	}
	lists.Changed()
	ended, stop := context.WithCancel(ctx)
	stop()
	if a, err := lists.Serve(ended, 0, "", 0); err == nil {
		t.Errorf("an unreadable list was served with %d bytes", len(a.Body))
	}
}

// issued reads when a list says that it was issued.
func issued(t *testing.T, a revocation.Answer) int64 {
	t.Helper()
	var claims struct {
		IssuedAt int64 `json:"iat"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(a.Body, []byte("statuslist+jwt.")), &claims); err != nil {
		t.Fatal(err)
	}
	return claims.IssuedAt
}

// Who holds two lists of one second cannot tell which is newer, and must not take a cleared
// bit for one that is not set yet.
func TestAListWithABitClearedIsNewer(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store, ctx, now := open(), t.Context(), time.Now()
		lists := newLists(store, func(c *revocation.Config) { c.Now = func() time.Time { return now } })
		c := &authz.Client{ID: "c", CreatedAt: now, UpdatedAt: now, Version: 1}
		if err := store.InsertClient(ctx, c); err != nil {
			t.Fatal(err)
		}
		index, err := lists.ClientIndex(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		for n, set := range []bool{false, true, false, true} {
			c.DisabledAt = map[bool]time.Time{true: now}[set]
			if err := store.UpdateClient(ctx, c); err != nil {
				t.Fatal(err)
			}
			lists.Changed()
			a, err := lists.Serve(ctx, 0, "", 0)
			if err != nil || bits(t, a)[index/8] != map[bool]byte{true: 1 << (index % 8)}[set] {
				t.Fatalf("list %d: bit not %t, or %v", n, set, err)
			}
			if at := issued(t, a); at < last || at == last && !set {
				t.Errorf("list %d was issued at %d, the one before at %d", n, at, last)
			} else {
				last = at
			}
		}
	})
}

func TestPlacesAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	store, ctx := storagetest.New(t), context.Background()
	// A source of randomness that repeats itself drives every allocation into conflicts.
	lists := newLists(store, func(c *revocation.Config) { c.Random = &repeating{} })
	seen := map[int64]bool{}
	for range 40 {
		index, err := lists.Allocate(ctx, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if index <= 0 || seen[index] {
			t.Fatalf("index %d was given twice, or is none", index)
		}
		seen[index] = true
	}
}

func TestAClientKeepsItsPlace(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		ctx, now := context.Background(), time.Now()
		c := &authz.Client{ID: "c", CreatedAt: now, UpdatedAt: now, Version: 1}
		if err := open().InsertClient(ctx, c); err != nil {
			t.Fatal(err)
		}
		first, err := newLists(open()).ClientIndex(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		second, err := newLists(open()).ClientIndex(ctx, c)
		if err != nil || first != second || first <= 0 {
			t.Errorf("two processes gave it %d and %d: %v", first, second, err)
		}
	})
}

// repeating gives each number four times.
type repeating struct{ n uint32 }

func (r *repeating) Read(p []byte) (int, error) {
	binary.BigEndian.PutUint32(p, 1+r.n/4)
	r.n++
	return 4, nil
}
