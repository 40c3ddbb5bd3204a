package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"vigil/collectors/text"
)

// sampleLength is how much of a file's start is looked at.
const sampleLength = text.SampleLength

// The ways a file may be packed.
const packedPlain = text.Plain

// What reading text is made of.
type (
	record     = text.Record
	lineReader = text.Lines
	refusal    = text.Refusal
)

func newLineReader(r io.Reader, offset, number int64) *lineReader {
	return text.NewLines(r, offset, number)
}

// input is one open file as a stream of UTF-8 text.
type input struct {
	*text.Input
	file *os.File
}

// openInput opens path and looks at its start. packedBytes counts what is read of the file
// as it lies on disk.
func openInput(path string, packedBytes *atomic.Int64) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &refusal{Code: "unreadable", Reason: fmt.Sprintf("the file can't be opened: %v", errors.Unwrap(err))}
	}
	in, err := newInput(f, packedBytes)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return in, nil
}

func newInput(f *os.File, packedBytes *atomic.Int64) (*input, error) {
	in, err := text.Open(f, packedBytes)
	if err != nil {
		return nil, err
	}
	return &input{Input: in, file: f}, nil
}

func (in *input) Close() error { return errors.Join(in.Input.Close(), in.file.Close()) }
