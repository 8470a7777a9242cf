package keys_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/keys"
)

// published reads the key set with another implementation than ours.
func published(t testing.TB, ring *keys.Ring) jose.JSONWebKeySet {
	t.Helper()
	body, _, _ := ring.JWKS()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestOthersVerifyWhatIsSigned(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), func(c *keys.Config) { c.Algorithms = everyAlgorithm })
	set := published(t, ring)
	for _, alg := range everyAlgorithm {
		for _, typ := range []string{"", "JWT", "at+jwt", "something-else+jwt"} {
			t.Run(alg+" "+typ, func(t *testing.T) {
				t.Parallel()
				token, err := ring.Sign(alg, typ, claims)
				if err != nil {
					t.Fatal(err)
				}
				parsed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
				if err != nil {
					t.Fatal(err)
				}
				head := parsed.Signatures[0].Header
				if got, _ := head.ExtraHeaders["typ"].(string); got != typ {
					t.Errorf("typ %q, want %q", got, typ)
				}
				public := set.Key(head.KeyID)
				if len(public) != 1 || public[0].Algorithm != alg {
					t.Fatalf("kid %q names %v, want one key for %s", head.KeyID, public, alg)
				}
				if got, err := parsed.Verify(public[0]); err != nil || string(got) != string(claims) {
					t.Errorf("verified by another implementation: %q, %v", got, err)
				}
				gotTyp, got, err := ring.Verify(token)
				if err != nil || gotTyp != typ || string(got) != string(claims) {
					t.Errorf("Verify = %q, %q, %v", gotTyp, got, err)
				}
			})
		}
	}
}

