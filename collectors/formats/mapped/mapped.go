// Package mapped reads logs that vigil has no format for, as a user's mapping file says:
// JSON, tables of comma-separated values, or lines of text that a pattern takes apart.
// For each field of an event the file names a path, a column or a constant, with simple
// conversions. A file that can't be used is refused with the line, the field and the
// remedy; a record whose time, actor or action can't be found is set aside.
package mapped

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// Name is what the configuration calls the format; ParamMapping is its parameter.
const (
	Name         = "mapped"
	ParamMapping = "mapping"
)

// Format returns the format. It is never found by looking: it needs its file.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "any JSON, CSV or text, by a mapping file of your own", Group: formats.GroupAny,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Partly,
			Note: "What is told is what your mapping file finds in the records.",
		},
		JSON:   func(gjson.Result) float64 { return 0 },
		Text:   func([]byte) float64 { return 0 },
		Params: map[string]string{ParamMapping: "the mapping file"},
		New:    newReader,
	})
}

// reader reads records by a file.
type reader struct {
	file    *File
	pattern *regexp.Regexp
	zone    *time.Location
	web     *web.Interpreter
	fields  web.Fields
}

func newReader(opts formats.Options) (record.Reader, error) {
	path := opts.Params[ParamMapping]
	if path == "" {
		return nil, fmt.Errorf("the format %s needs the parameter %s: the path of a mapping file", Name, ParamMapping)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the mapping: %w", err)
	}
	file, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	opts.Params = nil
	w, err := web.New(opts)
	if err != nil {
		return nil, err
	}
	return &reader{file: file, pattern: file.pattern, zone: file.zone, web: w}, nil
}

// found is how sure a reader is of a record that its file fits.
const found = 0.9

// Recognise tells a line that the pattern fits.
func (r *reader) Recognise(line []byte) float64 {
	if r.pattern != nil && r.pattern.Match(line) {
		return found
	}
	return 0
}

// RecogniseObject tells a record: it has the time, and something else that is mapped. By
// the time alone an envelope would pass for what is in it.
func (r *reader) RecogniseObject(v gjson.Result) float64 {
	at := r.file.Fields[fieldTime]
	if at.Const == "" && !at.exists(v) {
		return 0
	}
	for name, f := range r.file.Fields {
		if name != fieldTime && f.exists(v) {
			return found
		}
	}
	return 0
}

// Columns are the names that the file gives to a table without any.
func (r *reader) Columns() ([]string, byte) {
	if len(r.file.Columns) == 0 {
		return nil, 0
	}
	return r.file.Columns, r.file.separator()
}

// Header tells the names of columns: those of the time and of something else are there.
func (r *reader) Header(columns []string) float64 {
	if len(r.file.Columns) > 0 {
		return 0
	}
	has := func(f *Value) bool {
		for _, p := range f.paths {
			for _, c := range columns {
				if c == p.plain {
					return true
				}
			}
		}
		return false
	}
	if !has(r.file.Fields[fieldTime]) {
		return 0
	}
	for name, f := range r.file.Fields {
		if name != fieldTime && has(f) {
			return found
		}
	}
	return 0
}

// Read makes an event of a record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	v := rec.JSON
	if !v.Exists() {
		v = groups(r.pattern, string(rec.Text))
	}
	if !r.file.wants(v) {
		return nil
	}
	e := rec.Event()
	if err := r.fill(rec, v, e); err != nil {
		return err
	}
	emit(e)
	return nil
}

// groups makes an object of what a pattern's groups hold.
func groups(pattern *regexp.Regexp, line string) gjson.Result {
	b := []byte{'{'}
	m := pattern.FindStringSubmatch(line)
	for i, name := range pattern.SubexpNames() {
		if name == "" || i >= len(m) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(gjson.AppendJSONString(b, name), ':')
		b = gjson.AppendJSONString(b, strings.ToValidUTF8(m[i], ""))
	}
	return gjson.ParseBytes(append(b, '}'))
}
