package storage

import (
	"context"
	"time"
)

// Change tells that a row was changed or deleted. Without a table it tells that anything
// may have changed.
type Change struct {
	Table string
	Key   string
}

// watchPause is how long Watch waits before it connects again.
const watchPause = time.Second

// Watch calls changed for every change to what processes cache, within a second, until ctx
// ends. While the changes cannot be read it tries again each second, reports the error to
// failed, and calls changed with an empty Change each time, because changes may have been
// missed. It reports as well that it hears later than it could.
func (s *Store) Watch(ctx context.Context, changed func(Change), failed func(error)) {
	for ctx.Err() == nil {
		err := s.engine.watch(ctx, changed, failed)
		if ctx.Err() != nil {
			return
		}
		failed(err)
		changed(Change{})
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
}
