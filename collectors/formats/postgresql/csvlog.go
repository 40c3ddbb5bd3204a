package postgresql

import (
	"bytes"
	"regexp"
	"strings"

	"vigil/collectors/formats"
)

// csvlog joins the lines of a CSV log: a record ends where its quotes are even.
type csvlog struct {
	d      *decoder
	from   formats.Line
	buf    []byte
	starts []start // of the lines in buf
	quotes int
	cols   []string
	depth  int // of recover within recover
}

// maxRecoveries bounds how often one damaged stretch is tried again.
const maxRecoveries = 8

// loneQuote says that a line holds a quote that is not doubled.
func loneQuote(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		n := i
		for n < len(text) && text[n] == '"' {
			n++
		}
		if (n-i)%2 != 0 {
			return true
		}
		i = n
	}
	return false
}

// start is where a line of the record begins, in buf and in the input.
type start struct {
	at             int
	offset, number int64
}

// csvStart is how a record begins: the time, then the user, quoted or not.
var csvStart = regexp.MustCompile(`^"?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Za-z+\-0-9]+"?,(?:"(?:[^"]|"")*")?[^",]*,(?:"(?:[^"]|"")*")?[^",]*,"?\d+"?,`)

// The widths of the servers' CSV logs: up to 12, 13, and from 14 on. More columns
// may come.
const (
	csvMinColumns = 23
	csvTime       = 0
	csvUser       = 1
	csvDatabase   = 2
	csvPID        = 3
	csvFrom       = 4
	csvSession    = 5
	csvStarted    = 8
	csvSeverity   = 11
	csvSQLState   = 12
	csvMessage    = 13
	csvDetail     = 14
	csvQuery      = 19
	csvApp        = 22
)

func newCSV(d *decoder) framer { return &csvlog{d: d} }

func (c *csvlog) open() (int64, bool) { return c.from.Offset, c.active() }

// active says that a record has begun and not ended.
func (c *csvlog) active() bool { return len(c.starts) > 0 }

func (c *csvlog) line(l formats.Line) {
	if len(c.starts) == 0 {
		if len(l.Text) == 0 || bytes.HasPrefix(l.Text, []byte("log_time,")) {
			return
		}
		c.from = formats.Line{Offset: l.Offset, Number: l.Number}
		c.buf, c.quotes = c.buf[:0], 0
	} else {
		c.buf = append(c.buf, '\n')
	}
	c.starts = append(c.starts, start{len(c.buf), l.Offset, l.Number})
	c.buf = append(c.buf, l.Text...)
	c.quotes += bytes.Count(l.Text, []byte{'"'})
	if c.quotes%2 != 0 {
		if len(c.buf) > formats.MaxLine {
			c.recover("too-long", "record of more than %d bytes, or a quote that never ends", formats.MaxLine)
		} else if len(c.starts) > 1 && loneQuote(l.Text) && csvStart.Match(l.Text[:min(len(l.Text), 512)]) {
			// A record begins within a quote: either the one before was cut, or a
			// literal looks so, in which every quote is doubled.
			if _, state := splitCSV(string(c.buf), nil); state == csvBad {
				c.recover("truncated", "record ends within a quote: cut when the server stopped or the disk was full")
			}
		}
		return
	}
	c.finish()
}

func (c *csvlog) flush() {
	if len(c.starts) > 0 {
		c.recover("truncated", "record ends within a quote: the file was cut here")
	}
}

// finish reads the record in buf.
func (c *csvlog) finish() {
	cols, state := splitCSV(string(c.buf), c.cols[:0])
	c.cols = cols
	switch {
	case state != csvWhole:
		c.recover("format", "quotes are not those of a CSV log")
		return
	case len(cols) < csvMinColumns:
		c.recover("format", "%d columns, a csvlog has 23, 24 or 26: not a csvlog, or a cut line", len(cols))
		return
	}
	r := record{
		from: c.from, hash: c.d.hashOf(c.buf),
		user: cols[csvUser], db: cols[csvDatabase], pid: cols[csvPID], session: cols[csvSession],
		severity: cols[csvSeverity], state: cols[csvSQLState], message: cols[csvMessage], detail: cols[csvDetail],
		statement: cols[csvQuery], app: cols[csvApp], host: hostOf(cols[csvFrom]),
	}
	at, ok := c.d.clock.Read(cols[csvTime])
	if !ok || !isSeverity(r.severity) {
		if ok {
			c.recover("format", "severity %q is not PostgreSQL's: set lc_messages to C on the server", cut(r.severity, 40))
		} else {
			c.recover("time", "time %q is not read: set log_timezone to the server's own, as an IANA name", cut(cols[csvTime], 40))
		}
		return
	}
	r.at = at
	r.start, _ = c.d.clock.Read(cols[csvStarted])
	c.starts = c.starts[:0]
	c.d.record(&r)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// recover sets the record aside and goes on at the next line in it that begins
// one: a cut record opens a quote that would swallow what follows.
func (c *csvlog) recover(code, format string, args ...any) {
	c.d.fail(c.from, code, format, args...)
	buf, starts := bytes.Clone(c.buf), append([]start(nil), c.starts...)
	c.starts = c.starts[:0]
	if c.depth >= maxRecoveries {
		return
	}
	c.depth++
	defer func() { c.depth-- }()
	for i := 1; i < len(starts); i++ {
		if csvStart.Match(buf[starts[i].at:min(len(buf), starts[i].at+512)]) {
			for j := i; j < len(starts); j++ {
				end := len(buf)
				if j+1 < len(starts) {
					end = starts[j+1].at - 1
				}
				c.line(formats.Line{Text: buf[starts[j].at:end], Offset: starts[j].offset, Number: starts[j].number})
			}
			return
		}
	}
}

// hostOf strips the port of "host:port"; IPv6 stands there without brackets.
func hostOf(from string) string {
	if i := strings.LastIndexByte(from, ':'); i > 0 && i+1 < len(from) {
		for _, c := range []byte(from[i+1:]) {
			if !digit(c) {
				return from
			}
		}
		return from[:i]
	}
	return from
}

// csvState is how the reading of a record ended.
type csvState uint8

const (
	csvWhole csvState = iota
	csvOpen           // within a quote
	csvBad            // a quote stands where CSV allows none
)

// splitCSV takes a record apart.
func splitCSV(s string, out []string) ([]string, csvState) {
	for {
		if len(s) > 0 && s[0] == '"' {
			i, doubled := 1, false
			for {
				n := strings.IndexByte(s[i:], '"')
				if n < 0 {
					return out, csvOpen
				}
				i += n
				if i+1 < len(s) && s[i+1] == '"' {
					doubled = true
					i += 2
					continue
				}
				break
			}
			v := s[1:i]
			if doubled {
				v = strings.ReplaceAll(v, `""`, `"`)
			}
			out = append(out, v)
			s = s[i+1:]
			if s == "" {
				return out, csvWhole
			}
			if s[0] != ',' {
				return out, csvBad
			}
			s = s[1:]
			continue
		}
		n := strings.IndexByte(s, ',')
		if n < 0 {
			if strings.IndexByte(s, '"') >= 0 {
				return out, csvBad
			}
			return append(out, s), csvWhole
		}
		if strings.IndexByte(s[:n], '"') >= 0 {
			return out, csvBad
		}
		out = append(out, s[:n])
		s = s[n+1:]
	}
}
