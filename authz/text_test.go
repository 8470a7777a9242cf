package authz_test

import (
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestEither(t *testing.T) {
	t.Parallel()
	for want, words := range map[string][]string{
		"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"},
	} {
		if got := authz.Either(words); got != want {
			t.Errorf("Either(%q) = %q, want %q", words, got, want)
		}
	}
}
