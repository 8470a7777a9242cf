package demo

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/signet-auth/signet/authz/verifier"
)

// Orders is the microservice. What it knows of Signet is the issuer's address: it fetches
// the public keys and verifies each token on its own.
type Orders struct {
	verifier *verifier.Verifier
	mux      *http.ServeMux
}

// NewOrders makes the service with the identifier audience, whose tokens come from issuer.
func NewOrders(ctx context.Context, issuer, audience string) (*Orders, error) {
	v, err := verifier.New(ctx, issuer, audience)
	if err != nil {
		return nil, err
	}
	o := &Orders{verifier: v, mux: http.NewServeMux()}
	o.mux.Handle("GET /orders", v.RequireScope("orders:read")(http.HandlerFunc(o.list)))
	return o, nil
}

// Close stops following the issuer's status lists.
func (o *Orders) Close() { o.verifier.Close() }

func (o *Orders) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.mux.ServeHTTP(w, r) }

// order is one thing that somebody ordered.
type order struct {
	Item string `json:"item"`
	When string `json:"when"`
}

func (o *Orders) list(w http.ResponseWriter, r *http.Request) {
	token, ok := verifier.FromContext(r.Context())
	if !ok {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"subject": token.Subject, "asked_by": token.ClientID,
		"orders": []order{{"A garden umbrella", "yesterday"}, {"Two hundred croquet hoops", "last week"}},
	})
}
