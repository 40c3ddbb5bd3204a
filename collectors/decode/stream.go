package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
)

// lineBits is how far a message's place in its stream is shifted to make room for the
// place of a record in it. Both are in the ids of events, beside the record's hash, so
// that a very long message which runs into the next one's room does no harm.
const lineBits = 20

// Stream decodes the messages of one stream in their order.
type Stream struct {
	cfg  *Config
	name string
	// found is the format that dec reads; both are nil until one is known.
	found formats.Format
	dec   formats.Decoder
	// state is what the decoder takes back once it is made.
	state []byte
	known string
	// forgot says that a state could not be taken up, which is to be told.
	forgot bool

	// Of the call that goes on.
	batch    *collectors.Batch
	received time.Time
	at       int64
	taken    int

	// doc says that this is a Document: places are offsets in its text, and what begins
	// before skip was handed over already.
	doc  bool
	skip int64
}

// NewStream makes the stream called name, which stands in the origin of its events and
// makes their ids: it must stay the same over restarts ("orders/3").
func NewStream(cfg *Config, name string) *Stream { return &Stream{cfg: cfg, name: name} }

// Message decodes one message, which is whole in itself, into b. at is its place in the
// stream: a number that the same message has whenever it is read, and no other one has.
// What can't be read is set aside in b.
func (s *Stream) Message(at int64, payload []byte, received time.Time, b *collectors.Batch) {
	s.begin(at, received, b)
	if !s.whole(payload) {
		return
	}
	events, aside := len(b.Events), len(b.Quarantined)
	if !s.choose(payload) {
		return
	}
	s.lines(payload)
	s.flush()
	if s.cfg.Format == "" && s.taken == 0 && len(b.Quarantined) > aside {
		s.again(payload, events, aside)
	}
}

// Line decodes one message of a stream whose records may span messages, as lines of a
// log do. What is held back for its continuation comes out at a later call, or at
// Flush.
func (s *Stream) Line(at int64, text []byte, received time.Time, b *collectors.Batch) {
	s.begin(at, received, b)
	if s.whole(text) && s.choose(text) {
		s.lines(text)
	}
}

// Flush lets out into b what is held back.
func (s *Stream) Flush(received time.Time, b *collectors.Batch) {
	s.begin(s.at, received, b)
	if s.dec != nil {
		s.flush()
	}
}

// Pending is the place of the first message whose record has not come out: from there
// a restart must read again. ok is false when nothing is held back.
func (s *Stream) Pending() (at int64, ok bool) {
	if s.dec == nil {
		return 0, false
	}
	off, ok := s.dec.Pending()
	return off >> lineBits, ok
}

// Format names the format that is read, "" while none is known.
func (s *Stream) Format() string {
	if s.found == nil {
		return ""
	}
	return s.found.Name()
}

func (s *Stream) begin(at int64, received time.Time, b *collectors.Batch) {
	s.at, s.received, s.batch, s.taken = at, received, b, 0
}

// whole sets aside what is no message to decode.
func (s *Stream) whole(payload []byte) bool {
	switch {
	case len(bytes.TrimSpace(payload)) == 0:
		return false
	case len(payload) > MaxMessage:
		s.aside(formats.Line{Number: 1}, "too-long", fmt.Sprintf("the message has %d bytes, at most %d are read", len(payload), MaxMessage),
			int64(len(payload)), formats.RecordHash(payload))
		return false
	}
	return true
}

// choose makes the decoder where there is none yet.
func (s *Stream) choose(payload []byte) bool {
	if s.dec != nil {
		return true
	}
	sample := payload[:min(len(payload), formats.MaxSample)]
	var f formats.Format
	var err error
	switch {
	case s.cfg.Format != "":
		f, err = formats.ByName(s.cfg.Formats, s.cfg.Format)
	case s.known != "" && slices.ContainsFunc(s.cfg.Formats, func(f formats.Format) bool { return f.Name() == s.known }):
		f, err = formats.ByName(s.cfg.Formats, s.known)
	default:
		f, _, err = formats.Choose(s.cfg.Formats, sample)
	}
	if err == nil {
		err = s.use(f, sample)
	}
	if s.forgot {
		s.forgot = false
		s.batch.Lapses = append(s.batch.Lapses, vigil.Lapse{
			Source: s.cfg.Source, Kind: vigil.LapseReset, Start: s.received.UTC(), End: s.received.UTC(), Missing: vigil.Unknown,
			Text: fmt.Sprintf("What was known of %q before the restart, such as who is behind a connection, can't be used by this version. It is learnt anew; until then actors may be missing.", s.name),
		})
	}
	if err != nil {
		s.aside(formats.Line{Number: 1}, "format", err.Error(), int64(len(payload)), formats.RecordHash(payload))
		return false
	}
	return true
}

func (s *Stream) use(f formats.Format, sample []byte) error {
	d, err := s.cfg.decoder(f, s.name, sample)
	if err != nil {
		return err
	}
	if s.state != nil && f.Name() == s.known {
		if d.Restore(s.state) != nil {
			// Another version's: what it helped to understand is worth less than the
			// messages to come, none of which could be read.
			s.forgot = true
			if d, err = s.cfg.decoder(f, s.name, sample); err != nil {
				return err
			}
		}
	}
	s.found, s.dec, s.state, s.known = f, d, nil, f.Name()
	return nil
}

