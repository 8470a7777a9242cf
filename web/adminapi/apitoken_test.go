package adminapi_test

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	ownTokens = "/api/v1/account/tokens"
	mine      = "alice/" + authz.ScopeAccount
)

// withOrders is a world with alice, bob who runs the server, and an API that they may grant.
func withOrders(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.robot(w.person("alice"), w.person("bob", authz.RoleAdministrator))
	w.want(201, request{method: "POST", path: "/api/v1/apis", body: `{"identifier":"` + orders + `","name":"Orders","scopes":[
		{"name":"orders:read","description":"See your orders"},{"name":"orders:write","description":"Change your orders"}]}`})
	return w
}

// newToken is the body that asks for a token.
func newToken(name, api, scopes, expires, more string) string {
	return `{"name":"` + name + `","api":"` + api + `","scopes":` + scopes + `,"expires_at":"` + expires + `"` + more + `}`
}

// make asks for a token and gives its id and the token.
func (w *world) makeToken(token, body string) (id, secret string) {
	w.t.Helper()
	made := w.want(201, request{method: "POST", path: ownTokens, token: token, body: body}).json(w.t)
	id, _ = made["id"].(string)
	secret, _ = made["token"].(string)
	return id, secret
}

// works reports whether a token may be used.
func (w *world) works(secret string) bool {
	w.t.Helper()
	_, err := w.tokens.Verify(w.t.Context(), secret, netip.MustParseAddr("203.0.113.9"))
	return err == nil
}

func TestAPersonMakesSeesReplacesAndRevokesATokenOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	made := w.want(201, request{method: "POST", path: ownTokens, token: mine, body: newToken(
		"backup", orders, `["orders:read"]`, "2026-04-01T02:00:00+02:00", `,"networks":["203.0.113.0/24","2001:db8::1"]`)})
	golden(t, "apitoken-created.json", indented(t, made))
	path := made.Header.Get("Location")
	secret, _ := made.json(t)["token"].(string)
	if !strings.HasPrefix(path, ownTokens+"/tok_") || made.Header.Get("Cache-Control") != "no-store" || !w.works(secret) {
		t.Fatalf("headers %v", made.Header)
	}

	w.tokens.Used(strings.TrimPrefix(path, ownTokens+"/"), netip.MustParseAddr("203.0.113.9"), "curl/8")
	if err := w.tokens.WriteUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	shown := w.want(200, request{method: "GET", path: path, token: mine})
	golden(t, "apitoken-shown.json", indented(t, shown))
	listed := w.want(200, request{method: "GET", path: ownTokens, token: mine})
	if listed.body != `{"items":[`+strings.TrimSpace(shown.body)+"]}\n" {
		t.Errorf("list: %s", listed.body)
	}

	rotated := w.want(201, request{method: "POST", path: path + "/rotate", token: mine, body: `{"overlap_seconds":60}`})
	golden(t, "apitoken-rotated.json", indented(t, rotated))
	second, _ := rotated.json(t)["token"].(string)
	if next := rotated.Header.Get("Location"); next == path || !w.works(second) || !w.works(secret) {
		t.Errorf("replaced by %s", next)
	}
	w.advance(time.Minute)
	if w.works(secret) || !w.works(second) {
		t.Error("the overlap is over, and not the new token's life")
	}

	path = rotated.Header.Get("Location")
	for range 2 {
		w.want(204, request{method: "DELETE", path: path, token: mine})
	}
	if w.works(second) {
		t.Error("a revoked token works")
	}
	golden(t, "apitoken-revoked.json", indented(t, w.want(200, request{method: "GET", path: path, token: mine})))
	if got := w.want(200, request{method: "GET", path: ownTokens, token: mine}); strings.Contains(got.body, "sgp_") {
		t.Errorf("a token is shown again: %s", got.body)
	}
}

