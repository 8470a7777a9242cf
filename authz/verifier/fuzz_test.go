package verifier_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz/verifier"
)

// The keys of fuzz targets are always the same, so that a token which one process of the fuzzer
// found is good in all of them.
func fixedES256(kid string) *signingKey {
	return &signingKey{kid: kid, alg: "ES256", private: must(ecdsa.ParseRawPrivateKey(elliptic.P256(), fixed))}
}

func fixedEdDSA(kid string) *signingKey {
	return &signingKey{kid: kid, alg: "EdDSA", private: ed25519.NewKeyFromSeed(fixed)}
}

var fixed = bytes.Repeat([]byte{7}, 32)

// fuzzStart makes a verifier for a fuzz target: without its own log, with a clock that stands.
func fuzzStart(f *testing.F, keys ...*signingKey) (*verifier.Verifier, time.Time) {
	f.Helper()
	now := time.Now()
	v, err := verifier.New(context.Background(), issuer, audience,
		verifier.WithHTTPClient(&http.Client{Transport: newSignet(keys...)}),
		verifier.WithLogger(quiet),
		verifier.WithClock(func() time.Time { return now }))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(v.Close)
	return v, now
}

// FuzzVerifier: whatever a stranger sends, nothing panics, and what is accepted was signed by
// the issuer's key, as another implementation of JWS sees it.
func FuzzVerifier(f *testing.F) {
	key, ed, stranger := fixedES256("k"), fixedEdDSA("ed"), newES256("k")
	v, _ := fuzzStart(f, key, ed)
	good := key.token(goodClaims())
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		"", ".", "..", "...", "a.b.c", good, good + ".", good[:len(good)-1], "\n" + good,
		ed.token(goodClaims()), stranger.token(goodClaims()), unsigned(key, "none"), hmacSigned(key), asn1Signed(key),
		parts[0] + "." + encode(with(map[string]any{"sub": "root"})) + "." + parts[2],
		parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		encode(ed.header()) + "." + parts[1] + "." + parts[2],
		key.sign(changed(key.header(), map[string]any{"jwk": stranger.jwk()}), goodClaims()),
		key.sign("null", "null"), key.sign(strings.Repeat("[", 3000), strings.Repeat(`{"act":`, 400)),
		key.token(with(status(3, listURI))), key.token(with(map[string]any{"exp": 1e308})),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := v.Verify(context.Background(), raw)
		if (token == nil) == (err == nil) {
			t.Fatalf("gave %v, %v", token, err)
		}
		if err != nil {
			return
		}
		signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
		if err != nil {
			t.Fatalf("accepted what is no JWS: %v", err)
		}
		_, byKey := signed.Verify(key.private.Public())
		_, byEd := signed.Verify(ed.private.Public())
		if byKey != nil && byEd != nil {
			t.Fatalf("accepted a token that nobody signed: %v, %v", byKey, byEd)
		}
	})
}

// FuzzSignedVerifier signs what the fuzzer makes up. A stranger's signature is never accepted;
// with the issuer's own, what is accepted says what it must.
func FuzzSignedVerifier(f *testing.F) {
	key, stranger := fixedEdDSA("k"), newEdDSA("k")
	v, now := fuzzStart(f, key)
	header := string(must(json.Marshal(key.header())))
	for _, claims := range []map[string]any{
		goodClaims(), with(map[string]any{"aud": []string{"x", audience}}), with(map[string]any{"exp": now.Unix()}),
		with(map[string]any{"iss": nil}), with(map[string]any{"nbf": now.Unix() + 29}), with(status(1, listURI)),
		with(map[string]any{"act": map[string]any{"sub": "a"}, "cnf": map[string]any{"jkt": "x"}}),
	} {
		f.Add(header, text(claims))
	}
	f.Add(`{"alg":"EdDSA","kid":"k","typ":"at+jwt","crit":["b64"],"b64":false}`, text(goodClaims()))
	f.Add(`{"alg":"ES256","kid":"k","typ":"JWT"}`, "[]")
	f.Fuzz(func(t *testing.T, header, payload string) {
		_, err := v.Verify(context.Background(), stranger.sign(header, payload))
		if err == nil {
			t.Fatal("accepted a stranger's signature")
		}
		if _, err = v.Verify(context.Background(), key.sign(header, payload)); err != nil {
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(payload), &said); err != nil {
			t.Fatalf("accepted what is no JSON object: %v", err)
		}
		exp, _ := said["exp"].(float64)
		list, _ := said["aud"].([]any)
		if said["iss"] != issuer || said["aud"] != audience && !slices.Contains(list, any(audience)) ||
			exp+30 <= float64(now.Unix()) || said["sub"] == nil || said["client_id"] == nil || said["jti"] == nil {
			t.Fatalf("accepted %s", payload)
		}
	})
}

// FuzzStatusList: whatever the list claims to hold, nothing panics, and a token is good only if
// its status can be told.
func FuzzStatusList(f *testing.F) {
	for _, seed := range []string{"eNrbuRgAAhcBXQ", "eNo76fITAAPfAgc", "", "eNo", pack(nil), pack(make([]byte, 1<<20))} {
		for _, bits := range []int{0, 1, 2, 3, 8} {
			f.Add(bits, seed, uint64(9))
		}
	}
	key := newEdDSA("k")
	f.Fuzz(func(t *testing.T, bits int, packed string, index uint64) {
		s := newSignet(key)
		s.list.claims = map[string]any{"status_list": map[string]any{"bits": bits, "lst": packed}}
		_, err := s.start(t).Verify(context.Background(), key.token(with(status(index, listURI))))
		if err != nil && !errors.Is(err, verifier.ErrRevoked) && !errors.Is(err, verifier.ErrStaleStatus) {
			t.Fatalf("gave %v", err)
		}
	})
}
