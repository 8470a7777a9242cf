package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Assets serves files under addresses that hold a hash of their content, such as
// /static/signet.0123456789ab.css, so that browsers may keep them for ever.
type Assets struct {
	addresses map[string]string // file name → address
	files     map[string]asset  // address → content
}

type asset struct {
	content     []byte
	contentType string
}

func newAssets(files fs.FS, folder string) (*Assets, error) {
	a := &Assets{addresses: map[string]string{}, files: map[string]asset{}}
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, e := range entries {
		content, err := fs.ReadFile(files, path.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read asset %s: %w", e.Name(), err)
		}
		a.add(e.Name(), content)
	}
	return a, nil
}

func (a *Assets) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	address := "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.addresses[name] = address
	a.files[address] = asset{content, contentType(ext)}
}

// contentType knows our endings by itself: what mime says depends on the machine.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

// URL gives the address of a file in static/.
func (a *Assets) URL(name string) (string, error) {
	address, ok := a.addresses[name]
	if !ok {
		return "", fmt.Errorf("no asset %s", name)
	}
	return address, nil
}

// ServeHTTP answers GET and HEAD for the addresses that URL gives, and 404 for any other,
// an outdated hash included: an old page must not get a style made for a newer one.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, r.URL.Path, "public, max-age=31536000, immutable")
}

// Icon serves the seal where browsers look for a picture without being told of one. The
// address stays the same when the picture changes, so they ask again after a day.
func (a *Assets) Icon(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, a.addresses["seal.svg"], "public, max-age=86400")
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request, address, cache string) {
	file, ok := a.files[address]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
}
