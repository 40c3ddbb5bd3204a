package push

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
)

// errSink says that the sink did not take a batch.
var errSink = errors.New("the sink did not take the batch")

// maxErrors bounds the bad lines that an answer names.
const maxErrors = 10

// accepted is the answer to a request that was taken.
type accepted struct {
	Accepted    int64       `json:"accepted"`
	Quarantined int64       `json:"quarantined"`
	Errors      []lineError `json:"errors,omitempty"`
}

// lineError is one line that was set aside.
type lineError struct {
	Line   int64  `json:"line"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// intake reads one request.
type intake struct {
	h    *Handler
	from *sender
	key  string
	dec  formats.Decoder
	// pieces says that the decoder takes long lines in pieces.
	pieces bool
	now    time.Time

	batch collectors.Batch
	bytes int64
	// line is the line being read, from 1; within says that it goes on.
	line                  int64
	within                bool
	offset                int64
	accepted, quarantined int64
	errors                []lineError
}

// sampleBytes is how much of a body is looked at to find its format.
const sampleBytes = formats.MaxSample

// choose makes the decoder: of the configured format, else of the one that the body's
// start looks like, else of native events, whose errors say best what is wrong.
func (in *intake) choose(sample []byte) error {
	cfg := &in.from.decode
	name := cfg.Format
	if name == "" {
		name = in.from.look(sample)
	}
	f, err := formats.ByName(cfg.Formats, name)
	if err != nil {
		return err
	}
	in.dec, err = f.New(formats.Options{
		Source: cfg.Source, Store: cfg.Store, File: "push:" + in.key, Sample: sample, Params: cfg.Params[name], Mapping: cfg.Mapping,
	})
	in.pieces = formats.TakesPieces(in.dec)
	return err
}

// surely is how sure the format of the last body must be of the next one's start for no
// other to be asked: senders rarely change.
const surely = 0.9

// look finds the format of a body by its start.
func (s *sender) look(sample []byte) string {
	start := sample[:min(len(sample), 4<<10)]
	if last := s.last.Load(); last != nil && (*last).Detect(start) >= surely {
		return (*last).Name()
	}
	f, _, err := formats.Choose(s.decode.Formats, sample)
	if err != nil {
		return nativeName
	}
	s.last.Store(&f)
	return f.Name()
}

// nativeName is the format of native events.
const nativeName = "native"

// read takes all lines, a batch at a time.
func (in *intake) read(ctx context.Context, text io.Reader) error {
	r := bufio.NewReaderSize(text, sampleBytes)
	sample, err := r.Peek(sampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := in.choose(sample); err != nil {
		return fmt.Errorf("choose a format: %w", err)
	}
	for {
		line, size, ended, err := nextLine(r, in.pieces)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if size > 0 {
			if !in.within {
				in.line++
			}
			in.within = !ended && err == nil
			if !in.within {
				line = bytes.TrimRight(line, "\r\n")
			}
			in.take(formats.Line{Text: line, Offset: in.offset, Number: in.line, More: in.within}, size)
			in.offset += size
			in.bytes += size
		}
		if err != nil {
			in.refused(formats.Line{Number: in.line, Offset: in.offset}, 0, in.dec.Flush(in.emit))
			return in.hand(ctx)
		}
		if len(in.batch.Events)+len(in.batch.Quarantined) >= batchEvents || in.bytes >= batchBytes {
			if err := in.hand(ctx); err != nil {
				return err
			}
		}
	}
}

// nextLine returns the next line, or in pieces its next piece, and its size in bytes. Of
// one that is too long only the start is returned, and the size is the whole line's.
// ended says that the line ends here.
func nextLine(r *bufio.Reader, pieces bool) (line []byte, size int64, ended bool, err error) {
	line, err = r.ReadSlice('\n')
	size = int64(len(line))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, size, err == nil, err
	}
	if pieces {
		return line, size, false, nil
	}
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var part []byte
		part, err = r.ReadSlice('\n')
		size += int64(len(part))
		if len(line) <= formats.MaxLine {
			line = append(line, part...)
		}
	}
	return line, size, err == nil, err
}

// take reads one line of size bytes, or sets it aside.
func (in *intake) take(line formats.Line, size int64) {
	if len(line.Text) > formats.MaxLine {
		in.refused(line, size, formats.Errorf("too-long", "the line has %d bytes, at most %d are read", size, formats.MaxLine))
		return
	}
	in.refused(line, size, in.dec.Decode(line, in.emit))
}

// emit takes an event: the receiver says which source it is, whatever the payload says.
func (in *intake) emit(e *vigil.Event, from formats.Line) {
	e.Source, e.Received, e.Late = in.from.source, in.now, false
	if e.Origin.Line == 0 {
		e.Origin.Offset, e.Origin.Line = from.Offset, from.Number
	}
	in.batch.Events = append(in.batch.Events, e)
	in.accepted++
}

// refused sets aside what the decoder refused.
func (in *intake) refused(line formats.Line, size int64, err error) {
	for _, one := range formats.Errors(err) {
		at, code, reason := line, "format", one.Error()
		var fe *formats.Error
		if errors.As(one, &fe) {
			code, reason = fe.Code, fe.Reason
			if fe.Line.Number != 0 && fe.Line.Number != line.Number {
				at, size = fe.Line, int64(len(fe.Line.Text))
			}
		}
		in.quarantined++
		if len(in.errors) < maxErrors {
			in.errors = append(in.errors, lineError{at.Number, code, reason})
		}
		in.batch.Quarantined = append(in.batch.Quarantined, vigil.Quarantined{
			Source: in.from.source, File: "push:" + in.key, Line: at.Number, Offset: at.Offset, Time: in.now,
			Code: code, Reason: reason, Size: size, Hash: formats.RecordHash(at.Text),
		})
	}
}

// hand gives the batch to the sink and begins a new one.
func (in *intake) hand(ctx context.Context) error {
	b := in.batch
	in.batch, in.bytes = collectors.Batch{}, 0
	if len(b.Events) == 0 && len(b.Quarantined) == 0 {
		return nil
	}
	b.Source = in.from.source
	ctx, cancel := context.WithTimeout(ctx, in.h.cfg.Timeout)
	defer cancel()
	if err := in.h.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("%w: %w", errSink, err)
	}
	return nil
}

// problemDetail is an error as RFC 9457 (Nottingham, Wilde, Dalal 2023, Problem
// Details for HTTP APIs) has it.
type problemDetail struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Line is the first bad line, zero when the request as a whole is.
	Line int64 `json:"line,omitempty"`
}

func problem(w http.ResponseWriter, status int, detail string, line int64) {
	if line > 0 {
		detail = fmt.Sprintf("line %d: %s", line, strings.TrimSuffix(detail, "."))
	}
	answer(w, status, "application/problem+json", problemDetail{http.StatusText(status), status, detail, line})
}

func answer(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The sender may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
