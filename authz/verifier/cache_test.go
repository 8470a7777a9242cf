package verifier

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

func TestCacheIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	var c cache
	id := func(n uint64) [sha256.Size]byte { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, n)) }
	for n := range uint64(10 * cacheSize) {
		c.add(id(n), &accepted{})
		if c.get(id(0)) == nil {
			t.Fatalf("a token in use was forgotten after %d others", n)
		}
		if held := len(c.young) + len(c.old); held > cacheSize {
			t.Fatalf("%d tokens held after %d", held, n)
		}
	}
	if c.get(id(1)) != nil {
		t.Error("a token that was not used was kept")
	}
}
