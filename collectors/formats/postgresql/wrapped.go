package postgresql

import (
	"bytes"
	"container/list"
	"errors"
	"regexp"
	"strings"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
	carry "vigil/collectors/formats/record"
)

// wrapped takes records out of what carried them: syslog, containers' logs, the JSON of
// cloud providers and log shippers. The lines of several processes, and of several servers,
// may stand between one another, so messages are put together by process.
//
// A message is held until its process writes another, or waitLines lines have gone by
// without a further line of it. At most maxOpen messages and maxOpenBytes are held; the one
// that waits longest comes out first.
type wrapped struct {
	d *decoder
	prefixes
	begun bool
	// values says that the stream is one of JSON values, which may span lines.
	values    bool
	frames    carry.Frames
	container carry.Container
	partFrom  formats.Line // where the line in container begins

	// csv is the csvlog that is open, in a stream and so many wrappings deep.
	csv       csvlog
	csvStream string
	csvDepth  int

	processes map[string]*process
	order     *list.List          // of *process, the longest without a line first
	last      map[string]*process // that wrote last, by stream
	bytes     int
	lines     int64

	frame formats.Line // the frame in hand
	nth   int          // records that begin in it
	// read and other count texts that are PostgreSQL's and that are not, for Detect;
	// shared counts records that a format of their provider's knows better.
	read, other, shared int
}

const (
	waitLines    = 256
	maxOpen      = 1024
	maxOpenBytes = 8 << 20
	// maxCarriers bounds how many wrappings are taken off.
	maxCarriers = 5
)

// process is a server process whose message is in the making.
type process struct {
	key, stream string
	elem        *list.Element
	message
	carrier carrier
	at      time.Time
	nth     int
	seen    int64 // wrapped.lines at its last line
	size    int   // what it counts for in wrapped.bytes
	// part is the length of its last part, in a syslog that cuts long lines.
	part int
}

// carrier is what the wrapping of a text told.
type carrier struct {
	// stream names what the text is a part of: lines that follow one another are
	// joined within it. process is the process that wrote it, if that is known.
	stream, process string
	at              time.Time
	// id is the provider's own for the record.
	id string
	// mine says that the program is PostgreSQL, foreign that it is another, container
	// that the text is what a container's programs print.
	mine, foreign, container bool
	// syslogged says that the text went through syslog, anonymous that the server's
	// prefix tells no user and can't be changed.
	syslogged, anonymous bool
}

func newWrapped(d *decoder) framer {
	w := &wrapped{d: d, processes: make(map[string]*process), order: list.New(), last: make(map[string]*process), csv: csvlog{d: d}}
	if d.prefix != nil {
		w.known, w.fixed = []*prefix{d.prefix}, true
	}
	return w
}

// The forms of what carries lines.
var (
	stamped  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)[ \t]`)
	logplex  = regexp.MustCompile(`^(\S+T\S+) (?:[\w.-]+ )?(app|heroku)\[([\w.-]+)\]:? `)
	composed = regexp.MustCompile(`^(?:\[pod/[\w.-]+/[\w.-]+\] |[\w.-]+ +\| )`)
	sequence = regexp.MustCompile(`^\[(\d+)(?:-(\d+))?\] ?`)
	patroni  = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+: `)
)

// carried says that a stream's first line is wrapped in something.
func carried(line []byte) bool {
	if carry.StartsJSON(line) {
		return variantOf(string(line)) == nil
	}
	if stamped.Match(line) || composed.Match(line) {
		return true
	}
	_, _, ok := carry.Syslog(line)
	return ok
}

func (w *wrapped) open() (int64, bool) {
	off, ok := int64(0), false
	least := func(o int64, held bool) {
		if held && (!ok || o < off) {
			off, ok = o, true
		}
	}
	from, held := w.frames.Open()
	least(from.Offset, held)
	least(w.partFrom.Offset, w.container.Open())
	least(w.csv.open())
	for _, p := range w.processes {
		least(p.from.Offset, true)
	}
	return off, ok
}

func (w *wrapped) flush() {
	w.frames.Flush(w.damaged)
	w.csv.flush()
	for w.order.Len() > 0 {
		w.finish(w.order.Front().Value.(*process))
	}
}

// damaged sets aside what can't be framed.
func (w *wrapped) damaged(err error) {
	var bad *formats.Error
	if errors.As(err, &bad) {
		w.other++
		w.d.fail(bad.Line, bad.Code, "%s", bad.Reason)
	}
}

