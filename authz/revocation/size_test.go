package revocation

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// places is a store of a million places, and what was revoked of them.
type places struct {
	Store
	taken   map[int64][]bool // by list
	revoked map[int64][]int64
}

func (p *places) ClaimStatusIndex(_ context.Context, index int64, _ time.Time) (bool, error) {
	list := index / authz.StatusListSize
	if p.taken[list] == nil {
		p.taken[list] = make([]bool, authz.StatusListSize)
	}
	free := !p.taken[list][index%authz.StatusListSize]
	p.taken[list][index%authz.StatusListSize] = true
	return free, nil
}

func (p *places) RevokedStatusIndexes(_ context.Context, from, _ int64, _ time.Time) ([]int64, error) {
	return p.revoked[from/authz.StatusListSize], nil
}

func (p *places) StatusLists(context.Context) (int64, error) { return int64(len(p.taken)), nil }

// revoke revokes some of a hundred of the places that are taken.
func (p *places) revoke(percent int) {
	random := rand.New(rand.NewPCG(1, 2))
	p.revoked = map[int64][]int64{}
	for list, taken := range p.taken {
		for at, yes := range taken {
			if yes && random.IntN(100) < percent {
				p.revoked[list] = append(p.revoked[list], list*authz.StatusListSize+int64(at))
			}
		}
	}
}

// million has given out a million places, as it gives out all, and has tokens as long as
// those with a signature of ES256.
func million(t testing.TB) (*Lists, *places) {
	t.Helper()
	p := &places{taken: map[int64][]bool{}}
	b64 := base64.RawURLEncoding
	l := New(Config{
		Store: p, Issuer: "https://login.example.com", Now: time.Now, Random: rand.NewChaCha8([32]byte{1}),
		Sign: func(_, typ string, claims []byte) (string, error) {
			header := fmt.Sprintf(`{"alg":"ES256","kid":"4f1vKqkzJx0Z3xQpYw7a2Q","typ":%q}`, typ)
			return b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(claims) + "." + b64.EncodeToString(make([]byte, 64)), nil
		},
	})
	for range 1_000_000 {
		if _, err := l.Allocate(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	return l, p
}

// A million live grants cost at most 150 KB on the wire for who fetches every list that they
// are in, with up to a tenth of them revoked. What counts is what was revoked within a day,
// since bits are cleared after that.
func TestAMillionGrantsFitOnTheWire(t *testing.T) {
	t.Parallel()
	const limit = 150_000
	l, p := million(t)
	if len(p.taken) > 2 {
		t.Errorf("a million places take %d lists", len(p.taken))
	}
	for _, percent := range []int{0, 1, 5, 10} {
		p.revoke(percent)
		l.Changed()
		plain, zipped := 0, 0
		for list := range p.taken {
			a, err := l.Serve(t.Context(), list, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			plain, zipped = plain+len(a.Body), zipped+len(a.Gzip)
		}
		t.Logf("%2d %% revoked: %d lists, %6d bytes, %6d compressed", percent, len(p.taken), plain, zipped)
		if plain > limit || zipped >= plain {
			t.Errorf("%d %% revoked: %d bytes, %d compressed", percent, plain, zipped)
		}
	}
}

// What a list costs that has changed, of half a million grants of which a tenth was revoked.
func BenchmarkPublish(b *testing.B) {
	l, p := million(b)
	p.revoke(10)
	read := func() {
		l.Changed()
		if _, err := l.Serve(b.Context(), 0, "", 0); err != nil {
			b.Fatal(err)
		}
	}
	read()
	set := p.revoked[0]
	for n := 0; b.Loop(); n++ {
		p.revoked[0] = set[n%2:] // another list each time
		read()
	}
}
