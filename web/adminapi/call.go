package adminapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

// call is a request of somebody who may make it.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	caller *oauth2.TokenInfo
}

func (c *call) ctx() context.Context { return c.r.Context() }

// segment gives a named segment of the path, decoded.
func (c *call) segment(name string) (string, error) {
	raw := mux.Vars(c.r)[name]
	text, err := url.PathUnescape(raw)
	if err != nil {
		return "", authz.ErrNotFound
	}
	return text, nil
}

// reply is what a call gave.
type reply struct {
	status   int
	body     any   // nil: none
	version  int64 // becomes the ETag; 0: none
	location string
}

func ok(body any, version int64) *reply {
	return &reply{status: http.StatusOK, body: body, version: version}
}

func created(location string, body any, version int64) *reply {
	return &reply{http.StatusCreated, body, version, location}
}

func noContent() *reply { return &reply{status: http.StatusNoContent} }

func (a *reply) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.version != 0 {
		h.Set("ETag", etag(a.version))
		if read := r.Method == http.MethodGet || r.Method == http.MethodHead; read && unchanged(r, a.version) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	writeJSON(w, r, a.status, "application/json", a.body)
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		authz.NoteError(r.Context(), err)
		status, mediaType = http.StatusInternalServerError, "application/problem+json"
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
