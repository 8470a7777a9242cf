package authz_test

import (
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed string
		known []string
		want  string
	}{
		{"two:raed", []string{"openid", "two:write", "two:read"}, "two:read"},
		{"", []string{"abc", "a"}, "a"},
		{"x", []string{"a", "b"}, "a"},
		{"x", nil, ""},
	} {
		if got := authz.Nearest(c.typed, c.known); got != c.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", c.typed, c.known, got, c.want)
		}
	}
}
