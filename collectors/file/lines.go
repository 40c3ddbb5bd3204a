package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"vigil/collectors/formats"
)

// errPartial says that the input ends, for now, within a line.
var errPartial = errors.New("the last line has no end yet")

// errLong says that there is more of a line, and that others should have their turn.
var errLong = errors.New("the line goes on")

// record is one line as the splitter found it.
type record struct {
	line formats.Line
	// whole is false for a last line without its line end.
	whole bool
	// cut is true for a line longer than [formats.MaxLine]; its text is gone.
	cut bool
	// nuls is the length of a run of NULs that stood in place of lines.
	nuls int64
	// size and hash are of the record without its line end, for quarantine.
	size int64
	hash uint64
}

// lineReader splits text into lines in bounded memory: a line that is too long
// is hashed and counted as it goes by, never held.
type lineReader struct {
	r   io.Reader
	buf []byte
	// buf[start:end] is read and not yet given out; scanned of it holds no line end.
	start, end, scanned int
	// offset and number are those of buf[start].
	offset, number int64
	// live keeps a line without an end back until its end comes.
	live bool
	// again says that input which ends with an error may be read once more: then what
	// stands before the error is no line.
	again bool
	// turn, when set, bounds the bytes that one call reads before it returns errLong.
	turn int64
	// pieces gives long lines out in pieces instead of cutting them.
	pieces bool
	err    error

	// A line being cut: the digest, and how much of it went by.
	digest  hash.Hash
	cutSize int64
	cutLine formats.Line
	// A run of NULs being skipped.
	nuls int64
}

func newLineReader(r io.Reader, offset, number int64) *lineReader {
	return &lineReader{r: r, offset: offset, number: number}
}

// advance moves past n bytes.
func (l *lineReader) advance(n int) {
	l.start += n
	l.offset += int64(n)
	l.scanned = 0
}

// next returns the next line, whose text is valid until the next call. At the
// end it returns the reader's error, io.EOF mostly; a live reader returns
// errPartial or io.EOF and may be asked again.
func (l *lineReader) next() (record, error) {
	var got int64
	for {
		if l.nuls == 0 && l.digest == nil && l.start < l.end && l.buf[l.start] == 0 || l.nuls > 0 {
			if done := l.skipNULs(); done {
				rec := record{line: formats.Line{Offset: l.offset - l.nuls, Number: l.number + 1}, whole: true, nuls: l.nuls, size: l.nuls}
				l.nuls = 0
				return rec, nil
			}
		} else if i := bytes.IndexByte(l.buf[l.start+l.scanned:l.end], '\n'); i >= 0 {
			return l.take(l.scanned+i, true), nil
		} else {
			l.scanned = l.end - l.start
			if l.pieces && l.scanned >= formats.MaxPiece {
				return l.piece(l.scanned), nil
			}
			if l.scanned > formats.MaxLine || l.digest != nil {
				l.swallow(l.scanned)
			}
		}
		if l.err != nil {
			return l.last()
		}
		if l.turn > 0 && got >= l.turn {
			return record{}, errLong
		}
		had := l.end - l.start
		l.fill()
		got += int64(l.end - l.start - had)
	}
}

// last gives what is left when the input has ended.
func (l *lineReader) last() (record, error) {
	err := l.err
	if l.live {
		if errors.Is(err, io.EOF) {
			l.err = nil
			if l.start < l.end || l.digest != nil {
				return record{}, errPartial
			}
			// A log that rests needs no buffer.
			l.buf, l.start, l.end = nil, 0, 0
		}
		return record{}, err
	}
	if (l.start < l.end || l.digest != nil) && (!l.again || errors.Is(err, io.EOF)) {
		return l.take(l.end-l.start, false), nil
	}
	return record{}, err
}

// take gives out the n bytes at the start as a line; whole says that a line end
// follows them.
func (l *lineReader) take(n int, whole bool) record {
	eol := 0
	if whole {
		eol = 1
	}
	rec := record{whole: whole}
	if l.digest != nil {
		l.swallow(n)
		l.number++
		rec.line, rec.cut, rec.size = l.cutLine, true, l.cutSize
		rec.hash = binary.BigEndian.Uint64(l.digest.Sum(nil))
		l.digest, l.cutSize = nil, 0
		l.advance(eol)
		return rec
	}
	l.number++
	text := l.buf[l.start : l.start+n]
	if whole && n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	rec.line = formats.Line{Text: text, Offset: l.offset, Number: l.number}
	rec.size = int64(len(text))
	if len(text) > formats.MaxLine {
		rec.cut, rec.hash = true, formats.RecordHash(text)
	}
	l.advance(n + eol)
	return rec
}

// piece gives out the n bytes at the start as a part of a line that goes on.
func (l *lineReader) piece(n int) record {
	text := l.buf[l.start : l.start+n]
	rec := record{line: formats.Line{Text: text, Offset: l.offset, Number: l.number + 1, More: true}, whole: true, size: int64(n)}
	l.advance(n)
	return rec
}

// swallow adds n bytes to the line that is being cut and drops them.
func (l *lineReader) swallow(n int) {
	if l.digest == nil {
		l.digest = sha256.New()
		l.cutLine = formats.Line{Offset: l.offset, Number: l.number + 1}
	}
	l.digest.Write(l.buf[l.start : l.start+n])
	l.cutSize += int64(n)
	l.advance(n)
}

// skipNULs passes over NULs and reports whether their end is known.
func (l *lineReader) skipNULs() bool {
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

func (l *lineReader) fill() {
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

func hasNUL(text []byte) bool { return bytes.IndexByte(text, 0) >= 0 }
