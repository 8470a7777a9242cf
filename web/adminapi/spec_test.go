package adminapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

// spec is the OpenAPI document.
type spec struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas    map[string]schema    `json:"schemas"`
		Responses  map[string]outcome   `json:"responses"`
		Parameters map[string]parameter `json:"parameters"`
	} `json:"components"`
}

type operation struct {
	ID          string                `json:"operationId"`
	Security    []map[string][]string `json:"security"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody struct {
		Content map[string]content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]outcome `json:"responses"`
}

type parameter struct {
	Ref  string `json:"$ref"`
	Name string `json:"name"`
	In   string `json:"in"`
}

type outcome struct {
	Ref     string              `json:"$ref"`
	Content map[string]content  `json:"content"`
	Headers map[string]struct{} `json:"headers"`
}

type content struct {
	Schema schema `json:"schema"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Additional *additional       `json:"additionalProperties"`
	Enum       []string          `json:"enum"`
	AnyOf      []schema          `json:"anyOf"`
}

// additional is false, or what members of any name are like.
type additional struct{ schema *schema }

func (a *additional) UnmarshalJSON(text []byte) error {
	if string(text) == "false" {
		return nil
	}
	return json.Unmarshal(text, &a.schema)
}

func readSpec(t testing.TB) *spec {
	t.Helper()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	s := new(spec)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// find gives the operation of a request; nil when there is none.
func (s *spec) find(method, path string) *operation {
	for template, operations := range s.Paths {
		if !fits(template, path) {
			continue
		}
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if op, ok := operations[strings.ToLower(method)]; ok {
			return &op
		}
	}
	return nil
}

func fits(template, path string) bool {
	a, b := strings.Split(template, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (b[i] == "" || !strings.HasPrefix(a[i], "{")) {
			return false
		}
	}
	return true
}

// check holds an answer to what the document says of its operation.
func (s *spec) check(t testing.TB, method, path string, r response) {
	t.Helper()
	op := s.find(method, path)
	if op == nil {
		if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is not documented and answers %d", method, path, r.StatusCode)
		}
		return
	}
	got, ok := op.Responses[fmt.Sprint(r.StatusCode)]
	if !ok {
		t.Errorf("%s: status %d is not documented: %s", op.ID, r.StatusCode, r.body)
		return
	}
	if got.Ref != "" {
		got = s.Components.Responses[last(got.Ref)]
	}
	for name := range got.Headers {
		if r.Header.Get(name) == "" {
			t.Errorf("%s: answer %d has no header %s", op.ID, r.StatusCode, name)
		}
	}
	if len(got.Content) == 0 || method == http.MethodHead {
		return
	}
	body, ok := got.Content[r.Header.Get("Content-Type")]
	if !ok {
		t.Errorf("%s: answer %d has the media type %q", op.ID, r.StatusCode, r.Header.Get("Content-Type"))
		return
	}
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Errorf("%s: answer %d is not JSON: %v", op.ID, r.StatusCode, err)
		return
	}
	for _, fault := range s.faults(body.Schema, v, "") {
		t.Errorf("%s: answer %d: %s", op.ID, r.StatusCode, fault)
	}
}

// faults validates a value against a schema of the few words that the document uses.
func (s *spec) faults(is schema, v any, at string) []string {
	if is.Ref != "" {
		is = s.Components.Schemas[last(is.Ref)]
	}
	var out []string
	fault := func(format string, args ...any) { out = append(out, at+": "+fmt.Sprintf(format, args...)) }
	if len(is.AnyOf) > 0 {
		if !slices.ContainsFunc(is.AnyOf, func(one schema) bool { return s.faults(one, v, at) == nil }) {
			fault("%v is nothing of what it may be", v)
		}
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		if is.Type != "object" {
			fault("object instead of %s", is.Type)
		}
		for _, name := range is.Required {
			if _, ok := v[name]; !ok {
				fault("no %s", name)
			}
		}
		for name, member := range v {
			known, ok := is.Properties[name]
			switch {
			case ok:
				out = append(out, s.faults(known, member, at+"/"+name)...)
			case is.Additional != nil && is.Additional.schema != nil:
				out = append(out, s.faults(*is.Additional.schema, member, at+"/"+name)...)
			case is.Additional != nil:
				fault("undocumented %s", name)
			}
		}
	case []any:
		if is.Type != "array" {
			fault("array instead of %s", is.Type)
			break
		}
		for i, one := range v {
			out = append(out, s.faults(*is.Items, one, fmt.Sprintf("%s/%d", at, i))...)
		}
	case string:
		if is.Type != "string" || len(is.Enum) > 0 && !slices.Contains(is.Enum, v) {
			fault("%q is not a %s of %v", v, is.Type, is.Enum)
		}
	case float64:
		if is.Type != "integer" && is.Type != "number" {
			fault("number instead of %s", is.Type)
		}
	case bool:
		if is.Type != "boolean" {
			fault("boolean instead of %s", is.Type)
		}
	default:
		fault("%v", v)
	}
	return out
}

func TestEveryRouteIsDocumentedAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	routes := map[string]bool{}
	for _, r := range w.routes {
		key := strings.ToLower(r.Method) + " " + r.Path
		routes[key] = true
		op, ok := w.spec.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok {
			t.Errorf("%s is not documented", key)
			continue
		}
		var want []string
		if r.Scope != "" {
			want = []string{r.Scope, authz.ScopeAdmin}
		}
		var got []string
		for _, either := range op.Security {
			got = append(got, either["accessToken"]...)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is documented with the scopes %v, and asks for %v", key, got, want)
		}
	}
	for path, operations := range w.spec.Paths {
		for method := range operations {
			if !routes[method+" "+path] {
				t.Errorf("%s %s is documented, but there is no such route", method, path)
			}
		}
	}
}

func TestTheDocumentIsServedAndItsReferencesResolve(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.want(200, request{method: "GET", path: "/api/openapi.json", token: "-"})
	if got.json(t)["openapi"] != "3.1.0" {
		t.Error("not OpenAPI 3.1.0")
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !w.spec.resolves(ref) {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, one := range v {
				walk(one)
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(got.json(t))
}

func (s *spec) resolves(ref string) bool {
	name := last(ref)
	_, isSchema := s.Components.Schemas[name]
	_, isResponse := s.Components.Responses[name]
	_, isParameter := s.Components.Parameters[name]
	return isSchema || isResponse || isParameter
}
