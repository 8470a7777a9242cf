package webtest

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Fill types into the field with this id or name.
func (p *Page) Fill(field, value string) *Page {
	p.browser.t.Helper()
	n := p.field(field)
	if attr(n, "type") == "hidden" {
		p.browser.t.Fatalf("the field %q on %s is hidden", field, p.URL.Path)
	}
	set(n, "value", value)
	return p
}

// Forge changes a field that a person could not, such as a hidden one.
func (p *Page) Forge(field, value string) *Page {
	p.browser.t.Helper()
	set(p.field(field), "value", value)
	return p
}

// Untick clears the box with this name and value.
func (p *Page) Untick(name, value string) *Page {
	p.browser.t.Helper()
	box := find(p.root, func(n *html.Node) bool {
		return attr(n, "type") == "checkbox" && attr(n, "name") == name && attr(n, "value") == value
	})
	if box == nil {
		p.browser.t.Fatalf("there is no box %s=%s on %s", name, value, p.URL.Path)
	}
	unset(box, "checked")
	return p
}

// Boxes lists the values of the boxes with this name.
func (p *Page) Boxes(name string) []string {
	var out []string
	for _, n := range findAll(p.root, func(n *html.Node) bool {
		return attr(n, "type") == "checkbox" && attr(n, "name") == name
	}) {
		out = append(out, attr(n, "value"))
	}
	return out
}

// Press presses the button with this id, value or text, which sends its form.
func (p *Page) Press(button string) *Page {
	p.browser.t.Helper()
	b := find(p.root, func(n *html.Node) bool {
		return n.Data == "button" && (attr(n, "id") == button || attr(n, "value") == button || text(n) == button)
	})
	if b == nil {
		p.browser.t.Fatalf("there is no button %q on %s: %s", button, p.URL.Path, text(p.root))
	}
	form := ancestor(b, "form")
	if id := attr(b, "form"); id != "" {
		form = find(p.root, byID(id))
	}
	if form == nil {
		p.browser.t.Fatalf("the button %q on %s has no form", button, p.URL.Path)
	}
	_, unchecked := lookup(b, "formnovalidate")
	fields := p.fields(form, !unchecked)
	if name := attr(b, "name"); name != "" {
		fields.Add(name, attr(b, "value"))
	}
	return p.send(form, fields)
}

func (p *Page) send(form *html.Node, fields url.Values) *Page {
	p.browser.t.Helper()
	action := p.URL.ResolveReference(p.browser.parse(attr(form, "action")))
	if !strings.EqualFold(attr(form, "method"), http.MethodPost) {
		action.RawQuery = fields.Encode()
		return p.browser.load(p.browser.request(http.MethodGet, action, nil, "same-origin"))
	}
	site := "same-origin"
	if originOf(action) != originOf(p.URL) {
		site = "cross-site"
	}
	return p.browser.load(p.browser.request(http.MethodPost, action, fields, site))
}

// fields are what a browser would send of a form, after the checks that it would make.
func (p *Page) fields(form *html.Node, check bool) url.Values {
	p.browser.t.Helper()
	out := url.Values{}
	for _, n := range findAll(form, func(n *html.Node) bool { return n.Data == "input" || n.Data == "textarea" }) {
		name, value := attr(n, "name"), attr(n, "value")
		kind := attr(n, "type")
		_, ticked := lookup(n, "checked")
		if name == "" || (kind == "checkbox" || kind == "radio") && !ticked {
			continue
		}
		if _, required := lookup(n, "required"); required && check && value == "" {
			p.browser.t.Fatalf("the field %q on %s must be filled in", name, p.URL.Path)
		}
		out.Add(name, value)
	}
	return out
}

func (p *Page) field(name string) *html.Node {
	p.browser.t.Helper()
	n := find(p.root, func(n *html.Node) bool {
		return n.Data == "input" && (attr(n, "id") == name || attr(n, "name") == name)
	})
	if n == nil {
		p.browser.t.Fatalf("there is no field %q on %s: %s", name, p.URL.Path, text(p.root))
	}
	return n
}

func ancestor(n *html.Node, element string) *html.Node {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.Type == html.ElementNode && n.Data == element {
			return n
		}
	}
	return nil
}

func set(n *html.Node, name, value string) {
	unset(n, name)
	n.Attr = append(n.Attr, html.Attribute{Key: name, Val: value})
}

func unset(n *html.Node, name string) {
	for i, a := range n.Attr {
		if a.Key == name {
			n.Attr = append(n.Attr[:i], n.Attr[i+1:]...)
			return
		}
	}
}
