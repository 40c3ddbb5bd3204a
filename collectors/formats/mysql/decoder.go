package mysql

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/fxamacker/cbor/v2"

	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// decoder joins the lines of the text logs to records, and gives these and all others
// to the base, which peels what carries them.
type decoder struct {
	inner  formats.Decoder
	reader *reader

	block block
	// more says that the line goes on in the next piece.
	more bool
	// next is the first offset that was not read.
	next int64

	// What was read already before a restart: lines before until, when the first line
	// is the one at from.
	resume   resume
	resuming bool
	first    bool
}

// resume is where a restart begins again, and what it need not read.
type resume struct {
	From, Until int64
	Line        uint64 // hash of the line at From
}

// block is a record of the text logs, as far as it has been read.
type block struct {
	kind kind
	from formats.Line
	text []byte
	lost bool // too large; told already
	// closed says that nothing but a new record can follow.
	closed bool
	// inside are the lines since one that looks like a record's beginning was read
	// within a string or comment, cut where they begin in text.
	inside []formats.Line
	cut    int
	heads  int
	size   int
}

// The bounds of looking whether a record's beginning within a string is one: those who
// leave a string open must not hide what follows.
const (
	maxHeads  = 8
	maxInside = 256 << 10
)

// TakesPieces says that long lines may come in pieces.
func (d *decoder) TakesPieces() {}

// Decode takes the next line or piece of one.
func (d *decoder) Decode(line formats.Line, emit formats.Emit) error {
	if !d.first {
		d.first = true
		d.resuming = d.resume.Until > 0 && line.Offset == d.resume.From && xxhash.Sum64(line.Text) == d.resume.Line
	}
	if d.resuming {
		if line.Offset < d.resume.Until {
			return nil
		}
		d.resuming = false
	}
	d.reader.emit = emit
	err := d.line(line, emit)
	d.next = line.Offset + 1
	d.reader.emit = nil
	return err
}

func (d *decoder) line(line formats.Line, emit formats.Emit) error {
	goesOn := d.more
	d.more = line.More
	switch {
	case goesOn && d.block.kind != kindNone:
		return d.add(line, false)
	case goesOn:
		return d.inner.Decode(line, emit)
	}
	if _, held := d.inner.Pending(); held && d.block.kind == kindNone { // a JSON document
		d.mark(line)
		return d.inner.Decode(line, emit)
	}
	k := kindOf(line.Text)
	if d.block.kind != kindNone {
		begins := k == kindGeneral || k == kindSlow || k == kindBanner || k == kindError || k == kindXML
		if d.block.kind == kindXML {
			begins = k == kindXML
		}
		if d.block.kind == kindSlow && k == kindSlow && !d.block.stated() {
			begins = false // Time, then User@Host
		}
		switch {
		case !begins && !d.block.closed:
			return d.add(line, true)
		case begins && !d.block.closed && !d.block.lost && open(d.block.statement()):
			return d.within(line, emit)
		}
		return join([]error{d.finish(emit), d.line(line, emit)})
	}
	if k == kindGeneral || k == kindSlow || k == kindXML {
		d.begin(k, line)
		return d.ended(emit)
	}
	d.mark(line)
	return d.inner.Decode(line, emit)
}

// mark notes the line that the reader reads, by which a restart knows where it is.
func (d *decoder) mark(line formats.Line) {
	d.reader.line, d.reader.offset = xxhash.Sum64(line.Text), line.Offset
}

func (d *decoder) begin(k kind, line formats.Line) {
	b := &d.block
	*b = block{kind: k, text: append(b.text[:0], line.Text...), inside: b.inside[:0], from: formats.Line{Offset: line.Offset, Number: line.Number}}
	if k == kindGeneral {
		g, _ := readGeneral(line.Text)
		b.closed = !line.More && !g.multiline()
	}
}

// ended finishes a record whose end can be seen.
func (d *decoder) ended(emit formats.Emit) error {
	if d.block.kind == kindXML && !d.more {
		t := bytes.TrimSpace(d.block.text)
		end := "/>" // of the old style, whose values are attributes
		if bytes.HasPrefix(t, []byte("<AUDIT_RECORD>")) {
			end = "</AUDIT_RECORD>"
		}
		if bytes.HasSuffix(t, []byte(end)) {
			return d.finish(emit)
		}
	}
	return nil
}

// add goes on with the record in hand.
func (d *decoder) add(line formats.Line, newLine bool) error {
	b := &d.block
	if b.lost {
		return nil
	}
	if len(b.text)+len(line.Text) >= record.MaxRecord {
		b.lost = true
		return &formats.Error{Code: "too-long", Reason: "the record has more than 1 MiB", Line: b.from}
	}
	if newLine {
		b.text = append(b.text, '\n')
	}
	b.text = append(b.text, line.Text...)
	if b.heads > 0 {
		b.keep(line)
	}
	return d.ended(d.reader.emit)
}

