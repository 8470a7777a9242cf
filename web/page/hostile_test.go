package page

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// spoil returns p with every text that a stranger could have written replaced. Addresses
// stay, since a broken one leaves its link out and so changes the outline of the page.
func spoil(p Page, text string) Page {
	out := reflect.New(reflect.TypeOf(p)).Elem()
	out.Set(reflect.ValueOf(p))
	spoilValue(out, text)
	return out.Interface().(Page)
}

func spoilValue(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		// A named type is a word of ours, and an empty string decides what is shown.
		if v.Type() == reflect.TypeFor[string]() && v.Len() > 0 {
			v.SetString(text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "API" { // an API that is called like the entry it is in has no heading
				spoilValue(v.Field(i), "The "+text)
				continue
			}
			if v.Field(i).CanSet() && !strings.HasSuffix(name, "URL") && name != "Action" {
				spoilValue(v.Field(i), text)
			}
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			spoilValue(fresh.Index(i), text)
		}
		v.Set(fresh)
	case reflect.Map:
		spoilMap(v, text)
	}
}

func spoilMap(v reflect.Value, text string) {
	if v.IsNil() {
		return
	}
	fresh := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		spoilValue(value, text)
		fresh.SetMapIndex(key, value)
	}
	v.Set(fresh)
}

func TestStrangersTextStaysText(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for kind, text := range map[string]string{
		"markup":        `</title></textarea><script>alert(1)</script><b style="color:red" onclick="x">`,
		"attribute":     `" onmouseover="alert(1)" style="`,
		"template":      `{{.CSRF}}`,
		"reversed":      "Acme \u202egro.live\u2066\u200f",
		"long":          strings.Repeat("Wide", 2500),
		"control":       "a\x00b\x1b[31mc\u0085",
		"white space":   strings.Repeat(" \n", 4000) + "x",
		"broken utf-8":  "a\xff\xfe",
		"only controls": "\u202e\u200b",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for name, p := range samples() {
				want := parsed(t, draw(t, s, p))
				got := parsed(t, draw(t, s, spoil(p, text)))
				if kind != "only controls" && got.tags() != want.tags() {
					t.Errorf("%s: the text changed the outline of the page", name)
				}
				checkText(t, name, got)
			}
		})
	}
}

func checkText(t *testing.T, name string, d document) {
	t.Helper()
	for n := range d.root.Descendants() {
		if n.Type != html.TextNode || n.Parent.Data == "textarea" {
			continue
		}
		if strings.ContainsAny(n.Data, "\u202e\u2066\u200f\u200b\x1b\x00\u0085") {
			t.Errorf("%s: a control character is shown: %.40q", name, n.Data)
		}
		if utf8.RuneCountInString(n.Data) > textLength+40 {
			t.Errorf("%s: %d characters in one go", name, utf8.RuneCountInString(n.Data))
		}
	}
}

func TestUnsafeLinksAreNotShown(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, bad := range []string{"javascript:alert(1)", "http://acme.example/", "data:text/html,x", "https://", "//evil.example", "///evil.example", `/\evil.example`, "/\t/evil.example", "https://you@evil.example/", " https://a.example", "\x00"} {
		app := App{Name: "A", HomeURL: bad, PolicyURL: bad, TermsURL: bad}
		for _, p := range []Page{
			Consent{App: app}, Login{App: app},
			Error{Back: Link{"Back", bad}}, LoggedOut{Back: Link{"Back", bad}},
		} {
			for n := range parsed(t, draw(t, s, p)).elements("a") {
				if !strings.HasPrefix(attr(n, "href"), "/account") && attr(n, "href") != "/login" {
					t.Errorf("%T links to %q", p, attr(n, "href"))
				}
			}
		}
	}
}

func TestSafeLinksAreShown(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, good := range []string{"https://calendar.acme.example/x?y=1", "http://localhost:8081/", "http://127.0.0.1:8081/", "http://[::1]:8081/", "/account"} {
		found := false
		for n := range parsed(t, draw(t, s, Error{Back: Link{"Back", good}})).elements("a") {
			found = found || attr(n, "href") == good
		}
		if !found {
			t.Errorf("no link to %s", good)
		}
	}
}
