package verifier_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/signet-auth/signet/authz/verifier"
)

func TestResourceMetadata(t *testing.T) {
	t.Parallel()
	const wellKnown = "/.well-known/oauth-protected-resource"
	tests := map[string]struct {
		options []verifier.Option
		path    string
		body    string
	}{
		"nothing configured": {nil, wellKnown,
			`{"resource":"https://orders.example","authorization_servers":["https://signet.example"],"bearer_methods_supported":["header"]}`},
		"all of it": {[]verifier.Option{verifier.WithResourceMetadata(verifier.ResourceMetadata{
			Resource: "https://api.example/orders/v1", AuthorizationServers: []string{"https://a.example"},
			ScopesSupported: []string{"orders:read"}, ResourceName: "Orders", ResourceDocumentation: "https://docs.example",
			ResourcePolicyURI: "https://policy.example", ResourceTOSURI: "https://tos.example",
		})}, wellKnown + "/orders/v1",
			`{"resource":"https://api.example/orders/v1","authorization_servers":["https://a.example"],"scopes_supported":["orders:read"],` +
				`"bearer_methods_supported":["header"],"resource_name":"Orders","resource_documentation":"https://docs.example",` +
				`"resource_policy_uri":"https://policy.example","resource_tos_uri":"https://tos.example"}`},
		"a slash at the end of the host": {[]verifier.Option{verifier.WithResourceMetadata(verifier.ResourceMetadata{
			Resource: "https://api.example/"})}, wellKnown,
			`{"resource":"https://api.example/","authorization_servers":["https://signet.example"],"bearer_methods_supported":["header"]}`},
		"on this machine": {[]verifier.Option{verifier.WithResourceMetadata(verifier.ResourceMetadata{
			Resource: "http://127.0.0.1:8082/orders"})}, wellKnown + "/orders",
			`{"resource":"http://127.0.0.1:8082/orders","authorization_servers":["https://signet.example"],"bearer_methods_supported":["header"]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newSignet(newES256("k")).start(t, test.options...)
			path, _ := v.ResourceMetadata()
			equal(t, "path", path, test.path)
			mux := http.NewServeMux()
			mux.Handle(v.ResourceMetadata())
			w := serve(mux, http.MethodGet, test.path)
			equal(t, "status", w.Code, 200)
			equal(t, "type", w.Header().Get("Content-Type"), "application/json")
			equal(t, "body", w.Body.String(), test.body)
			equal(t, "CORS", w.Header().Get("Access-Control-Allow-Origin"), "*")
			equal(t, "OPTIONS", serve(mux, http.MethodOptions, test.path).Code, 204)
			equal(t, "POST", serve(mux, http.MethodPost, test.path).Code, 405)
		})
	}
}

func serve(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}
