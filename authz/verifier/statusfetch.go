package verifier

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// refresh asks once. An unchanged answer makes the list that is held as good as new, unless it
// is about to expire: then only a new one will do.
func (f *follower) refresh(ctx context.Context, address string, timeout time.Duration) error {
	have := f.list.Load()
	want := request{url: address, accept: mediaStatusList, timeout: timeout, limit: maxStatusAnswer}
	if have != nil && !have.expired(f.now().Add(f.leeway)) {
		want.etag = have.etag
	}
	got, err := f.fetch.get(ctx, want)
	if err != nil {
		return fmt.Errorf("fetch status list: %w", err)
	}
	if got.unchanged {
		f.renew(have, got.header)
		return nil
	}
	next, err := f.read(ctx, got.body)
	if err != nil {
		return fmt.Errorf("read status list: %w", err)
	}
	next.etag = got.header.Get("ETag")
	return f.replace(next, got.header)
}

// read checks a Status List Token (draft-ietf-oauth-status-list, "Validation Rules") with the
// keys that verify the issuer's access tokens.
func (f *follower) read(ctx context.Context, body []byte) (*snapshot, error) {
	token, err := parseJWS(strings.TrimSpace(string(body)), statusListType)
	if err != nil {
		return nil, err
	}
	key, err := f.keys.find(ctx, token.header.KeyID)
	if err != nil {
		return nil, err
	}
	if err := token.signedBy(key); err != nil {
		return nil, err
	}
	list, err := parseSnapshot(token.payload, f.issuer, f.uri)
	if err != nil {
		return nil, err
	}
	if list.expired(f.now().Add(-f.leeway)) {
		return nil, fmt.Errorf("expired at %s", list.expires)
	}
	return list, nil
}

// renew dates have anew, unless it was replaced while the issuer was asked about it.
func (f *follower) renew(have *snapshot, h http.Header) {
	same := *have
	f.date(&same, h)
	f.list.CompareAndSwap(have, &same)
}

// replace makes next the list in force. One that is not newer than the list held, as from a
// replica that lags behind or an answer that was long under way, may add revocations but not
// undo any; one that is much older is no answer at all.
func (f *follower) replace(next *snapshot, h http.Header) error {
	f.date(next, h)
	for {
		have := f.list.Load()
		merged, err := next.after(have, f.leeway)
		if err != nil {
			return fmt.Errorf("read status list: %w", err)
		}
		if f.list.CompareAndSwap(have, merged) {
			return nil
		}
	}
}

func (f *follower) date(list *snapshot, h http.Header) {
	fresh := list.ttl
	if fresh == 0 {
		fresh = pollDefault
	}
	list.seen, list.fresh = f.now(), maxAge(h, fresh, pollLow, pollHigh)
}
