package postgresql

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
)

// stderr joins the lines of text logs: a message, its continuation lines (which
// begin with a tab), and the DETAIL, STATEMENT and other lines that add to it.
type stderr struct {
	d *decoder
	prefixes
	message
	active bool
	lost   bool // within a record that is set aside
}

// prefixes finds out which log_line_prefix a line has.
type prefixes struct {
	fixed bool
	// timeless says that a prefix needs no time: what carries the lines tells it.
	timeless bool
	// known are the prefixes met so far, the last used first, when none is given.
	known   []*prefix
	guesses int // lines guessed in vain since the last success
}

// message is a record in the making.
type message struct {
	from    formats.Line
	size    int
	f       fields
	entries []entry
	sum     hash.Hash
}

// entry is one severity's text within a record.
type entry struct {
	severity, text string
	more           []byte // continuation lines
	quotes         int    // in more
}

func (e *entry) full() string {
	if len(e.more) == 0 {
		return e.text
	}
	return e.text + string(e.more)
}

const (
	// maxPrefixes bounds the prefixes that one stream may use.
	maxPrefixes = 16
	// maxGuesses bounds guessing in vain: beyond it one line in 64 is tried.
	maxGuesses = 200
)

func newStderr(d *decoder) framer {
	s := &stderr{d: d}
	s.sum = sha256.New()
	if d.prefix != nil {
		s.known, s.fixed = []*prefix{d.prefix}, true
	} else {
		s.known = samplePrefixes(d.opts.Sample)
	}
	return s
}

func (s *stderr) line(l formats.Line) {
	if len(l.Text) == 0 || l.Text[0] == '\t' {
		s.continuation(l)
		return
	}
	text := string(l.Text)
	f, severity, msg, ok := s.match(text)
	if !ok {
		s.stray(l, text)
		return
	}
	s.lost = false
	if isSecondary(severity) {
		if s.active && sameProcess(&s.f, &f) {
			s.add(l.Text)
			s.entries = append(s.entries, entry{severity: severity, text: msg})
		}
		return // of a message that stands before the file's start: nothing to add to
	}
	s.flush()
	s.active = true
	s.begin(l, f, severity, msg)
}

// begin starts the record over with its first line.
func (m *message) begin(l formats.Line, f fields, severity, msg string) {
	m.f, m.size = f, 0
	m.from = formats.Line{Offset: l.Offset, Number: l.Number}
	m.sum.Reset()
	m.add(l.Text)
	m.entries = append(m.entries[:0], entry{severity: severity, text: msg})
}

// sameProcess says that two lines are of one session, as far as they tell.
func sameProcess(a, b *fields) bool {
	if a.session != "" || b.session != "" {
		return a.session == b.session
	}
	return a.pid == b.pid
}

// add takes the line into the record's hash and size.
func (m *message) add(text []byte) {
	if m.size > 0 {
		_, _ = m.sum.Write([]byte{'\n'})
	}
	_, _ = m.sum.Write(text)
	m.size += len(text) + 1
}

// goOn adds a continuation line.
func (m *message) goOn(text []byte) {
	m.add(text)
	e := &m.entries[len(m.entries)-1]
	e.more = append(e.more, '\n')
	e.append(bytes.TrimPrefix(text, []byte("\t")))
}

func (e *entry) append(text []byte) {
	e.more = append(e.more, text...)
	e.quotes += bytes.Count(text, []byte{'"'})
}

func (s *stderr) continuation(l formats.Line) {
	if !s.active {
		if len(l.Text) > 0 && !s.lost {
			s.d.fail(l, "truncated", "line continues a message whose start is missing: the file was cut here")
			s.lost = true
		}
		return
	}
	if s.size+len(l.Text) > formats.MaxLine {
		s.d.fail(s.from, "too-long", "message of more than %d bytes", formats.MaxLine)
		s.active, s.lost = false, true
		return
	}
	s.goOn(l.Text)
}