func TestATokenThatIsWronglyAskedForIsRefused(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	const day = "2026-03-02T12:00:00Z"
	good := func(more string) string { return newToken("n", orders, `["orders:read"]`, day, more) }
	for name, c := range map[string]struct {
		status  int
		body    string
		pointer string
	}{
		"empty":                 {422, `{}`, "/name"},
		"no name":               {422, newToken("", orders, `["orders:read"]`, day, ""), "/name"},
		"a name that hides":     {422, newToken(`a\u202eb`, orders, `["orders:read"]`, day, ""), "/name"},
		"unknown API":           {422, newToken("n", "https://nobody.example", `["orders:read"]`, day, ""), "/api"},
		"no scope":              {422, newToken("n", orders, `[]`, day, ""), "/scopes"},
		"a scope it lacks":      {422, newToken("n", orders, `["orders:delete"]`, day, ""), "/scopes"},
		"two scopes in one":     {422, newToken("n", orders, `["orders:read orders:write"]`, day, ""), "/scopes"},
		"scopes in one string":  {400, newToken("n", orders, `"orders:read"`, day, ""), "/scopes"},
		"no end":                {422, `{"name":"n","api":"` + orders + `","scopes":["orders:read"]}`, "/expires_at"},
		"an end in words":       {422, newToken("n", orders, `["orders:read"]`, "tomorrow", ""), "/expires_at"},
		"an end as a number":    {400, `{"expires_at":1772366400}`, "/expires_at"},
		"an end in the past":    {422, newToken("n", orders, `["orders:read"]`, "2026-03-01T11:59:59Z", ""), "/expires_at"},
		"an end too far":        {422, newToken("n", orders, `["orders:read"]`, "9999-12-31T23:59:59Z", ""), "/expires_at"},
		"no network":            {422, good(`,"networks":["203.0.113.0/24","home"]`), "/networks/1"},
		"a network as a number": {400, good(`,"networks":[1]`), "/networks/0"},
		"too many networks":     {422, good(`,"networks":["` + strings.Join(addresses(21), `","`) + `"]`), "/networks"},
		"a token of their own":  {400, good(`,"token":"sgp_x"`), "/token"},
		"for somebody else":     {400, good(`,"user_id":"usr_x"`), "/user_id"},
	} {
		got := w.want(c.status, request{method: "POST", path: ownTokens, token: mine, body: c.body})
		if !strings.Contains(got.body, `"pointer":"`+c.pointer+`"`) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if got := w.want(200, request{method: "GET", path: ownTokens, token: mine}); got.body != "{\"items\":[]}\n" {
		t.Errorf("something was made: %s", got.body)
	}
}

// A program hears of all that is wrong at once, as a person does.
func TestAllThatIsWrongWithATokenIsTold(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	got := w.want(422, request{method: "POST", path: ownTokens, token: mine, body: newToken(" ", orders, `["orders:delete"]`, "2026-02-01T00:00:00Z", "")})
	golden(t, "apitoken-invalid.json", indented(t, got))
}

func addresses(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String()
	}
	return out
}

// An app that an administrator has let see to their account does not become one by it.
func TestAccountScopeIsNoWayToMorePower(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.robot(w.person("alice", authz.RoleAdministrator))
	admin := newToken("root", issuer, `["signet:admin"]`, "2026-03-31T00:00:00Z", "")
	for _, scopes := range []string{`["signet:admin"]`, `["signet:account","signet:users:write"]`} {
		got := w.want(403, request{method: "POST", path: ownTokens, token: mine, body: newToken("x", issuer, scopes, "2026-03-31T00:00:00Z", "")})
		if got.json(t)["code"] != "insufficient_scope" {
			t.Error(got.body)
		}
	}
	w.makeToken(mine, newToken("own", issuer, `["signet:account"]`, "2026-03-31T00:00:00Z", ""))
	w.makeToken("alice/signet:account+signet:users:read", newToken("users", issuer, `["signet:users:read"]`, "2026-03-31T00:00:00Z", ""))
	id, secret := w.makeToken("alice/"+authz.ScopeAdmin, admin)
	w.want(403, request{method: "POST", path: ownTokens + "/" + id + "/rotate", token: mine, body: `{}`})
	if !w.works(secret) {
		t.Error("what was refused has ended the token")
	}
	w.want(204, request{method: "DELETE", path: ownTokens + "/" + id, token: mine})
}