// again decodes a message anew by another format, where one fits it better than the one
// that has read nothing of it.
func (s *Stream) again(payload []byte, events, aside int) {
	sample := payload[:min(len(payload), formats.MaxSample)]
	f, _, err := formats.Choose(s.cfg.Formats, sample)
	if err != nil || f.Name() == s.found.Name() {
		return
	}
	old := *s
	if err := s.use(f, sample); err != nil {
		return
	}
	kept := append([]vigil.Quarantined(nil), s.batch.Quarantined[aside:]...)
	s.batch.Quarantined = s.batch.Quarantined[:aside]
	s.lines(payload)
	s.flush()
	if s.taken == 0 {
		s.batch.Events, s.batch.Quarantined = s.batch.Events[:events], append(s.batch.Quarantined[:aside], kept...)
		s.found, s.dec, s.known = old.found, old.dec, old.known
	}
}

// lines gives the decoder a text line by line.
func (s *Stream) lines(text []byte) {
	base := s.at << lineBits
	pieces := formats.TakesPieces(s.dec)
	offset, number := int64(0), int64(0)
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte{'\n'})
		size := int64(len(line))
		if ended {
			size++
		}
		number++
		line = bytes.TrimSuffix(line, []byte{'\r'})
		at := formats.Line{Text: line, Offset: base + offset, Number: number}
		switch {
		case bytes.IndexByte(line, 0) >= 0:
			s.aside(at, "binary", "the line holds NUL bytes", size, formats.RecordHash(line))
		case len(line) <= formats.MaxPiece || !pieces && len(line) <= formats.MaxLine:
			s.decode(at)
		case pieces:
			for len(at.Text) > formats.MaxPiece {
				piece := at
				piece.Text, piece.More = at.Text[:formats.MaxPiece], true
				s.decode(piece)
				at.Text, at.Offset = at.Text[formats.MaxPiece:], at.Offset+formats.MaxPiece
			}
			s.decode(at)
		default:
			s.aside(at, "too-long", fmt.Sprintf("the line has %d bytes, at most %d are read", len(line), formats.MaxLine), size, formats.RecordHash(line))
		}
		offset += size
		text = rest
	}
}

func (s *Stream) decode(line formats.Line) { s.refused(line, s.dec.Decode(line, s.emit)) }

func (s *Stream) flush() { s.refused(formats.Line{Number: 1}, s.dec.Flush(s.emit)) }

// emit takes an event: the receiver says which source it is, never the payload.
func (s *Stream) emit(e *vigil.Event, from formats.Line) {
	place := from.Offset
	if !s.doc {
		place >>= lineBits
	} else if place < s.skip {
		return
	}
	e.Source, e.Received, e.Late = s.cfg.Source, s.received, false
	e.Origin.File, e.Origin.Offset = s.name, place
	if e.Origin.Line == 0 {
		e.Origin.Line = from.Number
	}
	s.batch.Events = append(s.batch.Events, e)
	s.taken++
}

// refused sets aside what the decoder refused. Many records of one large document may be:
// its hash is made once.
func (s *Stream) refused(line formats.Line, err error) {
	var text []byte
	hash := uint64(0)
	for _, one := range formats.Errors(err) {
		at, code, reason := line, "format", one.Error()
		var fe *formats.Error
		if errors.As(one, &fe) {
			code, reason = fe.Code, fe.Reason
			if fe.Line.Number != 0 {
				at = fe.Line
			}
		}
		switch {
		case len(at.Text) == 0:
			text, hash = nil, 0
		case len(text) != len(at.Text) || &text[0] != &at.Text[0]:
			text, hash = at.Text, formats.RecordHash(at.Text)
		}
		s.aside(at, code, reason, int64(len(at.Text)), hash)
	}
}

func (s *Stream) aside(at formats.Line, code, reason string, size int64, hash uint64) {
	place := s.at
	if s.doc {
		if place = at.Offset; place < s.skip {
			return
		}
	}
	s.batch.Quarantined = append(s.batch.Quarantined, vigil.Quarantined{
		Source: s.cfg.Source, File: s.name, Line: at.Number, Offset: place, Time: s.received,
		Code: code, Reason: reason, Size: size, Hash: hash,
	})
}

// saved is a stream's state as it is kept.
type saved struct {
	Format string `json:"format,omitempty"`
	State  []byte `json:"state,omitempty"`
}

// State returns what a restart needs to go on as if there had been none: the format and
// what its decoder remembers, some kilobytes at most. nil when nothing is known yet.
func (s *Stream) State() ([]byte, error) {
	if s.dec == nil {
		if s.known == "" {
			return nil, nil
		}
		return json.Marshal(saved{s.known, s.state})
	}
	state, err := s.dec.State()
	if err != nil {
		return nil, fmt.Errorf("save the state of %s: %w", s.found.Name(), err)
	}
	return json.Marshal(saved{s.found.Name(), state})
}

// Restore takes a state back, before the first message. nil is one too. One that can't be
// used, such as a later version's, is told as a lapse with the first message, and the
// stream begins anew.
func (s *Stream) Restore(state []byte) {
	if len(state) == 0 {
		return
	}
	var k saved
	err := json.Unmarshal(state, &k)
	if err == nil && s.cfg.Format != "" && s.cfg.Format != k.Format {
		return // the configuration names another one now
	}
	if err == nil {
		_, err = formats.ByName(s.cfg.Formats, k.Format)
	}
	if s.forgot = err != nil; !s.forgot {
		s.known, s.state = k.Format, k.State
	}
}
