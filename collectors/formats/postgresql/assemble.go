package postgresql

import (
	"crypto/sha256"
	"strings"

	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
)

// lineOf reads a text that is out of its wrapping: a line, or all lines of one message.
// Whatever its further lines look like, they begin no other message.
func (w *wrapped) lineOf(text string, c carrier, depth int) {
	if c.syslogged {
		text = unescape(text)
	}
	head, rest, more := strings.Cut(text, "\n")
	if w.csvLine(head, c, depth) {
		for more {
			head, rest, more = strings.Cut(rest, "\n")
			w.csv.line(w.at(head))
		}
		return
	}
	p := w.head(strings.TrimSuffix(head, "\r"), c)
	for more && p != nil {
		head, rest, more = strings.Cut(rest, "\n")
		w.goOn(p, strings.TrimSuffix(head, "\r"))
	}
}

// at is a line of the frame in hand.
func (w *wrapped) at(text string) formats.Line {
	return formats.Line{Text: []byte(text), Offset: w.frame.Offset, Number: w.frame.Number}
}

// csvLine gives a line to the csvlog that is open, or that begins with it.
func (w *wrapped) csvLine(text string, c carrier, depth int) bool {
	if w.csv.active() {
		if c.stream != w.csvStream || depth != w.csvDepth {
			return false
		}
	} else if !csvStart.MatchString(text) {
		return false
	}
	w.csvStream, w.csvDepth = c.stream, depth
	w.read++
	w.csv.line(w.at(text))
	return true
}

// head reads a text's first line and returns the process whose message it is a part of;
// nil for none.
func (w *wrapped) head(text string, c carrier) *process {
	whole, part, numbered := text, 1, false
	if c.syslogged {
		if n := herokuColor(text); c.anonymous && n > 0 {
			text = text[n:]
		}
		if m := sequence.FindStringSubmatch(text); m != nil {
			text, numbered = text[len(m[0]):], true
			if m[2] != "" {
				part = int(min(number(m[2]), 1<<20))
			} else {
				part = 0 // of a message or of its parts: its form tells
			}
		}
	}
	if c.foreign && !numbered {
		return nil
	}
	if numbered && w.fixed && strings.HasPrefix(w.known[0].text, "[") && text != "" && text[0] != '\t' && !w.within(c) {
		// The brackets may be the prefix's own.
		if _, _, _, ok := w.match(whole); ok {
			text, part = whole, 1
		}
	}
	if part > 1 || part == 0 && w.within(c) {
		return w.partOf(text, c)
	}
	if numbered && c.anonymous {
		text = strings.TrimLeft(text, " ")
	}
	if text == "" || text[0] == '\t' {
		return w.continued(text, c)
	}
	sure := c.mine || numbered
	w.timeless = sure && !c.at.IsZero()
	f, severity, msg, ok := w.match(text)
	if !ok && part == 0 && w.processes[w.key(c, &fields{})] != nil {
		return w.partOf(text, c)
	}
	if !ok || f.time == "" && f.epoch == "" && !w.timeless {
		return w.stray(text, c, sure)
	}
	w.read++
	if f.pid == "" && f.session == "" {
		f.pid = c.process
	}
	key := w.key(c, &f)
	p := w.processes[key]
	if isSecondary(severity) {
		if p == nil {
			return nil // of a message that stands before the file's start
		}
		w.add(p, text, entry{severity: severity, text: msg})
		return p
	}
	if p != nil {
		w.finish(p)
	}
	return w.start(key, c, text, f, severity, msg)
}

// herokuColor is the length of the name of the database's attachment that logplex writes
// first, such as "[GREEN] ".
func herokuColor(text string) int {
	end := strings.Index(text, "] ")
	if !strings.HasPrefix(text, "[") || end < 2 || digit(text[1]) {
		return 0
	}
	return end + 2
}

func (w *wrapped) key(c carrier, f *fields) string {
	switch {
	case c.process != "":
		return c.stream + "\x00" + c.process
	case f.session != "":
		return c.stream + "\x00" + f.session
	}
	return c.stream + "\x00" + f.pid
}

// start begins a message.
func (w *wrapped) start(key string, c carrier, text string, f fields, severity, msg string) *process {
	p := &process{key: key, stream: c.stream, carrier: c, at: c.at, nth: w.nth, seen: w.lines, part: len(text)}
	w.nth++
	p.sum = sha256.New()
	p.begin(w.at(text), f, severity, msg)
	w.processes[key], p.elem = p, w.order.PushBack(p)
	w.last[c.stream] = p
	w.count(p)
	return p
}

func (w *wrapped) count(p *process) {
	w.bytes += p.message.size - p.size
	p.size = p.message.size
}

// touched notes that a process has written a further line; false says that its message is
// too long now, and was set aside.
func (w *wrapped) touched(p *process, n int) bool {
	if p.message.size+n > formats.MaxLine {
		w.d.fail(p.from, "too-long", "message of more than %d bytes", formats.MaxLine)
		w.drop(p)
		return false
	}
	p.seen = w.lines
	w.order.MoveToBack(p.elem)
	w.last[p.stream] = p
	return true
}

// add adds a further severity's text.
func (w *wrapped) add(p *process, text string, e entry) {
	if w.touched(p, len(text)) {
		p.message.add([]byte(text))
		p.entries = append(p.entries, e)
		p.part = len(text)
		w.count(p)
	}
}