func (w *wrapped) line(l formats.Line) {
	if !w.begun {
		if len(bytes.TrimSpace(l.Text)) == 0 {
			return
		}
		w.begun, w.values = true, carry.StartsJSON(l.Text)
	}
	w.lines++
	for w.order.Len() > 0 {
		p := w.order.Front().Value.(*process)
		if w.lines-p.seen <= waitLines && w.order.Len() <= maxOpen && w.bytes <= maxOpenBytes {
			break
		}
		w.finish(p)
	}
	if w.values {
		w.frames.Feed(l, w.take, w.damaged)
		return
	}
	w.take(l.Text, l)
}

// take reads one frame: a line, or a JSON value.
func (w *wrapped) take(text []byte, from formats.Line) {
	w.frame, w.nth = formats.Line{Text: text, Offset: from.Offset, Number: from.Number}, 0
	waited := w.container.Open()
	inner, rc, whole := w.container.Join(text)
	if !whole {
		if !waited {
			w.partFrom = formats.Line{Offset: from.Offset, Number: from.Number}
		}
		return
	}
	if waited {
		w.frame.Offset, w.frame.Number = w.partFrom.Offset, w.partFrom.Number
	}
	w.text(inner, carrier{at: rc.Time, container: !rc.Time.IsZero()}, 0)
}

// text takes off one wrapping after the other.
func (w *wrapped) text(t []byte, c carrier, depth int) {
	t = bytes.TrimRight(t, "\r\n")
	if w.csv.active() && depth == w.csvDepth && c.stream == w.csvStream {
		w.lineOf(string(t), c, depth) // within a quote anything may stand
		return
	}
	if len(bytes.TrimSpace(t)) == 0 {
		return
	}
	// Behind a tab it is a further line of a statement.
	if t[0] != '\t' && carry.StartsJSON(t) && depth < maxCarriers {
		if w.json(t, c, depth) {
			return
		}
		if depth == 0 && w.values {
			w.other++
			w.d.fail(w.frame, "format", "JSON in which no record of PostgreSQL is found: %s", "another service's, or a carrier that is not known")
			return
		}
	}
	if depth < maxCarriers {
		if inner, ok := w.peel(t, &c); ok {
			w.text(inner, c, depth+1)
			return
		}
	}
	w.lineOf(string(t), c, depth)
}

// maxHeader bounds what a carrier writes in front of a line, in bytes.
const maxHeader = 1024

// peel takes one wrapping off a line of text.
func (w *wrapped) peel(t []byte, c *carrier) (inner []byte, ok bool) {
	head := t[:min(len(t), maxHeader)]
	if m := logplex.FindSubmatch(head); m != nil {
		if at, err := time.Parse(time.RFC3339Nano, string(m[1])); err == nil {
			c.at = at
		}
		heroku(c, string(m[3]))
		return t[len(m[0]):], true
	}
	if inner, sc, ok := carry.Syslog(t); ok {
		c.syslogged, c.stream = true, sc.Host+"/"+sc.App
		if !sc.Time.IsZero() {
			c.at = sc.Time
		} else if at, ok := w.d.calendar.Read(sc.Stamp, w.d.clock.Place); ok && c.at.IsZero() {
			c.at = at
		}
		if (sc.App == "app" || sc.App == "heroku") && sc.Host == "host" {
			heroku(c, sc.Process)
			return inner, true
		}
		c.process = sc.Process
		c.mine = strings.HasPrefix(sc.App, "postgres") || strings.HasPrefix(sc.App, "postmaster")
		return inner, true
	}
	if n := len(stamped.Find(t)); n > 0 {
		if at, err := time.Parse(time.RFC3339Nano, string(t[:n-1])); err == nil && c.at.IsZero() {
			c.at = at
		}
		inner = t[n:]
		// What follows, or what follows the stream's name.
		if name, rest, found := bytes.Cut(inner, []byte{' '}); found && pgtime.Scan(string(inner[:min(len(inner), 64)])) == 0 && pgtime.Scan(string(rest[:min(len(rest), 64)])) > 0 {
			c.stream, inner = string(name), rest
		}
		return inner, true
	}
	if n := len(composed.Find(head)); n > 0 {
		c.container, c.stream = true, strings.Trim(string(t[:n]), " |")
		return t[n:], true
	}
	return nil, false
}

// heroku reads the name of the process that logplex tells, such as "postgres.4882".
func heroku(c *carrier, name string) {
	program, number, _ := strings.Cut(name, ".")
	c.stream, c.process, c.syslogged = "heroku/"+program, number, true
	c.mine = program == "postgres"
	c.foreign, c.anonymous = !c.mine, c.mine
}
