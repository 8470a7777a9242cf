package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Clients remembers clients. A taken id is authz.ErrConflict, a client that somebody else has
// changed meanwhile authz.ErrStale.
type Clients interface {
	Client(ctx context.Context, id string) (*authz.Client, error)
	InsertClient(ctx context.Context, c *authz.Client) error
	UpdateClient(ctx context.Context, c *authz.Client) error
}

// Register sees to it that the first-party client of an API is registered as ClientMetadata
// has it today, and reports whether anything had to be written. One that an administrator
// has disabled stays so. While one that was deleted is being removed there is none, which is
// an outage.
func Register(ctx context.Context, store Clients, api *authz.API, now time.Time) (changed bool, err error) {
	want, err := ClientMetadata(api)
	if err != nil {
		return false, err
	}
	id := ClientID(api.Identifier)
	have, err := store.Client(ctx, id)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		err = store.InsertClient(ctx, &authz.Client{ID: id, Metadata: want, CreatedAt: now, UpdatedAt: now, Version: 1})
	case err != nil:
		return false, fmt.Errorf("register client of %s: %w", api.Identifier, err)
	case reflect.DeepEqual(have.Metadata, want):
		return false, nil
	default:
		have.Metadata, have.UpdatedAt = want, now
		err = store.UpdateClient(ctx, have)
	}
	if errors.Is(err, authz.ErrConflict) || errors.Is(err, authz.ErrStale) {
		// Another replica that was faster has written the same; or an administrator has deleted
		// the client, and what was granted to it is still being removed.
		if _, err = store.Client(ctx, id); errors.Is(err, authz.ErrNotFound) {
			err = errors.New("the client of that id is still being removed")
		}
	}
	if err != nil {
		return false, fmt.Errorf("register client of %s: %w", api.Identifier, err)
	}
	return true, nil
}
