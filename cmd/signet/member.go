package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// member is one member of the header or the claims of a JWT, in their order there.
type member struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	Meaning string          `json:"meaning"`
}

// text gives the value of a string.
func (m member) text() (string, bool) {
	var s string
	if len(m.Value) == 0 || m.Value[0] != '"' || json.Unmarshal(m.Value, &s) != nil {
		return "", false
	}
	return s, true
}

// moment gives the value of a NumericDate (RFC 7519 §2).
func (m member) moment() (time.Time, bool) {
	var seconds float64
	if len(m.Value) == 0 || m.Value[0] == 'n' || json.Unmarshal(m.Value, &seconds) != nil {
		return time.Time{}, false
	}
	const endOf9999 = 253402300799
	if math.Abs(seconds) > endOf9999 {
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
}

func find(all []member, name string) (member, bool) {
	for _, m := range all {
		if m.Name == name {
			return m, true
		}
	}
	return member{}, false
}

func textOf(all []member, name string) string {
	m, _ := find(all, name)
	text, _ := m.text()
	return text
}

var errNoObject = errors.New("is not a JSON object")

// readMembers reads an object. A member that comes twice is refused: two readers could
// take it for different things (RFC 7519 §4).
func readMembers(raw []byte) ([]member, error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, errNoObject
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	out := []member{}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errNoObject
		}
		m := member{Name: t.(string)}
		if err := d.Decode(&m.Value); err != nil {
			return nil, errNoObject
		}
		if seen[m.Name] {
			return nil, fmt.Errorf("has a member twice: %.40q", m.Name)
		}
		seen[m.Name] = true
		out = append(out, m)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return out, nil
}

// compact is a JSON value on one line.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
