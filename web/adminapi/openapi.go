package adminapi

import (
	_ "embed"
	"net/http"
	"strconv"
)

// openAPI describes the API (OpenAPI 3.1). A test holds it to the table of routes and to
// what the handlers answer.
//
//go:embed openapi.json
var openAPI []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(openAPI)))
	_, _ = w.Write(openAPI)
}
