package postgresql

import (
	"fmt"
	"strings"

	"vigil/collectors/formats/pgtime"
)

// prefix is a log_line_prefix made ready for matching.
type prefix struct {
	text  string
	elems []elem
	// quit is where %q stands: what follows is missing from lines of processes
	// that serve no session; -1 when there is none.
	quit int
}

type elem struct {
	lit   string // literal text, when code is 0
	code  byte   // the escape's letter
	width int    // padding: negative pads on the right
}

// matchBudget bounds the tries that one line may cost.
const matchBudget = 2000

// compilePrefix reads a log_line_prefix as PostgreSQL's documentation defines it.
func compilePrefix(text string) (*prefix, error) {
	p := &prefix{text: text, quit: -1}
	lit := func(s string) {
		if n := len(p.elems); n > 0 && p.elems[n-1].code == 0 && p.quit != n {
			p.elems[n-1].lit += s
			return
		}
		p.elems = append(p.elems, elem{lit: s})
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			lit(text[i : i+1])
			continue
		}
		i++
		width, left := 0, false
		if i < len(text) && text[i] == '-' {
			left = true
			i++
		}
		for i < len(text) && digit(text[i]) && width < 1000 {
			width = width*10 + int(text[i]-'0')
			i++
		}
		if left {
			width = -width
		}
		if i >= len(text) {
			return nil, fmt.Errorf("log_line_prefix %q ends within an escape", text)
		}
		switch c := text[i]; c {
		case '%':
			lit("%")
		case 'q':
			if p.quit < 0 {
				p.quit = len(p.elems)
			}
		case 'a', 'u', 'd', 'r', 'h', 'L', 'b', 'p', 'P', 't', 'm', 'n', 'i', 'e', 'c', 'l', 's', 'v', 'x', 'Q':
			p.elems = append(p.elems, elem{code: c, width: width})
		default:
			return nil, fmt.Errorf("log_line_prefix %q has %%%c, which PostgreSQL does not know", text, c)
		}
	}
	return p, nil
}

// has says whether the prefix holds an escape.
func (p *prefix) has(codes string) bool {
	for _, e := range p.elems {
		if e.code != 0 && strings.IndexByte(codes, e.code) >= 0 {
			return true
		}
	}
	return false
}

// fields are what a prefix tells, as text of the line.
type fields struct {
	app, user, db, host, session, start, time, epoch, state, backend, tag string
	pid                                                                   string
}

func (f *fields) set(code byte, v string) {
	switch code {
	case 'a':
		f.app = v
	case 'u':
		f.user = v
	case 'd':
		f.db = v
	case 'r', 'h': // a guess may take the one for the other: a port is no part of a host
		f.host = v
		if i := strings.LastIndexByte(v, '('); i > 0 && strings.HasSuffix(v, ")") {
			f.host = v[:i]
		}
	case 'p':
		f.pid = v
	case 't', 'm':
		f.time = v
	case 'n':
		f.epoch = v
	case 'c':
		f.session = v
	case 's':
		f.start = v
	case 'e':
		f.state = v
	case 'b':
		f.backend = v
	case 'i':
		f.tag = v
	}
}

// match reads a line: the prefix's fields, the severity, and the text after it.
func (p *prefix) match(line string) (f fields, severity, text string, ok bool) {
	m := matcher{p: p, budget: matchBudget}
	if m.step(0, line, len(p.elems)) {
		return m.f, m.severity, m.text, true
	}
	if p.quit >= 0 {
		m = matcher{p: p, budget: matchBudget}
		if m.step(0, line, p.quit) {
			return m.f, m.severity, m.text, true
		}
	}
	return fields{}, "", "", false
}

type matcher struct {
	p              *prefix
	f              fields
	severity, text string
	budget         int
}

