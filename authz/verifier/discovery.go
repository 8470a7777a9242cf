package verifier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// metadata is the part of an authorization server's own description that a verifier needs.
type metadata struct {
	Issuer  string `json:"issuer"`
	JWKSURI string `json:"jwks_uri"`
}

// discover asks for the metadata of RFC 8414 and, where the issuer has none, for that of
// OpenID Connect Discovery. An issuer that cannot be reached is not asked a second time.
func discover(ctx context.Context, f *fetcher, issuer string) (*metadata, error) {
	oauth, openid, err := metadataURLs(issuer)
	if err != nil {
		return nil, err
	}
	found, err := fetchMetadata(ctx, f, oauth)
	if notThere(err) {
		found, err = fetchMetadata(ctx, f, openid)
	}
	if err != nil {
		return nil, fmt.Errorf("discover issuer: %w", err)
	}
	if found.Issuer != issuer {
		return nil, fmt.Errorf("discover issuer: %w: %q, not %q", errIssuerMismatch, found.Issuer, issuer)
	}
	return found, nil
}

// metadataURLs: RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect
// Discovery §4.1 after it.
func metadataURLs(issuer string) (oauth, openid string, err error) {
	u, err := url.Parse(strings.TrimSuffix(issuer, "/"))
	if err != nil {
		return "", "", fmt.Errorf("parse issuer: %w", err)
	}
	root, path := u.Scheme+"://"+u.Host, u.EscapedPath()
	return root + "/.well-known/oauth-authorization-server" + path,
		root + path + "/.well-known/openid-configuration", nil
}

// errNotMetadata is a 200 that is something else, as a page that answers every path.
var errNotMetadata = errors.New("answer is not metadata")

func fetchMetadata(ctx context.Context, f *fetcher, address string) (*metadata, error) {
	got, err := f.get(ctx, request{url: address, accept: mediaJSON, timeout: f.timeout, limit: maxDocument})
	if err != nil {
		return nil, err
	}
	var m metadata
	if err := json.Unmarshal(got.body, &m); err != nil {
		return nil, fmt.Errorf("parse %s: %w: %w", address, errNotMetadata, err)
	}
	if m.Issuer == "" || m.JWKSURI == "" {
		return nil, fmt.Errorf("parse %s: %w: no issuer or no jwks_uri", address, errNotMetadata)
	}
	return &m, nil
}

func notThere(err error) bool {
	if status, ok := errors.AsType[statusError](err); ok {
		return status >= http.StatusBadRequest && status < http.StatusInternalServerError
	}
	return errors.Is(err, errNotMetadata)
}
