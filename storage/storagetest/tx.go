package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func testTransactions(ctx context.Context, t *testing.T, s store) {
	boom := errors.New("boom")
	add := func(ctx context.Context, name string) error {
		return s.InsertRole(ctx, authz.Role{Name: name, CreatedAt: noon(), UpdatedAt: noon()})
	}
	for _, c := range []struct {
		name string
		fn   func(context.Context) error
		want error // that InTx returns; nil: it commits
	}{
		{"commits together", func(ctx context.Context) error {
			return errors.Join(add(ctx, "a"), add(ctx, "b"))
		}, nil},
		{"rolls back on an error", func(ctx context.Context) error {
			return errors.Join(add(ctx, "a"), boom)
		}, boom},
		{"joins and commits with the outer one", func(ctx context.Context) error {
			return errors.Join(add(ctx, "a"), s.InTx(ctx, func(ctx context.Context) error { return add(ctx, "b") }))
		}, nil},
		{"rolls back what joined", func(ctx context.Context) error {
			return errors.Join(s.InTx(ctx, func(ctx context.Context) error { return add(ctx, "a") }), boom)
		}, boom},
		{"cannot ignore that what joined failed", func(ctx context.Context) error {
			_ = s.InTx(ctx, func(ctx context.Context) error { return errors.Join(add(ctx, "a"), boom) })
			return nil
		}, boom},
		{"cannot ignore a failed statement", func(ctx context.Context) error {
			err := add(ctx, "a")
			_ = add(ctx, "a")
			return err
		}, authz.ErrConflict},
		{"may go on after finding nothing", func(ctx context.Context) error {
			_, err := s.Role(ctx, "none")
			if gone := s.DeleteRole(ctx, "none", 0); !errors.Is(err, authz.ErrNotFound) || !errors.Is(gone, authz.ErrNotFound) {
				return boom
			}
			return add(ctx, "a")
		}, nil},
		{"reads what it wrote", func(ctx context.Context) error {
			if err := add(ctx, "a"); err != nil {
				return err
			}
			_, err := s.Role(ctx, "a")
			return err
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := s.InTx(ctx, c.fn)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			roles, err := s.Roles(ctx)
			must(t, err)
			if committed := len(roles) > 0; committed != (c.want == nil) {
				t.Errorf("the table holds %v", roles)
			}
			for _, r := range roles {
				must(t, s.DeleteRole(ctx, r.Name, 0))
			}
		})
	}
	t.Run("is not seen outside", func(t *testing.T) { testIsolation(ctx, t, s, add) })
	t.Run("leaks nothing when it panics", func(t *testing.T) { testPanics(ctx, t, s, add) })
}

func testIsolation(ctx context.Context, t *testing.T, s store, add func(context.Context, string) error) {
	other := Open(t, s.url)
	must(t, s.InTx(ctx, func(txCtx context.Context) error {
		if err := add(txCtx, "a"); err != nil {
			return err
		}
		// The context carries the transaction of one store: another does not take it.
		_, err := other.Role(txCtx, "a")
		refused(t, "read from outside", err, authz.ErrNotFound)
		return nil
	}))
	if _, err := other.Role(ctx, "a"); err != nil {
		t.Errorf("read from outside after the commit: %v", err)
	}
	must(t, s.DeleteRole(ctx, "a", 0))
}

// testPanics panics more often than there are connections.
func testPanics(ctx context.Context, t *testing.T, s store, add func(context.Context, string) error) {
	for range 40 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not come through")
				}
			}()
			_ = s.InTx(ctx, func(ctx context.Context) error {
				must(t, add(ctx, "a"))
				panic("boom")
			})
		}()
	}
	must(t, s.InTx(ctx, func(ctx context.Context) error { return add(ctx, "a") }))
}
