package verifier_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

func TestNewRefusesWrongArguments(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		issuer, audience string
		options          []verifier.Option
	}{
		"no issuer":               {issuer: "", audience: audience},
		"issuer without host":     {issuer: "https:///path", audience: audience},
		"issuer without scheme":   {issuer: "signet.example", audience: audience},
		"issuer without TLS":      {issuer: "http://signet.example", audience: audience},
		"issuer with a query":     {issuer: issuer + "?a=b", audience: audience},
		"issuer with a fragment":  {issuer: issuer + "#a", audience: audience},
		"issuer with a password":  {issuer: "https://user:secret@signet.example", audience: audience},
		"issuer like a loopback":  {issuer: "http://localhost.example", audience: audience},
		"no audience":             {issuer: issuer, audience: ""},
		"leeway below zero":       {issuer, audience, []verifier.Option{verifier.WithLeeway(-1)}},
		"leeway of an hour":       {issuer, audience, []verifier.Option{verifier.WithLeeway(time.Hour)}},
		"max stale of nothing":    {issuer, audience, []verifier.Option{verifier.WithMaxStale(0)}},
		"no client":               {issuer, audience, []verifier.Option{verifier.WithHTTPClient(nil)}},
		"no clock":                {issuer, audience, []verifier.Option{verifier.WithClock(nil)}},
		"no logger":               {issuer, audience, []verifier.Option{verifier.WithLogger(nil)}},
		"resource that is no URL": {issuer, "orders", []verifier.Option{verifier.WithResourceMetadata(verifier.ResourceMetadata{})}},
		"resource with a query": {issuer, audience, []verifier.Option{
			verifier.WithResourceMetadata(verifier.ResourceMetadata{Resource: audience + "?a=b"})}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSignet(newES256("k"))
			options := append([]verifier.Option{verifier.WithHTTPClient(&http.Client{Transport: s})}, test.options...)
			v, err := verifier.New(context.Background(), test.issuer, test.audience, options...)
			if err == nil || v != nil {
				t.Fatalf("gave %v, %v", v, err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("prints the password: %v", err)
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	const oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	page := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	s := newSignet()
	tests := map[string]struct {
		issuer  string
		answers map[string]http.HandlerFunc
		works   bool
	}{
		"as RFC 8414 says":                    {issuer, map[string]http.HandlerFunc{oauth: s.metadata(issuer)}, true},
		"as OpenID Connect says":              {issuer, map[string]http.HandlerFunc{openid: s.metadata(issuer)}, true},
		"OpenID Connect behind a page":        {issuer, map[string]http.HandlerFunc{oauth: page("<html>"), openid: s.metadata(issuer)}, true},
		"issuer with a path, RFC 8414":        {issuer + "/a/b", map[string]http.HandlerFunc{oauth + "/a/b": s.metadata(issuer + "/a/b")}, true},
		"issuer with a path, OpenID Connect":  {issuer + "/a/b", map[string]http.HandlerFunc{"/a/b" + openid: s.metadata(issuer + "/a/b")}, true},
		"issuer that ends in a slash":         {issuer + "/", map[string]http.HandlerFunc{oauth: s.metadata(issuer + "/")}, true},
		"redirect on the same host":           {issuer, map[string]http.HandlerFunc{oauth: redirect("/moved"), "/moved": s.metadata(issuer)}, true},
		"redirect to another host":            {issuer, map[string]http.HandlerFunc{oauth: redirect("https://evil.example/moved"), "/moved": s.metadata(issuer)}, false},
		"redirect to another port":            {issuer, map[string]http.HandlerFunc{oauth: redirect("https://signet.example:8443/moved"), "/moved": s.metadata(issuer)}, false},
		"redirect away from TLS":              {issuer, map[string]http.HandlerFunc{oauth: redirect("http://signet.example/moved"), "/moved": s.metadata(issuer)}, false},
		"redirect to itself":                  {issuer, map[string]http.HandlerFunc{oauth: redirect(oauth)}, false},
		"an outage is not asked around":       {issuer, map[string]http.HandlerFunc{oauth: status(502), openid: s.metadata(issuer)}, false},
		"nothing there":                       {issuer, nil, false},
		"no jwks_uri":                         {issuer, map[string]http.HandlerFunc{oauth: page(`{"issuer":"` + issuer + `"}`)}, false},
		"jwks_uri without TLS":                {issuer, map[string]http.HandlerFunc{oauth: page(`{"issuer":"` + issuer + `","jwks_uri":"http://signet.example/jwks"}`)}, false},
		"metadata of more than 1 MiB":         {issuer, map[string]http.HandlerFunc{oauth: page(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)}, false},
		"keys that are a page":                {issuer, map[string]http.HandlerFunc{oauth: s.metadata(issuer), "/jwks": page("<html>")}, false},
		"keys that are another JSON document": {issuer, map[string]http.HandlerFunc{oauth: s.metadata(issuer), "/jwks": page("{}")}, false},
		"keys of more than 1 MiB":             {issuer, map[string]http.HandlerFunc{oauth: s.metadata(issuer), "/jwks": page(strings.Repeat(" ", 1<<20) + `{"keys":[]}`)}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSignet(newES256("k"))
			delete(s.answers, oauth)
			maps.Copy(s.answers, test.answers)
			v, err := verifier.New(context.Background(), test.issuer, audience,
				verifier.WithHTTPClient(&http.Client{Transport: s}), verifier.WithLogger(quiet))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(v.Close)
			err = v.Ready(context.Background())
			if test.works != (err == nil) {
				t.Errorf("Ready gave %v", err)
			}
			if n := s.count(oauth); n > 6 {
				t.Errorf("%d requests for one document", n)
			}
			if err != nil && !errors.Is(err, verifier.ErrUnavailable) {
				t.Errorf("%v is not ErrUnavailable", err)
			}
		})
	}
}

func TestNewRefusesAnIssuerThatCallsItselfOtherwise(t *testing.T) {
	t.Parallel()
	s := newSignet(newES256("k"))
	s.answers["/.well-known/oauth-authorization-server"] = s.metadata(issuer + "/")
	_, err := verifier.New(context.Background(), issuer, audience,
		verifier.WithHTTPClient(&http.Client{Transport: s}), verifier.WithLogger(quiet))
	if err == nil || !strings.Contains(err.Error(), issuer+"/") {
		t.Errorf("New gave %v", err)
	}
}

func TestHTTPIsForLoopbackUnlessAllowed(t *testing.T) {
	t.Parallel()
	s := newSignet(newES256("k"))
	s.answers["/.well-known/oauth-authorization-server"] = s.metadata("http://signet:8080")
	client := verifier.WithHTTPClient(&http.Client{Transport: s})
	if _, err := verifier.New(context.Background(), "http://signet:8080", audience, client); err == nil {
		t.Error("New took an issuer without TLS")
	}
	v, err := verifier.New(context.Background(), "http://signet:8080", audience, client, verifier.InsecureAllowHTTP())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.Ready(context.Background()); err != nil {
		t.Error(err)
	}
}
