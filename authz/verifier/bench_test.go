package verifier_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/signet-auth/signet/authz/verifier"
)

// What a token costs that was not seen before, beside what its signature alone costs
// (BenchmarkSignature).
func BenchmarkVerify(b *testing.B) {
	for _, key := range []*signingKey{newES256("k"), newEdDSA("k"), newRSA("k", "RS256"), newRSA("k", "PS256")} {
		b.Run(key.alg, func(b *testing.B) {
			v := newSignet(key).start(b)
			token := key.token(fullClaims())
			b.ReportAllocs()
			for b.Loop() {
				verifier.Forget(v)
				if _, err := v.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSignature(b *testing.B) {
	for _, key := range []*signingKey{newES256("k"), newEdDSA("k"), newRSA("k", "RS256"), newRSA("k", "PS256")} {
		b.Run(key.alg, func(b *testing.B) {
			right, err := verifier.SignatureCheck(key.jwk(), key.token(fullClaims()))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if !right() {
					b.Fatal("wrong signature")
				}
			}
		})
	}
}

// What a token costs that was seen before.
func BenchmarkVerifyAgain(b *testing.B) {
	key := newES256("k")
	for name, claims := range map[string]map[string]any{"plain": goodClaims(), "all claims, with a status": fullClaims()} {
		b.Run(name, func(b *testing.B) {
			v := newSignet(key).start(b)
			token := key.token(claims)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyAgainParallel(b *testing.B) {
	key := newES256("k")
	v := newSignet(key).start(b)
	tokens := make([]string, 500)
	for i := range tokens {
		tokens[i] = key.token(with(map[string]any{"jti": fmt.Sprint(i)}))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := v.Verify(context.Background(), tokens[i%len(tokens)]); err != nil {
				b.Error(err)
			}
		}
	})
}

// A whole request behind RequireScope.
func BenchmarkMiddleware(b *testing.B) {
	key := newES256("k")
	v := newSignet(key).start(b)
	h := v.RequireScope("orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r.Header.Set("Authorization", "Bearer "+key.token(fullClaims()))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if w.Code != http.StatusOK {
		b.Fatal(w.Code)
	}
}

func fullClaims() map[string]any {
	claims := with(status(7, listURI))
	claims["auth_time"], claims["acr"], claims["amr"] = claims["iat"], "urn:signet:acr:2", []string{"pwd", "otp"}
	claims["roles"] = []string{"buyer", "auditor"}
	return claims
}