// What a person may not grant, a token of theirs does not get.
func TestATokenGetsNoMoreThanItsOwnersRolesAllow(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	got := w.want(422, request{method: "POST", path: ownTokens, token: "alice/" + authz.ScopeAdmin,
		body: newToken("x", issuer, `["signet:users:read"]`, "2026-03-31T00:00:00Z", "")})
	if !strings.Contains(got.body, `"pointer":"/scopes"`) {
		t.Error(got.body)
	}
}

func TestSomebodyElsesTokenIsNotThere(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
	const bob = "bob/" + authz.ScopeAccount
	for _, id := range []string{id, "tok_" + strings.Repeat("a", 26), "tok_", "..", "%2e%2e", "a%00b", "%ff", url.PathEscape(secret)} {
		path := ownTokens + "/" + id
		w.want(404, request{method: "GET", path: path, token: bob})
		w.want(404, request{method: "DELETE", path: path, token: bob})
		w.want(404, request{method: "POST", path: path + "/rotate", token: bob, body: `{}`})
	}
	if got := w.want(200, request{method: "GET", path: ownTokens, token: bob}); got.body != "{\"items\":[]}\n" {
		t.Error(got.body)
	}
	if !w.works(secret) {
		t.Error("bob has ended alice's token")
	}
}

func TestOverlapsThatAreNone(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
	path := ownTokens + "/" + id + "/rotate"
	for _, seconds := range []string{"-1", "2592001", "9000000000", "18446744074", "9223372036854775807"} {
		got := w.want(422, request{method: "POST", path: path, token: mine, body: `{"overlap_seconds":` + seconds + `}`})
		if !strings.Contains(got.body, `"/overlap_seconds"`) {
			t.Error(got.body)
		}
	}
	w.want(400, request{method: "POST", path: path, token: mine, body: `{"overlap_seconds":1e30}`})
	w.want(400, request{method: "POST", path: path, token: mine, body: `{"overlap":1}`})
	if !w.works(secret) {
		t.Error("what was refused has ended the token")
	}
	w.want(201, request{method: "POST", path: path, token: mine, body: `{}`})
	if w.works(secret) {
		t.Error("without an overlap the old token goes on")
	}
	w.want(409, request{method: "POST", path: path, token: mine, body: `{}`})
}

// As many tokens as there may be can be replaced, and then no more.
func TestThereIsAnEndToTokens(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	body := func(name int) string {
		return newToken(strconv.Itoa(name), orders, `["orders:read"]`, "2026-03-31T00:00:00Z", "")
	}
	rotate := func(id string) request {
		return request{method: "POST", path: ownTokens + "/" + id + "/rotate", token: mine, body: `{"overlap_seconds":60}`}
	}
	var ids []string
	for i := range 50 {
		id, _ := w.makeToken(mine, body(i))
		ids = append(ids, id)
	}
	w.want(422, request{method: "POST", path: ownTokens, token: mine, body: body(50)})
	var next string
	for _, id := range ids {
		next, _ = w.want(201, rotate(id)).json(t)["id"].(string)
	}
	w.want(409, rotate(next))
}

