package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-auth/signet/authz"
)

type metadata = authz.ClientMetadata

// metadataFlags are the flags for the metadata of a client. Those that are given, and no
// others, change what they are applied to.
type metadataFlags struct {
	command  *cobra.Command
	flags    *pflag.FlagSet
	defaults bool // what is not given gets one
	set      []func(*metadata) error
}

// newMetadataFlags adds the flags to a command that makes clients, or one that changes them.
func newMetadataFlags(c *cobra.Command, makes bool) *metadataFlags {
	f := &metadataFlags{command: c, flags: c.Flags(), defaults: makes}
	f.text("name", "`name` that people see", func(m *metadata) *string { return &m.Name })
	f.choice("type", "`kind` of client: %s (default web)", authz.ClientTypes(), func(m *metadata) *string { return &m.Type })
	f.list("redirect-uri", "`URI` to send people back to; repeatable", func(m *metadata) *[]string { return &m.RedirectURIs })
	f.list("post-logout-redirect-uri", "`URI` to send people to who have signed out; repeatable",
		func(m *metadata) *[]string { return &m.PostLogoutRedirectURIs })
	f.list("grant", "`type` of grant; repeatable (default by type)", func(m *metadata) *[]string { return &m.GrantTypes })
	f.only("grant", authz.GrantTypes())
	f.scopes("scope", "`scope` that it may ask for; repeatable (default openid profile email offline_access, and all of its APIs)",
		func(m *metadata) *authz.Scopes { return &m.Scope })
	f.scopes("default-scope", "`scope` of a request that names none; repeatable", func(m *metadata) *authz.Scopes { return &m.DefaultScope })
	f.list("api", "`identifier` of an API that it may ask tokens for; repeatable", func(m *metadata) *[]string { return &m.APIs })
	f.text("default-api", "`identifier` of the API of a request that names none", func(m *metadata) *string { return &m.DefaultAPI })
	f.choice("auth-method", "`method` to authenticate with: %s (default by type)", authz.AuthMethods(),
		func(m *metadata) *string { return &m.AuthMethod })
	f.text("auth-alg", "`algorithm` of private_key_jwt", func(m *metadata) *string { return &m.AuthAlg })
	f.jwks("jwks-file", "`file` with its public keys, for private_key_jwt")
	f.text("id-token-alg", "`algorithm` of its ID tokens (default ES256)", func(m *metadata) *string { return &m.IDTokenAlg })
	f.yesNo("require-pkce", "whether PKCE is required; only a confidential OpenID client may do without (default true)",
		func(m *metadata) *bool { return &m.RequirePKCE })
	f.yesNo("rotate-refresh-tokens", "whether each refresh token is good for one use",
		func(m *metadata) *bool { return &m.RotateRefreshTokens })
	f.yesNo("claims-in-id-token", "whether the claims of granted scopes stand in the ID token too",
		func(m *metadata) *bool { return &m.ClaimsInIDToken })
	f.yesNo("first-party", "whether it is your own, so that people are not asked for consent",
		func(m *metadata) *bool { return &m.FirstParty })
	f.span("access-token-lifetime", func(m *metadata) *int64 { return &m.AccessTokenLifetime })
	f.span("id-token-lifetime", func(m *metadata) *int64 { return &m.IDTokenLifetime })
	f.span("refresh-token-idle-lifetime", func(m *metadata) *int64 { return &m.RefreshIdleLifetime })
	f.span("refresh-token-lifetime", func(m *metadata) *int64 { return &m.RefreshLifetime })
	f.text("client-uri", "its home `page`", func(m *metadata) *string { return &m.ClientURI })
	f.text("policy-uri", "its privacy `policy`", func(m *metadata) *string { return &m.PolicyURI })
	f.text("tos-uri", "its `terms` of service", func(m *metadata) *string { return &m.TermsURI })
	f.list("contact", "`address` to ask about it; repeatable", func(m *metadata) *[]string { return &m.Contacts })
	return f
}

// apply writes what was given.
func (f *metadataFlags) apply(m *metadata) error {
	for _, set := range f.set {
		if err := set(m); err != nil {
			return err
		}
	}
	return nil
}

// usage is the help for a flag. Where nothing is filled in it tells of no default.
func (f *metadataFlags) usage(text string) string {
	if f.defaults {
		return text
	}
	text, _, _ = strings.Cut(text, " (default ")
	return text
}

// only has the command refused, before anything is done, when a flag is given another word.
func (f *metadataFlags) only(name string, words []string) {
	check(f.command, func() error {
		given := []string{f.flags.Lookup(name).Value.String()}
		if list, ok := f.flags.Lookup(name).Value.(pflag.SliceValue); ok {
			given = list.GetSlice()
		}
		for _, one := range withoutEmpty(given) {
			if !slices.Contains(words, one) {
				return usage("%s--%s: %q is not %s", below(f.command), name, one, authz.Either(words))
			}
		}
		return nil
	})
}

// add has fn called when the flag of this name was given.
func (f *metadataFlags) add(name string, fn func(*metadata) error) {
	f.set = append(f.set, func(m *metadata) error {
		if !f.flags.Changed(name) {
			return nil
		}
		return fn(m)
	})
}

func (f *metadataFlags) text(name, usage string, field func(*metadata) *string) {
	v := f.flags.String(name, "", f.usage(usage))
	f.add(name, func(m *metadata) error { *field(m) = *v; return nil })
}

// choice is a text that is one of a few words, which stand in usage.
func (f *metadataFlags) choice(name, usage string, words []string, field func(*metadata) *string) {
	f.text(name, fmt.Sprintf(usage, authz.Either(words)), field)
	f.only(name, words)
}

func (f *metadataFlags) list(name, usage string, field func(*metadata) *[]string) {
	v := f.flags.StringArray(name, nil, f.usage(usage))
	f.add(name, func(m *metadata) error { *field(m) = withoutEmpty(*v); return nil })
}

func (f *metadataFlags) scopes(name, usage string, field func(*metadata) *authz.Scopes) {
	v := f.flags.StringArray(name, nil, f.usage(usage))
	f.add(name, func(m *metadata) error {
		*field(m) = authz.ParseScopes(strings.Join(*v, " "))
		return nil
	})
}

func (f *metadataFlags) yesNo(name, usage string, field func(*metadata) *bool) {
	v := f.flags.Bool(name, false, f.usage(usage))
	f.add(name, func(m *metadata) error { *field(m) = *v; return nil })
}

func (f *metadataFlags) span(name string, field func(*metadata) *int64) {
	v := f.flags.String(name, "", "`time` such as 10m; 0s is the server's own")
	f.add(name, func(m *metadata) error {
		seconds, err := readSeconds(*v)
		if err != nil {
			return usage("--%s: %s", name, err)
		}
		*field(m) = seconds
		return nil
	})
}

func (f *metadataFlags) jwks(name, usage string) {
	v := f.flags.String(name, "", f.usage(usage))
	f.add(name, func(m *metadata) error {
		content, err := readSmall(*v)
		if err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
		if m.JWKS = json.RawMessage(content); !json.Valid(m.JWKS) {
			return fmt.Errorf("--%s: %s is not JSON", name, *v)
		}
		return nil
	})
}

// withoutEmpty lets an empty value stand for none at all.
func withoutEmpty(list []string) []string {
	var out []string
	for _, one := range list {
		if one != "" {
			out = append(out, one)
		}
	}
	return out
}
