// Package ocsf tells findings and cases as events of the Open Cybersecurity Schema
// Framework: Detection Findings (class 2004), for a SIEM. The packages below it bring
// them there: file, syslog, push (HTTP) and kafka.
//
// An Encoder is called by those notifiers, at once by several if need be; it does no I/O
// and keeps nothing. Each revision of a case is an event of its own, since a SIEM keeps
// history: metadata.uid is the same when the same revision is sent twice, and only then.
// An event has at most Options.MaxBytes: lists and texts are cut until it fits, and it
// says so. Customers are not named in it, not even by their pseudonyms; actors and
// vigil's own users are, by theirs.
package ocsf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"vigil/alerts"
)

// SchemaVersion is the version of OCSF by which events are written.
const SchemaVersion = "1.6.0"

// Bounds of an event, in bytes.
const (
	DefaultMaxBytes = 64 << 10
	LeastMaxBytes   = 8 << 10
	MostMaxBytes    = 1 << 20
)

// Options is what code passes to an Encoder.
type Options struct {
	// Console is the console's address as people reach it, to which a message's relative
	// link is joined. Empty leaves such links out.
	Console string
	// Version is the program's, for metadata.product.version; empty leaves it out.
	Version string
	// MaxBytes bounds one event, LeastMaxBytes to MostMaxBytes; zero means
	// DefaultMaxBytes.
	MaxBytes int
	// Now tells the time of what has none of its own, such as a notice; nil means the
	// clock.
	Now func() time.Time
}

// Encoder makes events out of messages.
type Encoder struct {
	opts Options
}

// New makes an Encoder.
func New(opts Options) (*Encoder, error) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxBytes < LeastMaxBytes || opts.MaxBytes > MostMaxBytes {
		return nil, fmt.Errorf("an event of at most %d bytes can't be made: say %d to %d", opts.MaxBytes, LeastMaxBytes, MostMaxBytes)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Encoder{opts}, nil
}

// ErrNoEvent is of a message that a SIEM is not told: a digest, a notice without a
// severity, a message without content.
var ErrNoEvent = errors.New("this message is no event")

// Event is a message as an event, JSON on one line without a line break at its end.
type Event struct {
	JSON []byte
	// UID is its metadata.uid, the same for the same revision of the same case.
	UID string
	// Key is what events belong together by, and must stay in order: the case's id, else
	// the finding's or the message's.
	Key string
	// Severity is its severity_id, 1 (informational) to 5 (critical).
	Severity int
	// Time is when what it tells came to be, as far as the message knows.
	Time time.Time
}

// Event makes the event of a message. The error is ErrNoEvent or one of JSON's.
func (e *Encoder) Event(m alerts.Message) (Event, error) {
	if !wanted(&m) {
		return Event{}, ErrNoEvent
	}
	whole, hide := 0, customers(m.Finding, m.Case)
	for i := 0; ; {
		b := bounds(i)
		b.hide = hide
		d := e.detection(&m, &b)
		if whole > 0 {
			cut := true
			// The schema counts kilobytes.
			d.Metadata.IsTruncated, d.Metadata.UntruncatedSize = &cut, (whole+1023)/1024
		}
		text, err := encode(d)
		if err != nil {
			return Event{}, fmt.Errorf("encode the event of %q: %w", alerts.Cut(alerts.Clean(m.ID), 80), err)
		}
		if len(text) <= e.opts.MaxBytes || b.last {
			return Event{JSON: text, UID: d.Metadata.UID, Key: key(&m), Severity: d.SeverityID, Time: d.at}, nil
		}
		if whole == 0 {
			whole = len(text)
		}
		// Half as many of half the length make a quarter, at the most.
		i += max(1, bits.Len(uint(len(text)/e.opts.MaxBytes))/2)
	}
}

// wanted says whether a SIEM is told a message at all.
func wanted(m *alerts.Message) bool {
	switch m.Kind {
	case alerts.KindDigest:
		return false
	case alerts.KindNotice:
		return m.Notice != nil && m.Notice.Severity.Rank() > 0
	case alerts.KindReply:
		return m.Reply != nil && m.Case != nil
	}
	return m.Finding != nil
}

func key(m *alerts.Message) string {
	switch {
	case m.Case != nil && m.Case.ID != "":
		return ident(m.Case.ID)
	case m.Finding != nil && m.Finding.ID != "":
		return ident(m.Finding.ID)
	}
	return ident(m.ID)
}

func encode(d *detection) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	// A SIEM is no browser, and its searches are for the characters themselves.
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
