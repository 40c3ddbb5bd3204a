package pgbouncer

import (
	"bytes"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// The bounds of waiting for a refusal.
const (
	holdTime   = 2 * time.Second
	holdEvents = 4096
)

// format is a format of records whose logins wait for their outcome.
type format struct{ formats.Format }

// Tells says what its records tell.
func (f format) Tells() formats.Tells { return f.Format.(formats.Teller).Tells() }

// Detect asks for what only PgBouncer writes beside the layout of its lines.
func (f format) Detect(sample []byte) float64 {
	sure := f.Format.Detect(sample)
	for _, mark := range []string{"C-0x", "S-0x", "stats: ", "Stats: ", "PgBouncer"} {
		if bytes.Contains(sample, []byte(mark)) {
			return sure
		}
	}
	return sure / 2
}

func (f format) New(opts formats.Options) (formats.Decoder, error) {
	d, err := f.Format.New(opts)
	if err != nil {
		return nil, err
	}
	return &settler{Decoder: d, logins: make(map[string]*waiting)}, nil
}

// settler holds logins back, and what comes behind them, until their outcome is known.
type settler struct {
	formats.Decoder
	queue  []*waiting          // in the order of the log
	logins map[string]*waiting // those without an outcome, by session
}

type waiting struct {
	ev   *vigil.Event
	from formats.Line
	open bool // the outcome is not known yet
}

// TakesPieces says that long lines may come in pieces.
func (s *settler) TakesPieces() {}

// Decode takes the next line.
func (s *settler) Decode(line formats.Line, emit formats.Emit) error {
	err := s.Decoder.Decode(line, s.take)
	s.release(emit, false)
	return err
}

// Flush brings out what waits. A login that nobody has refused has succeeded.
func (s *settler) Flush(emit formats.Emit) error {
	err := s.Decoder.Flush(s.take)
	s.release(emit, true)
	return err
}

// take puts an event into the queue, or its outcome into the login that waits.
func (s *settler) take(e *vigil.Event, from formats.Line) {
	from.Text = nil
	w := s.logins[e.Session]
	switch {
	case e.Action == vigil.ActionLogin && e.Outcome == vigil.OutcomeUnspecified:
		if w != nil {
			s.settle(w, vigil.OutcomeSuccess)
		}
		w = &waiting{ev: e, from: from, open: true}
		s.logins[e.Session] = w
	case w != nil && e.Action == vigil.ActionLogin:
		s.settle(w, e.Outcome)
		return
	default:
		if w != nil {
			s.settle(w, vigil.OutcomeSuccess)
		}
		w = &waiting{ev: e, from: from}
	}
	s.queue = append(s.queue, w)
}

func (s *settler) settle(w *waiting, o vigil.Outcome) {
	w.ev.Outcome, w.open = o, false
	delete(s.logins, w.ev.Session)
}

// release gives out what need not wait longer.
func (s *settler) release(emit formats.Emit, all bool) {
	for len(s.queue) > 0 {
		w, last := s.queue[0], s.queue[len(s.queue)-1]
		if w.open {
			if !all && len(s.queue) <= holdEvents && last.ev.Time.Sub(w.ev.Time) < holdTime {
				return
			}
			s.settle(w, vigil.OutcomeSuccess)
		}
		s.queue[0] = nil
		s.queue = s.queue[1:]
		emit(w.ev, w.from)
	}
}

// Pending is where the oldest event that waits was written.
func (s *settler) Pending() (int64, bool) {
	if len(s.queue) > 0 {
		return s.queue[0].from.Offset, true
	}
	return s.Decoder.Pending()
}
