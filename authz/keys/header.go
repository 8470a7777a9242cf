package keys

import "bytes"

// header is the JOSE header of a token of ours (RFC 7515 §4): these members and no other.
type header struct{ alg, kid, typ []byte }

// encodeHeader writes a header and the dot behind it. All three values are plain.
func encodeHeader(alg, kid, typ string) string {
	text := `{"alg":"` + alg + `","kid":"` + kid + `"`
	if typ != "" {
		text += `,"typ":"` + typ + `"`
	}
	return base64url.EncodeToString([]byte(text+"}")) + "."
}

// parseHeader reads a header the way this package writes them, in any order of members:
// one flat object of plain strings without white space or escapes, alg and kid in it, no
// member twice, none that is not known. So crit, jku, jwk, x5u and b64 never are, and no
// two readers can read it differently.
func parseHeader(text []byte) (h header, ok bool) {
	if len(text) == 0 || text[0] != '{' {
		return header{}, false
	}
	for len(text) > 0 {
		name, value, rest, ok := cutMember(text[1:])
		switch {
		case ok && string(name) == "alg" && h.alg == nil:
			h.alg = value
		case ok && string(name) == "kid" && h.kid == nil:
			h.kid = value
		case ok && string(name) == "typ" && h.typ == nil:
			h.typ = value
		default:
			return header{}, false
		}
		if string(rest) == "}" {
			return h, h.alg != nil && h.kid != nil
		}
		if len(rest) == 0 || rest[0] != ',' {
			return header{}, false
		}
		text = rest
	}
	return header{}, false
}

// cutMember takes a name and its value off the front of text.
func cutMember(text []byte) (name, value, rest []byte, ok bool) {
	name, rest, ok = cutString(text)
	if !ok || len(rest) == 0 || rest[0] != ':' {
		return nil, nil, nil, false
	}
	value, rest, ok = cutString(rest[1:])
	return name, value, rest, ok
}

// cutString takes a quoted plain string off the front of text.
func cutString(text []byte) (value, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, nil, false
	}
	value, rest, ok = bytes.Cut(text[1:], []byte{'"'})
	return value, rest, ok && plain(value)
}

// plain reports whether text means itself between quotes in JSON.
func plain[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
