package nginx

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"vigil/collectors/formats"
	"vigil/collectors/formats/web"
)

// maxJSONDepth bounds the nesting of a JSON line.
const maxJSONDepth = 16

// json reads a JSON line. Keys are nginx's names or the usual ones; in nested
// objects the innermost name counts. A key that nginx itself has wins over one
// that merely means the same.
func (c *chosen) json(s string, f *web.Fields) error {
	if strings.Contains(s, `\x`) {
		// escape=default within a JSON-like log_format gives \xNN, which JSON does
		// not know: kept as text, it is unescaped later.
		s = strings.ReplaceAll(s, `\x`, `\\x`)
	}
	dec := jsontext.NewDecoder(bytes.NewBufferString(s))
	var loose web.Fields
	var keys [maxJSONDepth]string
	for {
		tok, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return formats.Errorf("json", "the JSON can't be read: with log_format, use escape=json, and quotes around values that may be empty")
		}
		depth := dec.StackDepth()
		if depth >= maxJSONDepth {
			return formats.Errorf("json", "the JSON is nested more than %d levels deep", maxJSONDepth)
		}
		kind, n := dec.StackIndex(depth)
		if depth == 0 {
			continue
		}
		isName := kind == '{' && n%2 == 1
		switch tok.Kind() {
		case '"':
			if isName {
				keys[depth] = tok.String()
				continue
			}
			c.keyed(f, &loose, keys[depth], tok.String())
		case '0':
			c.keyed(f, &loose, keys[depth], tok.String())
		}
	}
	f.Fill(&loose)
	if !f.Has(web.FieldStatus) || !f.HasRequest() || !f.HasTime() {
		return formats.Errorf("format", "the JSON lacks a time, a request or a status under a name that nginx or common practice has")
	}
	return nil
}

func (c *chosen) keyed(f, loose *web.Fields, key, value string) {
	if k := c.of(key); k != web.FieldNone {
		f.Set(k, value)
		return
	}
	k := jsonKeys[strings.ToLower(key)]
	if k == web.FieldAddress && c.address != "" || loose.Has(k) {
		return
	}
	loose.Set(k, value)
}
