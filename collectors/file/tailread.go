package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/text"
)

const (
	// packing is how long an archive that ends too early may still be being
	// written.
	packing = time.Minute
	// clockAheadNow is how far ahead of this machine's clock an event may be.
	clockAheadNow = 24 * time.Hour
	// maxHeld is how many files of a log are held open before their turn comes.
	maxHeld = 16
	// enoughSample is the start of a file from which a format must be seen.
	enoughSample = 16 << 10
)

// turn lists the files that have something to read, oldest first.
func (l *tailLog) turn() []*tailFile {
	var out []*tailFile
	for _, f := range l.files {
		if f.done || f.ghost || f.copyOf != nil {
			continue
		}
		// An archive is there to be read; one without a name is open or out of reach.
		if f.packed != packedPlain || f.size > f.readTo() || f.gone && f.isOpen() || f.rotated && f.readTo() > f.offset {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *tailFile) int { return a.modified.Compare(b.modified) })
	return out
}

// hold opens a plain file before its turn comes, so that it can be read even when it is
// removed until then.
func (r *tailing) hold(f *tailFile) {
	if f.packed != packedPlain || f.file != nil || f.gone || f.done || f.refused != "" || f.size == 0 {
		return
	}
	// Why it can't be opened is told when its turn comes.
	if file, err := openPlain(f.path, f.dev, f.ino); err == nil {
		f.file = file
	}
}

// read reads what is new in f, at most a turn's worth. again says that there is more.
func (r *tailing) read(ctx context.Context, l *tailLog, f *tailFile) (again bool, err error) {
	r.reads++
	if f.lines == nil {
		if ok := r.open(f); !ok {
			return false, nil
		}
	}
	if f.skip > 0 {
		return r.skip(f), nil
	}
	if l.dec == nil {
		if ok := r.choose(l, f); !ok {
			return false, nil
		}
	}
	f.lines.Pieces = formats.TakesPieces(l.dec)
	l.feeds(f)
	stop := f.lines.Offset + turnBytes
	defer func(before int64) {
		if f.number != before {
			f.last = time.Now()
		}
	}(f.number)
	for {
		rec, err := f.lines.Next()
		switch {
		case err == nil:
		case errors.Is(err, text.ErrPartial):
			r.partial(l, f)
			return false, nil
		case errors.Is(err, text.ErrLong):
			return true, nil
		case errors.Is(err, io.EOF):
			if f.packed != packedPlain {
				r.finishArchive(f)
			}
			return false, nil
		case errors.Is(err, errRewritten):
			f.lookAgain()
			return false, nil
		default:
			r.broken(f, err)
			return false, nil
		}
		r.record(l, f, rec)
		f.offset, f.number = f.lines.Offset, f.lines.Number
		if r.full() {
			if err := r.hand(); err != nil {
				return false, err
			}
		}
		if f.lines.Offset >= stop || ctx.Err() != nil {
			return true, nil
		}
	}
}

// open makes f readable from its offset.
func (r *tailing) open(f *tailFile) bool {
	if f.packed != packedPlain {
		return r.openArchive(f)
	}
	if f.file == nil {
		file, err := openPlain(f.path, f.dev, f.ino)
		if err != nil {
			if !errors.Is(err, errMoved) {
				r.refuse(f, err)
			}
			return false
		}
		f.file = file
	}
	at := f.offset
	if at == 0 {
		sample, err := r.sampleOf(f)
		switch {
		case err != nil:
		case text.IsUTF16(sample):
			err = &refusal{Code: "binary", Reason: "the file is UTF-16, which can't be followed: let it be written as UTF-8, or read it whole with vigil scan"}
		default:
			err = text.RefuseBinary(sample)
		}
		if err != nil {
			f.close()
			r.refuse(f, err)
			return false
		}
		if bytes.HasPrefix(sample, []byte(text.ByteOrderMark)) {
			at = int64(len(text.ByteOrderMark))
		}
	}
	// What is read on must see the file grow, so it reads the file itself.
	w := &watched{f: f, at: at, tail: make([]byte, min(at, tailBytes))}
	if n, _ := f.file.ReadAt(w.tail, at-int64(len(w.tail))); n < len(w.tail) || !f.mark.holds(f.file) {
		// It was rewritten in this moment.
		f.lookAgain()
		return false
	}
	if _, err := f.file.Seek(at, io.SeekStart); err != nil {
		f.close()
		r.refuse(f, err)
		return false
	}
	f.refused = ""
	f.watch = w
	f.lines = newLineReader(w, at, f.number)
	f.lines.Live, f.lines.Turn = true, turnBytes
	return true
}

