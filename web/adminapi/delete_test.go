package adminapi_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// A thing that somebody else changes after its ETag was found right, and before it is gone,
// is not deleted: nobody has seen what it is now.
func TestADeletionThatIsOvertakenIsRefused(t *testing.T) {
	t.Parallel()
	change := map[string]func(*testing.T, *storage.Store, string) error{
		"client": func(t *testing.T, s *storage.Store, id string) error {
			c, err := s.Client(t.Context(), id)
			if err != nil {
				return err
			}
			c.Metadata.Scope = authz.Scopes{authz.ScopeAdmin}
			return s.UpdateClient(t.Context(), c)
		},
		"api": func(t *testing.T, s *storage.Store, id string) error {
			a, err := s.API(t.Context(), id)
			if err != nil {
				return err
			}
			return s.UpdateAPI(t.Context(), a)
		},
		"user": func(t *testing.T, s *storage.Store, id string) error {
			u, err := s.User(t.Context(), id)
			if err != nil {
				return err
			}
			return s.UpdateUser(t.Context(), u)
		},
		"role": func(t *testing.T, s *storage.Store, id string) error {
			r, err := s.Role(t.Context(), id)
			if err != nil {
				return err
			}
			return s.UpdateRole(t.Context(), r)
		},
	}
	// The last statement outside of a transaction, before which the row was read: SQLite lets
	// nobody write during one.
	last := map[string]struct {
		begins string
		nth    int64
	}{
		"client": {"SELECT id, hash", 1}, "api": {"DELETE FROM apis", 1}, "user": {"SELECT id, username", 2}, "role": {"SELECT name", 2},
	}
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		for _, k := range kinds() {
			for name, tag := range map[string]string{"its version": `"1"`, "any version": "*"} {
				t.Run(k.name+"/"+name, func(t *testing.T) {
					var left atomic.Int64
					overtake := func() {}
					w := newWorldOn(t, open(storage.WithStatementCounter(func(statement string) {
						if strings.HasPrefix(strings.TrimSpace(statement), last[k.name].begins) && left.Add(-1) == 0 {
							overtake()
						}
					})))
					path := w.want(201, request{method: "POST", path: k.base, body: k.create}).Header.Get("Location")
					id := w.want(200, request{method: "GET", path: path}).json(t)[k.read].(string)
					other := open()
					overtake = func() {
						if err := change[k.name](t, other, id); err != nil {
							t.Error(err)
						}
					}
					left.Store(last[k.name].nth)
					w.want(412, request{method: "DELETE", path: path, header: map[string]string{"If-Match": tag}})
					if left.Load() > 0 {
						t.Fatal("nobody has overtaken it")
					}
					if got := w.want(200, request{method: "GET", path: path}).Header.Get("ETag"); got != `"2"` {
						t.Errorf("it is at version %s", got)
					}
					w.want(204, request{method: "DELETE", path: path, header: map[string]string{"If-Match": `"2"`}})
				})
			}
		}
	})
}
