package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// explained is an error in words for the operator.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// explain says what went wrong with a thing that a command named, and what to do about it.
// noun is what the thing is called, and the command that lists such things.
func explain(err error, noun, name string) error {
	var before *explained
	var wrong *usageError
	if err == nil || errors.As(err, &before) || errors.As(err, &wrong) {
		return err
	}
	return &explained{inWords(err, noun, name), err}
}

func inWords(err error, noun, name string) string {
	var invalid *authz.InvalidError
	switch {
	case errors.As(err, &invalid):
		return flagFor(invalid.Field) + " " + invalid.Reason
	case errors.Is(err, authz.ErrNotFound):
		return fmt.Sprintf("there is no %s %q: see `signet %s list`", noun, name, noun)
	case errors.Is(err, authz.ErrConflict) && noun == noUser:
		return fmt.Sprintf("the username or email address of %q is taken: choose another, or see `signet user list`", name)
	case errors.Is(err, authz.ErrConflict):
		return fmt.Sprintf("the %s %q exists already: choose another name, or see `signet %s show %s`", noun, name, noun, name)
	case errors.Is(err, authz.ErrStale):
		return fmt.Sprintf("somebody else changed the %s %q at the same moment: try again", noun, name)
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return "the database does not do what it should, see to it and try again: " + err.Error()
}

// flagFor names the flag, or the argument, that a field of a noun is given by.
func flagFor(field string) string {
	flags := map[string]string{
		"client_id": "--id:", "client_name": "--name:", "application_type": "--type:", "redirect_uris": "--redirect-uri:",
		"post_logout_redirect_uris": "--post-logout-redirect-uri:", "grant_types": "--grant:", "scope": "--scope:", "scopes": "--scope:",
		"token_endpoint_auth_method": "--auth-method:", "apis": "--api:", "password": "the password", "role": "the role",
		"access_token_lifetime": "--access-token-lifetime:", "owner_client_id": "--owner:",
	}
	if flag, ok := flags[field]; ok {
		return flag
	}
	return "--" + strings.ReplaceAll(field, "_", "-") + ":"
}
