package revocation

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// A million live grants of which a tenth was revoked must fit into 150 KB on the wire.
func TestAFullListFitsOnTheWire(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, tenths := range []int{0, 1} {
		revoked := make([]int64, tenths*authz.StatusListSize/10)
		for i := range revoked {
			revoked[i] = random.Int64N(authz.StatusListSize)
		}
		lst, _, err := encode(pack(0, revoked))
		if err != nil {
			t.Fatal(err)
		}
		l := New(Config{Sign: func(_, _ string, claims []byte) (string, error) {
			return string(make([]byte, b64len(len(claims))+200)), nil // header and signature
		}})
		token, err := l.sign(0, lst, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d revoked of %d: %d bytes", len(revoked), authz.StatusListSize, len(token))
		if len(token) > 150_000 {
			t.Errorf("a list with %d set bits takes %d bytes", len(revoked), len(token))
		}
	}
}

func b64len(n int) int { return (n*4 + 2) / 3 }