// goOn adds a further line of a text.
func (w *wrapped) goOn(p *process, text string) {
	if text != "" && text[0] != '\t' && mayAdd(text) {
		if f, severity, msg, ok := w.match(text); ok && isSecondary(severity) && (f.pid == "" && f.session == "" || sameProcess(&p.f, &f)) {
			w.add(p, text, entry{severity: severity, text: msg})
			return
		}
	}
	if w.processes[p.key] == p && w.touched(p, len(text)) {
		p.message.goOn([]byte(text))
		p.part = len(text)
		w.count(p)
	}
}

// mayAdd says that a line may be one that adds to a message: cheaply, as a message may have
// very many lines.
func mayAdd(text string) bool {
	text = text[:min(len(text), 600)]
	for _, word := range [...]string{"DETAIL:", "HINT:", "CONTEXT:", "STATEMENT:", "QUERY:", "LOCATION:", "BACKTRACE:"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// The lengths in which a server cuts the lines that it gives to syslog: at a space where it
// can, else within a word, or a few bytes earlier where a letter takes several.
const (
	syslogPart    = 900
	syslogPartMin = 897
)

// within says that the part before may have been cut within a word, so that what stands at
// the start of the next one is the statement's, whatever it looks like.
func (w *wrapped) within(c carrier) bool {
	p := w.processes[w.key(c, &fields{})]
	return p != nil && p.part >= syslogPartMin && p.part <= syslogPart
}

// partOf adds a part of a message that the server cut for syslog: a further line, which
// begins with a tab or with a severity of its own, or the rest of the line.
func (w *wrapped) partOf(text string, c carrier) *process {
	p := w.processes[w.key(c, &fields{})]
	if p == nil {
		if !w.d.resumed {
			w.orphan(text)
		}
		return nil
	}
	if !w.within(c) && text != "" && text[0] != '\t' && (text[0] != ' ' || c.anonymous) {
		w.timeless = true
		if _, severity, msg, ok := w.match(strings.TrimLeft(text, " ")); ok && isSecondary(severity) {
			w.read++
			w.add(p, text, entry{severity: severity, text: msg})
			return p
		}
	}
	if !w.touched(p, len(text)) {
		return nil
	}
	if strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "  ") {
		p.message.goOn([]byte(text))
	} else {
		p.message.add([]byte(text))
		e := &p.entries[len(p.entries)-1]
		e.append([]byte(text))
	}
	p.part = len(text)
	w.count(p)
	return p
}

// continued adds a line that begins with a tab to the message before it.
func (w *wrapped) continued(text string, c carrier) *process {
	p := w.before(c)
	if c.process != "" {
		p = w.processes[w.key(c, &fields{})]
	}
	if p == nil {
		if text != "" && !w.d.resumed && !c.foreign && (c.mine || !c.container) {
			w.orphan(text)
		}
		return nil
	}
	w.goOn(p, text)
	return p
}

// before is the process that wrote the line before; nil for none. A line that nothing
// carries follows on whatever stands before it.
func (w *wrapped) before(c carrier) *process {
	if p := w.last[c.stream]; p != nil || c != (carrier{}) {
		return p
	}
	if e := w.order.Back(); e != nil {
		return e.Value.(*process)
	}
	return nil
}

// orphan sets aside a line whose message's start is missing.
func (w *wrapped) orphan(text string) {
	w.d.fail(w.at(text), "truncated", "line continues a message whose start is missing: the file was cut here")
}

// stray handles a line without a prefix.
func (w *wrapped) stray(text string, c carrier, sure bool) *process {
	if p := w.before(c); p != nil && (strings.HasPrefix(text, "  ") || pgtime.Scan(text) == 0 && p.continues() && !severityWord.MatchString(text)) {
		w.goOn(p, text)
		return p
	}
	switch {
	case patroni.MatchString(text):
		// The program that keeps a cluster's servers writes to the same log.
	case pgtime.Scan(text) > 0 || sure:
		w.other++
		w.d.fail(w.at(text), "prefix", "no log_line_prefix was found that reads this line: set log_line_prefix to the server's own (SHOW log_line_prefix), and lc_messages to C on the server")
	case !c.syslogged && !c.container && w.read == 0:
		w.other++
		w.d.fail(w.at(text), "format", "this is no line of PostgreSQL's log")
	default: // another program's
		if !c.syslogged {
			w.other++
		}
	}
	return nil
}

// finish hands a message on.
func (w *wrapped) finish(p *process) {
	w.drop(p)
	r, ok := p.record(w.d, p.at)
	if !ok {
		w.d.fail(p.from, "time", "time %q is not read: set log_timezone to the server's own, as an IANA name", p.f.time+p.f.epoch)
		return
	}
	r.nth, r.id, r.origin, r.anonymous = p.nth, p.carrier.id, p.stream, p.carrier.anonymous
	w.d.record(&r)
}

// drop forgets a message.
func (w *wrapped) drop(p *process) {
	w.order.Remove(p.elem)
	delete(w.processes, p.key)
	if w.last[p.stream] == p {
		delete(w.last, p.stream)
	}
	w.bytes -= p.size
}

// unescape undoes what syslog daemons make of control characters and of letters beyond
// ASCII: "#011" for a tab, "#012" for a line end.
func unescape(s string) string {
	i := strings.IndexByte(s, '#')
	if i < 0 {
		return s
	}
	b := []byte(s[:i])
	for ; i < len(s); i++ {
		if s[i] == '#' && i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && octal(s[i+2]) && octal(s[i+3]) {
			if v := (s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | s[i+3] - '0'; v > 0 && (v < ' ' || v >= 0x7f) {
				b = append(b, v)
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func octal(c byte) bool { return c >= '0' && c <= '7' }
