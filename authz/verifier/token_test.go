package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

func TestTokenExposesClaims(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	now := time.Now().Truncate(time.Second)
	raw := key.token(with(map[string]any{
		"aud": []string{audience, issuer}, "auth_time": now.Unix() - 5, "acr": "phr",
		"amr": []string{"pwd", "otp"}, "roles": []string{"buyer"},
		"act":    map[string]any{"sub": "gateway", "client_id": "gw", "act": map[string]any{"sub": "app"}},
		"cnf":    map[string]any{"jkt": "thumb"},
		"tenant": map[string]any{"id": 7},
	}))
	token, err := newSignet(key).start(t).Verify(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Issuer", token.Issuer, issuer)
	equal(t, "Subject", token.Subject, "alice")
	equal(t, "Audience", token.Audience, []string{audience, issuer})
	equal(t, "ClientID", token.ClientID, "shop")
	equal(t, "Scopes", token.Scopes, []string{"orders:read", "orders:write"})
	equal(t, "ID", token.ID, "grant1-1")
	equal(t, "IssuedAt", token.IssuedAt.Sub(now).Abs() <= time.Second, true)
	equal(t, "ExpiresAt", token.ExpiresAt.Sub(token.IssuedAt), 10*time.Minute)
	equal(t, "AuthTime", token.AuthTime.Equal(now.Add(-5*time.Second)), true)
	equal(t, "ACR", token.ACR, "phr")
	equal(t, "AMR", token.AMR, []string{"pwd", "otp"})
	equal(t, "Roles", token.Roles, []string{"buyer"})
	equal(t, "Actor", token.Actor, &verifier.Actor{Subject: "gateway", ClientID: "gw", Actor: &verifier.Actor{Subject: "app"}})
	equal(t, "Confirmation", string(token.Confirmation), `{"jkt":"thumb"}`)
	equal(t, "HasScope of one it has", token.HasScope("orders:read"), true)
	equal(t, "HasScope of a beginning", token.HasScope("orders"), false)

	var tenant struct{ ID int }
	if err := token.Claim("tenant", &tenant); err != nil || tenant.ID != 7 {
		t.Errorf("Claim tenant gave %v, %v", tenant, err)
	}
	if err := token.Claim("Tenant", &tenant); !errors.Is(err, verifier.ErrNoClaim) {
		t.Errorf("Claim Tenant gave %v", err)
	}
	if err := token.Claim("acr", new(int)); err == nil || errors.Is(err, verifier.ErrNoClaim) {
		t.Errorf("Claim of another type gave %v", err)
	}
}

func TestTokenWithoutOptionalClaims(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	raw := key.token(with(map[string]any{"scope": nil, "cnf": nil}))
	token, err := newSignet(key).start(t).Verify(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Scopes", len(token.Scopes), 0)
	equal(t, "AuthTime", token.AuthTime.IsZero(), true)
	equal(t, "Actor", token.Actor, (*verifier.Actor)(nil))
	equal(t, "Confirmation", token.Confirmation, json.RawMessage(nil))
	if err := new(verifier.Token).Claim("sub", new(string)); !errors.Is(err, verifier.ErrNoClaim) {
		t.Errorf("Claim of the zero Token gave %v", err)
	}
}

func TestTokenNeverPrintsItself(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	raw := key.token(goodClaims())
	token, err := newSignet(key).start(t).Verify(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%s", "%v", "%+v", "%#v", "%q"} {
		for _, printed := range []string{fmt.Sprintf(format, token), fmt.Sprintf(format, *token)} {
			for _, part := range append(strings.Split(raw, "."), "payload", "[]byte") {
				if strings.Contains(printed, part) {
					t.Errorf("%s prints %s", format, printed)
				}
			}
			if !strings.Contains(printed, "alice") {
				t.Errorf("%s prints %s, without the subject", format, printed)
			}
		}
	}
}

func TestTokenBelongsToTheCaller(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	v := newSignet(key).start(t)
	raw := key.token(with(map[string]any{"roles": []string{"buyer"}, "act": map[string]any{"sub": "gateway"}}))
	for range 2 {
		token, err := v.Verify(context.Background(), raw)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "Roles", token.Roles, []string{"buyer"})
		equal(t, "Actor", token.Actor.Subject, "gateway")
		equal(t, "HasScope admin", token.HasScope("admin"), false)
		token.Roles[0], token.Scopes[0], token.Actor.Subject = "admin", "admin", "admin"
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, want %#v", what, got, want)
	}
}
