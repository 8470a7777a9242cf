package verifier_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/signet-auth/signet/authz/verifier"
)

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	keys := map[string]*signingKey{
		"ES256": newES256("es"), "EdDSA": newEdDSA("ed"), "RS256": newRSA("rs", "RS256"), "PS256": newRSA("ps", "PS256"),
	}
	v := newSignet(slices.Collect(maps.Values(keys))...).start(t, stopped())
	es := keys["ES256"]
	type test struct{ token string }
	tests := map[string]test{
		"typ with application/": {es.sign(changed(es.header(), map[string]any{"typ": "application/at+jwt"}), goodClaims())},
		"typ in capitals":       {es.sign(changed(es.header(), map[string]any{"typ": "AT+JWT"}), goodClaims())},
		"aud is a list":         {es.token(with(map[string]any{"aud": []string{"https://other.example", audience}}))},
		"no scope":              {es.token(with(map[string]any{"scope": nil}))},
		"exp within the leeway": {es.token(with(map[string]any{"exp": time.Now().Unix() - 20}))},
		"iat within the leeway": {es.token(with(map[string]any{"iat": time.Now().Unix() + 20}))},
		"times with fractions":  {es.token(with(map[string]any{"exp": float64(time.Now().Unix()) + 600.5}))},
		"unknown header member": {es.sign(changed(es.header(), map[string]any{"x5t": "abc"}), goodClaims())},
	}
	for alg, key := range keys {
		// Signed by a library that knows nothing of this one.
		signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key.private},
			(&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", key.kid)))
		tests["signed with "+alg] = test{must(jwt.Signed(signer).Claims(goodClaims()).Serialize())}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"at first", "again"} {
				token, err := v.Verify(context.Background(), test.token)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if token.Subject != "alice" {
					t.Errorf("%s: subject is %q", how, token.Subject)
				}
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	es, rs := newES256("es"), newRSA("rs", "RS256")
	ps, ed := newRSA("ps", "PS256"), newEdDSA("ed")
	s := newSignet(es, rs, ps, ed)
	v := s.start(t, stopped())
	good := es.token(goodClaims())
	parts := strings.Split(good, ".")
	head := func(changes map[string]any) string { return es.sign(changed(es.header(), changes), goodClaims()) }
	body := func(changes map[string]any) string { return es.token(with(changes)) }
	now := time.Now().Unix()

	tests := map[string]struct {
		token string
		want  error
	}{
		"empty":                          {"", verifier.ErrMalformed},
		"a word":                         {"sgp_abcdef", verifier.ErrMalformed},
		"two parts":                      {parts[0] + "." + parts[1], verifier.ErrMalformed},
		"four parts":                     {good + ".AAAA", verifier.ErrMalformed},
		"five parts":                     {good + ".AAAA.AAAA", verifier.ErrMalformed},
		"empty parts":                    {"..", verifier.ErrMalformed},
		"a space before":                 {" " + good, verifier.ErrMalformed},
		"a line break within":            {parts[0] + "." + parts[1] + ".\n" + parts[2], verifier.ErrMalformed},
		"padded":                         {good + "==", verifier.ErrMalformed},
		"second spelling of signature":   {otherSpelling(good), verifier.ErrMalformed},
		"longer than 16 KiB":             {body(map[string]any{"filler": strings.Repeat("x", 16384)}), verifier.ErrMalformed},
		"header is no JSON":              {es.sign("{", goodClaims()), verifier.ErrMalformed},
		"header is a list":               {es.sign("[]", goodClaims()), verifier.ErrMalformed},
		"header with a member twice":     {es.sign(`{"alg":"none","alg":"ES256","kid":"es","typ":"at+jwt"}`, goodClaims()), verifier.ErrMalformed},
		"header names in capitals":       {es.sign(`{"ALG":"ES256","KID":"es","TYP":"at+jwt"}`, goodClaims()), verifier.ErrMalformed},
		"no typ":                         {head(map[string]any{"typ": nil}), verifier.ErrMalformed},
		"typ of any JWT":                 {head(map[string]any{"typ": "JWT"}), verifier.ErrMalformed},
		"typ of a status list":           {head(map[string]any{"typ": "statuslist+jwt"}), verifier.ErrMalformed},
		"typ with application/ twice":    {head(map[string]any{"typ": "application/application/at+jwt"}), verifier.ErrMalformed},
		"no kid":                         {head(map[string]any{"kid": nil}), verifier.ErrMalformed},
		"kid is a number":                {head(map[string]any{"kid": 7}), verifier.ErrMalformed},
		"crit":                           {head(map[string]any{"crit": []string{"exp"}}), verifier.ErrMalformed},
		"crit is null":                   {es.sign(`{"alg":"ES256","kid":"es","typ":"at+jwt","crit":null}`, goodClaims()), verifier.ErrMalformed},
		"jku":                            {head(map[string]any{"jku": "https://evil.example/jwks"}), verifier.ErrMalformed},
		"x5u":                            {head(map[string]any{"x5u": "https://evil.example/cert"}), verifier.ErrMalformed},
		"jwk":                            {head(map[string]any{"jwk": newES256("es").jwk()}), verifier.ErrMalformed},
		"b64":                            {head(map[string]any{"b64": true}), verifier.ErrMalformed},
		"alg none":                       {unsigned(es, "none"), verifier.ErrBadSignature},
		"alg missing":                    {head(map[string]any{"alg": nil}), verifier.ErrBadSignature},
		"alg HS256 with the public key":  {hmacSigned(es), verifier.ErrBadSignature},
		"alg of another kind of key":     {head(map[string]any{"alg": "RS256"}), verifier.ErrBadSignature},
		"RS256 with a PS256 key":         {rs.sign(changed(rs.header(), map[string]any{"kid": "ps"}), goodClaims()), verifier.ErrBadSignature},
		"PS256 header, RS256 key":        {ps.sign(changed(ps.header(), map[string]any{"kid": "rs"}), goodClaims()), verifier.ErrBadSignature},
		"unknown kid":                    {head(map[string]any{"kid": "other"}), verifier.ErrUnknownKey},
		"kid of another key":             {head(map[string]any{"kid": "ed", "alg": "EdDSA"}), verifier.ErrBadSignature},
		"somebody else's key, same kid":  {newES256("es").token(goodClaims()), verifier.ErrBadSignature},
		"another payload":                {parts[0] + "." + encode(with(map[string]any{"sub": "root"})) + "." + parts[2], verifier.ErrBadSignature},
		"signature left out":             {parts[0] + "." + parts[1] + ".", verifier.ErrBadSignature},
		"signature of zeros":             {parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86), verifier.ErrBadSignature},
		"signature in ASN.1":             {asn1Signed(es), verifier.ErrBadSignature},
		"payload is no JSON":             {es.sign(es.header(), "alice"), verifier.ErrMalformed},
		"payload is a list":              {es.sign(es.header(), "[]"), verifier.ErrMalformed},
		"a claim twice":                  {es.sign(es.header(), strings.Replace(text(goodClaims()), "{", `{"sub":"root",`, 1)), verifier.ErrMalformed},
		"claim name in capitals":         {body(map[string]any{"sub": nil, "SUB": "alice"}), verifier.ErrMalformed},
		"no iss":                         {body(map[string]any{"iss": nil}), verifier.ErrMalformed},
		"no sub":                         {body(map[string]any{"sub": nil}), verifier.ErrMalformed},
		"no aud":                         {body(map[string]any{"aud": nil}), verifier.ErrMalformed},
		"no client_id":                   {body(map[string]any{"client_id": nil}), verifier.ErrMalformed},
		"no jti":                         {body(map[string]any{"jti": nil}), verifier.ErrMalformed},
		"no exp":                         {body(map[string]any{"exp": nil}), verifier.ErrMalformed},
		"no iat":                         {body(map[string]any{"iat": nil}), verifier.ErrMalformed},
		"exp is text":                    {body(map[string]any{"exp": "tomorrow"}), verifier.ErrMalformed},
		"exp beyond all calendars":       {body(map[string]any{"exp": 1e300}), verifier.ErrMalformed},
		"exp negative":                   {body(map[string]any{"exp": -1}), verifier.ErrMalformed},
		"scope is a list":                {body(map[string]any{"scope": []string{"orders:read"}}), verifier.ErrMalformed},
		"iss of somebody else":           {body(map[string]any{"iss": "https://evil.example"}), verifier.ErrWrongIssuer},
		"iss with a slash more":          {body(map[string]any{"iss": issuer + "/"}), verifier.ErrWrongIssuer},
		"iss in capitals":                {body(map[string]any{"iss": strings.ToUpper(issuer)}), verifier.ErrWrongIssuer},
		"aud of another API":             {body(map[string]any{"aud": "https://stock.example"}), verifier.ErrWrongAudience},
		"aud that begins with ours":      {body(map[string]any{"aud": audience + "/admin"}), verifier.ErrWrongAudience},
		"aud is a list without ours":     {body(map[string]any{"aud": []string{"a", "b"}}), verifier.ErrWrongAudience},
		"aud is a list in a list":        {body(map[string]any{"aud": []any{[]string{audience}}}), verifier.ErrMalformed},
		"expired":                        {body(map[string]any{"exp": now - 60}), verifier.ErrExpired},
		"expired by the leeway":          {body(map[string]any{"exp": now - 30}), verifier.ErrExpired},
		"nbf in the future":              {body(map[string]any{"nbf": now + 60}), verifier.ErrNotYetValid},
		"iat in the future":              {body(map[string]any{"iat": now + 60}), verifier.ErrNotYetValid},
		"status of an unknown kind":      {body(map[string]any{"status": map[string]any{"other": 1}}), verifier.ErrMalformed},
		"status list without index":      {body(status(nil, listURI)), verifier.ErrMalformed},
		"status list without uri":        {body(status(1, "")), verifier.ErrMalformed},
		"status list index negative":     {body(status(-1, listURI)), verifier.ErrMalformed},
		"status list index with a point": {body(status(1.5, listURI)), verifier.ErrMalformed},
		"status list elsewhere":          {body(status(1, "https://evil.example/status-lists/1")), verifier.ErrMalformed},
		"status list on another port":    {body(status(1, "https://signet.example:8443/status-lists/1")), verifier.ErrMalformed},
		"status list without TLS":        {body(status(1, "http://signet.example/status-lists/1")), verifier.ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := v.Verify(context.Background(), test.token)
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if errors.Is(err, verifier.ErrUnavailable) {
				t.Error("a refusal looks like an outage")
			}
			if token != nil {
				t.Errorf("gave %v", token)
			}
		})
	}
}

