package authz_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestASecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "in", struct{ S authz.Secret }{secret})
	asJSON, err := json.Marshal(map[string]any{"secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", secret), "%s": fmt.Sprintf("%s", secret), "%#v": fmt.Sprintf("%#v", secret),
		"%q": fmt.Sprintf("%q", secret), "%+v": fmt.Sprintf("%+v", struct{ S authz.Secret }{secret}),
		"json": string(asJSON), "slog": log.String(),
	} {
		if strings.Contains(text, secret.Reveal()) || !strings.Contains(text, "redacted") {
			t.Errorf("%s prints %s", name, text)
		}
	}
}

func TestSecretsAreToldFromNoiseOffline(t *testing.T) {
	t.Parallel()
	made, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := made.Reveal()
	for text, good := range map[string]bool{
		s: true, s[:len(s)-1]: false, s + "0": false, strings.ToLower(s): false, "": false,
		"sgs_" + s[4:]: false, s[:20] + flip(s[20]) + s[21:]: false, s[:20] + "-" + s[21:]: false,
	} {
		if authz.WellFormed(authz.PrefixAPIToken, text) != good {
			t.Errorf("%q: well-formed is not %t", text, good)
		}
	}
	if !made.Matches(made.Hash()) || made.Matches(nil) || made.Matches([]byte{}) || authz.Secret("").Matches(nil) {
		t.Error("a secret matches its own hash only, and an empty hash nothing")
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func FuzzWellFormed(f *testing.F) {
	f.Add("sgp_")
	f.Add("sgp_" + strings.Repeat("0", 49))
	f.Fuzz(func(t *testing.T, s string) {
		if authz.WellFormed(authz.PrefixAPIToken, s) && len(s) != 53 {
			t.Errorf("%q is well-formed", s)
		}
	})
}
