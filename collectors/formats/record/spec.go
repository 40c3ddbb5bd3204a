package record

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// Spec describes a format.
type Spec struct {
	// Name is what the configuration calls it.
	Name string
	// Tells says what its records tell, for people.
	Tells formats.Tells
	// JSON says how sure it is, 0 to 1, that a JSON object is a record of this format:
	// by keys that others do not have. At IsRecord it is one. Nil where records are text.
	JSON func(v gjson.Result) float64
	// Text says the same of a line of text. Nil where records are JSON.
	Text func(line []byte) float64
	// CSV says how sure it is that a table with these column names holds its records.
	// Each row is then a JSON object of strings, for JSON to judge. Nil where records do
	// not come so.
	CSV func(columns []string) float64
	// Params are the format's own settings, with what each is for.
	Params map[string]string
	// New makes a reader for one stream. Params of other names were refused before.
	New func(opts formats.Options) (Reader, error)

	// passes is a Passer's.
	passes func(v gjson.Result) bool
}

// IsRecord is the certainty from which a value is taken for a record.
const IsRecord = 0.5

// Reader makes events of records. One goroutine uses it at a time.
type Reader interface {
	// Read gives out what a record says, by emit, at once; or nothing, when it is no
	// access. An *Error of package formats says that it can't be read.
	Read(r *Record, emit func(*vigil.Event)) error
}

// Stateful is a Reader that joins records. Its state is bounded.
type Stateful interface {
	Reader
	State() ([]byte, error)
	Restore(state []byte) error
}

// Recogniser is a Reader that was told how its lines of text are written: it is asked
// whether a line is a record, in place of Spec.Text.
type Recogniser interface {
	Reader
	Recognise(line []byte) float64
}

// Holder is a Reader that keeps events back, made fit by [Record.Hold], until another
// record completes them. What it holds is bounded. It need not be in its state: after a
// restart the records are read again.
type Holder interface {
	Reader
	// Flush gives out what is held, at the end of the stream.
	Flush(emit func(*vigil.Event))
	// Held is the offset of the first record whose event is held.
	Held() (offset int64, ok bool)
}

// ObjectRecogniser is the same for JSON objects, in place of Spec.JSON.
type ObjectRecogniser interface {
	Reader
	RecogniseObject(v gjson.Result) float64
}

// Tabular is a Reader that was told the columns of its tables.
type Tabular interface {
	Reader
	// Columns are the names where the tables have none, and what separates values; nil
	// where they have.
	Columns() (names []string, separator byte)
	// Header is asked in place of Spec.CSV.
	Header(columns []string) float64
}

// Passer is a Reader that lets JSON pass which is no record of its own and comes with
// them: other entries of a log that holds several kinds. Passes is asked of what
// Spec.JSON does not know.
type Passer interface {
	Reader
	Passes(v gjson.Result) bool
}

// Flusher is a Reader that holds events back as a part of its state. Flush gives them out when the stream ends;
// it may go on after that. Such events carry the Origin and, where their record has no
// id, the ID of their record.
type Flusher interface {
	Reader
	Flush(emit func(*vigil.Event)) error
}

// Record is one record.
type Record struct {
	// Text is the whole of it, valid during the call only; JSON the same, parsed, where
	// it is JSON.
	Text []byte
	JSON gjson.Result
	// Carrier is what its wrapping told.
	Carrier Carrier

	d    *decoder
	from formats.Line
	hash uint64
}

// Origin is where the record stands.
func (r *Record) Origin() vigil.Origin {
	return vigil.Origin{File: r.d.opts.File, Offset: r.from.Offset, Line: r.from.Number, Hash: r.hash}
}

// ID is the id of an event that the record alone makes, for readers that give it out
// later than at once.
func (r *Record) ID() string { return r.d.id.ID(r.from.Offset, r.hash) }

// Event returns a new event with what the options say of its source.
func (r *Record) Event() *vigil.Event {
	e := vigil.NewEvent()
	e.Source, e.Store = r.d.opts.Source, r.d.opts.Store
	return e
}

