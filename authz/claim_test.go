package authz_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestNamesOfCustomClaims(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"department", "a", "cost_center2", strings.Repeat("a", 64), "https://acme.example/claims/team", "https://acme.example#team",
		"https://acme.example:8443/?q=1", "https://" + strings.Repeat("a", 255-len("https://")), "tenant", "title", "constructor",
	} {
		if problem := authz.ClaimNameProblem(good); problem != "" {
			t.Errorf("%q: %s", good, problem)
		}
	}
	for _, bad := range []string{
		"", "Department", "2fa", "_a", "a-b", "a.b", "a b", "a\n", "å", "\xff", "a\x00", "__proto__", strings.Repeat("a", 65),
		"http://acme.example/team", "HTTPS://acme.example/team", "https:", "https://", "https:///team", "https:team", "https://me@acme.example/",
		"https://acme.example/a b", "https://acme.example/å", "https://acme.example/\\", "https://acme.example/<b>", "https://acme.example/%zz",
		"//acme.example/team", "urn:acme:team", "https://" + strings.Repeat("a", 256-len("https://")),
	} {
		if problem := authz.ClaimNameProblem(bad); !strings.Contains(problem, "is no name for a claim") {
			t.Errorf("%q: %q", bad, problem)
		}
	}
}

// What has a meaning is refused, by its name.
func TestNamesThatMeanSomethingAreNotToBeMadeUp(t *testing.T) {
	t.Parallel()
	for name := range strings.FieldsSeq(`iss sub aud exp nbf iat jti client_id scope scp auth_time acr amr azp nonce at_hash c_hash s_hash
		cnf act may_act status sid roles role groups entitlements permissions authorities authorization_details email email_verified name
		preferred_username given_name family_name middle_name nickname picture profile website gender birthdate zoneinfo locale phone_number
		phone_number_verified address updated_at typ events sub_id txn active username token_type upn verified_claims`) {
		if problem := authz.ClaimNameProblem(name); !strings.HasPrefix(problem, fmt.Sprintf("%q means something", name)) {
			t.Errorf("%s: %q", name, problem)
		}
	}
	for _, name := range authz.APIClaims() {
		if authz.ClaimNameProblem(name) == "" {
			t.Errorf("%s is Signet's own, and may be made up", name)
		}
	}
}

// claims reads claims as they are sent.
func claims(t *testing.T, text string) authz.UserClaims {
	t.Helper()
	var c authz.UserClaims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

// many gives n claims.
func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"c%d":%d`, i, i))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// sized gives a claim that has so many bytes as JSON, with its name and the braces.
func sized(bytes int) string {
	return `{"a":"` + strings.Repeat("x", bytes-len(`{"a":""}`)) + `"}`
}

func TestClaimsOfAPerson(t *testing.T) {
	t.Parallel()
	const kinds, prints, number = "a must be a string, a number, true, false or a list of strings", "a must have characters that print", "a must be a number such as"
	for _, tc := range []struct{ name, text, problem string }{
		{"none", `{}`, ""},
		{"null", `null`, ""},
		{"a string", `{"a":"sales"}`, ""},
		{"nothing in a string", `{"a":""}`, ""},
		{"a string in another script", `{"a":"ÅÄÖ 東京 👩‍🚀"}`, ""},
		{"true and false", `{"a":true,"b":false}`, ""},
		{"numbers", `{"a":0,"b":-12,"c":3.250,"d":9007199254740993,"e":-0.5,"f":12345678901234567890123456789012}`, ""},
		{"lists", `{"a":[],"b":["x"],"c":["x","y","x"]}`, ""},
		{"a URI", `{"https://acme.example/team":"x"}`, ""},
		{"as many as there may be", many(32), ""},
		{"one more", many(33), "must be at most 32"},
		{"as much as there may be", sized(4096), ""},
		{"one byte more", sized(4097), "must have at most 4096 bytes as JSON, and have 4097"},
		{"a name that is none", `{"A":1}`, `"A" is no name for a claim`},
		{"a name that is taken", `{"sub":"alice"}`, `"sub" means something`},
		{"null inside", `{"a":null}`, kinds},
		{"an object", `{"a":{"b":1}}`, kinds},
		{"a list in a list", `{"a":[["x"]]}`, kinds},
		{"a list of numbers", `{"a":[1]}`, kinds},
		{"a list of this and that", `{"a":["x",1]}`, kinds},
		{"a list with null", `{"a":["x",null]}`, kinds},
		{"a line break", `{"a":"x\ny"}`, prints},
		{"what cannot be stored", `{"a":"\u0000"}`, prints},
		{"what turns the text around", `{"a":["x","\u202ey"]}`, prints},
		{"an escape of a terminal", `{"a":"\u001b[2J"}`, prints},
		{"an exponent", `{"a":1e3}`, number},
		{"a large exponent", `{"a":1E+400}`, number},
		{"below zero and not", `{"a":-0}`, number},
		{"below zero and not at all", `{"a":-0.00}`, number},
		{"too many digits", `{"a":123456789012345678901234567890123}`, number},
	} {
		err := claims(t, tc.text).Validate(nil)
		var invalid *authz.InvalidError
		switch {
		case tc.problem == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.problem != "" && (!errors.As(err, &invalid) || invalid.Field != "claims" || !strings.Contains(invalid.Reason, tc.problem)):
			t.Errorf("%s: %v, want %s", tc.name, err, tc.problem)
		}
	}
	for name, made := range map[string]authz.UserClaims{
		"text that is none": {"a": "\xff"}, "a list with text that is none": {"a": []string{"\xff"}}, "a number that is none": {"a": json.Number("NaN")},
		"a float": {"a": 0.1}, "an int": {"a": 1}, "nil": {"a": nil},
	} {
		if made.Validate(nil) == nil {
			t.Errorf("%s is fine", name)
		}
	}
}

// A number is written as it was read, and so is everything else.
func TestClaimsAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	const text = `{"a":9007199254740993,"b":1.50,"c":["x"],"d":[],"e":true,"f":"7"}`
	got := claims(t, text)
	want := authz.UserClaims{
		"a": json.Number("9007199254740993"), "b": json.Number("1.50"), "c": []string{"x"}, "d": []string{}, "e": true, "f": "7",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	again, err := json.Marshal(got)
	if err != nil || string(again) != text {
		t.Errorf("%s, %v", again, err)
	}
}

func TestWhichClaimsChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ before, after, want string }{
		{`{}`, `null`, ""},
		{`{"a":1,"b":["x"]}`, `{"b":["x"],"a":1}`, ""},
		{`null`, `{"b":1,"a":1}`, "a b"},
		{`{"a":1,"b":1}`, `{"b":1}`, "a"},
		{`{"a":1,"b":["x"],"c":"1"}`, `{"a":1.0,"b":["y"],"c":1}`, "a b c"},
	} {
		if got := strings.Join(claims(t, tc.before).Changed(claims(t, tc.after)), " "); got != tc.want {
			t.Errorf("%s, then %s: %q, want %q", tc.before, tc.after, got, tc.want)
		}
	}
}
