package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

// A service with one route that needs a scope.
func Example() {
	signet := startSignet() // stands for https://signet.example
	defer signet.Close()

	v, err := verifier.New(context.Background(), signet.URL, "https://orders.example")
	if err != nil {
		panic(err)
	}
	defer v.Close()

	listOrders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := verifier.FromContext(r.Context())
		fmt.Fprintf(w, "orders of %s", token.Subject)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders", v.RequireScope("orders:read")(listOrders))

	for _, scope := range []string{"orders:read", "orders:write", ""} {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		if scope != "" {
			r.Header.Set("Authorization", "Bearer "+signet.token("alice", map[string]any{"scope": scope}))
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
		fmt.Println(w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 200 orders of alice
	//
	// 403 {"error":"insufficient_scope","error_description":"the access token lacks a scope"}
	//
	// Bearer error="insufficient_scope", error_description="the access token lacks a scope", scope="orders:read"
	// 401 {"error_description":"an access token is required"}
	//
	// Bearer
}

// What is no HTTP handler verifies by itself, and decides by the error.
func ExampleVerifier_Verify() {
	signet := startSignet()
	defer signet.Close()
	ctx := context.Background()
	v, err := verifier.New(ctx, signet.URL, "https://orders.example")
	if err != nil {
		panic(err)
	}
	defer v.Close()

	for _, raw := range []string{
		signet.token("alice", nil),
		signet.token("alice", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"sgp_not_a_jwt",
	} {
		token, err := v.Verify(ctx, raw)
		switch {
		case errors.Is(err, verifier.ErrUnavailable):
			fmt.Println("try again later")
		case errors.Is(err, verifier.ErrExpired):
			fmt.Println("get a new token")
		case err != nil:
			fmt.Println("refused")
		default:
			fmt.Println(token.Subject, "by", token.ClientID, token.HasScope("orders:read"))
		}
	}
	// Output:
	// alice by shop true
	// get a new token
	// refused
}

// A service need not wait for Signet: it is ready as soon as there are keys.
func ExampleVerifier_Ready() {
	signet := startSignet()
	signet.Close() // not there yet

	v, err := verifier.New(context.Background(), signet.URL, "https://orders.example",
		verifier.WithLogger(quiet))
	fmt.Println("New:", err)
	defer v.Close()

	ready := func(w http.ResponseWriter, r *http.Request) {
		if err := v.Ready(r.Context()); err != nil {
			http.Error(w, "no keys yet", http.StatusServiceUnavailable)
		}
	}
	w := httptest.NewRecorder()
	ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	fmt.Println("GET /readyz:", w.Code)
	// Output:
	// New: <nil>
	// GET /readyz: 503
}

// An API that describes itself: a client that knows only its URL finds Signet by it.
func ExampleVerifier_ResourceMetadata() {
	signet := startSignet()
	defer signet.Close()
	v, err := verifier.New(context.Background(), signet.URL, "https://orders.example/v1",
		verifier.WithResourceMetadata(verifier.ResourceMetadata{
			AuthorizationServers: []string{"https://signet.example"},
			ScopesSupported:      []string{"orders:read", "orders:write"},
			ResourceName:         "Orders",
		}))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	mux := http.NewServeMux()
	mux.Handle(v.ResourceMetadata())
	mux.Handle("/v1/", v.Middleware(http.NotFoundHandler()))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/orders", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/v1", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401 Bearer resource_metadata="https://orders.example/.well-known/oauth-protected-resource/v1"
	// 200 {"resource":"https://orders.example/v1","authorization_servers":["https://signet.example"],"scopes_supported":["orders:read","orders:write"],"bearer_methods_supported":["header"],"resource_name":"Orders"}
}

// Claims beyond the common ones, and who acts for the subject.
func ExampleToken_Claim() {
	signet := startSignet()
	defer signet.Close()
	ctx := context.Background()
	v, err := verifier.New(ctx, signet.URL, "https://orders.example")
	if err != nil {
		panic(err)
	}
	defer v.Close()

	token, err := v.Verify(ctx, signet.token("alice", map[string]any{
		"tenant": "acme", "act": map[string]any{"sub": "billing"},
	}))
	if err != nil {
		panic(err)
	}
	var tenant string
	if err := token.Claim("tenant", &tenant); err != nil {
		panic(err)
	}
	fmt.Println(token.Subject, "of", tenant, "through", token.Actor.Subject)
	fmt.Println(errors.Is(token.Claim("plan", new(string)), verifier.ErrNoClaim))
	// Output:
	// alice of acme through billing
	// true
}

// exampleSignet is as much of Signet as the examples need.
type exampleSignet struct {
	*httptest.Server
	key *signingKey
}

func startSignet() *exampleSignet {
	s := &exampleSignet{key: newES256("k")}
	keys := newSignet(s.key)
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", keys.jwks)
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, s.URL, s.URL+"/jwks")
	})
	s.Server = httptest.NewServer(mux)
	return s
}

// token makes an access token for the subject; claims go over the usual ones.
func (s *exampleSignet) token(subject string, claims map[string]any) string {
	all := with(map[string]any{"iss": s.URL, "sub": subject})
	all["aud"] = []string{"https://orders.example", "https://orders.example/v1"}
	maps.Copy(all, claims)
	return s.key.token(all)
}
