package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates static
var files embed.FS

// Page is one screen. The structs of this package are the only ones.
type Page interface {
	// Template names the page's file in templates/, without its ending.
	Template() string
	// Title is what the browser's tab says.
	Title() string
}

// pages lists every page, so that New finds a missing or a forgotten template at start.
func pages() []Page {
	return []Page{
		Login{}, Consent{}, Error{}, Logout{}, LoggedOut{}, Setup{}, SetupDone{}, FormPost{},
		Account{}, AccountApps{}, AccountSessions{},
		AccountTokens{}, AccountTokenAPIs{}, AccountTokenNew{}, AccountTokenCreated{}, AccountTokenRotate{},
	}
}

// Set holds the parsed pages and the files they refer to. It is safe for concurrent use.
type Set struct {
	templates map[string]*template.Template
	assets    *Assets
}

// New parses the embedded templates. It fails when a page has no template, or a template
// no page.
func New() (*Set, error) { return load(files) }

func load(files fs.FS) (*Set, error) {
	assets, err := newAssets(files, "static")
	if err != nil {
		return nil, err
	}
	s := &Set{templates: map[string]*template.Template{}, assets: assets}
	shared, err := template.New("").Funcs(funcs(assets)).ParseFS(files, "templates/shared/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse shared templates: %w", err)
	}
	for _, p := range pages() {
		if s.templates[p.Template()], err = parse(files, shared, p.Template()); err != nil {
			return nil, err
		}
	}
	return s, s.checkOrphans(files)
}

func parse(files fs.FS, shared *template.Template, name string) (*template.Template, error) {
	t, err := shared.Clone()
	if err != nil {
		return nil, fmt.Errorf("clone shared templates: %w", err)
	}
	if t, err = t.ParseFS(files, "templates/"+name+".html"); err != nil {
		return nil, fmt.Errorf("parse page %s: %w", name, err)
	}
	return t.Lookup(name + ".html"), nil
}

func (s *Set) checkOrphans(files fs.FS) error {
	entries, err := fs.ReadDir(files, "templates")
	if err != nil {
		return fmt.Errorf("list templates: %w", err)
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		if !e.IsDir() && s.templates[name] == nil {
			return fmt.Errorf("template %s belongs to no page", e.Name())
		}
	}
	return nil
}

// Assets serves the stylesheet, the script and the icon under /static/.
func (s *Set) Assets() *Assets { return s.assets }

// Write renders p and sends it with the given status. When rendering fails nothing has
// been written, and the caller may still answer otherwise.
func (s *Set) Write(w http.ResponseWriter, status int, p Page) error {
	var body bytes.Buffer
	if err := s.render(&body, p); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("send page %s: %w", p.Template(), err)
	}
	return nil
}

func (s *Set) render(body *bytes.Buffer, p Page) error {
	if c, ok := p.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return fmt.Errorf("render page %s: %w", p.Template(), err)
		}
	}
	t := s.templates[p.Template()]
	if t == nil {
		return fmt.Errorf("render page %s: no such page", p.Template())
	}
	if err := t.Execute(body, p); err != nil {
		return fmt.Errorf("render page %s: %w", p.Template(), err)
	}
	return nil
}

func funcs(assets *Assets) template.FuncMap {
	return template.FuncMap{
		"asset":    assets.URL,
		"computer": computer,
		"device":   Describe,
		"handset":  handset,
		"initial":  initial,
		"moment":   momentOf,
		"name":     func(s string) string { return plain(s, nameLength) },
		"text":     func(s string) string { return plain(s, textLength) },
		"tone":     tone,
		"web":      webAddress,
		"list":     list,
	}
}
