package postgresql

import (
	"regexp"
	"strings"

	"vigil/collectors/formats/pgtime"
)

// The forms by which a prefix is guessed from a line.
var (
	severityWord = regexp.MustCompile(`\b(?:LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):[ \[]`)
	epochForm    = regexp.MustCompile(`^\d{10}\.\d{3}\b`)
	sessionForm  = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9a-f]{1,6}\b`)
	hostPort     = regexp.MustCompile(`^(?:\[local\]|\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:[0-9a-fA-F:]*(?:%\w+)?)(\(\d+\))?`)
	userAt       = regexp.MustCompile(`^([^\s@,:=\[\]|]*)@([^\s@,:=\[\]|]*)`)
	atUnknown    = regexp.MustCompile(`^(\[unknown\]|[^\s@,:=\[\]|]*)@(\[unknown\]|[^\s@,:=\[\]|]*)`)
	keyForm      = regexp.MustCompile(`^([A-Za-z_]+)=`)
	lineForm     = regexp.MustCompile(`^\[(\d+)-(\d+)\]`)
	numberForm   = regexp.MustCompile(`^\d+\b`)
	pairForm     = regexp.MustCompile(`^\d+/\d+\b`)
	stateForm    = regexp.MustCompile(`^(?:[0-9][0-9A-Z]{4}|[A-Z][A-Z0-9]\d{3})\b`)
	wordForm     = regexp.MustCompile(`^[^\s,;:|\[\]()=@]+`)
)

// keyEscapes are what common names in a prefix stand for.
func keyEscape(key, value string) string {
	switch strings.ToLower(key) {
	case "user", "usr", "username", "u":
		return "%u"
	case "db", "database", "dbname", "d":
		return "%d"
	case "app", "appli", "application", "application_name", "appname", "a":
		return "%a"
	case "client", "host", "remote", "ip", "addr", "h", "remote_host", "c", "r":
		if strings.HasSuffix(value, ")") {
			return "%r"
		}
		return "%h"
	case "pid", "p":
		return "%p"
	case "session", "session_id", "sid":
		return "%c"
	case "queryid", "query_id", "qid":
		return "%Q"
	case "line", "l":
		return "%l"
	case "xid", "txid", "tx", "x":
		return "%x"
	case "vxid", "v":
		return "%v"
	case "code", "state", "sqlstate", "sql_error_code", "e":
		return "%e"
	case "cmd", "tag", "command", "ps":
		return "%i"
	case "type", "backend", "backend_type":
		return "%b"
	}
	return "%i" // its own free text, taken as the command tag, which is not used
}

// guessPrefix guesses the log_line_prefix of one line. It succeeds only where
// there is a time, unless timeless says that there need not be, and the guess reads the
// line.
func guessPrefix(line string, timeless bool) (*prefix, bool) {
	if p := managedPrefix(line); p != nil {
		return p, true
	}
	head := line
	if len(head) > 600 {
		head = head[:600]
	}
	at := severityWord.FindStringIndex(head)
	if at == nil {
		return nil, false
	}
	g := guesser{left: head[:at[0]], timeless: timeless}
	if !g.run() {
		return nil, false
	}
	p, err := compilePrefix(g.out.String())
	if err != nil {
		return nil, false
	}
	if _, _, _, ok := p.match(line); !ok {
		return nil, false
	}
	return p, true
}

type guesser struct {
	left  string
	out   strings.Builder
	timed bool
	// timeless says that there need be no time.
	timeless bool
	seen     map[string]bool
}

// put writes an escape, or, when it stood already, one whose value is not used.
func (g *guesser) put(escape string) {
	if g.seen[escape] {
		escape = "%i"
	}
	g.seen[escape] = true
	g.out.WriteString(escape)
}

func (g *guesser) lit(s string) { g.out.WriteString(strings.ReplaceAll(s, "%", "%%")) }

func (g *guesser) run() bool {
	g.seen = make(map[string]bool)
	s := g.left
	for len(s) > 0 {
		n := g.token(s)
		if n == 0 && !g.timed && !g.timeless && strings.IndexByte("[<( \"'", s[0]) < 0 {
			return false
		}
		if n == 0 {
			g.lit(s[:1])
			n = 1
		}
		s = s[n:]
	}
	return g.timed || g.timeless
}

// token recognises what stands at the start of s and returns its length.
func (g *guesser) token(s string) int {
	if n := pgtime.Scan(s); n > 0 {
		switch {
		case g.timed:
			g.put("%s")
		case s[19] == '.':
			g.put("%m")
		default:
			g.put("%t")
		}
		g.timed = true
		return n
	}
	if m := epochForm.FindString(s); m != "" && !g.timed {
		g.put("%n")
		g.timed = true
		return len(m)
	}
	if !g.timed && !g.timeless {
		// Only brackets may stand before the time: anything else is another
		// program's line around the server's.
		return 0
	}
	if m := sessionForm.FindString(s); m != "" {
		g.put("%c")
		return len(m)
	}
	if m := keyForm.FindStringSubmatch(s); m != nil {
		rest := s[len(m[0]):]
		value := rest
		if i := strings.IndexAny(rest, ",;| ]"); i >= 0 {
			value = rest[:i]
			if strings.HasPrefix(rest, "[") { // [local], [unknown]
				if j := strings.IndexByte(rest, ']'); j >= 0 {
					value = rest[:j+1]
				}
			}
		}
		g.lit(m[0])
		g.put(keyEscape(m[1], value))
		return len(m[0]) + len(value)
	}
	if m := lineForm.FindStringSubmatch(s); m != nil {
		g.lit("[")
		if !g.seen["%p"] && m[2] != "1" {
			g.put("%p")
			g.lit("-")
			g.put("%l")
		} else {
			g.put("%l")
			g.lit("-" + m[2])
		}
		g.lit("]")
		return len(m[0])
	}
	if m := hostPort.FindStringSubmatch(s); m != nil && m[0] != ":" && m[0] != "::" {
		if strings.HasPrefix(s[len(m[0]):], "@") {
			return g.user(s)
		}
		if m[1] != "" {
			g.put("%r")
		} else {
			g.put("%h")
		}
		return len(m[0])
	}
	if n := g.user(s); n > 0 {
		return n
	}
	if m := pairForm.FindString(s); m != "" {
		g.put("%v")
		return len(m)
	}
	if m := stateForm.FindString(s); m != "" && g.seen["%p"] {
		g.put("%e")
		return len(m)
	}
	if m := numberForm.FindString(s); m != "" {
		if g.seen["%p"] {
			g.put("%x")
		} else {
			g.put("%p")
		}
		return len(m)
	}
	if strings.HasPrefix(s, "[unknown]") {
		g.word()
		return len("[unknown]")
	}
	if m := wordForm.FindString(s); m != "" {
		if m == "idle" || m == "authentication" || strings.ToUpper(m) == m {
			g.put("%i") // a command tag
		} else {
			g.word()
		}
		return len(m)
	}
	return 0
}

func (g *guesser) user(s string) int {
	m := userAt.FindString(s)
	if m == "" {
		m = atUnknown.FindString(s)
	}
	if m == "" {
		return 0
	}
	g.put("%u")
	g.lit("@")
	g.put("%d")
	return len(m)
}

// word takes bare words as user, database and application, in the usual order.
func (g *guesser) word() {
	switch {
	case !g.seen["%u"]:
		g.put("%u")
	case !g.seen["%d"]:
		g.put("%d")
	default:
		g.put("%a")
	}
}
