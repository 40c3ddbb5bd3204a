package text

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"vigil/collectors/formats"
)

// ErrPartial says that the input ends, for now, within a line.
var ErrPartial = errors.New("the last line has no end yet")

// ErrLong says that there is more of a line, and that others should have their turn.
var ErrLong = errors.New("the line goes on")

// Record is one line as Lines found it.
type Record struct {
	Line formats.Line
	// Whole is false for a last line without its line end.
	Whole bool
	// Cut is true for a line longer than [formats.MaxLine]; its text is gone.
	Cut bool
	// NULs is the length of a run of NULs that stood in place of lines.
	NULs int64
	// Size and Hash are of the record without its line end, for quarantine.
	Size int64
	Hash uint64
}

// Lines splits text into lines in bounded memory: a line that is too long
// is hashed and counted as it goes by, never held. It is for one goroutine.
type Lines struct {
	r   io.Reader
	buf []byte
	// buf[start:end] is read and not yet given out; scanned of it holds no line end.
	start, end, scanned int
	// Offset and Number are those of the line that comes next: how many bytes and lines
	// went by.
	Offset, Number int64
	// Live keeps a line without an end back until its end comes.
	Live bool
	// Again says that input which ends with an error may be read once more: then what
	// stands before the error is no line.
	Again bool
	// Turn, when set, bounds the bytes that one call reads before it returns ErrLong.
	Turn int64
	// Pieces gives long lines out in pieces instead of cutting them.
	Pieces bool
	err    error

	// A line being cut: the digest, and how much of it went by.
	digest  hash.Hash
	cutSize int64
	cutLine formats.Line
	// A run of NULs being skipped.
	nuls int64
}

// NewLines splits what r gives, of which offset bytes and number lines went by before.
func NewLines(r io.Reader, offset, number int64) *Lines {
	return &Lines{r: r, Offset: offset, Number: number}
}

// advance moves past n bytes.
func (l *Lines) advance(n int) {
	l.start += n
	l.Offset += int64(n)
	l.scanned = 0
}

// Next returns the next line, whose text is valid until the next call. At the
// end it returns the reader's error, io.EOF mostly; a live reader returns
// ErrPartial or io.EOF and may be asked again.
func (l *Lines) Next() (Record, error) {
	var got int64
	for {
		if l.nuls == 0 && l.digest == nil && l.start < l.end && l.buf[l.start] == 0 || l.nuls > 0 {
			if done := l.skipNULs(); done {
				rec := Record{Line: formats.Line{Offset: l.Offset - l.nuls, Number: l.Number + 1}, Whole: true, NULs: l.nuls, Size: l.nuls}
				l.nuls = 0
				return rec, nil
			}
		} else if i := bytes.IndexByte(l.buf[l.start+l.scanned:l.end], '\n'); i >= 0 {
			return l.take(l.scanned+i, true), nil
		} else {
			l.scanned = l.end - l.start
			if l.Pieces && l.scanned >= formats.MaxPiece {
				return l.piece(l.scanned), nil
			}
			if l.scanned > formats.MaxLine || l.digest != nil {
				l.swallow(l.scanned)
			}
		}
		if l.err != nil {
			return l.last()
		}
		if l.Turn > 0 && got >= l.Turn {
			return Record{}, ErrLong
		}
		had := l.end - l.start
		l.fill()
		got += int64(l.end - l.start - had)
	}
}

// last gives what is left when the input has ended.
func (l *Lines) last() (Record, error) {
	err := l.err
	if l.Live {
		if errors.Is(err, io.EOF) {
			l.err = nil
			if l.start < l.end || l.digest != nil {
				return Record{}, ErrPartial
			}
			// A log that rests needs no buffer.
			l.buf, l.start, l.end = nil, 0, 0
		}
		return Record{}, err
	}
	if (l.start < l.end || l.digest != nil) && (!l.Again || errors.Is(err, io.EOF)) {
		return l.take(l.end-l.start, false), nil
	}
	return Record{}, err
}

// take gives out the n bytes at the start as a line; whole says that a line end
// follows them.
func (l *Lines) take(n int, whole bool) Record {
	eol := 0
	if whole {
		eol = 1
	}
	rec := Record{Whole: whole}
	if l.digest != nil {
		l.swallow(n)
		l.Number++
		rec.Line, rec.Cut, rec.Size = l.cutLine, true, l.cutSize
		rec.Hash = binary.BigEndian.Uint64(l.digest.Sum(nil))
		l.digest, l.cutSize = nil, 0
		l.advance(eol)
		return rec
	}
	l.Number++
	text := l.buf[l.start : l.start+n]
	if whole && n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	rec.Line = formats.Line{Text: text, Offset: l.Offset, Number: l.Number}
	rec.Size = int64(len(text))
	if len(text) > formats.MaxLine {
		rec.Cut, rec.Hash = true, formats.RecordHash(text)
	}
	l.advance(n + eol)
	return rec
}

// piece gives out the n bytes at the start as a part of a line that goes on.
func (l *Lines) piece(n int) Record {
	text := l.buf[l.start : l.start+n]
	rec := Record{Line: formats.Line{Text: text, Offset: l.Offset, Number: l.Number + 1, More: true}, Whole: true, Size: int64(n)}
	l.advance(n)
	return rec
}

// swallow adds n bytes to the line that is being cut and drops them.
func (l *Lines) swallow(n int) {
	if l.digest == nil {
		l.digest = sha256.New()
		l.cutLine = formats.Line{Offset: l.Offset, Number: l.Number + 1}
	}
	l.digest.Write(l.buf[l.start : l.start+n])
	l.cutSize += int64(n)
	l.advance(n)
}

// skipNULs passes over NULs and reports whether their end is known.
func (l *Lines) skipNULs() bool {
	for l.start < l.end {
		if l.buf[l.start] != 0 {
			return true
		}
		n := 1
		for l.start+n < l.end && l.buf[l.start+n] == 0 {
			n++
		}
		l.nuls += int64(n)
		l.advance(n)
	}
	// A live reader's run goes on when more comes; else the end ends it.
	return l.err != nil
}

func (l *Lines) fill() {
	if l.buf == nil {
		l.buf = make([]byte, inputBuffer)
	}
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		grown := make([]byte, min(2*len(l.buf), formats.MaxLine+inputBuffer))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if err != nil {
			l.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// HasNUL says that a line is no text.
func HasNUL(text []byte) bool { return bytes.IndexByte(text, 0) >= 0 }
