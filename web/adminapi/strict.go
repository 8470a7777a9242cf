package adminapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxBody   = 64 << 10
	maxDepth  = 16
	maxFaults = 10
)

// body reads a request's JSON text, of one of these media types.
func (c *call) body(mediaTypes ...string) ([]byte, error) {
	given, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || !slices.Contains(mediaTypes, given) || charset != "" && charset != "utf-8" {
		e := &refusal{
			status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
			detail: "The body must be " + strings.Join(mediaTypes, " or ") + ".",
		}
		if c.r.Method == http.MethodPatch {
			e.header = http.Header{"Accept-Patch": {strings.Join(mediaTypes, ", ")}} // RFC 5789 §3.1
		}
		return nil, e
	}
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, &refusal{
			status: http.StatusRequestEntityTooLarge, code: "too_large", detail: "The body is longer than 64 KiB.",
		}
	}
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, code: "malformed", detail: "The body could not be read to its end."}
	}
	return text, nil
}

// read decodes the JSON body of a request.
func (c *call) read(into any) error {
	text, err := c.body("application/json")
	if err != nil {
		return err
	}
	return decode(text, into)
}

// readIfAny is read for a body that may be left out: into stays as it is then.
func (c *call) readIfAny(into any) error {
	if c.r.ContentLength == 0 {
		return nil
	}
	return c.read(into)
}

// decode reads exactly one JSON value into a structure. Members that the structure does not
// have, to the letter, members that come twice, nulls and values of another type are
// refused, each by its JSON Pointer.
func decode(text []byte, into any) error {
	if !utf8.Valid(text) {
		return malformed("it is not UTF-8")
	}
	w := &walker{dec: json.NewDecoder(bytes.NewReader(text))}
	w.dec.UseNumber()
	err := w.value(reflect.TypeOf(into).Elem(), "", 0)
	if err == nil {
		err = w.end()
	}
	switch {
	case err != nil:
		return err
	case len(w.faults) > 0:
		return &refusal{
			status: http.StatusBadRequest, code: "malformed", faults: w.faults,
			detail: "The body is not what this address takes: see errors.",
		}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return malformed(err.Error())
	}
	return nil
}

func malformed(why string) error {
	return &refusal{status: http.StatusBadRequest, code: "malformed", detail: "The body is not the JSON that this address takes: " + why + "."}
}

// walker goes through a JSON text beside the type that it is meant for.
type walker struct {
	dec    *json.Decoder
	faults []fault
}

func (w *walker) wrongf(pointer, format string, args ...any) {
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

func (w *walker) token() (json.Token, error) {
	t, err := w.dec.Token()
	switch {
	case errors.Is(err, io.EOF) && w.dec.InputOffset() == 0:
		return nil, malformed("it is empty")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, malformed("it ends too early")
	case err != nil:
		return nil, malformed("near byte " + strconv.FormatInt(w.dec.InputOffset(), 10) + " it is not JSON")
	}
	return t, nil
}

func (w *walker) end() error {
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("there is more after its end")
	}
	return nil
}

// value reads one value that is meant for t; nil stands for a type that takes anything.
func (w *walker) value(t reflect.Type, pointer string, depth int) error {
	if depth > maxDepth {
		return malformed("it is nested too deeply")
	}
	token, err := w.token()
	if err != nil {
		return err
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	shape := shapeOf(t)
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return w.object(t, shape, pointer, depth)
		}
		return w.array(t, shape, pointer, depth)
	case nil:
		w.mismatch(t != nil, pointer, "must not be null: leave it out")
	case string:
		w.mismatch(shape != aString && shape != anything, pointer, "must be "+string(shape))
	case bool:
		w.mismatch(shape != aBool && shape != anything, pointer, "must be "+string(shape))
	case json.Number:
		_, err := token.Int64()
		w.mismatch(shape != aNumber && shape != anything || shape == aNumber && err != nil, pointer, "must be "+string(shape))
	}
	return nil
}

func (w *walker) mismatch(yes bool, pointer, detail string) {
	if yes {
		w.wrongf(pointer, "%s", detail)
	}
}

func (w *walker) object(t reflect.Type, s shape, pointer string, depth int) error {
	w.mismatch(s != anObject && s != anything, pointer, "must be "+string(s))
	var members map[string]reflect.Type
	if s == anObject && t.Kind() == reflect.Struct {
		members = membersOf(t)
	}
	seen := map[string]bool{}
	for w.dec.More() {
		key, err := w.token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		member, known := memberOf(t, members, name)
		switch {
		case seen[name]:
			w.wrongf(at, "comes twice")
		case s == anObject && !known:
			w.wrongf(at, "is not known here")
		}
		seen[name] = true
		if err := w.value(member, at, depth+1); err != nil {
			return err
		}
	}
	_, err := w.token()
	return err
}

func (w *walker) array(t reflect.Type, s shape, pointer string, depth int) error {
	w.mismatch(s != anArray && s != anything, pointer, "must be "+string(s))
	var element reflect.Type
	if s == anArray {
		element = t.Elem()
	}
	for i := 0; w.dec.More(); i++ {
		if err := w.value(element, pointer+"/"+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	_, err := w.token()
	return err
}