func TestSignaturesAreRightManyTimes(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), nil)
	// Every 256th number of an ECDSA signature is short and must be padded.
	for i := range 1500 {
		token, err := ring.Sign(authz.AlgES256, "at+jwt", []byte(strings.Repeat(" ", i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ring.Verify(token); err != nil {
			t.Fatalf("token %d: %v", i, err)
		}
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), nil)
	header := func(token string) string {
		raw, _ := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
		return string(raw)
	}
	tests := []struct {
		name, alg, typ string
		claims         string
		want           string // in the header; empty: an error
	}{
		{"the default is the first algorithm", "", "at+jwt", "{}", `"alg":"ES256"`},
		{"a type", authz.AlgEdDSA, "logout+jwt", "{}", `"typ":"logout+jwt"`},
		{"large claims", "", "JWT", strings.Repeat("x", 5000), `"alg":"ES256"`},
		{"an algorithm without keys", authz.AlgRS256, "at+jwt", "{}", ""},
		{"none", "none", "at+jwt", "{}", ""},
		{"a type that would end the header", "", `a","alg":"none`, "{}", ""},
		{"a type with an escape", "", `a\u0022`, "{}", ""},
		{"a type that is not ASCII", "", "at\u00adjwt", "{}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			token, err := ring.Sign(tt.alg, tt.typ, []byte(tt.claims))
			if tt.want == "" {
				if err == nil {
					t.Errorf("Sign = %s, want an error", token)
				}
				return
			}
			if err != nil || !strings.Contains(header(token), tt.want) {
				t.Fatalf("header %s (%v), want %s in it", header(token), err, tt.want)
			}
			if _, _, err := ring.Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
}

// forge takes a token apart, has it changed and puts it together again.
func forge(token string, change func(header, claims, signature *string)) string {
	part := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(part[0])
	head := string(raw)
	change(&head, &part[1], &part[2])
	return base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + part[1] + "." + part[2]
}

func kid(token string) string {
	var h struct{ Kid string }
	raw, _ := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
	_ = json.Unmarshal(raw, &h)
	return h.Kid
}

// lastBits sets bits of the last digit that stand for no byte.
func lastBits(encoded string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, encoded[len(encoded)-1])
	return encoded[:len(encoded)-1] + digits[last|1:last|1+1]
}

func forgeries(token, alg, otherAlg, otherKID string) map[string]string {
	inHeader := func(old, new string) string {
		return forge(token, func(h, _, _ *string) { *h = strings.Replace(*h, old, new, 1) })
	}
	return map[string]string{
		"empty":                     "",
		"two dots":                  "..",
		"alg none with a signature": inHeader(alg, "none"),
		"alg none without one":      forge(token, func(h, _, s *string) { *h, *s = strings.Replace(*h, alg, "none", 1), "" }),
		"another key's alg":         inHeader(alg, otherAlg),
		"an alg without keys":       inHeader(alg, "HS256"),
		"no alg":                    inHeader(`"alg":"`+alg+`",`, ""),
		"another key's kid":         forge(token, func(h, _, _ *string) { *h = strings.Replace(*h, kid(token), otherKID, 1) }),
		"unknown kid":               inHeader(`"kid":"`, `"kid":"x`),
		"no kid":                    inHeader(`"kid"`, `"kit"`),
		"no kid at all":             forge(token, func(h, _, _ *string) { *h = `{"alg":"` + alg + `","typ":"at+jwt"}` }),
		"crit":                      inHeader("}", `,"crit":["exp"]}`),
		"b64":                       inHeader("}", `,"b64":"false"}`),
		"jku":                       inHeader("}", `,"jku":"https://evil.example/jwks"}`),
		"jwk":                       inHeader("}", `,"jwk":{}}`),
		"x5u":                       inHeader("}", `,"x5u":"https://evil.example/crt"}`),
		"a member twice":            inHeader("}", `,"typ":"JWT"}`),
		"white space in the header": inHeader(",", ", "),
		"white space at its end":    inHeader("}", "} "),
		"an escape in the header":   inHeader(`"alg":"E`, `"alg":"\u0045`),
		"another case of a member":  inHeader(`"alg"`, `"ALG"`),
		"another type":              inHeader("at+jwt", "JWT"),
		"header is not an object":   forge(token, func(h, _, _ *string) { *h = `["` + alg + `"]` }),
		"header is not ended":       inHeader("}", ""),
		"header is a lone brace":    forge(token, func(h, _, _ *string) { *h = `{` }),
		"header is empty":           token[strings.IndexByte(token, '.'):],
		"header is far too long":    inHeader("at+jwt", strings.Repeat("x", 400)),
		"claims changed":            forge(token, func(_, c, _ *string) { *c = "e30" }),
		"no claims":                 forge(token, func(_, c, _ *string) { *c = "" }),
		"no signature":              forge(token, func(_, _, s *string) { *s = "" }),
		"signature changed":         forge(token, func(_, _, s *string) { *s = "AAAA" + (*s)[4:] }),
		"signature of zeros":        forge(token, func(_, _, s *string) { *s = strings.Repeat("A", 86) }),
		"signature of ones":         forge(token, func(_, _, s *string) { *s = strings.Repeat("_", 85) + "w" }),
		"signature too short":       token[:len(token)-4],
		"signature too long":        token + "AAAA",
		"a zero in its middle": forge(token, func(_, _, s *string) {
			raw, _ := base64.RawURLEncoding.DecodeString(*s)
			*s = base64.RawURLEncoding.EncodeToString(slices.Insert(raw, 32, 0))
		}),
		"signature far too long":     token + strings.Repeat("A", 4000),
		"stray bits in it":           forge(token, func(_, _, s *string) { *s = lastBits(*s) }),
		"padding":                    token + "==",
		"a line break at the end":    token + "\n",
		"a line break inside":        token[:len(token)-3] + "\r\n" + token[len(token)-3:],
		"standard base64":            forge(token, func(_, _, s *string) { *s = "+/" + (*s)[2:] }),
		"a space in front":           " " + token,
		"four parts":                 token + ".AAAA",
		"a dot at the end":           token + ".",
		"a dot in front":             "." + token,
		"one part":                   token[:strings.IndexByte(token, '.')],
		"two parts":                  token[:strings.LastIndexByte(token, '.')],
		"larger than any of ours":    strings.Repeat("A", 17<<10),
		"JSON serialisation":         `{"payload":"e30","protected":"e30","signature":"AAAA"}`,
		"a byte that is not ASCII":   forge(token, func(_, _, s *string) { *s = "\xff" + (*s)[1:] }),
		"a NUL in the header":        inHeader("at+jwt", "at\x00jwt"),
		"kid is a number":            forge(token, func(h, _, _ *string) { *h = `{"alg":"` + alg + `","kid":1}` }),
		"trailing comma":             inHeader("}", ",}"),
		"something after the object": inHeader("}", `}{"alg":"none"}`),
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), nil)
	token := sign(t, ring, authz.AlgES256)
	edToken := sign(t, ring, authz.AlgEdDSA)
	if _, _, err := ring.Verify(forge(token, func(_, _, _ *string) {})); err != nil {
		t.Fatalf("the token that the forgeries are made of: %v", err)
	}
	cases := forgeries(token, authz.AlgES256, authz.AlgEdDSA, kid(edToken))
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typ, got, err := ring.Verify(cases[name])
			if !errors.Is(err, keys.ErrInvalid) || typ != "" || got != nil {
				t.Errorf("Verify(%s) = %q, %q, %v; want ErrInvalid and nothing else", cases[name], typ, got, err)
			}
		})
	}
}

func TestVerifyRefusesAnotherServersToken(t *testing.T) {
	t.Parallel()
	ours, theirs := openRing(t, newStore(t), nil), openRing(t, newStore(t), nil)
	for _, alg := range ours.Algorithms() {
		if _, _, err := ours.Verify(sign(t, theirs, alg)); !errors.Is(err, keys.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", alg, err)
		}
	}
}

// FuzzVerify: whatever a stranger sends, only the very tokens that were signed pass. With
// Ed25519 nobody can make a second signature of the same claims.
func FuzzVerify(f *testing.F) {
	ring := openRing(f, newStore(f), func(c *keys.Config) { c.Algorithms = []string{authz.AlgEdDSA} })
	token := sign(f, ring, authz.AlgEdDSA)
	f.Add(token)
	cases := forgeries(token, authz.AlgEdDSA, authz.AlgES256, "another")
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		f.Add(cases[name])
	}
	f.Fuzz(func(t *testing.T, sent string) {
		typ, got, err := ring.Verify(sent)
		if err != nil {
			if !errors.Is(err, keys.ErrInvalid) || typ != "" || got != nil {
				t.Errorf("Verify(%q) = %q, %q, %v", sent, typ, got, err)
			}
			return
		}
		if sent != token {
			t.Errorf("Verify(%q) passed", sent)
		}
	})
}
