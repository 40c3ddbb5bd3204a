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
	h           *Handler
	source, key string
	dec         formats.Decoder
	now         time.Time

	batch collectors.Batch
	bytes int64
	// line is the line being read, from 1.
	line                  int64
	offset                int64
	accepted, quarantined int64
	errors                []lineError
}

// read takes all lines, a batch at a time.
func (in *intake) read(ctx context.Context, text io.Reader) error {
	r := bufio.NewReaderSize(text, 64<<10)
	for {
		line, size, err := nextLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if size > 0 {
			in.line++
			in.take(formats.Line{Text: bytes.TrimRight(line, "\r\n"), Offset: in.offset, Number: in.line}, size)
			in.offset += size
			in.bytes += size
		}
		if err != nil {
			return in.hand(ctx)
		}
		if len(in.batch.Events)+len(in.batch.Quarantined) >= batchEvents || in.bytes >= batchBytes {
			if err := in.hand(ctx); err != nil {
				return err
			}
		}
	}
}

// nextLine returns the next line, of one too long only the start, and the size
// of the whole line in bytes.
func nextLine(r *bufio.Reader) (line []byte, size int64, err error) {
	line, err = r.ReadSlice('\n')
	size = int64(len(line))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, size, err
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
	return line, size, err
}

// take reads one line of size bytes as an event, or sets it aside.
func (in *intake) take(line formats.Line, size int64) {
	var err error
	if len(line.Text) > formats.MaxLine {
		err = formats.Errorf("too-long", "the line has %d bytes, at most %d are read", size, formats.MaxLine)
	} else {
		err = in.dec.Decode(line, func(e *vigil.Event, _ formats.Line) {
			e.Source, e.Received, e.Late = in.source, in.now, false
			in.batch.Events = append(in.batch.Events, e)
			in.accepted++
		})
	}
	if err == nil {
		return
	}
	code, reason := "format", err.Error()
	var fe *formats.Error
	if errors.As(err, &fe) {
		code, reason = fe.Code, fe.Reason
	}
	in.quarantined++
	if len(in.errors) < maxErrors {
		in.errors = append(in.errors, lineError{line.Number, code, reason})
	}
	in.batch.Quarantined = append(in.batch.Quarantined, vigil.Quarantined{
		Source: in.source, File: "push:" + in.key, Line: line.Number, Offset: line.Offset, Time: in.now,
		Code: code, Reason: reason, Size: size, Hash: formats.RecordHash(line.Text),
	})
}

// hand gives the batch to the sink and begins a new one.
func (in *intake) hand(ctx context.Context) error {
	b := in.batch
	in.batch, in.bytes = collectors.Batch{}, 0
	if len(b.Events) == 0 && len(b.Quarantined) == 0 {
		return nil
	}
	b.Source = in.source
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
