package adminapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// kind is one kind of resource, for what holds for all of them alike.
type kind struct {
	name   string
	base   string
	create string // a body to make one with
	put    string // a body to replace it with
	patch  string
	member string // that patch changes, and its value then
	value  any
	read   string // a member that only the server writes
}

func kinds() []kind {
	return []kind{
		{
			name: "client", base: "/api/v1/clients",
			create: `{"client_id":"calendar","client_name":"Calendar","redirect_uris":["https://calendar.example/cb"]}`,
			put:    `{"client_name":"Calendar 2","redirect_uris":["https://calendar.example/cb"],"scope":"openid"}`,
			patch:  `{"client_name":"Calendar 3"}`, member: "client_name", value: "Calendar 3", read: "client_id",
		},
		{
			name: "api", base: "/api/v1/apis",
			create: `{"identifier":"https://orders.example/v1","name":"Orders","scopes":[{"name":"orders:read","description":"See your orders"}],"claims":["roles","department"]}`,
			put:    `{"name":"Orders 2","scopes":[]}`,
			patch:  `{"browser_sign_in":true}`, member: "browser_sign_in", value: true, read: "identifier",
		},
		{
			name: "user", base: "/api/v1/users",
			create: `{"username":"alice","email":"alice@example.com","name":"Alice Liddell","password":"down the rabbit hole","claims":{"department":"sales","desk":7,"remote":true,"teams":["a","b"]}}`,
			put:    `{"username":"alice","email":"alice@example.org","locale":"en-GB"}`,
			patch:  `{"nickname":"Al"}`, member: "nickname", value: "Al", read: "id",
		},
		{
			name: "role", base: "/api/v1/roles",
			create: `{"name":"baker","description":"Bakes","scopes":["bread:write"]}`,
			put:    `{"scopes":["bread:read"]}`,
			patch:  `{"description":"Bakes a lot"}`, member: "description", value: "Bakes a lot", read: "name",
		},
	}
}

func TestAResourceIsMadeShownReplacedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			made := w.want(201, request{method: "POST", path: k.base, body: k.create})
			golden(t, k.name+"-created.json", indented(t, made))
			path := made.Header.Get("Location")
			if !strings.HasPrefix(path, k.base+"/") || made.Header.Get("ETag") != `"1"` || made.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", made.Header)
			}

			shown := w.want(200, request{method: "GET", path: path})
			golden(t, k.name+"-shown.json", indented(t, shown))
			if head := w.want(200, request{method: "HEAD", path: path}); head.Header.Get("ETag") != `"1"` {
				t.Errorf("HEAD gives ETag %s", head.Header.Get("ETag"))
			}
			listed := w.want(200, request{method: "GET", path: k.base})
			if !strings.Contains(listed.body, `"next"`) == false || !strings.Contains(listed.body, shown.json(t)[k.read].(string)) {
				t.Errorf("list: %s", listed.body)
			}
			w.want(409, request{method: "POST", path: k.base, body: k.create})

			put := w.want(200, request{method: "PUT", path: path, body: k.put, header: map[string]string{"If-Match": `"1"`}})
			golden(t, k.name+"-replaced.json", indented(t, put))
			if put.Header.Get("ETag") != `"2"` {
				t.Errorf("PUT gives ETag %s", put.Header.Get("ETag"))
			}
			patched := w.want(200, request{method: "PATCH", path: path, body: k.patch, header: map[string]string{
				"If-Match": `"2"`, "Content-Type": "application/merge-patch+json",
			}})
			if got := patched.json(t)[k.member]; got != k.value {
				t.Errorf("PATCH leaves %s at %v", k.member, got)
			}

			deleted := w.want(204, request{method: "DELETE", path: path, header: map[string]string{"If-Match": `"3"`}})
			if deleted.body != "" {
				t.Errorf("DELETE answers %q", deleted.body)
			}
			w.want(404, request{method: "GET", path: path})
		})
	}
}

func TestWhatWasReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.want(201, request{method: "POST", path: k.base, body: k.create}).Header.Get("Location")
			before := w.want(200, request{method: "GET", path: path})
			after := w.want(200, request{method: "PUT", path: path, body: before.body, header: map[string]string{"If-Match": `"1"`}})
			if before.body != after.body {
				t.Errorf("a PUT of what was read changes it:\nbefore %s after  %s", before.body, after.body)
			}
		})
	}
}

func TestOnlyTheServerWritesSomeMembers(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.want(201, request{method: "POST", path: k.base, body: k.create}).Header.Get("Location")
			for _, member := range []string{k.read, "updated_at"} {
				got := w.want(422, request{
					method: "PATCH", path: path, body: `{"` + member + `":"2020-01-01T00:00:00Z"}`, header: map[string]string{"If-Match": `"1"`},
				})
				if !strings.Contains(got.body, `"pointer":"/`+member+`"`) {
					t.Errorf("%s: %s", member, got.body)
				}
			}
		})
	}
}

