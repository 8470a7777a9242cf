package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// sentence is an error as the person reads it.
type sentence string

func (s sentence) Error() string { return string(s) }

// errEnded means that the person has taken back, at Signet, what they had allowed; errDenied
// that they did not allow it.
const (
	errEnded  = sentence("You took Acme Calendar’s access back, so it has signed you out. Sign in again to use it.")
	errDenied = sentence("You did not allow it, so nothing was shared.")
)

// update looks for new orders. An access token that is not taken any more is renewed first,
// as the library does by itself when it has come to its end.
func (a *App) update(w http.ResponseWriter, r *http.Request) {
	v := a.visit(w, r)
	a.act(w, r, v, func(ctx context.Context) error {
		err := a.fetchOrders(ctx, v)
		if errors.Is(err, errNotTaken) {
			err = a.renew(ctx, v)
		}
		v.Updated = err == nil
		return err
	})
}

// refresh gets a new access token, and shows that it works.
func (a *App) refresh(w http.ResponseWriter, r *http.Request) {
	v := a.visit(w, r)
	a.act(w, r, v, func(ctx context.Context) error {
		err := a.renew(ctx, v)
		v.Refreshed = err == nil
		return err
	})
}

// fetch asks the API again with the same access token, and shows what it says.
func (a *App) fetch(w http.ResponseWriter, r *http.Request) {
	v, at, how := a.visit(w, r), a.cfg.OrdersURL, "the service itself"
	if r.FormValue("through") == "gateway" {
		at, how = a.cfg.GatewayURL, "the gateway"
	}
	a.act(w, r, v, func(ctx context.Context) error {
		status, _, err := a.call(ctx, v, at)
		if err == nil {
			v.Fetched = fmt.Sprintf("%s answers %d %s", how, status, http.StatusText(status))
		}
		return err
	})
}

// act does something for whoever is signed in and goes back to the page, which says what
// did not work. Who has taken the app's access back is signed out of it.
func (a *App) act(w http.ResponseWriter, r *http.Request, v *visit, do func(context.Context) error) {
	if v.Token != nil {
		err := do(r.Context())
		if errors.Is(err, errEnded) {
			*v = visit{}
		}
		if err != nil {
			v.Problem = err.Error()
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// renew gets a new access token, and fetches with it what the app is for. Without a refresh
// token there is nothing but to sign in again.
func (a *App) renew(ctx context.Context, v *visit) error {
	if v.Token.RefreshToken == "" {
		return errEnded
	}
	stale := *v.Token
	stale.AccessToken = ""
	fresh, err := a.oauth.TokenSource(ctx, &stale).Token()
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode == "invalid_grant":
		return errEnded
	case err != nil:
		return fmt.Errorf("refresh access token: %w", err)
	}
	v.Token = fresh
	return a.fetchOrders(ctx, v)
}

// errNotTaken means that the orders service does not take the access token.
var errNotTaken = errors.New("the orders service does not take the access token any more")

// fetchOrders calls the microservice with the access token.
func (a *App) fetchOrders(ctx context.Context, v *visit) error {
	scope, _ := v.Token.Extra("scope").(string)
	v.Scopes, v.Orders = strings.Fields(scope), nil
	status, body, err := a.call(ctx, v, a.cfg.OrdersURL)
	if err != nil {
		return err
	}
	switch status {
	case http.StatusOK:
	case http.StatusForbidden:
		return nil // the person did not allow it: the page says so
	case http.StatusUnauthorized:
		return errNotTaken
	default:
		return fmt.Errorf("the orders service answers %d", status)
	}
	var answer struct {
		Orders []order `json:"orders"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	v.Orders = answer.Orders
	return nil
}

// call asks the API for orders, at its own address or at the gateway's.
func (a *App) call(ctx context.Context, v *visit, at string) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/orders", nil)
	if err != nil {
		return 0, nil, err
	}
	v.Token.SetAuthHeader(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("call orders: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}
