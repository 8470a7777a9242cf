package adminapi

import (
	"encoding/json"
	"errors"
	"testing"
)

// What the strict reader takes, the ordinary one understands in the same way: nothing is
// smuggled past the first to be found by the second.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"client_name":"x"}`, `{"client_name":"x","client_name":"y"}`, `{"Client_name":"x"}`, `{"jwks":{"keys":[{"a":1e400}]}}`,
		`{"scope":"a b","require_pkce":false,"access_token_lifetime":-0}`, `[[[[`, `{"a":{"b":[null]}}`, "\xff", `{"client_name":"\ud800"}`,
		`{"access_token_lifetime":1e2}`, ` {"contacts":["a"]} `, `"x"`, `nul`, ``, `{"token_exchange":[{"from":"a","to":"b","scopes":"c"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var in newClientInput
		err := decode(text, &in)
		var refused *refusal
		switch {
		case err == nil && !json.Valid(text):
			t.Errorf("took %q, which is not JSON", text)
		case err != nil && !errors.As(err, &refused):
			t.Errorf("%q: %v is no refusal", text, err)
		case err != nil && refused.status != 400:
			t.Errorf("%q: status %d", text, refused.status)
		}
		if err != nil {
			return
		}
		written, err := json.Marshal(in)
		if err != nil {
			t.Fatalf("%q cannot be written again: %v", text, err)
		}
		var again newClientInput
		if err := json.Unmarshal(written, &again); err != nil {
			t.Errorf("%q became %q: %v", text, written, err)
		}
	})
}
