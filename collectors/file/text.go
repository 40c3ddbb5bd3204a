package file

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// Text reads the lines of one file that holds no events, such as a table: of any
// packing and encoding that logs may have, with the same limits. It is for one
// goroutine.
type Text struct {
	in    *input
	lines *lineReader
	done  atomic.Int64
}

// Expand lists the files that the arguments name: files, folders with all below
// them, globs, and "-" for the standard input.
func Expand(args []string) ([]string, error) { return expand(args) }

// OpenText opens a file. The caller closes it.
func OpenText(path string) (*Text, error) {
	t := &Text{}
	in, err := openInput(path, &t.done)
	if err != nil {
		return nil, err
	}
	if err := text.RefuseBinary(in.Sample()); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	t.in, t.lines = in, newLineReader(in.Text, 0, 0)
	return t, nil
}

// Next returns the next line, whose text is valid until the next call, and io.EOF
// after the last. A line that is no text, or too long, comes with a
// *formats.Error, and reading may go on; any other error ends it, and says in words
// how much was read.
func (t *Text) Next() (formats.Line, error) {
	rec, err := t.lines.Next()
	switch {
	case errors.Is(err, io.EOF):
		return formats.Line{}, io.EOF
	case err != nil:
		_, reason := text.ReadError(err, t.in.Packed)
		return formats.Line{Number: t.lines.Number + 1}, errors.New(reason)
	case rec.NULs > 0 || text.HasNUL(rec.Line.Text):
		return rec.Line, &formats.Error{Code: "binary", Reason: "NUL bytes stand where text should"}
	case rec.Cut:
		return rec.Line, &formats.Error{Code: "too-long", Reason: fmt.Sprintf("the line has %d bytes, at most %d are read", rec.Size, formats.MaxLine)}
	}
	return rec.Line, nil
}

// Read is how many bytes of the file, as it lies on disk, were read.
func (t *Text) Read() int64 { return t.done.Load() }

// Close closes the file.
func (t *Text) Close() error { return t.in.Close() }
