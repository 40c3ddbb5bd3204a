// Package formats is what the bytes mean: the contract that every log format
// keeps, and what formats share. Each format is a folder below this one.
package formats

import (
	"fmt"

	"vigil"
)

// MaxLine bounds one line, in bytes. A longer one is cut and set aside.
const MaxLine = 1 << 20

// Line is one line of input, without its line end.
type Line struct {
	// Text is valid during the call only.
	Text []byte
	// Offset is the byte position of its start in the uncompressed input;
	// Number counts lines from 1.
	Offset, Number int64
	// More says that the line goes on in the next call: it is longer than MaxPiece, and
	// the decoder is a Piecewise one. Offset is that of the piece.
	More bool
}

// MaxPiece is the length of the pieces in which a Piecewise decoder gets long lines.
const MaxPiece = 256 << 10

// Piecewise is a decoder that takes lines of any length, in pieces: of records that are
// not lines, as those of a JSON document.
type Piecewise interface {
	Decoder
	// TakesPieces does nothing: it says that Line.More is understood.
	TakesPieces()
}

// TakesPieces reports whether the decoder is a Piecewise one.
func TakesPieces(d Decoder) bool {
	_, ok := d.(Piecewise)
	return ok
}

// Emit takes an event that a decoder has finished. The event is the callee's.
// from is where the event's record starts.
type Emit func(e *vigil.Event, from Line)

// Decoder turns the lines of one stream into events.
//
// Decode takes lines in order. A record may span lines, so an event may come out
// at a later call, or at Flush. An *Error says that a record is not an event:
// the caller sets it aside and goes on. Lines that are well-formed and simply no
// access (a checkpoint message, a comment) yield neither event nor error.
//
// A decoder may hold state that joins lines (a connection's user). State
// returns it as bytes, bounded; Restore takes it back after a restart. A decoder
// is not safe for concurrent use.
type Decoder interface {
	Decode(line Line, emit Emit) error
	// Flush ends the stream: what is held back comes out.
	Flush(emit Emit) error
	// Pending is the offset of the first line whose event has not come out yet:
	// from there a restart must read again. ok is false when nothing is held.
	Pending() (offset int64, ok bool)
	State() ([]byte, error)
	Restore(state []byte) error
}

// Format makes decoders of one log format.
type Format interface {
	// Name is what the configuration calls it, such as "postgresql".
	Name() string
	// Detect says how sure it is, 0 to 1, that the sample (the first lines of a
	// file, at most 64 KiB, maybe cut within a line) is of this format.
	Detect(sample []byte) float64
	// New makes a decoder. An unusable option is an error naming it.
	New(opts Options) (Decoder, error)
}

// Options is what a decoder may be told.
type Options struct {
	// Source and Store are stamped on each event that names none itself.
	Source, Store string
	// File names the input, for origins and ids.
	File string
	// Sample is the start of the input, for formats that find their own variant
	// (a log_line_prefix, a log_format) by looking. May be nil.
	Sample []byte
	// Params are the format's own settings, by name: "log_line_prefix",
	// "log_format". Unknown names are an error.
	Params map[string]string
	// Mapping says how the store names its subjects and conversations.
	Mapping *Mapping
}

// Error is a record that could not be read. It carries what quarantine needs.
type Error struct {
	// Code is the class for counting; Reason is for a person, with the remedy.
	Code, Reason string
	// Line is the first line of the record; zero means the line just given.
	Line Line
}

func (e *Error) Error() string { return e.Reason }

// Errorf makes an Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// Told says how well a format tells something.
type Told string

// How well a format tells something.
const (
	No     Told = "no"
	Partly Told = "partly"
	Yes    Told = "yes"
)

// Tells says what a format's records tell, so that people can choose their source.
type Tells struct {
	// Title names the source for a person; Group is its family.
	Title string `json:"title"`
	Group string `json:"group,omitempty"`
	// Actor: who did it. Subjects: whose data. Rows, Bytes: how much. Outcome: whether
	// it was refused. Address: from where.
	Actor    Told `json:"actor,omitempty"`
	Subjects Told `json:"subjects,omitempty"`
	Rows     Told `json:"rows,omitempty"`
	Bytes    Told `json:"bytes,omitempty"`
	Outcome  Told `json:"outcome,omitempty"`
	Address  Told `json:"address,omitempty"`
	// Note is what a newcomer must know, in one sentence; may be empty.
	Note string `json:"note,omitempty"`
}

// The families of sources.
const (
	GroupDatabases = "Databases"
	GroupDesks     = "Help desks"
	GroupBots      = "Bots and language models"
	GroupClouds    = "Clouds"
	GroupIdentity  = "Identity and office"
	GroupWeb       = "Web"
	GroupAny       = "Any other"
)

// Teller is a format that says what its records tell.
type Teller interface{ Tells() Tells }

// Errors takes a decoder's error apart: one call may refuse several records.
func Errors(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, Errors(e)...)
	}
	return out
}
