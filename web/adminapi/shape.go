package adminapi

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// shape is what JSON makes of a Go type, in the words of an error.
type shape string

const (
	anything shape = ""
	aString  shape = "a string"
	aNumber  shape = "a whole number"
	aBool    shape = "true or false"
	anArray  shape = "an array"
	anObject shape = "an object"
)

func shapeOf(t reflect.Type) shape {
	switch {
	case t == nil, t == reflect.TypeFor[json.RawMessage]():
		return anything
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return aString
	}
	switch t.Kind() {
	case reflect.String:
		return aString
	case reflect.Bool:
		return aBool
	case reflect.Int, reflect.Int64:
		return aNumber
	case reflect.Slice:
		return anArray
	case reflect.Struct, reflect.Map:
		return anObject
	}
	return anything
}

// memberOf gives what a member of an object is meant for, and whether the object can have it.
// A map takes any, which is anything but null.
func memberOf(t reflect.Type, members map[string]reflect.Type, name string) (reflect.Type, bool) {
	if t != nil && t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	member, known := members[name]
	return member, known
}

// membersOf lists the members of a structure by name. A member of the structure itself goes
// before one of an embedded structure, as in encoding/json.
func membersOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		if _, taken := out[name]; !taken || len(f.Index) == 1 {
			out[name] = f.Type
		}
	}
	return out
}