// String is a value as a clean string: without control, format and zero-width
// characters or terminal codes, cut to most bytes.
func (r *Record) String(v gjson.Result, most int) string {
	switch v.Type {
	case gjson.String:
		return r.Clean(v.Str, most)
	case gjson.Number:
		return r.Clean(v.Raw, most)
	case gjson.True, gjson.False:
		return v.Raw
	}
	return ""
}

// Clean is String of a text.
func (r *Record) Clean(s string, most int) string { return r.d.in.Text(formats.Clean(s, most)) }

// Get is String of the first of the paths that is not empty, of at most 512 bytes. Paths
// are as gjson has them.
func (r *Record) Get(paths ...string) string {
	for _, p := range paths {
		if s := r.String(r.JSON.Get(p), 512); s != "" {
			return s
		}
	}
	return ""
}

// Int is the first of the paths that is a whole number from zero, or is a string of
// one; vigil.Unknown for none.
func (r *Record) Int(paths ...string) int64 {
	for _, p := range paths {
		if n := formats.Count(r.JSON.Get(p).String()); n != vigil.Unknown {
			return n
		}
	}
	return vigil.Unknown
}

// New makes a format of a spec.
func New(spec Spec) formats.Format { return format{&spec} }

type format struct{ *Spec }

func (f format) Name() string { return f.Spec.Name }

// Tells says what its records tell.
func (f format) Tells() formats.Tells { return f.Spec.Tells }

func (f format) New(opts formats.Options) (formats.Decoder, error) {
	for name := range opts.Params {
		if _, ok := f.Params[name]; !ok {
			return nil, fmt.Errorf("format %s has no parameter %q%s", f.Spec.Name, name, f.params())
		}
	}
	r, err := f.Spec.New(opts)
	if err != nil {
		return nil, err
	}
	told := *f.Spec
	d := &decoder{spec: &told, opts: opts, reader: r, id: formats.NewIdentity(opts.Source, opts.File)}
	if own, ok := r.(Recogniser); ok {
		told.Text = own.Recognise
	}
	if own, ok := r.(ObjectRecogniser); ok {
		told.JSON = own.RecogniseObject
	}
	if own, ok := r.(Tabular); ok {
		told.CSV = own.Header
		d.table.columns, d.table.sep = own.Columns()
	}
	if own, ok := r.(Passer); ok {
		told.passes = own.Passes
	}
	return d, nil
}

func (f format) params() string {
	names := make([]string, 0, len(f.Params))
	for n := range f.Params {
		names = append(names, n)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return ": there are " + strings.Join(names, ", ")
}

// Detect looks at the first records of the sample.
func (f format) Detect(sample []byte) float64 {
	const enough = 20
	var sum float64
	n := 0
	look := func(sure float64) {
		n++
		sum += sure
	}
	if f.Spec.CSV != nil {
		first, _, _ := cutLine(bytes.TrimLeft(sample, "\r\n"))
		if columns, _ := names(f.Spec, first); columns != nil {
			return f.Spec.CSV(columns)
		}
	}
	var fr framer
	var p peeler
	visit := func(fm frame) {
		if text, _, whole := p.join(fm.text); whole && n < enough {
			f.sure(text, look)
		}
	}
	whole := len(sample) < formats.MaxSample
	line := int64(0)
	for rest := sample; len(rest) > 0 && n < enough; {
		text, after, found := cutLine(rest)
		line++
		at := int64(len(sample) - len(rest))
		fr.feed(formats.Line{Text: text, Offset: at, Number: line, More: !found && !whole}, visit, func(error) {})
		rest = after
	}
	if _, held := fr.open(); held && n < enough && fr.depth > 0 {
		// The sample ends within a document: gjson reads what there is of it.
		if found, err := descend(f.Spec, gjson.ParseBytes(fr.buf), Carrier{}, 0, f.looks(look)); found == 0 || err != nil {
			look(0)
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// sure tells look how sure the format is of each record in a frame.
func (f format) sure(text []byte, look func(float64)) {
	if _, err := unwrap(f.Spec, text, Carrier{}, 0, f.looks(look)); err != nil {
		look(0)
	}
}

// looks tells look how sure the format is of a record.
func (f format) looks(look func(float64)) func(*Record) error {
	return func(r *Record) error {
		if r.JSON.Exists() {
			look(f.JSON(r.JSON))
		} else {
			look(f.Text(r.Text))
		}
		return nil
	}
}