func (r *tailing) openArchive(f *tailFile) bool {
	if time.Now().Before(f.retry) {
		return false
	}
	in, err := openPacked(f.path, f.dev, f.ino)
	if errors.Is(err, errMoved) {
		return false
	}
	if err != nil {
		r.refuse(f, err)
		return false
	}
	f.refused = ""
	if err := text.RefuseBinary(in.Sample()); err != nil && f.offset == 0 {
		_ = in.Close()
		r.refuse(f, err)
		return false
	}
	if f.in, f.skip = in, max(0, f.offset-in.Mark); f.skip > 0 {
		f.sample = bytes.Clone(in.Sample())
	}
	f.lines = newLineReader(in.Text, max(f.offset, in.Mark), f.number)
	f.lines.Turn, f.lines.Again = turnBytes, true
	return true
}

// skip passes over what was read of an archive before, a turn's worth, and makes sure that
// it is what was read: else all of it is. It tells whether there is more to do.
func (r *tailing) skip(f *tailFile) (again bool) {
	if r.sample == nil {
		r.sample = make([]byte, sampleLength)
	}
	for range turnBytes / sampleLength {
		n, err := f.in.Text.Read(r.sample[:min(f.skip, sampleLength)])
		f.skip -= int64(n)
		f.skipped = lastOf(f.skipped, r.sample[:n], markBytes)
		m := f.mark
		switch {
		case f.skip == 0 && m.n > 0 && m.at == f.offset && hashOf(f.skipped[max(0, len(f.skipped)-m.n):]) != m.hash,
			errors.Is(err, io.EOF) && f.skip > 0 && f.doubt:
			f.close()
			f.offset, f.number, f.mark, f.doubt = 0, 0, mark{}, false
			return true
		case f.skip == 0 || err == nil && n == 0:
			return true
		case errors.Is(err, io.EOF):
			r.finishArchive(f)
			return false
		case err != nil:
			r.broken(f, err)
			return false
		}
	}
	return true
}

