package mysql

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// xml reads an <AUDIT_RECORD>: of the old style, whose values are attributes, or of the
// new one, whose values are elements.
func (rd *reader) xml(r *record.Record, emit func(*vigil.Event)) error {
	values := make(map[string]string)
	put := func(name, value string) {
		if len(values) < 64 {
			values[strings.ToLower(name)] = value
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(r.Text))
	dec.Strict = true
	var name string
	var text strings.Builder
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return formats.Errorf("xml", "the AUDIT_RECORD can't be read: the file was cut here, or is none of XML")
		}
		switch t := tok.(type) {
		case xml.StartElement:
			for _, a := range t.Attr {
				put(a.Name.Local, a.Value)
			}
			name = t.Name.Local
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if t.Name.Local == name {
				put(name, text.String())
			}
			name = ""
		}
	}
	return rd.percona(r, func(n string) string { return strings.TrimSpace(values[n]) }, emit)
}
