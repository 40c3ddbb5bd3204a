package file

import (
	"context"
	"errors"
	"fmt"
	"io"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// chunk is what a stream's goroutine hands over at once.
type chunk struct {
	events []*vigil.Event
	quar   []vigil.Quarantined
	err    error
}

// maxChunkQuarantined bounds the quarantine records of one chunk.
const maxChunkQuarantined = 256

// errStopped ends a stream's goroutine when the Reader is closed.
var errStopped = errors.New("the reader was closed")

// running is one stream being read. All of it belongs to the stream's
// goroutine; what leaves it goes through out.
type running struct {
	*stream
	r   *Reader
	ctx context.Context
	out chan *chunk

	clock   *clockFilter
	reorder *reorderer
	sort    *sorter
	next    *chunk
	err     error

	dec formats.Decoder
	// cur is the file being read and line where in it; prev is the one before.
	cur, prev *member
	line      formats.Line
	byPath    map[string]*member
}

// start begins to read the stream on a goroutine of its own.
func (s *stream) start(ctx context.Context, r *Reader) *running {
	run := &running{stream: s, r: r, ctx: ctx, out: make(chan *chunk, 2), next: &chunk{}, byPath: map[string]*member{}}
	for _, p := range s.parts {
		for _, m := range p.members {
			run.byPath[m.path] = m
		}
	}
	onward := run.give
	if s.order == OldestFirst {
		run.reorder = &reorderer{out: run.give}
		onward = run.reorder.add
	} else {
		run.sort = &sorter{dir: r.cfg.TempDir, limit: r.cfg.SortMemory, backwards: s.order == NewestFirst}
		onward = func(e *vigil.Event) {
			if run.err == nil {
				run.err = run.sort.add(e)
			}
		}
	}
	pass := func(e *vigil.Event) {
		run.count(e)
		onward(e)
	}
	if s.order == Unordered {
		// Where neighbours in the file are none in time, they say nothing about
		// each other's clocks.
		run.clock = &clockFilter{pass: pass, off: true}
	} else {
		run.clock = &clockFilter{backwards: s.order == NewestFirst, pass: pass, refuse: run.wrongClock}
	}
	r.wait.Go(run.read)
	return run
}

// read decodes the whole stream, sorts it if need be, and closes out.
func (s *running) read() {
	defer close(s.out)
	s.decode()
	if s.sort != nil {
		if err := s.giveSorted(); s.err == nil {
			s.err = err
		}
		if err := s.sort.close(); s.err == nil {
			s.err = err
		}
	}
	s.r.finished(s)
	s.next.err = s.err
	s.send()
}

func (s *running) giveSorted() error {
	if s.err != nil {
		return nil
	}
	events, err := s.sort.sorted(s.r.keepSorted)
	for err == nil && s.err == nil {
		var e *vigil.Event
		if e, err = events.next(); err == nil {
			s.give(e)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// decode reads all files of all parts.
func (s *running) decode() {
	for _, p := range s.parts {
		s.prev, s.cur, s.dec = nil, nil, nil
		for _, m := range p.members {
			if s.err != nil {
				return
			}
			if m.format != nil {
				s.file(p, m)
			}
		}
		if s.dec != nil && s.err == nil {
			s.decoded(s.dec.Flush(s.emit), record{Line: s.line, Whole: true})
		}
		s.clock.flush()
		s.clock.reset()
	}
	if s.reorder != nil && s.err == nil {
		s.reorder.flush()
	}
}

// file reads one file to its end, or to where it is damaged.
func (s *running) file(p *part, m *member) {
	s.prev, s.cur, s.line = s.cur, m, formats.Line{}
	in := m.in
	m.in = nil
	if in == nil {
		var err error
		if in, err = openInput(m.path, &s.r.done); err != nil {
			var r *refusal
			if !errors.As(err, &r) {
				r = &refusal{Code: "unreadable", Reason: err.Error()}
			}
			s.quarantine(m, refused(s.r.cfg.Source, m.path, m.size, r))
			return
		}
	}
	defer in.Close()
	if s.dec == nil {
		var err error
		if s.dec, err = newDecoder(s.r.cfg, m.format, p.family, m.sample); err != nil {
			s.quarantine(m, refused(s.r.cfg.Source, m.path, m.size, &refusal{Code: "format", Reason: err.Error()}))
			return
		}
	}
	lines := newLineReader(in.Text, 0, 0)
	lines.Pieces = formats.TakesPieces(s.dec)
	for s.err == nil {
		rec, err := lines.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				code, reason := text.ReadError(err, m.packed)
				s.quarantine(m, vigil.Quarantined{Code: code, Reason: reason, Line: lines.Number + 1, Offset: lines.Offset})
			}
			break
		}
		s.record(rec)
	}
	m.stats.Format = m.format.Name()
	m.stats.Lines, m.stats.Bytes = lines.Number, lines.Offset
}

// record decodes one line or sets it aside.
func (s *running) record(rec record) {
	s.line = rec.Line
	switch {
	case rec.NULs > 0:
		s.setAside(rec, "binary", fmt.Sprintf("%d NUL bytes stand where lines should: a crash or a truncation under writing leaves such a hole", rec.NULs))
	case rec.Cut:
		s.setAside(rec, "too-long", fmt.Sprintf("the line has %d bytes, at most %d are read", rec.Size, formats.MaxLine))
	case text.HasNUL(rec.Line.Text):
		s.setAside(rec, "binary", "the line holds NUL bytes")
	default:
		s.decoded(s.dec.Decode(rec.Line, s.emit), rec)
	}
}

// decoded sets aside what the decoder refused.
func (s *running) decoded(err error, rec record) {
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
		s.setAside(this, code, reason)
	}
}

func (s *running) setAside(rec record, code, reason string) {
	hash := rec.Hash
	if hash == 0 && len(rec.Line.Text) > 0 {
		hash = formats.RecordHash(rec.Line.Text)
	}
	s.quarantine(s.cur, vigil.Quarantined{
		Line: rec.Line.Number, Offset: rec.Line.Offset, Code: code, Reason: reason, Size: rec.Size, Hash: hash,
	})
}

func (s *running) quarantine(m *member, q vigil.Quarantined) {
	q.Source, q.File = s.r.cfg.Source, m.path
	m.stats.Quarantined[q.Code]++
	s.next.quar = append(s.next.quar, q)
	if len(s.next.quar) >= maxChunkQuarantined {
		s.send()
	}
}

func (s *running) wrongClock(e *vigil.Event, reason string) {
	s.quarantine(s.byPath[e.Origin.File], vigil.Quarantined{
		Line: e.Origin.Line, Offset: e.Origin.Offset, Code: "clock", Reason: reason, Hash: e.Origin.Hash,
	})
}

// emit takes an event from the decoder. A record that began beyond the line
// being read must have begun in the file before.
func (s *running) emit(e *vigil.Event, from formats.Line) {
	m := s.cur
	if s.prev != nil && (from.Number > s.line.Number || from.Offset > s.line.Offset) {
		m = s.prev
	}
	e.Origin.File = m.path
	if e.Origin.Line == 0 {
		e.Origin.Offset, e.Origin.Line = from.Offset, from.Number
	}
	s.clock.add(e)
}

// count notes an accepted event in its file's summary.
func (s *running) count(e *vigil.Event) {
	m := s.cur
	if m.path != e.Origin.File {
		m = s.byPath[e.Origin.File]
	}
	m.stats.Events++
	if m.stats.First.IsZero() || e.Time.Before(m.stats.First) {
		m.stats.First = e.Time
	}
	if e.Time.After(m.stats.Last) {
		m.stats.Last = e.Time
	}
}

// give puts an event, whose turn it is, into the next chunk.
func (s *running) give(e *vigil.Event) {
	s.next.events = append(s.next.events, e)
	if len(s.next.events) >= s.r.chunkSize {
		s.send()
	}
}

// send hands the next chunk over, and waits while the reader has enough.
func (s *running) send() {
	if len(s.next.events) == 0 && len(s.next.quar) == 0 && s.next.err == nil {
		return
	}
	select {
	case s.out <- s.next:
	case <-s.ctx.Done():
		s.err = errStopped
	}
	s.next = &chunk{events: make([]*vigil.Event, 0, s.r.chunkSize)}
}
