package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/webtest"
)

// jwt writes a token that nobody has signed.
func jwt(header, claims string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(claims)) + "." + b64([]byte("a signature"))
}

// What a server gives out is told for what it is.
func TestInspectKnowsWhatAServerGivesOut(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	s.API(authz.API{Identifier: "https://orders.example", Name: "Orders", Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}}})
	alice := s.Person("alice", "down the rabbit hole")
	app := s.App("app", "https://app.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = m.Scope.With(authz.Scopes{"orders:read"}), []string{"https://orders.example"}
	})
	back := s.Browser().Open(app.Ask("openid orders:read", "resource", "https://orders.example", "nonce", "n")).
		Fill("username", "alice").Fill("password", "down the rabbit hole").Press("sign-in").Press("allow")
	code := app.Answer(back).Get("code")
	tokens := app.Redeem(back)
	made, apiToken, err := s.APITokens.Create(t.Context(), alice, apitoken.New{
		Name: "n", API: "https://orders.example", Scopes: authz.Scopes{"orders:read"}, ExpiresAt: s.Clock.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, token := range map[string]string{
		"authorization_code": code, "access_token": tokens.AccessToken, "id_token": tokens.IDToken, "refresh_token": tokens.RefreshToken,
		"client_secret": app.Secret.Reveal(), "api_token": apiToken.Reveal(),
	} {
		var out, errs bytes.Buffer
		exit := run(t.Context(), terminal{in: strings.NewReader(token + "\n"), out: &out, err: &errs}, []string{"token", "inspect", "-", "--json"})
		var found inspection
		if err := json.Unmarshal(out.Bytes(), &found); err != nil || exit != exitOK || found.Kind != kind || !found.Good {
			t.Errorf("%s: exit %d: %s%s %v", kind, exit, &out, &errs, err)
		}
		if kind == "api_token" && found.ID != made.ID {
			t.Errorf("the id is %q, and the server's is %q", found.ID, made.ID)
		}
		for _, m := range append(slices.Clone(found.Header), found.Claims...) {
			if m.Meaning == "" || m.Meaning == unknownMeaning || m.Meaning == ownMeaning {
				t.Errorf("%s: nothing is said of %s", kind, m.Name)
			}
		}
		// Every kind ends in what is secret of it, and a piece this long is printed by no accident.
		if secret := token[len(token)-20:]; strings.Contains(out.String(), secret) {
			t.Errorf("%s: what is secret of it is printed: %s", kind, &out)
		}
	}
	if got := app.Token(url.Values{"grant_type": {authz.GrantRefreshToken}, "refresh_token": {tokens.RefreshToken}}); got.Status != 200 {
		t.Errorf("looking at a refresh token used it up: %+v", got)
	}
}

func TestInspectSaysWhetherAJWTIsOfItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // 1772366400
	yes, no := true, false
	for _, c := range []struct {
		claims  string
		expired *bool
		note    string
	}{
		{`{"exp":1772366400}`, &yes, "It has expired: 2026-03-01 12:00 UTC, 0s ago."},
		{`{"exp":1772366401}`, &no, "It has not expired: it is good until 2026-03-01 12:00 UTC, in 1s."},
		{`{"exp":1772366400.5}`, &no, "It has not expired: it is good until 2026-03-01 12:00 UTC, in 0s."},
		{`{"exp":1772362740}`, &yes, "It has expired: 2026-03-01 10:59 UTC, 1h1m0s ago."},
		{`{"exp":1}`, &yes, "It has expired: 1970-01-01 00:00 UTC."},
		{`{"exp":1e12}`, nil, "Its exp is no date, so nobody will take it."},
		{`{"exp":"1772366401"}`, nil, "Its exp is no date, so nobody will take it."},
		{`{"exp":null}`, nil, "Its exp is no date, so nobody will take it."},
		{`{}`, nil, "It does not say when it expires."},
		{`{"nbf":1772366460,"exp":1772366461}`, &no, "It is not good yet: from 2026-03-01 12:01 UTC, in 1m0s on."},
		{`{"iat":1772366460,"exp":1772366461}`, &no, "It claims to be from the future: one of two clocks is wrong."},
	} {
		found := inspect(jwt(`{"alg":"ES256"}`, c.claims), now)
		if found.Problem != "" || !slices.Contains(found.Notes, c.note) || (found.Expired == nil) != (c.expired == nil) {
			t.Errorf("%s: %s %q, want %q", c.claims, found.Problem, found.Notes, c.note)
			continue
		}
		if found.Expired != nil && *found.Expired != *c.expired {
			t.Errorf("%s: expired %v", c.claims, *found.Expired)
		}
	}
}

func TestInspectTellsKindsApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, claims, kind string }{
		{`{"alg":"ES256","typ":"at+jwt"}`, `{"nonce":"n"}`, "access_token"},
		{`{"alg":"ES256","typ":"application/AT+JWT"}`, `{}`, "access_token"},
		{`{"alg":"ES256","typ":"JWT"}`, `{"nonce":"n"}`, "id_token"},
		{`{"alg":"ES256"}`, `{"at_hash":"h"}`, "id_token"},
		{`{"alg":"ES256","typ":"JWT"}`, `{"scope":"a"}`, "jwt"},
		{`{"alg":"ES256","typ":"something+jwt"}`, `{"nonce":"n"}`, "jwt"},
		{`{"alg":"ES256","typ":"logout+jwt"}`, `{}`, "logout_token"},
		{`{"alg":"ES256","typ":"dpop+jwt"}`, `{}`, "dpop_proof"},
		{`{"alg":"ES256","typ":"statuslist+jwt"}`, `{}`, "status_list"},
	} {
		if found := inspect(jwt(c.header, c.claims), time.Now()); found.Kind != c.kind || found.Problem != "" {
			t.Errorf("%s %s: %s %s", c.header, c.claims, found.Kind, found.Problem)
		}
	}
}

func TestInspectRefusesWhatIsMalformed(t *testing.T) {
	t.Parallel()
	good := jwt(`{"alg":"ES256"}`, `{"sub":"a"}`)
	for name, text := range map[string]string{
		"two parts": "a.b", "four parts": good + ".x", "encrypted": "a.b.c.d.e", "padding": strings.Replace(good, ".", "=.", 1),
		"a line break inside": good[:5] + "\n" + good[5:], "stray bits": good[:len(good)-1] + "B",
		"no algorithm": jwt(`{}`, `{}`), "an algorithm that is a number": jwt(`{"alg":1}`, `{}`),
		"an array": jwt(`{"alg":"ES256"}`, `[]`), "more after the end": jwt(`{"alg":"ES256"}`, `{}{}`), "cut": jwt(`{"alg":"ES256"}`, `{"a":`),
		"null": jwt(`{"alg":"ES256"}`, `null`), "not UTF-8": jwt(`{"alg":"ES256"}`, "{\"a\":\"\xff\"}"),
		"the algorithm twice":                   jwt(`{"alg":"ES256","alg":"none"}`, `{}`),
		"a client secret with a wrong checksum": "sgs_" + strings.Repeat("a", 49),
		"a short code":                          "sgc_abc", "a refresh token of a code": "sgr_" + strings.Repeat("a", 64), "a registration token": "sgt_abc",
		"too deep": jwt(`{"alg":"ES256"}`, `{"a":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`),
	} {
		if found := inspect(text, time.Now()); found.Problem == "" || found.Good || found.Claims != nil || found.Summary != "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// A JWT that anybody could have written is not called a signed one.
func TestInspectSaysThatNobodyHasSigned(t *testing.T) {
	t.Parallel()
	signed := jwt(`{"alg":"ES256"}`, `{}`)
	stripped := signed[:strings.LastIndex(signed, ".")+1]
	for text, unsigned := range map[string]bool{signed: false, stripped: true, jwt(`{"alg":"nOnE"}`, `{}`): true} {
		found := inspect(text, time.Now())
		if got := slices.Contains(found.Notes, "It is not signed: nothing in it can be believed."); got != unsigned || !found.Good {
			t.Errorf("%s: %q", text, found.Notes)
		}
	}
}

func TestInspectReadsNoEndlessInput(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	in := strings.NewReader(strings.Repeat("a", maxTokenInput+1))
	if exit := run(t.Context(), terminal{in: in, out: &out, err: &errs}, []string{"token", "inspect", "-"}); exit != exitError || errs.Len() > 100 {
		t.Errorf("exit %d: %s", exit, &errs)
	}
}

// Whatever comes in, nothing that a terminal would obey goes out, and neither does what is
// secret.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		"", ".", "..", "a.b.c", "a.b.c.d.e", "sgp_", "sgs_x", "sgc_x", "sgr_x", jwt(`{"alg":"none"}`, "{}"),
		jwt(`{"alg":"ES256","typ":"at+jwt"}`, `{"exp":1e400,"nbf":-1,"iat":0.1,"amr":["pwd",1],"status":{"status_list":{}},"sub":"\u001b","\u0000":"x"}`),
		jwt(`{"alg":"ES256"}`, `{"a":{"b":[1,2]},"aud":["a"],"scope":" a  b "}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out, errs bytes.Buffer
		exit := run(t.Context(), terminal{in: strings.NewReader(text), out: &out, err: &errs}, []string{"token", "inspect", "-"})
		said := out.String() + errs.String()
		if (exit == exitOK) != (errs.Len() == 0) || (exit == exitOK) != (out.Len() > 0) {
			t.Errorf("exit %d with %q", exit, said)
		}
		for _, r := range said {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Errorf("prints %U", r)
			}
		}
		if token := strings.TrimSpace(text); strings.HasPrefix(token, "sg") && len(token) > 20 && strings.Contains(said, token[4:]) {
			t.Errorf("prints what is secret of %q", token)
		}
	})
}