func (b *block) keep(line formats.Line) {
	line.Text = bytes.Clone(line.Text)
	b.inside = append(b.inside, line)
	b.size += len(line.Text)
}

// within goes on with a statement that has a string or comment open, by a line that
// looks like the beginning of a record. If the string ends, the line was part of it; if
// it does not, it was none.
func (d *decoder) within(line formats.Line, emit formats.Emit) error {
	b := &d.block
	if b.heads == 0 {
		b.cut, b.size = len(b.text), 0
		b.inside = b.inside[:0]
	}
	if b.heads++; b.heads > maxHeads || b.size > maxInside {
		b.keep(line)
		return d.split(emit)
	}
	return d.add(line, true)
}

// split takes the lines within an open string for the records that they look like.
func (d *decoder) split(emit formats.Emit) error {
	b := &d.block
	lines := b.inside
	b.text, b.heads, b.inside = b.text[:b.cut], 0, nil
	errs := []error{d.finish(emit)}
	more := d.more
	for _, l := range lines {
		errs = append(errs, d.line(l, emit))
	}
	d.more = more
	return join(errs)
}

// finish gives the record in hand to the base.
func (d *decoder) finish(emit formats.Emit) error {
	b := &d.block
	if b.kind == kindNone {
		return nil
	}
	b.kind = kindNone
	if b.lost {
		return nil
	}
	line := formats.Line{Text: b.text, Offset: b.from.Offset, Number: b.from.Number}
	first, _, _ := bytes.Cut(b.text, []byte{'\n'})
	d.mark(formats.Line{Text: first, Offset: b.from.Offset})
	err := d.inner.Decode(line, emit)
	if b.heads > 0 {
		forged := formats.Errorf("forged", "a statement holds, in a string or comment, %d lines that look like records of this log: who wrote it may mean to deceive; it was read as one statement", b.heads)
		forged.Line = formats.Line{Text: bytes.Clone(b.text), Offset: b.from.Offset, Number: b.from.Number}
		err = join([]error{err, forged})
	}
	if cap(b.text) > record.MaxRecord/4 {
		b.text = nil
	}
	return err
}

func join(errs []error) error {
	var out error
	n := 0
	for _, e := range errs {
		if e != nil {
			out = e
			n++
		}
	}
	if n > 1 {
		return errors.Join(errs...)
	}
	return out
}

// statement is what of the record is written by a user.
func (b *block) statement() string {
	switch b.kind {
	case kindGeneral:
		g, _ := readGeneral(b.text)
		return g.argument
	case kindSlow:
		return slowStatement(string(b.text))
	}
	return ""
}

// stated says that a slow log's record has come to its statement.
func (b *block) stated() bool { return slowStatement(string(b.text)) != "" }

// Flush ends the stream.
func (d *decoder) Flush(emit formats.Emit) error {
	d.reader.emit = emit
	var errs []error
	for d.block.kind != kindNone {
		if d.block.heads > 0 && !d.block.lost && open(d.block.statement()) {
			errs = append(errs, d.split(emit))
			continue
		}
		errs = append(errs, d.finish(emit))
	}
	d.more = false
	errs = append(errs, d.inner.Flush(emit))
	d.reader.releaseAll()
	d.reader.emit = nil
	return join(errs)
}

// Pending is the offset of the first record that is not wholly read, or whose event
// waits.
func (d *decoder) Pending() (int64, bool) {
	if w := d.reader.oldest(); w != nil {
		return w.Offset, true
	}
	return d.unread()
}

// unread is where the record in hand begins.
func (d *decoder) unread() (int64, bool) {
	if d.block.kind != kindNone {
		return d.block.from.Offset, true
	}
	return d.inner.Pending()
}

type state struct {
	Inner  []byte
	Resume resume
}

// State is who is connected and what waits, for a reader that goes on at Pending, or at
// the next line when nothing is pending.
func (d *decoder) State() ([]byte, error) {
	inner, err := d.inner.State()
	if err != nil {
		return nil, err
	}
	st := state{Inner: inner}
	if w := d.reader.oldest(); w != nil {
		st.Resume = resume{From: w.Offset, Until: d.next, Line: w.Line}
		if at, ok := d.unread(); ok {
			st.Resume.Until = at
		}
		if d.resuming || !d.first {
			st.Resume = d.resume
		}
	}
	return cbor.Marshal(st)
}

// Restore takes it back. Empty bytes are an empty state.
func (d *decoder) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var st state
	if err := cbor.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("restore decoder state: %w", err)
	}
	d.resume, d.first = st.Resume, false
	return d.inner.Restore(st.Inner)
}
