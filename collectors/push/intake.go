package push

import (
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
	"vigil/collectors/decode"
	"vigil/collectors/formats"
	"vigil/collectors/text"
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
	now  time.Time

	batch collectors.Batch
	// line is how far the text was read.
	line                  int64
	accepted, quarantined int64
	errors                []lineError
}

// nativeName is the format of native events, whose errors say best what is wrong with a
// body that looks like nothing.
const nativeName = "native"

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

// read takes all records, a batch at a time.
func (in *intake) read(ctx context.Context, body io.Reader) error {
	input, cfg, name := text.Unpacked(body), in.from.decode, "push:"+in.key
	if cfg.Format == "" {
		cfg.Format = in.from.look(input.Sample())
	}
	doc, err := decode.NewDocument(&cfg, name, input, decode.Hint{})
	var refused *text.Refusal
	if errors.As(err, &refused) {
		in.batch.Quarantined = []vigil.Quarantined{{
			Source: cfg.Source, File: name, Line: 1, Time: in.now, Code: refused.Code, Reason: refused.Reason, Hash: formats.RecordHash(input.Sample()),
		}}
		return in.hand(ctx)
	}
	if err != nil {
		return err
	}
	for {
		err := doc.Next(in.now, batchEvents, batchBytes, &in.batch)
		in.line = doc.Line()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if herr := in.hand(ctx); herr != nil || err != nil {
			return herr
		}
	}
}

// hand counts the batch, gives it to the sink and begins a new one.
func (in *intake) hand(ctx context.Context) error {
	b := in.batch
	in.batch = collectors.Batch{}
	if b.Len() == 0 {
		return nil
	}
	in.accepted += int64(len(b.Events))
	in.quarantined += int64(len(b.Quarantined))
	for _, q := range b.Quarantined[:min(len(b.Quarantined), maxErrors-len(in.errors))] {
		in.errors = append(in.errors, lineError{q.Line, q.Code, q.Reason})
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
