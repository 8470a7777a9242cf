package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/adminapi"
)

// A refusal names the flag that is wrong: every field of a noun has one on the commands that
// set it, or is known to have none.
func TestEveryFieldHasItsFlag(t *testing.T) {
	t.Parallel()
	client := fieldsOf(authz.ClientMetadata{})
	if len(client) < 20 {
		t.Fatalf("fields %v", client)
	}
	api := []string{"identifier", "name", "scopes", "owner_client_id", "browser_sign_in", "claims", "access_token_lifetime"}
	for _, c := range []struct {
		command string
		fields  []string
		without []string // fields that only the REST API, or nobody, sets
	}{
		{"client create", append(client, "client_id"), []string{"response_types", "token_exchange"}},
		{"client update", client, []string{"response_types", "token_exchange"}},
		{"client rotate-secret", []string{"overlap"}, nil},
		{"api create", api, nil},
		{"api update", api, []string{"identifier"}},
		{"role create", []string{"name", "description", "scopes"}, nil},
		{"role update", []string{"description", "scopes"}, nil},
		{"user create", []string{"username", "email", "name"}, nil},
	} {
		one := command(t, c.command)
		for _, field := range c.fields {
			flag := flagOf(field)
			if has := one.Flags().Lookup(flag) != nil; has == slices.Contains(c.without, field) {
				t.Errorf("%s: %s is set by --%s: %v", c.command, field, flag, has)
			}
		}
	}
	for _, field := range fieldsOf(adminapi.RegisteredAPI{}) {
		if !slices.Contains(append(api, "created_at", "updated_at"), field) {
			t.Errorf("the field %s of an API is not looked at here", field)
		}
	}
}

func command(t *testing.T, path string) *cobra.Command {
	t.Helper()
	found, rest, err := newRoot(terminal{}).Find(strings.Fields(path))
	if err != nil || len(rest) > 0 {
		t.Fatalf("%s: %v, %v", path, rest, err)
	}
	return found
}

// fieldsOf gives the names that the members of a structure have in JSON.
func fieldsOf(document any) (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(document)) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func TestARefusalSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	invalid := func(field string) error { return authz.Invalid(field, "is wrong") }
	for _, c := range []struct {
		command string
		err     error
		want    string
	}{
		{"client create", invalid("jwks"), "--jwks-file: is wrong"},
		{"client update", invalid("token_endpoint_auth_signing_alg"), "--auth-alg: is wrong"},
		{"client update", invalid("token_exchange"), `the client "x": token_exchange is wrong`},
		{"client rotate-secret", invalid("token_endpoint_auth_method"), `the client "x": is wrong`},
		{"client rotate-secret", invalid("client_secret"), `the client "x": is wrong`},
		{"role delete", invalid("name"), `the role "x": is wrong`},
		{"user create", invalid("password"), "the password is wrong"},
	} {
		noun, _, _ := strings.Cut(c.command, " ")
		if got := explain(command(t, c.command), c.err, noun, "x").Error(); got != c.want {
			t.Errorf("%s: %q, want %q", c.command, got, c.want)
		}
	}
}
