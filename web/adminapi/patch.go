package adminapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
)

const mergePatch = "application/merge-patch+json"

// change reads what a PUT or PATCH makes of a document. A PUT brings the whole new one, a
// PATCH what differs (RFC 7396). Members that only the server writes may come along, so
// that what was read can be sent back, but not with another value. What may change is
// decoded into a structure.
func (c *call) change(current any, readOnly []string, into any) error {
	before, err := membersFrom(current)
	if err != nil {
		return err
	}
	var after map[string]json.RawMessage
	if c.r.Method == http.MethodPatch {
		after, err = c.patched(before)
	} else {
		after, err = c.whole()
	}
	if err != nil {
		return err
	}
	var faults []fault
	for _, name := range readOnly {
		if value, sent := after[name]; sent && !sameJSON(value, before[name]) {
			faults = append(faults, fault{Pointer: "/" + name, Detail: "cannot be changed here"})
		}
		delete(after, name)
	}
	if len(faults) > 0 {
		return &refusal{
			status: http.StatusUnprocessableEntity, code: "invalid", faults: faults,
			detail: "The request would change what only the server writes: see errors.",
		}
	}
	text, err := json.Marshal(after)
	if err != nil {
		return err
	}
	return decode(text, into)
}

func membersFrom(document any) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	return out, json.Unmarshal(text, &out)
}

// whole reads the body as an object, and refuses members that come twice, which a map would
// hide.
func (c *call) whole() (map[string]json.RawMessage, error) {
	text, err := c.body("application/json")
	if err != nil {
		return nil, err
	}
	return objectFrom(text)
}

func (c *call) patched(before map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	text, err := c.body(mergePatch, "application/json")
	if err != nil {
		return nil, err
	}
	patch, err := objectFrom(text)
	if err != nil {
		return nil, err
	}
	return merge(before, patch), nil
}

// objectFrom reads an object of anything, in which no member comes twice.
func objectFrom(text []byte) (map[string]json.RawMessage, error) {
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) > 0 && first[0] != '{' {
		return nil, malformed("it must be an object")
	}
	var whole json.RawMessage
	if err := decode(text, &whole); err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	return out, json.Unmarshal(whole, &out)
}

// merge is MergePatch of RFC 7396 §2.
func merge(target, patch map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(target))
	maps.Copy(out, target)
	for name, value := range patch {
		if string(value) == "null" {
			delete(out, name)
			continue
		}
		out[name] = mergeValue(out[name], value)
	}
	return out
}

func mergeValue(target, patch json.RawMessage) json.RawMessage {
	var inner map[string]json.RawMessage
	if json.Unmarshal(patch, &inner) != nil || inner == nil {
		return patch
	}
	var old map[string]json.RawMessage
	_ = json.Unmarshal(target, &old) // what is no object is replaced
	merged, err := json.Marshal(merge(old, inner))
	if err != nil {
		return patch
	}
	return merged
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
