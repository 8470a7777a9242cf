package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
)

// explained is an error in words for the operator.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// explain says what went wrong with a thing that command c named, and what to do about it.
// noun is what the thing is called, and the command that lists such things.
func explain(c *cobra.Command, err error, noun, name string) error {
	var before *explained
	var wrong *usageError
	if err == nil || errors.As(err, &before) || errors.As(err, &wrong) {
		return err
	}
	return &explained{inWords(c, err, noun, name), err}
}

func inWords(c *cobra.Command, err error, noun, name string) string {
	var invalid *authz.InvalidError
	switch {
	case errors.As(err, &invalid):
		return whatWas(c, invalid.Field, noun, name) + " " + invalid.Reason
	case errors.Is(err, authz.ErrNotFound):
		return fmt.Sprintf("there is no %s %q: see `signet %s list`", noun, name, noun)
	case errors.Is(err, authz.ErrConflict) && noun == noUser:
		return fmt.Sprintf("the username or email address of %q is taken: choose another, or see `signet user list`", name)
	case errors.Is(err, authz.ErrConflict) && noun == noClient:
		return fmt.Sprintf("the client %q exists already, or was deleted and is still being removed, which takes minutes: "+
			"choose another name, or see `signet client show %s`", name, name)
	case errors.Is(err, authz.ErrConflict):
		return fmt.Sprintf("the %s %q exists already: choose another name, or see `signet %s show %s`", noun, name, noun, name)
	case errors.Is(err, authz.ErrStale):
		return fmt.Sprintf("somebody else changed the %s %q at the same moment: try again", noun, name)
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return "the database does not do what it should, see to it and try again: " + err.Error()
}

// fieldFlags are the flags of fields that are not called as the field is.
func fieldFlags() map[string]string {
	return map[string]string{
		"client_id": "id", "client_name": "name", "application_type": "type", "redirect_uris": "redirect-uri",
		"post_logout_redirect_uris": "post-logout-redirect-uri", "grant_types": "grant", "token_endpoint_auth_method": "auth-method",
		"token_endpoint_auth_signing_alg": "auth-alg", "jwks": "jwks-file", "id_token_signed_response_alg": "id-token-alg", "apis": "api",
		"contacts": "contact", "scopes": "scope", "claims": "claim", "owner_client_id": "owner",
	}
}

func flagOf(field string) string {
	if flag, ok := fieldFlags()[field]; ok {
		return flag
	}
	return strings.ReplaceAll(field, "_", "-")
}

// whatWas names the flag by which a command was given a field. A command that has none for it
// got the thing by its name, and a field of it that no flag is for goes by the REST API's.
func whatWas(c *cobra.Command, field, noun, name string) string {
	switch flag := flagOf(field); {
	case field == "password":
		return "the password"
	case c.Flags().Lookup(flag) != nil:
		return "--" + flag + ":"
	case field == "name" || field == "client_secret" || fieldFlags()[field] != "":
		return fmt.Sprintf("the %s %q:", noun, name)
	}
	return fmt.Sprintf("the %s %q: %s", noun, name, field)
}
