package verifier

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

const resourceWellKnown = "/.well-known/oauth-protected-resource"

// ResourceMetadata is how an API describes itself to clients that know nothing but its URL
// (RFC 9728 §2). What is empty is left out.
type ResourceMetadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers,omitempty"`
	ScopesSupported        []string `json:"scopes_supported,omitempty"`
	BearerMethodsSupported []string `json:"bearer_methods_supported,omitempty"`
	ResourceName           string   `json:"resource_name,omitempty"`
	ResourceDocumentation  string   `json:"resource_documentation,omitempty"`
	ResourcePolicyURI      string   `json:"resource_policy_uri,omitempty"`
	ResourceTOSURI         string   `json:"resource_tos_uri,omitempty"`
}

// resource is the description as it is served, and where.
type resource struct {
	path     string // of the description on this host
	location string // its URL, for challenges; empty when none was configured
	document []byte
}

func newResource(c *config) (resource, error) {
	r := resource{path: resourceWellKnown}
	m := ResourceMetadata{}
	if c.resource != nil {
		m = *c.resource
	}
	if m.Resource == "" {
		m.Resource = c.audience
	}
	if len(m.AuthorizationServers) == 0 {
		m.AuthorizationServers = []string{c.issuer}
	}
	if m.BearerMethodsSupported == nil {
		m.BearerMethodsSupported = []string{"header"}
	}
	if c.resource != nil {
		if err := r.locate(m.Resource, c.allowHTTP); err != nil {
			return resource{}, fmt.Errorf("resource: %w", err)
		}
	}
	var err error
	if r.document, err = json.Marshal(m); err != nil {
		return resource{}, fmt.Errorf("encode resource metadata: %w", err)
	}
	return r, nil
}

// locate puts the description where RFC 9728 §3.1 says: the well-known part goes between the
// host and the path of the identifier.
func (r *resource) locate(identifier string, allowHTTP bool) error {
	f := fetcher{allowHTTP: allowHTTP}
	if err := f.checkURL(identifier); err != nil {
		return err
	}
	u, err := url.Parse(identifier)
	if err != nil {
		return fmt.Errorf("parse URL: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return fmt.Errorf("%q has a query", identifier)
	}
	if path := u.EscapedPath(); path != "/" {
		r.path += path
	}
	r.location = u.Scheme + "://" + u.Host + r.path
	return nil
}

// ResourceMetadata gives the path and the handler of the API's description (RFC 9728 §3), ready
// for a mux:
//
//	mux.Handle(v.ResourceMetadata())
//
// It needs no token, and any web page may read it.
func (v *Verifier) ResourceMetadata() (path string, handler http.Handler) {
	return v.resource.path, http.HandlerFunc(v.resource.serve)
}

func (r *resource) serve(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		h.Set("Content-Type", mediaJSON)
		h.Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(r.document)
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET")
		h.Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}
