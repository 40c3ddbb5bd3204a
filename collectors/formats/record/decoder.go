package record

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// decoder keeps the contract of formats.Decoder for a Reader.
type decoder struct {
	spec   *Spec
	opts   formats.Options
	reader Reader
	id     formats.Identity
	in     formats.Interner
	frames framer
	table  table
	peeler peeler
	// parts is where the line began of which a container's runtime gave parts so far; its
	// number is zero for none.
	parts formats.Line
	seen  recent
}

// TakesPieces says that long lines may come in pieces.
func (d *decoder) TakesPieces() {}

// Decode takes the next line or piece of one.
func (d *decoder) Decode(line formats.Line, emit formats.Emit) error {
	var errs []error
	fail := func(err error) { errs = append(errs, err) }
	if !d.table.open && startsJSON(line.Text) {
		d.table.columns = nil // another document behind the table
	}
	if d.table.columns != nil {
		d.table.feed(d.spec, line, func(v gjson.Result, f frame) {
			errs = append(errs, at(d.row(v, f, emit), f)...)
		}, fail)
		return join(errs)
	}
	if _, held := d.frames.open(); !held && !line.More && d.table.header(d.spec, line.Text) {
		return nil
	}
	d.frames.feed(line, func(f frame) {
		errs = append(errs, at(d.frame(f, emit), f)...)
	}, fail)
	return join(errs)
}

// Flush ends the stream.
func (d *decoder) Flush(emit formats.Emit) error {
	from, held := d.frames.open()
	var errs []error
	err := d.table.flush(d.spec, func(v gjson.Result, f frame) {
		errs = append(errs, at(d.row(v, f, emit), f)...)
	})
	if err != nil {
		errs = append(errs, err)
	}
	switch {
	case !held || d.frames.skip:
	case d.frames.depth > 0:
		errs = append(errs, errCut(from))
	default:
		f := frame{text: d.frames.buf, from: from}
		errs = append(errs, at(d.frame(f, emit), f)...)
	}
	d.frames.reset()
	if d.parts.Number > 0 {
		errs = append(errs, errCut(d.parts))
		d.peeler, d.parts = peeler{}, formats.Line{}
	}
	release := func(e *vigil.Event) {
		if !d.seen.add(e.ID) {
			return
		}
		if err := d.give(e, emit); err != nil {
			errs = append(errs, err)
		}
	}
	switch h := d.reader.(type) {
	case Holder:
		h.Flush(release)
	case Flusher:
		errs = append(errs, each(h.Flush(release))...)
	}
	return join(errs)
}

// Pending is where the record in hand began, a line of which parts came, or the first
// record that the reader holds: the earliest of them.
func (d *decoder) Pending() (from int64, held bool) {
	earlier := func(at int64) {
		if !held || at < from {
			from, held = at, true
		}
	}
	if at, ok := d.frames.open(); ok {
		earlier(at.Offset)
	}
	if d.table.open {
		earlier(d.table.from.Offset)
	}
	if d.parts.Number > 0 {
		earlier(d.parts.Offset)
	}
	if h, ok := d.reader.(Holder); ok {
		if at, ok := h.Held(); ok {
			earlier(at)
		}
	}
	return from, held
}

type state struct {
	Reader []byte
	Seen   []string
	// Columns and Separator are those of the table that is read.
	Columns   []string
	Separator byte
}

// State is that of the reader, the ids of the latest records and the names of a table's
// columns.
func (d *decoder) State() ([]byte, error) {
	st := state{Seen: d.seen.list(), Columns: d.table.columns, Separator: d.table.sep}
	if r, ok := d.reader.(Stateful); ok {
		var err error
		if st.Reader, err = r.State(); err != nil {
			return nil, err
		}
	}
	return cbor.Marshal(st)
}

// Restore takes it back.
func (d *decoder) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var st state
	if err := cbor.Unmarshal(data, &st); err != nil {
		return err
	}
	if st.Columns != nil {
		d.table.columns, d.table.sep = st.Columns, st.Separator
	}
	for _, id := range st.Seen {
		d.seen.add(id)
	}
	if r, ok := d.reader.(Stateful); ok {
		return r.Restore(st.Reader)
	}
	return nil
}

// frame reads what is in one frame.
func (d *decoder) frame(f frame, emit formats.Emit) error {
	text, carrier, whole := d.peeler.join(f.text)
	if !whole {
		if d.parts.Number == 0 {
			d.parts = formats.Line{Offset: f.from.Offset, Number: f.from.Number}
		}
		return nil
	}
	if d.parts.Number > 0 {
		f.from, d.parts = d.parts, formats.Line{}
	}
	_, err := unwrap(d.spec, text, carrier, 0, func(r *Record) error { return d.record(r, f, emit) })
	return err
}

