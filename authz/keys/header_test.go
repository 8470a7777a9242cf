package keys

import (
	"encoding/json"
	"testing"
)

// FuzzHeader: what the strict reader takes, a lenient one reads the same.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		`{"alg":"ES256","kid":"k","typ":"at+jwt"}`, `{"kid":"k","alg":"ES256"}`, `{"typ":"","alg":"","kid":""}`,
		`{"alg":"a,b","kid":"}"}`, `{"alg":"a","alg":"b","kid":"k"}`, `{}`, `{`, `{"alg":"a"`, `{"alg":"a",}`,
		`{"alg":"a","kid":"k"}}`, ` {"alg":"a","kid":"k"}`, `{"alg":null,"kid":"k"}`, `{"alg":"\\","kid":"k"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, ok := parseHeader(text)
		if !ok {
			return
		}
		var want map[string]string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("parseHeader took %q, which is not JSON: %v", text, err)
		}
		if want["alg"] != string(h.alg) || want["kid"] != string(h.kid) || want["typ"] != string(h.typ) {
			t.Errorf("parseHeader(%q) = %q %q %q, JSON says %v", text, h.alg, h.kid, h.typ, want)
		}
	})
}
