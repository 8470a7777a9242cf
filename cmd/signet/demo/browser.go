package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// browser walks through pages as a person without JavaScript would: it follows links and
// redirects, fills in forms and presses buttons, which it finds by their ids.
type browser struct {
	client *http.Client
	url    *url.URL
	page   *html.Node
	status int
}

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{client: &http.Client{Jar: jar}}, nil
}

func (b *browser) open(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return b.load(r)
}

func (b *browser) load(r *http.Request) error {
	r.Header.Set("Accept", "text/html")
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := html.Parse(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	b.url, b.page, b.status = resp.Request.URL, page, resp.StatusCode
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answers %s: %s", b.url.Path, resp.Status, b.text("error"))
	}
	return nil
}

// press follows the link, or submits the form of the button, with this id. fill gives text
// for fields by name; the others keep their values, but for boxes with a value in untick.
func (b *browser) press(ctx context.Context, id string, fill url.Values, untick ...string) error {
	n := b.find(id)
	if n == nil {
		return fmt.Errorf("%s has no #%s", b.url.Path, id)
	}
	if n.Data == "a" {
		u, err := b.url.Parse(attr(n, "href"))
		if err != nil {
			return err
		}
		return b.open(ctx, u.String())
	}
	form := n
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		return errors.New("#" + id + " is in no form")
	}
	return b.submit(ctx, form, n, fill, untick)
}

// pressIn submits the form in the entry of a list that mentions some words.
func (b *browser) pressIn(ctx context.Context, words string) error {
	for n := range b.page.Descendants() {
		if n.Type != html.ElementNode || n.Data != "li" || !strings.Contains(allText(n), words) {
			continue
		}
		for form := range n.Descendants() {
			if form.Type == html.ElementNode && form.Data == "form" {
				return b.submit(ctx, form, form, nil, nil)
			}
		}
	}
	return fmt.Errorf("%s has no form beside %q", b.url.Path, words)
}

func (b *browser) submit(ctx context.Context, form, button *html.Node, fill url.Values, untick []string) error {
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && sent(n, untick) {
			values.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	maps.Copy(values, fill)
	if name := attr(button, "name"); name != "" {
		values.Set(name, attr(button, "value"))
	}
	target, err := b.url.Parse(attr(form, "action"))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.url.Scheme+"://"+b.url.Host)
	return b.load(r)
}

// sent reports whether a browser would send this input.
func sent(n *html.Node, untick []string) bool {
	switch attr(n, "type") {
	case "submit", "button":
		return false
	case "checkbox", "radio":
		if !has(n, "checked") {
			return false
		}
		for _, value := range untick {
			if attr(n, "value") == value {
				return false
			}
		}
	}
	return attr(n, "name") != ""
}

// find gives the element with this id; nil when the page has none.
func (b *browser) find(id string) *html.Node {
	if b.page == nil {
		return nil
	}
	for n := range b.page.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return n
		}
	}
	return nil
}

// text is what an element with this id says; empty when the page has none.
func (b *browser) text(id string) string {
	n := b.find(id)
	if n == nil {
		return ""
	}
	return allText(n)
}

// allText is all that an element says.
func allText(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		out.WriteString(textOf(d))
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// textOf is the text of a text node, set off from its neighbours.
func textOf(n *html.Node) string {
	if n.Type != html.TextNode {
		return ""
	}
	return " " + n.Data
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