// step matches the elements from i on at the start of s, going back over free
// text where a literal occurs more than once.
func (m *matcher) step(i int, s string, end int) bool {
	m.budget--
	if m.budget < 0 {
		return false
	}
	if i == end {
		sev, text, ok := cutSeverity(s)
		if ok {
			m.severity, m.text = sev, text
		}
		return ok
	}
	e := m.p.elems[i]
	if e.code == 0 {
		rest, ok := strings.CutPrefix(s, e.lit)
		return ok && m.step(i+1, rest, end)
	}
	lead := 0
	if e.width > 0 {
		for lead < len(s) && lead < e.width && s[lead] == ' ' {
			lead++
		}
	}
	if n, fixed := fixedLength(e.code, s[lead:]); fixed {
		if n < 0 {
			return false
		}
		total := lead + n
		for total < -e.width && total < len(s) && s[total] == ' ' {
			total++
		}
		save := m.f
		m.f.set(e.code, s[lead:lead+n])
		if m.step(i+1, s[total:], end) {
			return true
		}
		m.f = save
		// What may be missing altogether (%v, %P) may be empty.
		if n > 0 && strings.IndexByte("vPxlQ", e.code) >= 0 {
			return m.step(i+1, s, end)
		}
		return false
	}
	// Free text: up to each place where the next element can begin.
	limit := min(len(s), 512)
	save := m.f
	for at := lead; at <= limit; at++ {
		if i+1 < end && m.p.elems[i+1].code == 0 {
			n := strings.Index(s[at:limit], m.p.elems[i+1].lit)
			if n < 0 {
				return false
			}
			at += n
		}
		if at < -e.width {
			continue
		}
		m.f.set(e.code, strings.TrimRight(s[lead:at], " "))
		if m.step(i+1, s[at:], end) {
			return true
		}
		m.f = save
		if m.budget < 0 {
			return false
		}
	}
	return false
}

// fixedLength measures the escapes whose values have a form of their own; fixed
// is false for free text, the length negative when the form is not there.
func fixedLength(code byte, s string) (n int, fixed bool) {
	run := func(ok func(c byte) bool) int {
		i := 0
		for i < len(s) && ok(s[i]) {
			i++
		}
		return i
	}
	switch code {
	case 't', 'm', 's':
		if n = pgtime.Scan(s); n == 0 {
			return -1, true
		}
		return n, true
	case 'p':
		if n = run(digit); n == 0 {
			return -1, true
		}
		return n, true
	case 'l', 'x', 'P':
		return run(digit), true
	case 'Q':
		return run(func(c byte) bool { return digit(c) || c == '-' }), true
	case 'n':
		if n = run(func(c byte) bool { return digit(c) || c == '.' }); n < 10 {
			return -1, true
		}
		return n, true
	case 'e':
		if n = run(func(c byte) bool { return digit(c) || c >= 'A' && c <= 'Z' }); n != 5 {
			return -1, true
		}
		return n, true
	case 'c':
		if n = run(func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' || c == '.' }); n < 3 {
			return -1, true
		}
		return n, true
	case 'v':
		return run(func(c byte) bool { return digit(c) || c == '/' || c == '-' }), true
	}
	return 0, false
}

// cutSeverity splits "LOG:  text".
func cutSeverity(s string) (severity, text string, ok bool) {
	i := strings.IndexByte(s, ':')
	if i < 2 || i > 10 || !isSeverity(s[:i]) {
		return "", "", false
	}
	text = s[i+1:]
	text = strings.TrimPrefix(text, " ")
	text = strings.TrimPrefix(text, " ")
	return s[:i], withoutPlace(text), true
}

// withoutPlace takes off the place in the server's source that AlloyDB writes before each
// message: "[postgres.c:1187] ". No message of PostgreSQL begins so.
func withoutPlace(text string) string {
	if text == "" || text[0] != '[' {
		return text
	}
	end := strings.IndexByte(text[:min(len(text), 80)], ']')
	if end < 0 || strings.ContainsAny(text[:end], " '\"") {
		return text
	}
	if file, line, ok := strings.Cut(text[1:end], ":"); !ok || !strings.HasSuffix(file, ".c") && !strings.HasSuffix(file, ".cc") || number(line) == 0 {
		return text
	}
	return strings.TrimLeft(text[end+1:], " ")
}

func isSeverity(w string) bool {
	switch w {
	case "LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO",
		"DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5":
		return true
	}
	return isSecondary(w)
}

// isSecondary says that a line adds to the message before it.
func isSecondary(w string) bool {
	switch w {
	case "DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE":
		return true
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func number(s string) int64 {
	var n int64
	for i := 0; i < len(s) && n < 1<<52; i++ {
		if !digit(s[i]) {
			break
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n
}