// stray handles a line without a prefix. Some shippers strip the tab of
// continuation lines, so within a statement it continues the statement.
func (s *stderr) stray(l formats.Line, text string) {
	if s.active && pgtime.Scan(text) == 0 && s.continues() && !severityWord.MatchString(text) {
		s.continuation(l)
		return
	}
	if s.active && strings.HasPrefix(text, "  ") {
		s.continuation(l) // whose tab became spaces
		return
	}
	switch {
	case s.lost && text[0] == ' ':
	case text == "Examine the log output." || strings.HasPrefix(text, "pg_ctl: "):
		// Said by the program that starts the server, into the same file.
	case s.fixed:
		s.d.fail(l, "prefix", "line does not begin with log_line_prefix %q: give the server's own setting (SHOW log_line_prefix), or leave it out to have it found", s.d.prefix.text)
	case pgtime.Scan(text) > 0:
		s.d.fail(l, "prefix", "no log_line_prefix was found that reads this line: set log_line_prefix to the server's own (SHOW log_line_prefix; it needs %%m and %%u), and lc_messages to C on the server")
	default:
		s.d.fail(l, "prefix", "line has no time and continues no statement: another program's output, or log_line_prefix lacks %%m")
	}
}

// continues says that the open record is a statement, so that more may follow.
func (m *message) continues() bool {
	last := &m.entries[len(m.entries)-1]
	if last.severity == "STATEMENT" {
		return true
	}
	t := last.text
	if strings.HasPrefix(t, "AUDIT: ") {
		return strings.Count(t, `"`)%2 != last.quotes%2
	}
	return strings.HasPrefix(t, "statement: ") || strings.HasPrefix(t, "execute ") || strings.HasPrefix(t, "duration: ") && strings.Contains(t, ": ")
}

// match reads a line by the prefixes that are known, or guesses one.
func (s *prefixes) match(text string) (f fields, severity, msg string, ok bool) {
	for i, p := range s.known {
		if f, severity, msg, ok = p.match(text); ok {
			if i > 0 {
				copy(s.known[1:i+1], s.known[:i])
				s.known[0] = p
			}
			return f, severity, msg, true
		}
	}
	if s.fixed {
		return fields{}, "", "", false
	}
	s.guesses++
	if s.guesses > maxGuesses && s.guesses%64 != 0 {
		return fields{}, "", "", false
	}
	p, found := guessPrefix(text, s.timeless)
	if !found {
		return fields{}, "", "", false
	}
	s.guesses = 0
	if len(s.known) >= maxPrefixes {
		s.known = s.known[:maxPrefixes-1]
	}
	s.known = append([]*prefix{p}, s.known...)
	return p.match(text)
}

// samplePrefixes finds the prefixes of a sample's lines.
func samplePrefixes(sample []byte) []*prefix {
	s := &prefixes{}
	for l := range bytes.Lines(sample) {
		if len(s.known) < maxPrefixes/2 {
			s.match(strings.TrimRight(string(l), "\r\n"))
		}
	}
	return s.known
}

func (s *stderr) open() (int64, bool) { return s.from.Offset, s.active }

// flush hands the record on.
func (s *stderr) flush() {
	if !s.active {
		return
	}
	s.active = false
	r, ok := s.record(s.d, time.Time{})
	if !ok {
		s.d.fail(s.from, "time", "time %q is not read: set log_timezone to the server's own, as an IANA name", s.f.time+s.f.epoch)
		return
	}
	s.d.record(&r)
}

// record makes the record of what was read. at is its time where the prefix has none; ok
// says that there is one.
func (m *message) record(d *decoder, at time.Time) (r record, ok bool) {
	var buf [sha256.Size]byte
	r = record{
		from: m.from, hash: binary.BigEndian.Uint64(m.sum.Sum(buf[:0])), at: at.UTC(),
		user: m.f.user, db: m.f.db, app: m.f.app, host: m.f.host, pid: m.f.pid, session: m.f.session,
		state: m.f.state, severity: m.entries[0].severity, message: m.entries[0].full(),
	}
	for i := range m.entries[1:] {
		e := &m.entries[i+1]
		switch e.severity {
		case "DETAIL":
			r.detail = e.full()
		case "STATEMENT":
			r.statement = e.full()
		}
	}
	switch {
	case m.f.time != "":
		r.at, ok = d.clock.Read(m.f.time)
	case m.f.epoch != "":
		r.at, ok = pgtime.Epoch(m.f.epoch)
	default:
		ok = !at.IsZero()
	}
	if ok && m.f.start != "" {
		r.start, _ = d.clock.Read(m.f.start)
	}
	return r, ok
}
