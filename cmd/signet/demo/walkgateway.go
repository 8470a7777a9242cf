package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func (w *walk) gatewayWithout(ctx context.Context) error {
	return expect401(ask(ctx, w.Gateway, ""))
}

func (w *walk) gatewayWithApp(ctx context.Context) error {
	if err := w.b.open(ctx, w.AppURL+"/"); err != nil {
		return err
	}
	if err := w.b.press(ctx, "fetch-gateway", nil); err != nil {
		return err
	}
	return w.shows("fetched", "200")
}

// gatewayWithBrowser opens the protected address itself: the gateway leads to Signet, where
// the person is signed in, and back.
func (w *walk) gatewayWithBrowser(ctx context.Context) error {
	if err := w.b.open(ctx, w.Gateway+"/orders"); err != nil {
		return err
	}
	if w.b.url.String() != w.Gateway+"/orders" {
		return fmt.Errorf("arrived at %s", w.b.url)
	}
	return w.mentions("croquet")
}

func (w *walk) makeToken(ctx context.Context) error {
	if err := w.b.open(ctx, w.Issuer+"/account/tokens/new?"+url.Values{"api": {w.Gateway}}.Encode()); err != nil {
		return err
	}
	err := w.b.press(ctx, "create", url.Values{"name": {"Backup script"}, "scope": {"orders:read"}})
	if err != nil {
		return err
	}
	if w.token = w.b.text("token"); !strings.HasPrefix(w.token, "sgp_") {
		return fmt.Errorf("the page shows %q", w.token)
	}
	return nil
}

func (w *walk) gatewayWithToken(ctx context.Context) error {
	resp, body, err := ask(ctx, w.Gateway, "Bearer "+w.token)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK || !strings.Contains(body, "croquet"):
		return fmt.Errorf("it answers %s", resp.Status)
	}
	// The service takes JWTs only: the API token itself is nothing to it.
	return w.refused(ctx, "Bearer "+w.token)
}

func (w *walk) revokeToken(ctx context.Context) error {
	if err := w.b.open(ctx, w.Issuer+"/account/tokens"); err != nil {
		return err
	}
	if err := w.b.pressIn(ctx, "Backup script"); err != nil {
		return err
	}
	return soon(ctx, func() error { return expect401(ask(ctx, w.Gateway, "Bearer "+w.token)) })
}

func (w *walk) revokeApp(ctx context.Context) error {
	if err := w.b.open(ctx, w.Issuer+"/account/apps"); err != nil {
		return err
	}
	if err := w.b.pressIn(ctx, "Acme Calendar"); err != nil {
		return err
	}
	if err := w.b.open(ctx, w.AppURL+"/"); err != nil {
		return err
	}
	return soon(ctx, func() error {
		if err := w.b.press(ctx, "fetch-direct", nil); err != nil {
			return err
		}
		return w.shows("fetched", "401")
	})
}

// patience is how soon a revocation must have arrived everywhere.
const patience = 2 * time.Second

// soon tries until it is so, or patience is over.
func soon(ctx context.Context, fn func() error) error {
	began := time.Now()
	for {
		err := fn()
		switch {
		case err == nil:
			return nil
		case time.Since(began) > patience:
			return fmt.Errorf("after %s: %w", patience, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
