// Package native is vigil's own form of the event: one JSON object a line, of
// which only time, actor and action are required. A syslog header before it is passed over.
//
// File readers and the push receiver decode with it; vigil parse writes it with
// [Append], and what Append writes decodes to the same event. Keys that the form
// does not know are ignored, so that a producer may send more than vigil reads;
// a key given twice, bad UTF-8, more than 64 levels or 1,000 keys make the line
// no event. A decoder holds no state between lines, keeps nothing back, and is
// used by one goroutine at a time.
package native

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "native"

// The bounds of one line beyond its length.
const (
	maxDepth = 64
	maxKeys  = 1_000
	// maxText bounds one string, in bytes.
	maxText = 16 << 10
	// maxFields bounds the columns that one event names.
	maxFields = 1_000
)

type format struct{}

// Format returns the native format.
func Format() formats.Format { return format{} }

func (format) Name() string { return Name }

// New makes a decoder. The format has no parameters.
func (format) New(opts formats.Options) (formats.Decoder, error) {
	for name := range opts.Params {
		return nil, fmt.Errorf("format native has no parameter %q", name)
	}
	return &decoder{
		opts: opts,
		id:   formats.NewIdentity(opts.Source, opts.File),
		json: jsontext.NewDecoder(bytes.NewBuffer(nil)),
	}, nil
}

// Detect looks for the three required keys in the first whole lines.
func (format) Detect(sample []byte) float64 {
	lines, fit := 0, 0
	for len(sample) > 0 && lines < 20 {
		line, rest, whole := bytes.Cut(sample, []byte{'\n'})
		sample = rest
		if line = bare(line); len(line) == 0 {
			continue
		}
		if !whole && lines > 0 {
			break
		}
		lines++
		if line[0] == '{' && hasKey(line, "time") && hasKey(line, "actor") && hasKey(line, "action") {
			fit++
		}
	}
	if lines == 0 {
		return 0
	}
	return 0.98 * float64(fit) / float64(lines)
}

// bare is a line without the white space and the syslog header that may stand around it.
func bare(line []byte) []byte {
	text := bytes.TrimSpace(line)
	if len(text) == 0 || text[0] == '{' {
		return text
	}
	if inner, ok := record.Peel(text); ok {
		return bytes.TrimSpace(inner)
	}
	return text
}

func hasKey(line []byte, key string) bool {
	i := bytes.Index(line, []byte(`"`+key+`"`))
	if i < 0 {
		return false
	}
	rest := bytes.TrimLeft(line[i+len(key)+2:], " \t")
	return len(rest) > 0 && rest[0] == ':'
}

type decoder struct {
	opts    formats.Options
	id      formats.Identity
	in      formats.Interner
	json    *jsontext.Decoder
	buf     bytes.Buffer
	scratch []byte
	// slab is where subject and field lists are cut from, so that an event with
	// one subject costs no allocation of its own.
	slab []string
}

// Flush has nothing to give: no line is held back.
func (d *decoder) Flush(formats.Emit) error { return nil }

// Pending reports that nothing is held.
func (d *decoder) Pending() (int64, bool) { return 0, false }

// State is empty.
func (d *decoder) State() ([]byte, error) { return nil, nil }

// Restore takes the empty state.
func (d *decoder) Restore([]byte) error { return nil }

// Decode reads one line. Blank lines yield nothing.
func (d *decoder) Decode(line formats.Line, emit formats.Emit) error {
	text := bare(line.Text)
	if len(text) == 0 {
		return nil
	}
	if err := bounded(text); err != nil {
		return err
	}
	e := vigil.NewEvent()
	if err := d.object(text, e); err != nil {
		return err
	}
	if n := int64(len(e.Subjects)); e.SubjectCount != vigil.Unknown && e.SubjectCount < n {
		e.SubjectCount = n
	}
	if e.Source == "" {
		e.Source = d.opts.Source
	}
	if e.Store == "" {
		e.Store = d.opts.Store
	}
	hash := formats.RecordHash(line.Text)
	e.Origin = vigil.Origin{File: d.opts.File, Offset: line.Offset, Line: line.Number, Hash: hash}
	if e.ID == "" {
		e.ID = d.id.ID(line.Offset, hash)
	}
	if err := e.Validate(); err != nil {
		return invalid(e, err)
	}
	emit(e, line)
	return nil
}

// invalid classes what Validate says.
func invalid(e *vigil.Event, err error) error {
	code := "field"
	switch {
	case e.Time.IsZero():
		return formats.Errorf("time", `time is missing: give "time" as RFC 3339 or as seconds since 1970`)
	case e.Actor.ID == "":
		return formats.Errorf("actor", `actor is missing: give "actor" as the id of who did it`)
	case e.Action == "":
		return formats.Errorf("action", `action is missing: give "action" as one of %v`, vigil.Actions())
	case !e.Action.Valid():
		code = "action"
	case !e.Actor.Kind.Valid():
		code = "actor"
	case e.Outcome.Valid():
		code = "time"
	}
	return formats.Errorf(code, "%v", err)
}

// bounded refuses lines that are nested too deep or have too many keys, before
// anything is parsed. The cheap counts are upper bounds; only a line above them
// is looked at exactly.
func bounded(text []byte) error {
	if bytes.Count(text, []byte{'['})+bytes.Count(text, []byte{'{'}) <= maxDepth &&
		bytes.Count(text, []byte{':'}) <= maxKeys {
		return nil
	}
	depth, keys, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return formats.Errorf("json", "the JSON is nested more than %d levels deep", maxDepth)
			}
		case c == ']' || c == '}':
			depth--
		case c == ':':
			if keys++; keys > maxKeys {
				return formats.Errorf("json", "the JSON has more than %d keys", maxKeys)
			}
		}
	}
	return nil
}

// object reads the whole line as one object into e.
func (d *decoder) object(text []byte, e *vigil.Event) error {
	if text[0] != '{' {
		return formats.Errorf("json", "the line is no JSON object: each line is one event in braces")
	}
	d.buf = *bytes.NewBuffer(text)
	d.json.Reset(&d.buf)
	if _, err := d.json.ReadToken(); err != nil {
		return syntax(err)
	}
	for d.json.PeekKind() != '}' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return syntax(err)
		}
		// The name is looked up before the value is read, which may move the buffer.
		key, known := d.key(raw)
		if !known {
			if err := d.json.SkipValue(); err != nil {
				return syntax(err)
			}
			continue
		}
		if err := d.value(key, e); err != nil {
			var fe *formats.Error
			if errors.As(err, &fe) {
				return err
			}
			return syntax(err)
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return syntax(err)
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return formats.Errorf("json", "there is more on the line after the object: each line is one event")
	}
	return nil
}

// syntax says what is wrong with the JSON without repeating what stands there.
func syntax(err error) error {
	var se *jsontext.SyntacticError
	if !errors.As(err, &se) {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return formats.Errorf("json", "the JSON ends too early: the line is cut off")
		}
		return formats.Errorf("json", "the JSON can't be read")
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return formats.Errorf("json", "a key stands twice at byte %d: keep one of them", se.ByteOffset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return formats.Errorf("json", "the JSON ends too early, at byte %d: the line is cut off", se.ByteOffset)
	}
	return formats.Errorf("json", "the JSON can't be read at byte %d: %v", se.ByteOffset, se.Err)
}
