package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"vigil/collectors"
	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// Document decodes one text that is whole in itself, such as an object of a store: one
// decoder reads all of it, in bounded memory, as much at a time as the caller asks for.
// Places are offsets in the unpacked text. They are in the ids of records that carry none
// of their own, beside the document's name and the record's hash: so a record has the same
// id whenever it is read, also when its document has grown since, and another one when
// other text was written over it. A Document is for one goroutine.
type Document struct {
	s      *Stream
	in     *text.Input
	lines  *text.Lines
	sample []byte
	hole   int64
	// growing says that more of the text may come.
	growing bool
	// refused says that no format fits: the rest is not read.
	refused bool
	hint    Hint
}

// Hint is the format of a document that was read before, so that one like it need not be
// looked at by all formats. The zero value knows none.
type Hint struct {
	format formats.Format
	sure   float64
}

// ErrGrowing says that a text that may still grow ends within a record.
var ErrGrowing = errors.New("the text ends within a record, whose rest may come")

// NewDocument looks at the start of the text in, which it reads and which the caller
// closes. name stands in the origin of events and makes their ids. A text that is none is
// a *text.Refusal.
func NewDocument(cfg *Config, name string, in *text.Input, hint Hint) (*Document, error) {
	d := &Document{s: NewStream(cfg, name), in: in, hint: hint}
	d.s.doc = true
	d.hole = in.SkipHole()
	d.lines = text.NewLines(in.Text, in.Mark+d.hole, 0)
	d.lines.Again = true // what stands before a failure may be half a line
	d.sample = bytes.Clone(in.Sample())
	if err := text.RefuseBinary(d.sample); err != nil {
		return nil, err
	}
	return d, nil
}

// Skip leaves out what begins before an offset, which Place returned when the same text
// was read before.
func (d *Document) Skip(before int64) { d.s.skip = before }

// Growing says that the text's writer may not have finished: then a last record without
// its end is not taken, and Next ends with ErrGrowing.
func (d *Document) Growing() { d.growing, d.lines.Live = true, true }

// Place is the offset from which a restart must take records: those that begin before it
// have come out.
func (d *Document) Place() int64 {
	if d.s.dec != nil {
		if at, held := d.s.dec.Pending(); held {
			return at
		}
	}
	return d.lines.Offset
}

// Offset is how much of the text went by, in bytes.
func (d *Document) Offset() int64 { return d.lines.Offset }

// Line is how many lines were read.
func (d *Document) Line() int64 { return d.lines.Number }

// Hint is what the next document may be given.
func (d *Document) Hint() Hint { return d.hint }

// Next decodes on into b until that holds most events and records set aside, or size bytes
// of text went by; a record may give many events at once, so that b may hold some more. It
// returns io.EOF when the text has ended, ErrGrowing as Growing says, and the reader's
// error where that failed: a damaged archive, or a source that broke off.
func (d *Document) Next(received time.Time, most int, size int64, b *collectors.Batch) error {
	d.s.begin(0, received, b)
	if sample := bytes.TrimLeft(d.sample, blank); d.s.dec == nil && !d.refused && len(sample) > 0 {
		if d.growing && len(sample) < text.SampleLength/4 && !bytes.Contains(sample, []byte{'\n'}) {
			return ErrGrowing // too little to know a format by
		}
		// Before the first line: it may be a document that comes in pieces.
		d.refused = !d.choose(sample)
	}
	for stop := d.lines.Offset + size; b.Len() < most && d.lines.Offset < stop; {
		if d.refused {
			return io.EOF
		}
		rec, err := d.lines.Next()
		switch {
		case err == nil:
			d.record(rec)
		case errors.Is(err, text.ErrPartial), d.growing && errors.Is(err, io.EOF) && d.held():
			return ErrGrowing
		case errors.Is(err, io.EOF):
			d.flush()
			return io.EOF
		default:
			return err
		}
	}
	return nil
}

// Damaged sets aside in b what ended the reading too early, when that was the text's own
// fault: err is what Next returned.
func (d *Document) Damaged(err error, received time.Time, b *collectors.Batch) {
	d.s.begin(0, received, b)
	d.flush()
	code, reason := text.ReadError(err, d.in.Packed)
	d.s.aside(formats.Line{Offset: d.lines.Offset, Number: d.lines.Number + 1}, code, reason, 0, 0)
}

func holeReason(n int64) string {
	return fmt.Sprintf("%d NUL bytes stand where lines should: a crash or a truncation under writing leaves such a hole", n)
}

// record decodes one line or sets it aside.
func (d *Document) record(rec text.Record) {
	if d.hole > 0 { // NULs stood before it: with more of them it is one hole
		first := text.Record{Line: formats.Line{Offset: d.in.Mark, Number: 1}, NULs: d.hole + rec.NULs, Size: d.hole + rec.NULs}
		if d.hole = 0; rec.NULs > 0 {
			rec = first
		} else {
			d.record(first)
		}
	}
	switch {
	case rec.NULs > 0:
		d.s.aside(rec.Line, "binary", holeReason(rec.NULs), rec.Size, rec.Hash)
	case rec.Cut:
		d.s.aside(rec.Line, "too-long", fmt.Sprintf("the line has %d bytes, at most %d are read", rec.Size, formats.MaxLine), rec.Size, rec.Hash)
	case text.HasNUL(rec.Line.Text):
		d.s.aside(rec.Line, "binary", "the line holds NUL bytes", rec.Size, formats.RecordHash(rec.Line.Text))
	case d.s.dec == nil && len(bytes.TrimSpace(rec.Line.Text)) == 0:
	case d.s.dec == nil && !d.choose(rec.Line.Text):
		d.refused = true
	default:
		d.s.decode(rec.Line)
	}
}

// blank is what may stand before the first text.
const blank = "\x00 \t\r\n"

// choose makes the decoder. The sample of the start tells the format; where that is blank,
// the first line that is not does.
func (d *Document) choose(sample []byte) bool {
	if h := d.hint; d.s.cfg.Format == "" && h.format != nil && h.format.Detect(sample) >= h.sure {
		d.s.known = h.format.Name()
	}
	if !d.s.choose(sample) {
		return false
	}
	if d.s.cfg.Format == "" {
		d.hint = Hint{d.s.found, d.s.found.Detect(sample)}
	}
	d.sample = nil
	d.lines.Pieces = formats.TakesPieces(d.s.dec)
	return true
}

func (d *Document) held() bool {
	if d.s.dec == nil {
		return false
	}
	_, held := d.s.dec.Pending()
	return held
}

func (d *Document) flush() {
	if d.s.dec != nil {
		d.s.flush()
	}
}
