package page

import (
	"iter"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// document is a rendered page as a browser understands it.
type document struct{ root *html.Node }

func newSet(t testing.TB) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func draw(t testing.TB, s *Set, p Page) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Write(w, 200, p); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func parsed(t testing.TB, body string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return document{root}
}

// eachPage runs check on every sample and on every empty page.
func eachPage(t *testing.T, check func(t *testing.T, p Page, d document)) {
	t.Helper()
	s := newSet(t)
	all := samples()
	maps.Copy(all, emptyPages())
	for name, p := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, p, parsed(t, draw(t, s, p)))
		})
	}
}

// elements are the elements with one of the given names; all of them without a name.
func (d document) elements(names ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range d.root.Descendants() {
			if n.Type == html.ElementNode && (len(names) == 0 || contains(names, n.Data)) && !yield(n) {
				return
			}
		}
	}
}

// ids counts how often each id occurs.
func (d document) ids() map[string]int {
	out := map[string]int{}
	for n := range d.elements() {
		if id := attr(n, "id"); id != "" {
			out[id]++
		}
	}
	return out
}

// tags is the outline of the page: its elements in order, without their text.
func (d document) tags() string {
	var b strings.Builder
	for n := range d.elements() {
		b.WriteString(n.Data + " ")
	}
	return b.String()
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