// Two that work are never called the same, and none has two successors.
func TestATokensNameIsTakenAndItsPlaceToo(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	body := newToken("backup", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", "")
	id, _ := w.makeToken(mine, body)
	again := request{method: "POST", path: ownTokens, token: mine, body: body}
	if got := w.want(409, again); !strings.Contains(got.body, "with this name already") {
		t.Error(got.body)
	}
	rotate := request{method: "POST", path: ownTokens + "/" + id + "/rotate", token: mine, body: `{"overlap_seconds":60}`}
	fresh := w.want(201, rotate).json(t)
	if got := w.want(409, rotate); !strings.Contains(got.body, "was replaced already") {
		t.Error(got.body)
	}
	w.want(409, again)
	old := w.want(200, request{method: "GET", path: ownTokens + "/" + id, token: mine}).json(t)
	if old["replaced_by"] != fresh["id"] || old["status"] != "active" || fresh["name"] != "backup" {
		t.Errorf("%v was replaced by %v", old, fresh)
	}
}

func TestOwnTokensComeInParts(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	var want []string
	for i := range 5 {
		id, _ := w.makeToken(mine, newToken(strconv.Itoa(i), orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
		want = append([]string{id}, want...) // the newest first
		w.advance(time.Second)
	}
	if got := w.walk(t, ownTokens, mine, "id"); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("listed %v, want %v", got, want)
	}
	for _, after := range []string{"tok_", "x", "tok_" + strings.Repeat("a", 26)} {
		w.want(400, request{method: "GET", path: ownTokens + "?after=" + after, token: mine})
	}
}

// walk reads a list in parts of two.
func (w *world) walk(t *testing.T, path, token, key string) []string {
	t.Helper()
	var out []string
	for after, first := "", true; first || after != ""; first = false {
		got := w.want(200, request{method: "GET", path: path + "?limit=2&after=" + url.QueryEscape(after), token: token}).json(t)
		items := got["items"].([]any)
		if len(items) == 0 || len(items) > 2 {
			t.Fatalf("%s: a part of %d", path, len(items))
		}
		for _, one := range items {
			out = append(out, one.(map[string]any)[key].(string))
		}
		after, _ = got["next"].(string)
	}
	return out
}

func TestAdministratorsSeeAndRevokeEverybodysTokens(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	alices, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-02T00:00:00Z", ""))
	_, leaked := w.makeToken(mine, newToken("m", orders, `["orders:read"]`, "2026-03-02T00:00:00Z", ""))
	bobs, root := w.makeToken("bob/"+authz.ScopeAdmin, newToken("r", issuer, `["signet:admin"]`, "2026-03-31T00:00:00Z", ""))
	if err := w.tokens.Leaked(t.Context(), []string{leaked}); err != nil {
		t.Fatal(err)
	}
	if got := w.walk(t, "/api/v1/tokens", authz.ScopeTokensRead, "id"); len(got) != 3 {
		t.Errorf("listed %v", got)
	}
	w.want(400, request{method: "GET", path: "/api/v1/tokens?after=x"})

	for _, id := range []string{alices, bobs, alices} { // twice is fine
		w.want(204, request{method: "DELETE", path: "/api/v1/tokens/" + id, token: authz.ScopeTokensWrite})
	}
	if w.works(secret) || w.works(root) {
		t.Error("a revoked token works")
	}
	w.advance(24 * time.Hour)
	statuses := map[string]int{}
	for _, status := range w.walk(t, "/api/v1/tokens", authz.ScopeTokensRead, "status") {
		statuses[status]++
	}
	if statuses["revoked"] != 2 || statuses["leaked"] != 1 {
		t.Errorf("statuses %v", statuses)
	}
	for _, id := range []string{"tok_" + strings.Repeat("a", 26), "x", "%ff"} {
		w.want(404, request{method: "DELETE", path: "/api/v1/tokens/" + id, token: authz.ScopeTokensWrite})
	}
}

func TestATokenExpires(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, _ := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-02T00:00:00Z", ""))
	w.advance(24 * time.Hour)
	if got := w.want(200, request{method: "GET", path: ownTokens + "/" + id, token: mine}).json(t); got["status"] != "expired" {
		t.Errorf("status %v", got["status"])
	}
	w.want(404, request{method: "POST", path: ownTokens + "/" + id + "/rotate", token: mine, body: `{}`})
	w.advance(31 * 24 * time.Hour)
	w.want(404, request{method: "GET", path: ownTokens + "/" + id, token: mine})
}
