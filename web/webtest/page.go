package webtest

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Page is what a browser shows. Its methods that act fail the test when a person could not
// do it: there is no such field, or it is not on a form.
type Page struct {
	Status int
	Header http.Header
	Body   string
	URL    *url.URL // where the browser is, or would go when Status is a redirect
	Trail  []string // the addresses that were loaded on the way here

	browser *Browser
	root    *html.Node
}

// Has reports whether there is an element with this id.
func (p *Page) Has(id string) bool { return find(p.root, byID(id)) != nil }

// Text gives the text of the element with this id; empty when there is none.
func (p *Page) Text(id string) string {
	n := find(p.root, byID(id))
	if n == nil {
		return ""
	}
	return text(n)
}

// Says reports whether the page shows a text, white space aside.
func (p *Page) Says(words string) bool { return strings.Contains(text(p.root), words) }

// Value gives what is in the field with this id or name.
func (p *Page) Value(field string) string {
	p.browser.t.Helper()
	return attr(p.field(field), "value")
}

// Link opens the link with this text.
func (p *Page) Link(words string) *Page {
	p.browser.t.Helper()
	a := find(p.root, func(n *html.Node) bool { return n.Data == "a" && text(n) == words })
	if a == nil {
		p.browser.t.Fatalf("there is no link %q on %s", words, p.URL.Path)
	}
	return p.browser.load(p.browser.request(http.MethodGet, p.URL.ResolveReference(p.browser.parse(attr(a, "href"))), nil, "same-origin"))
}

// find gives the first element in the order of the page that fits.
func find(n *html.Node, fits func(*html.Node) bool) *html.Node {
	if n.Type == html.ElementNode && fits(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, fits); found != nil {
			return found
		}
	}
	return nil
}

func findAll(n *html.Node, fits func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	if n.Type == html.ElementNode && fits(n) {
		out = append(out, n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, findAll(c, fits)...)
	}
	return out
}

func byID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

func attr(n *html.Node, name string) string {
	value, _ := lookup(n, name)
	return value
}

func lookup(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// text gives the words of an element with single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}