// stopped is a clock that stands still, so that a slow machine cannot change what a test sees.
func stopped() verifier.Option {
	now := time.Now()
	return verifier.WithClock(func() time.Time { return now })
}

func status(index any, uri string) map[string]any {
	list := changed(map[string]any{}, map[string]any{"idx": index, "uri": uri})
	return map[string]any{"status": map[string]any{"status_list": list}}
}

func text(claims map[string]any) string {
	return string(must(base64.RawURLEncoding.DecodeString(encode(claims))))
}

// otherSpelling changes bits of the last character that a lax decoder throws away.
func otherSpelling(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])+1])
}

func unsigned(k *signingKey, alg string) string {
	return encode(changed(k.header(), map[string]any{"alg": alg})) + "." + encode(goodClaims()) + "."
}

func hmacSigned(k *signingKey) string {
	signed := strings.TrimSuffix(unsigned(k, "HS256"), ".")
	mac := hmac.New(sha256.New, must(x509.MarshalPKIXPublicKey(k.private.Public())))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func asn1Signed(k *signingKey) string {
	signed := strings.TrimSuffix(unsigned(k, "ES256"), ".")
	sum := sha256.Sum256([]byte(signed))
	signature := must(ecdsa.SignASN1(rand.Reader, k.private.(*ecdsa.PrivateKey), sum[:]))
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
