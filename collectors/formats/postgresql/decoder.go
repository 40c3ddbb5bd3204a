package postgresql

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
	"vigil/collectors/formats/statement"
)

// framer joins lines to records.
type framer interface {
	line(l formats.Line)
	flush()
	// open is the offset of a record that has begun and not ended.
	open() (int64, bool)
}

// record is one message of the server. Its strings are parts of the line's text,
// so what outlives the record is copied.
type record struct {
	from formats.Line // offset and number only
	hash uint64
	at   time.Time

	user, db, app, host string
	pid, session        string
	start               time.Time
	severity, state     string
	message, detail     string
	statement           string

	// What carried the record tells: the provider's own id of it, of which of several
	// servers in one stream it is, which of the records at one place in the input, and
	// that its server never tells a user.
	id, origin string
	nth        int
	anonymous  bool
}

type decoder struct {
	opts       formats.Options
	clock      pgtime.Clock
	prefix     *prefix
	frame      framer
	statements *statement.Reader
	sessions   *sessions
	held       []*held // oldest first; those done are skipped
	records    int64   // counted, for bounds
	emit       formats.Emit
	errs       []error
	sum        hash.Hash
	names      map[string]string
	// seen are the records at or after Pending that were read; skip those that a
	// restart need not read again, though it starts before them.
	seen []seenRecord
	skip map[uint64]struct{}
	// calendar dates lines whose carrier leaves the year out.
	calendar pgtime.Calendar
	// delivered are the latest ids that providers gave: they deliver some records twice.
	delivered delivered
	// looking drops records: only the framing is wanted, for Detect.
	looking bool
	// resumed says that the state of an earlier reader was taken over.
	resumed bool
}

// seenRecord is a record that a restart may meet again.
type seenRecord struct {
	offset  int64
	mark    uint64
	session *session // nil when it names none
}

func newDecoder(opts formats.Options) *decoder {
	opts.Sample = bytes.Clone(opts.Sample)
	return &decoder{opts: opts, sessions: newSessions(), sum: sha256.New(), names: make(map[string]string), skip: make(map[uint64]struct{})}
}

// maxErrors bounds the errors that wait for a call to return them.
const maxErrors = 1000

// fail sets a record aside.
func (d *decoder) fail(from formats.Line, code, format string, args ...any) {
	e := formats.Errorf(code, format, args...)
	e.Line = formats.Line{Offset: from.Offset, Number: from.Number, Text: bytes.Clone(from.Text)}
	if len(d.errs) < maxErrors {
		d.errs = append(d.errs, e)
	}
}

// Decode takes one line. An error may be about an earlier line than the one given.
func (d *decoder) Decode(l formats.Line, emit formats.Emit) error {
	d.emit = emit
	l.Text = bytes.TrimSuffix(l.Text, []byte("\r"))
	switch {
	case len(l.Text) > formats.MaxLine:
		d.fail(l, "too-long", "line of %d bytes, at most %d", len(l.Text), formats.MaxLine)
	case binaryText(l.Text):
		d.fail(l, "binary", "line holds binary data: not a server's log, or a damaged file")
	default:
		if d.frame == nil {
			d.choose(l.Text)
		}
		if d.frame != nil {
			d.frame.line(l)
		}
	}
	d.emit = nil
	return d.nextError()
}

func (d *decoder) choose(text []byte) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	kind := newStderr
	switch found := variantOf(string(text)); {
	case carried(text):
		kind = newWrapped
	case found != nil && d.prefix == nil:
		kind = found
	}
	d.frame = kind(d)
}

func (d *decoder) nextError() error {
	if len(d.errs) == 0 {
		return nil
	}
	err := d.errs[0]
	d.errs = d.errs[1:]
	return err
}

// binaryText finds what no text log holds: NUL, and runs of other control
// characters.
func binaryText(text []byte) bool {
	if bytes.IndexByte(text, 0) >= 0 {
		return true
	}
	n := 0
	for _, c := range text[:min(len(text), 256)] {
		if c < 0x20 && c != '\t' && c != '\r' && c != 0x1b {
			n++
		}
	}
	return n > 4
}

// Flush brings out what is held back. Errors that wait are joined.
func (d *decoder) Flush(emit formats.Emit) error {
	d.emit = emit
	if d.frame != nil {
		d.frame.flush()
	}
	for _, h := range d.held {
		d.release(h)
	}
	d.held = d.held[:0]
	d.prune()
	d.emit = nil
	if len(d.errs) == 1 {
		return d.nextError()
	}
	err := errors.Join(d.errs...)
	d.errs = nil
	return err
}

// Pending is the offset of the first record that is not wholly read, or whose
// event waits.
func (d *decoder) Pending() (int64, bool) {
	off, ok := int64(0), false
	if d.frame != nil {
		off, ok = d.frame.open()
	}
	for _, h := range d.held {
		if !h.done && (!ok || h.from.Offset < off) {
			off, ok = h.from.Offset, true
		}
	}
	return off, ok
}

// hashOf fingerprints a record's raw text.
func (d *decoder) hashOf(raw ...[]byte) uint64 {
	d.sum.Reset()
	for i, r := range raw {
		if i > 0 {
			_, _ = d.sum.Write([]byte{'\n'})
		}
		_, _ = d.sum.Write(r)
	}
	var buf [sha256.Size]byte
	return binary.BigEndian.Uint64(d.sum.Sum(buf[:0]))
}

// maxNames bounds the names that are kept once and shared.
const maxNames = 20_000

// name returns a copy of s that is shared by all events that name it.
func (d *decoder) name(s string) string {
	if s == "" {
		return ""
	}
	if n, ok := d.names[s]; ok {
		return n
	}
	n := strings.ToValidUTF8(strings.Clone(s), "_")
	if len(n) > 256 {
		n = strings.ToValidUTF8(n[:256], "")
	}
	if len(d.names) >= maxNames {
		clear(d.names)
	}
	d.names[strings.Clone(s)] = n
	return n
}

// identify gives the event its id: where the record stands and what it says, so
// that the same record read twice has the same one.
// The provider's own id is better: it survives another delivery.
func (d *decoder) identify(e *vigil.Event, r *record, part int) {
	if r.id != "" {
		if e.ID = r.id; part > 0 {
			e.ID += "." + strconv.Itoa(part)
		}
		return
	}
	const hexDigits = "0123456789abcdef"
	d.sum.Reset()
	var n [28]byte
	binary.BigEndian.PutUint64(n[0:], uint64(e.Origin.Offset))
	binary.BigEndian.PutUint64(n[8:], e.Origin.Hash)
	binary.BigEndian.PutUint64(n[16:], uint64(r.nth)<<16|uint64(part))
	_, _ = d.sum.Write(n[:24])
	_, _ = d.sum.Write([]byte(d.opts.Source))
	_, _ = d.sum.Write([]byte{0})
	_, _ = d.sum.Write([]byte(d.opts.File))
	var buf [sha256.Size]byte
	sum := d.sum.Sum(buf[:0])
	var id [32]byte
	for i, b := range sum[:16] {
		id[2*i], id[2*i+1] = hexDigits[b>>4], hexDigits[b&15]
	}
	e.ID = string(id[:])
}
