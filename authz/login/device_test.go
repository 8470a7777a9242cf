package login_test

import (
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestKnowsDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.DeviceToken("usr_alice")
	part := strings.Split(token.Reveal(), ".")
	for _, c := range []struct {
		name, userID string
		token        authz.Secret
		want         bool
	}{
		{"hers", "usr_alice", token, true},
		{"of another person", "usr_bob", token, false},
		{"with another name", "usr_bob", authz.Secret("usr_bob." + part[1] + "." + part[2]), false},
		{"with another id", "usr_alice", authz.Secret(part[0] + ".AAAAAAAAAAAAAAAA." + part[2]), false},
		{"without a MAC", "usr_alice", authz.Secret(part[0] + "." + part[1] + "."), false},
		{"cut", "usr_alice", token[:len(token)-1], false},
		{"with more", "usr_alice", token + ".x", false},
		{"nothing", "usr_alice", "", false},
		{"nobody's", "", "..", false},
	} {
		if got := w.KnowsDevice(c.token, c.userID); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
	if w.DeviceToken("usr_alice") == token {
		t.Error("two devices have one token")
	}
}