// sampleOf returns the start of f's text. It is valid until the next call.
func (r *tailing) sampleOf(f *tailFile) ([]byte, error) {
	if f.sample != nil {
		return f.sample, nil
	}
	if f.in != nil {
		return f.in.Sample(), nil
	}
	if r.sample == nil {
		r.sample = make([]byte, sampleLength)
	}
	n, err := f.file.ReadAt(r.sample, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return r.sample[:n], err
}

// errRewritten says that a file no longer starts as it did.
var errRewritten = errors.New("the file was written anew")

// watched reads a growing file and makes sure, after each read, that the file
// still is the one it was: else what was read may be of a new beginning, past
// what was to come.
type watched struct {
	f  *tailFile
	at int64
	// tail is what was read last before at.
	tail []byte
	buf  [max(printBytes, tailBytes)]byte
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.f.file.Read(p)
	if n == 0 {
		return 0, err
	}
	head := p[:min(n, printBytes)]
	if w.at > 0 || n < printBytes && n < w.f.print.n {
		k, herr := w.f.file.ReadAt(w.buf[:printBytes], 0)
		if herr != nil && !errors.Is(herr, io.EOF) {
			return 0, herr
		}
		head = w.buf[:k]
	}
	if !w.f.print.fits(head) {
		return 0, errRewritten
	}
	w.f.known(head)
	if len(w.tail) > 0 {
		k, _ := w.f.file.ReadAt(w.buf[:len(w.tail)], w.at-int64(len(w.tail)))
		if !bytes.Equal(w.buf[:k], w.tail) {
			return 0, errRewritten
		}
	}
	w.at += int64(n)
	w.tail = lastOf(w.tail, p[:n], tailBytes)
	w.f.grew = time.Now()
	return n, err
}

// lastOf appends more to kept and keeps the last n bytes.
func lastOf(kept, more []byte, n int) []byte {
	if len(more) >= n {
		return append(kept[:0], more[len(more)-n:]...)
	}
	kept = append(kept, more...)
	return append(kept[:0], kept[max(0, len(kept)-n):]...)
}

// mark is of what stands before the line that is read next, where that is not too long.
func (w *watched) mark() mark {
	at, text := w.at, w.tail
	if n := int(w.at - w.f.offset); n < len(text) {
		at, text = w.f.offset, text[:len(text)-n]
	}
	text = text[max(0, len(text)-markBytes):]
	return mark{at: at, n: len(text), hash: hashOf(text)}
}

// refuse leaves a file that can't be read, and says so once.
func (r *tailing) refuse(f *tailFile, err error) {
	var why *refusal
	if !errors.As(err, &why) {
		why = &refusal{Code: "unreadable", Reason: err.Error()}
	}
	if f.refused != why.Reason {
		f.refused = why.Reason
		r.t.log.Warn("a file can't be followed", "file", fmt.Sprintf("%q", f.path), "reason", fmt.Sprintf("%q", why.Reason))
		r.quarantine(f, refused("", f.path, f.size, why))
	}
	if why.Code != "unreadable" {
		f.done = true
	}
}

// choose finds the log's format by this file's start and makes the decoder.
func (r *tailing) choose(l *tailLog, f *tailFile) bool {
	sample, err := r.sampleOf(f)
	if err != nil {
		r.broken(f, err)
		return false
	}
	sample = bytes.TrimPrefix(sample, []byte(text.ByteOrderMark))
	text := bytes.TrimLeft(sample, "\x00 \t\r\n")
	if !bytes.Contains(text, []byte{'\n'}) && len(text) < enoughSample && f.packed == packedPlain {
		// Not one whole line: too early to tell. Look again at what is there then.
		f.close()
		return false
	}
	cfg := &r.t.cfg
	var format formats.Format
	switch {
	case cfg.Format != "":
		format = cfg.Formats[0]
	case l.format != "":
		format, err = formats.ByName(cfg.Formats, l.format)
	default:
		format, _, err = formats.Choose(cfg.Formats, text)
	}
	if err == nil {
		l.dec, err = newDecoder(&cfg.Config, format, l.name, sample)
	}
	if err == nil && l.state != nil {
		err = l.dec.Restore(l.state)
	}
	if err != nil {
		if len(text) < enoughSample && bytes.Count(text, []byte{'\n'}) < 20 && f.packed == packedPlain {
			l.dec = nil
			f.close()
			return false
		}
		l.dec = nil
		f.close()
		r.refuse(f, &refusal{Code: "format", Reason: err.Error()})
		return false
	}
	l.format, l.state = format.Name(), nil
	return true
}

// record decodes one line or sets it aside.
func (r *tailing) record(l *tailLog, f *tailFile, rec record) {
	r.touch()
	switch {
	case rec.NULs > 0:
		r.aside(f, rec, "binary", fmt.Sprintf("%d NUL bytes stand where lines should: a crash or a truncation under writing leaves such a hole", rec.NULs))
	case rec.Cut:
		r.aside(f, rec, "too-long", fmt.Sprintf("the line has %d bytes, at most %d are read", rec.Size, formats.MaxLine))
	case text.HasNUL(rec.Line.Text):
		r.aside(f, rec, "binary", "the line holds NUL bytes")
	default:
		l.fed++
		l.starts[rec.Line.Number%recentLines] = rec.Line.Offset
		at := rec.Line.Offset
		r.refused(f, rec, l.dec.Decode(rec.Line, func(e *vigil.Event, from formats.Line) { r.emit(l, f, e, from, at) }))
	}
}

// refused sets aside what the decoder refused.
func (r *tailing) refused(f *tailFile, rec record, err error) {
	for _, one := range formats.Errors(err) {
		code, reason := "format", one.Error()
		this := rec
		var fe *formats.Error
		if errors.As(one, &fe) {
			code, reason = fe.Code, fe.Reason
			if fe.Line.Number != 0 && fe.Line.Number != rec.Line.Number {
				this = record{Line: fe.Line, Whole: true, Size: int64(len(fe.Line.Text))}
			}
		}
		if !this.Whole {
			code, reason = "truncated", "the last line has no end and is no record: "+reason
		}
		r.aside(f, this, code, reason)
	}
}

func (r *tailing) aside(f *tailFile, rec record, code, reason string) {
	hash := rec.Hash
	if hash == 0 && len(rec.Line.Text) > 0 {
		hash = formats.RecordHash(rec.Line.Text)
	}
	r.quarantine(f, vigil.Quarantined{
		Line: rec.Line.Number, Offset: rec.Line.Offset, Code: code, Reason: reason, Size: rec.Size, Hash: hash,
	})
}

// emit takes an event from the decoder, which has come to the line that starts
// at. A record that began beyond it began in the file before.
func (r *tailing) emit(l *tailLog, f *tailFile, e *vigil.Event, from formats.Line, at int64) {
	now := time.Now().UTC()
	e.Origin.File = f.path
	if e.Origin.Line == 0 {
		e.Origin.Offset, e.Origin.Line = from.Offset, from.Number
	}
	if l.before != nil && from.Offset > at {
		e.Origin.File = l.before.path
	}
	// A source's name is the configuration's to say, not the payload's.
	e.Source, e.Received = r.t.cfg.Source, now
	if e.Time.After(now.Add(clockAheadNow)) {
		r.quarantine(f, vigil.Quarantined{
			Line: e.Origin.Line, Offset: e.Origin.Offset, Code: "clock", Hash: e.Origin.Hash,
			Reason: fmt.Sprintf("the time %s is more than a day ahead of this machine's clock", e.Time.Format(time.RFC3339)),
		})
		return
	}
	r.batch.Events = append(r.batch.Events, e)
}

// partial deals with a line whose end has not come. Where the file was rotated
// away and rests, none will.
func (r *tailing) partial(l *tailLog, f *tailFile) {
	if !f.rotated || time.Since(f.grew) < r.t.cfg.Settle || !f.gone && time.Since(f.modified) < r.t.cfg.Settle {
		return
	}
	f.lines.Live = false
	rec, err := f.lines.Next()
	f.lines.Live = true
	if err != nil {
		return
	}
	r.record(l, f, rec)
	f.offset, f.number = f.lines.Offset, f.lines.Number
}

// broken deals with a file that ends with an error. An archive may still be
// being written: then it is tried again.
func (r *tailing) broken(f *tailFile, err error) {
	f.close()
	if f.packed != packedPlain && errors.Is(err, io.ErrUnexpectedEOF) && time.Since(f.modified) < packing {
		f.retry = time.Now().Add(r.t.cfg.Settle)
		return
	}
	code, reason := text.ReadError(err, f.packed)
	r.quarantine(f, vigil.Quarantined{Code: code, Reason: reason, Line: f.number + 1, Offset: f.offset})
	f.done = f.packed != packedPlain
}

func (r *tailing) finishArchive(f *tailFile) {
	f.close()
	f.done = true
	r.touch()
}

// release lets go what a decoder has held for long enough, so that the last
// record of a log that falls silent does not wait for ever.
func (r *tailing) release(l *tailLog) {
	f := l.current
	if l.dec == nil || f == nil || time.Since(f.last) < r.t.cfg.Settle {
		return
	}
	if _, held := l.dec.Pending(); !held {
		return
	}
	r.touch()
	rec := record{Line: formats.Line{Offset: f.offset, Number: f.number}, Whole: true}
	r.refused(f, rec, l.dec.Flush(func(e *vigil.Event, from formats.Line) { r.emit(l, f, e, from, f.offset) }))
}
