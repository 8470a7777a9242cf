package keys_test

import (
	"testing"

	"github.com/signet-auth/signet/authz/keys"
)

var claims = []byte(`{"iss":"https://id.example.com","sub":"usr_5gk2m7xq4t6zv3nh","aud":["https://api.example.com"],` +
	`"client_id":"cli_web","scope":"openid profile email","iat":1767225600,"exp":1767229200,"jti":"g7w4.1"}`)

func BenchmarkSign(b *testing.B) {
	ring := openRing(b, newStore(b), func(c *keys.Config) { c.Algorithms = everyAlgorithm })
	for _, alg := range everyAlgorithm {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ring.Sign(alg, "at+jwt", claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	ring := openRing(b, newStore(b), func(c *keys.Config) { c.Algorithms = everyAlgorithm })
	for _, alg := range everyAlgorithm {
		token := sign(b, ring, alg)
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ring.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