func TestChangesNeedTheETag(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.want(201, request{method: "POST", path: k.base, body: k.create}).Header.Get("Location")
			for _, method := range []string{"PUT", "PATCH", "DELETE"} {
				body := map[string]string{"PUT": k.put, "PATCH": k.patch}[method]
				w.want(428, request{method: method, path: path, body: body})
				for _, tag := range []string{`"2"`, `"0"`, `W/"1"`, `1`, `""`, `"2", "3"`} {
					w.want(412, request{method: method, path: path, body: body, header: map[string]string{"If-Match": tag}})
				}
			}
			w.want(200, request{method: "PATCH", path: path, body: k.patch, header: map[string]string{"If-Match": `"7", "1"`}})
			w.want(200, request{method: "PATCH", path: path, body: k.patch, header: map[string]string{"If-Match": `*`}})
			w.want(304, request{method: "GET", path: path, header: map[string]string{"If-None-Match": `W/"3"`}})
			w.want(200, request{method: "GET", path: path, header: map[string]string{"If-None-Match": `"1"`}})
		})
	}
}

// Of many who have read the same version, one changes it; the others are told. All are held
// until the last has been found to know the version: what decides is the change itself.
func TestOfSimultaneousChangesOneWins(t *testing.T) {
	t.Parallel()
	const parties = 8
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.want(201, request{method: "POST", path: k.base, body: k.create}).Header.Get("Location")
			var there, all sync.WaitGroup
			there.Add(parties)
			statuses := make([]int, parties)
			for i := range parties {
				all.Go(func() {
					r := httptest.NewRequestWithContext(t.Context(), "PATCH", path, &gate{text: strings.NewReader(k.patch), there: &there})
					r.Header.Set("Authorization", "Bearer signet:admin")
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("If-Match", `"1"`)
					rec := httptest.NewRecorder()
					w.api.ServeHTTP(rec, r)
					statuses[i] = rec.Code
				})
			}
			all.Wait()
			slices.Sort(statuses)
			want := append([]int{http.StatusOK}, slices.Repeat([]int{http.StatusPreconditionFailed}, parties-1)...)
			if !slices.Equal(statuses, want) {
				t.Errorf("statuses %v", statuses)
			}
			if tag := w.want(200, request{method: "GET", path: path}).Header.Get("ETag"); tag != `"2"` {
				t.Errorf("the version is %s", tag)
			}
		})
	}
}

// gate is a body that opens when everybody has come to read theirs.
type gate struct {
	text  *strings.Reader
	there *sync.WaitGroup
	once  sync.Once
}

func (g *gate) Read(b []byte) (int, error) {
	g.once.Do(func() {
		g.there.Done()
		g.there.Wait()
	})
	return g.text.Read(b)
}

func TestListsComeInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		w.want(201, request{method: "POST", path: "/api/v1/clients", body: `{"client_id":"` + id + `","client_name":"N","application_type":"service"}`})
		w.want(201, request{method: "POST", path: "/api/v1/apis", body: `{"identifier":"https://` + id + `.example/x","name":"N"}`})
		w.want(201, request{method: "POST", path: "/api/v1/users", body: `{"username":"` + id + `"}`})
		w.want(201, request{method: "POST", path: "/api/v1/roles", body: `{"name":"` + id + `"}`})
	}
	for base, want := range map[string]int{"/api/v1/clients": 5, "/api/v1/apis": 5, "/api/v1/users": 5, "/api/v1/roles": 7} {
		seen, after, parts := map[string]bool{}, "", 0
		for parts == 0 || after != "" {
			got := w.want(200, request{method: "GET", path: base + "?limit=2&after=" + url.QueryEscape(after)}).json(t)
			items := got["items"].([]any)
			if len(items) == 0 || len(items) > 2 {
				t.Fatalf("%s: a part of %d", base, len(items))
			}
			for _, one := range items {
				member := one.(map[string]any)
				for _, name := range []string{"client_id", "identifier", "id", "name"} {
					if id, ok := member[name].(string); ok {
						seen[id] = true
						break
					}
				}
			}
			after, _ = got["next"].(string)
			parts++
		}
		if len(seen) != want || parts != (want+1)/2 {
			t.Errorf("%s: %d in %d parts, want %d", base, len(seen), parts, want)
		}
	}
	empty := newWorld(t).want(200, request{method: "GET", path: "/api/v1/clients"})
	if empty.body != "{\"items\":[]}\n" {
		t.Errorf("an empty list is %q", empty.body)
	}
}