// row reads one row of a table.
func (d *decoder) row(v gjson.Result, f frame, emit formats.Emit) error {
	n, err := descend(d.spec, v, Carrier{}, 0, func(r *Record) error {
		if r.JSON.Index == 0 && len(r.JSON.Raw) == len(v.Raw) {
			r.Text = f.text
		}
		return d.record(r, f, emit)
	})
	if n == 0 && err == nil {
		return errNone(d.spec)
	}
	return err
}

// record reads one record.
func (d *decoder) record(r *Record, f frame, emit formats.Emit) error {
	r.d = d
	r.from, r.hash = formats.Line{Offset: f.from.Offset, Number: f.from.Number}, formats.RecordHash(r.Text)
	n := 0
	var last, again string // ids: of the event before, of one that was seen already
	var bad error
	err := d.reader.Read(r, func(e *vigil.Event) {
		switch {
		case e.Origin.Line > 0: // one that was held
			if !d.seen.add(e.ID) {
				return
			}
			if err := d.give(e, emit); err != nil {
				bad = errors.Join(bad, err)
			}
			return
		case e.ID == "":
			e.ID = d.id.ID(f.from.Offset+int64(n), r.hash)
		case e.ID == again:
			return
		case e.ID == last:
			e.ID += "." + strconv.Itoa(n)
		case !d.seen.add(e.ID): // a retry, or the same record delivered twice
			again = e.ID
			return
		default:
			last = e.ID
		}
		n++
		e.Origin = r.Origin()
		if err := d.give(e, emit); err != nil {
			bad = errors.Join(bad, err)
		}
	})
	return errors.Join(err, bad)
}

// Hold makes an event fit to be given out with a later record: it gets its id and its
// place. It reports false for one whose id was given out before. What is held does not
// count as given out: after a restart it is read again.
func (r *Record) Hold(e *vigil.Event) bool {
	if e.ID == "" {
		e.ID = r.ID()
	}
	if _, out := r.d.seen.known[e.ID]; out {
		return false
	}
	e.Origin = r.Origin()
	return true
}

// give gives out an event that has its id and place.
func (d *decoder) give(e *vigil.Event, emit formats.Emit) error {
	if e.SubjectCount != vigil.Unknown {
		e.SubjectCount = max(e.SubjectCount, int64(len(e.Subjects)))
	}
	e.Time = e.Time.UTC()
	if err := e.Validate(); err != nil {
		return formats.Errorf("field", "%v", err)
	}
	emit(e, formats.Line{Offset: e.Origin.Offset, Number: e.Origin.Line})
	return nil
}

// at says where the errors of a frame's records are. They share one copy of its text.
func at(err error, f frame) (errs []error) {
	if err == nil {
		return nil
	}
	where := formats.Line{Text: bytes.Clone(f.text), Offset: f.from.Offset, Number: f.from.Number}
	for _, err := range each(err) {
		var fe *formats.Error
		if !errors.As(err, &fe) {
			fe = &formats.Error{Code: "format", Reason: err.Error()}
		}
		errs = append(errs, &formats.Error{Code: fe.Code, Reason: fe.Reason, Line: where})
	}
	return errs
}

// each takes errors that were joined apart: each is a record that is set aside.
func each(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, each(e)...)
	}
	return out
}

func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// cutLine takes the first line off text.
func cutLine(text []byte) (line, rest []byte, found bool) {
	line, rest, found = bytes.Cut(text, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest, found
}

// recent remembers the latest ids.
type recent struct {
	known map[string]struct{}
	ring  []string
	at    int
}

// recentIDs is how many.
const recentIDs = 1024

// add notes an id and reports whether it is new.
func (r *recent) add(id string) bool {
	if _, ok := r.known[id]; ok {
		return false
	}
	if r.known == nil {
		r.known = make(map[string]struct{})
	}
	if len(r.ring) < recentIDs {
		r.ring = append(r.ring, id)
	} else {
		delete(r.known, r.ring[r.at])
		r.ring[r.at] = id
		r.at = (r.at + 1) % recentIDs
	}
	r.known[id] = struct{}{}
	return true
}

// list gives them, the oldest first.
func (r *recent) list() []string {
	return append(append([]string{}, r.ring[r.at:]...), r.ring[:r.at]...)
}
