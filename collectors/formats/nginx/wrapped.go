package nginx

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// wrapped reads lines out of what carried them: syslog, a container's log, JSON around
// them. It holds what such a record needs while it lasts; plain lines never come here.
func (d *decoder) wrapped() formats.Format {
	var f web.Fields
	return record.New(record.Spec{
		Name: Name,
		JSON: func(v gjson.Result) float64 {
			f.Reset()
			if strings.IndexByte(v.Raw, '\n') >= 0 || d.names.json(v.Raw, &f) != nil || !f.Plausible() || isOther(v) {
				return 0
			}
			return sure
		},
		Text: func(line []byte) float64 {
			if isErrorLog(line) {
				return sure
			}
			f.Reset()
			if line[0] == '{' || d.fieldsOf(string(line), &f) != nil || wraps(line) {
				return 0
			}
			return sure * likely(&f, d.rest)
		},
		New: func(formats.Options) (record.Reader, error) { return reader{d}, nil },
	})
}

type reader struct{ d *decoder }

// Read reads one line.
func (r reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	e, err := r.d.read(bytes.TrimSpace(rec.Text))
	if err == nil && e != nil {
		emit(e)
	}
	return err
}

// wraps says that a line looks like one that carries another.
func wraps(t []byte) bool {
	switch last := t[len(t)-1]; {
	case t[0] == '<':
		return true
	case t[0] == '{' || t[0] == '[':
		return last == '{' || last == '[' || last == ',' || gjson.ValidBytes(t)
	case len(t) > 26 && t[4] == '-' && t[7] == '-' && t[10] == 'T':
		return true
	}
	return len(t) > 16 && t[3] == ' ' && t[6] == ' ' && t[9] == ':' && t[12] == ':'
}

// peel takes a syslog header off.
func peel(t []byte) (inner []byte, ok bool) {
	if len(t) == 0 || t[0] == '{' || !wraps(t) {
		return nil, false
	}
	return record.Peel(t)
}

// isOther tells the records of other servers that have keys of the same names: Caddy's
// request is an object.
func isOther(v gjson.Result) bool { return v.Get("request").IsObject() }
