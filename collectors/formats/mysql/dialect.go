package mysql

import (
	"strings"
)

// plain is a statement in the words of PostgreSQL's grammar, as far as that has them.
type plain struct {
	sql string
	// verb is the first word, lower case; about the second.
	verb, about string
	// outfile says that SELECT writes its rows into a file on the server.
	outfile bool
}

// translate writes a statement of MySQL's or MariaDB's dialect in PostgreSQL's, so that
// one reader serves both: the quotes of names and strings, comments, LIMIT a, b, and the
// words that only MySQL has. Literals stay as they are. What it does not know passes
// through, and is read by its words if the grammar refuses it.
func translate(sql string) plain {
	t := translator{lexer: lexer{sql: sql}}
	t.out.Grow(len(sql) + len(sql)/8 + 16)
	t.run()
	return plain{sql: t.out.String(), verb: t.verb, about: t.about, outfile: t.outfile}
}

type translator struct {
	lexer
	out strings.Builder
	// ahead holds a token that was looked at.
	ahead     tokenKind
	aheadText string
	hasAhead  bool

	verb, about string
	words       int
	prev        string // the last word or sign, lower case
	outfile     bool
	depth       int
	create      bool // CREATE TABLE, until its SELECT or AS
}

func (t *translator) peek() (tokenKind, string) {
	for !t.hasAhead {
		kind, text := t.next()
		switch kind {
		case tokenSpace, tokenExec, tokenExecEnd:
		case tokenComment:
			t.remark(text)
		default:
			t.ahead, t.aheadText, t.hasAhead = kind, text, true
		}
	}
	return t.ahead, t.aheadText
}

func (t *translator) take() (tokenKind, string) {
	kind, text := t.peek()
	t.hasAhead = false
	return kind, text
}

// ahead1 is the next token, lower case, if it is a word or sign.
func (t *translator) ahead1() string {
	kind, text := t.peek()
	if kind == tokenWord || kind == tokenSign {
		return strings.ToLower(text)
	}
	return ""
}

// skipWord takes the next token if it is the word.
func (t *translator) skipWord(word string) bool {
	if t.ahead1() != word {
		return false
	}
	t.take()
	return true
}

// remark writes a comment, which may hold the keys that a mapping reads.
func (t *translator) remark(text string) {
	switch {
	case text[0] == '#':
		text = "--" + text[1:] + "\n"
	case text[0] == '-':
		text += "\n"
	case len(text) > 4 && strings.Contains(text[2:], "/*"):
		text = "/*" + strings.ReplaceAll(text[2:], "/*", "/ *")
	}
	t.space()
	t.out.WriteString(text)
}

// space parts tokens: the reader does not mind how much there is of it.
func (t *translator) space() {
	if t.out.Len() > 0 {
		t.out.WriteByte(' ')
	}
}

func (t *translator) write(text string) {
	t.space()
	t.out.WriteString(text)
}

func (t *translator) run() {
	for {
		kind, text := t.take()
		switch kind {
		case tokenEnd:
			return
		case tokenName:
			t.write(quoteName(text[1:max(1, len(text)-1)]))
			t.prev = "name"
		case tokenString:
			t.str(text)
			t.prev = "literal"
		case tokenNumber:
			t.write(text)
			t.prev = "literal"
		case tokenVariable:
			// A value that the log does not tell.
			t.write("$1")
			t.prev = "literal"
		case tokenSign:
			t.sign(text)
		case tokenWord:
			if !t.word(text) {
				return
			}
		}
	}
}

func quoteName(name string) string {
	name = strings.ReplaceAll(name, "``", "`")
	return `"` + strings.ReplaceAll(strings.ToLower(name), `"`, `""`) + `"`
}

// str writes a string: PostgreSQL knows no double quotes and marks those with escapes.
func (t *translator) str(text string) {
	inner, q := text[1:], text[0]
	if len(inner) > 0 && inner[len(inner)-1] == q {
		inner = inner[:len(inner)-1]
	}
	if q == '"' {
		inner = strings.ReplaceAll(strings.ReplaceAll(inner, `""`, `"`), "'", "''")
		inner = strings.ReplaceAll(inner, `\''`, `''`)
	}
	if t.prev == "as" {
		t.write(`"` + strings.ReplaceAll(inner, `"`, `""`) + `"`)
		return
	}
	t.space()
	if strings.IndexByte(inner, '\\') >= 0 {
		t.out.WriteByte('E')
	}
	t.out.WriteByte('\'')
	t.out.WriteString(inner)
	t.out.WriteByte('\'')
}

func (t *translator) sign(text string) {
	t.prev = text
	switch text {
	case "(":
		t.depth++
	case ")":
		t.depth--
	case "<=>":
		text = "="
	case "&&":
		text = "and"
	case "||":
		text = "or"
	case ":=":
		text = "="
	case "!":
		text = "not"
	case ";":
		t.create = false
	}
	t.write(text)
}

// word writes a bare word or what stands for it; it returns false when the rest of the
// statement adds nothing.
func (t *translator) word(text string) bool {
	w := strings.ToLower(text)
	before := t.prev
	t.prev = w
	if t.words++; t.words <= 2 {
		if t.words == 1 {
			t.verb = w
		} else {
			t.about = w
		}
	}
	if before == "." {
		t.write(quoteName(w))
		return true
	}
	if strings.HasPrefix(w, "_") { // a string's character set
		if kind, _ := t.peek(); kind == tokenString {
			return true
		}
	}
	switch w {
	case "sql_no_cache", "sql_cache", "sql_calc_found_rows", "high_priority", "sql_small_result", "sql_big_result",
		"sql_buffer_result", "distinctrow", "low_priority", "delayed":
		return true
	case "straight_join":
		if before != "select" {
			t.write("cross join")
		}
		return true
	case "ignore", "quick":
		if before == t.verb && t.words == 2 {
			t.about = ""
			return true
		}
		fallthrough
	case "use", "force":
		if next := t.ahead1(); t.words > 1 && (next == "index" || next == "key") {
			t.dropParens()
			return true
		}
	case "xor":
		w = "or"
	case "div":
		w = "/"
	case "mod":
		if t.ahead1() != "(" {
			w = "%"
		}
	case "regexp", "rlike":
		w = "like"
	case "sounds":
		return true
	case "binary":
		if t.ahead1() != "(" && t.words > 1 && before != "as" {
			return true
		}
	case "against":
		w = "like"
	case "in":
		if next := t.ahead1(); next == "boolean" || next == "natural" {
			for t.ahead1() != ")" && t.ahead != tokenEnd {
				t.take()
			}
			return true
		}
	case "with":
		switch t.ahead1() {
		case "rollup":
			t.take()
			return true
		case "query":
			for t.ahead1() != ")" && t.ahead != tokenEnd {
				t.take()
			}
			return true
		}
	case "separator":
		t.take()
		return true
	case "name_const":
		// A procedure's variable with its value: NAME_CONST('i', 9).
		if t.ahead1() == "(" {
			t.take()
			if kind, _ := t.peek(); kind == tokenString {
				t.take()
				t.skipWord(",")
			}
			t.write("(")
			t.depth++
			return true
		}
	case "interval":
		if t.interval() {
			return true
		}
	case "limit":
		if t.verb == "update" || t.verb == "delete" {
			if t.depth == 0 {
				return false
			}
		}
		return t.limit(text)
	case "order":
		if t.depth == 0 && (t.verb == "update" || t.verb == "delete") {
			return false
		}
	case "on":
		if t.ahead1() == "duplicate" {
			return false
		}
	case "lock":
		if t.words > 1 && t.ahead1() == "in" {
			return false
		}
	case "into":
		if next := t.ahead1(); t.verb == "select" || t.verb == "with" {
			switch kind, _ := t.peek(); {
			case next == "outfile" || next == "dumpfile":
				t.outfile = true
				t.skipClause()
				return true
			case kind == tokenVariable:
				t.skipClause()
				return true
			}
		}
	case "current_date", "current_time", "current_timestamp", "current_user", "localtime", "localtimestamp", "user", "session_user":
		return t.bare(w)
	case "insert", "replace":
		if t.words == 1 {
			t.insert()
			return true
		}
	case "set":
		switch t.verb {
		case "set":
			if t.words == 1 && t.settingQuery() {
				return true
			}
		case "insert", "replace":
			// INSERT INTO t SET a = 1 has no like: it writes as an update does.
			s := t.out.String()
			t.out.Reset()
			t.out.WriteString("update" + strings.TrimPrefix(s, "insert into"))
		}
	case "create":
		t.create = t.words == 1
	case "as":
		t.create = false
	case "select", "table":
		if w == "select" && t.create {
			t.create = false
			t.write("as")
		}
	}
	t.write(w)
	return true
}

// dropParens drops "INDEX [FOR JOIN] (a, b)".
func (t *translator) dropParens() {
	for {
		kind, text := t.take()
		if kind == tokenEnd || text == ")" {
			return
		}
	}
}

// skipClause drops INTO's target and how its file is written: up to FROM or the end.
func (t *translator) skipClause() {
	for {
		kind, text := t.peek()
		if kind == tokenEnd || kind == tokenSign && text == ";" {
			return
		}
		if kind == tokenWord {
			switch strings.ToLower(text) {
			case "from", "where", "limit", "order", "group":
				return
			}
		}
		t.take()
	}
}

// interval writes INTERVAL 1 DAY as a literal. An expression is left as it is.
func (t *translator) interval() bool {
	kind, text := t.peek()
	switch kind {
	case tokenNumber, tokenVariable:
		t.take()
		t.write("interval ")
		if kind == tokenNumber {
			t.out.WriteString("'" + text + "'")
		} else {
			t.out.WriteString("'1'")
		}
	case tokenString:
		t.take()
		t.write("interval")
		t.str(text)
	default:
		return false
	}
	if kind, _ := t.peek(); kind == tokenWord { // the unit
		t.take()
	}
	t.prev = "literal"
	return true
}

// limit writes LIMIT a, b as LIMIT b OFFSET a.
func (t *translator) limit(text string) bool {
	t.write(strings.ToLower(text))
	kind, first := t.take()
	if kind != tokenNumber && kind != tokenVariable {
		t.ahead, t.aheadText, t.hasAhead = kind, first, true
		return true
	}
	value := func(kind tokenKind, text string) string {
		if kind == tokenVariable {
			return "$1"
		}
		return text
	}
	if t.ahead1() == "," {
		t.take()
		k, second := t.take()
		t.out.WriteString(" " + value(k, second) + " offset " + value(kind, first))
		return true
	}
	t.out.WriteString(" " + value(kind, first))
	t.prev = "literal"
	return true
}

// bare writes a function that PostgreSQL calls without parentheses, and quotes user
// where it is a name.
func (t *translator) bare(w string) bool {
	if t.ahead1() == "(" {
		t.take()
		if t.ahead1() == ")" {
			t.take()
		}
		t.write(w)
		return true
	}
	if w == "user" && t.verb != "create" && t.verb != "drop" && t.verb != "alter" && t.verb != "grant" {
		w = `"user"`
	}
	t.write(w)
	return true
}

// insert writes the beginning of INSERT and REPLACE.
func (t *translator) insert() {
	t.write("insert into")
	for {
		switch next := t.ahead1(); next {
		case "ignore", "low_priority", "delayed", "high_priority", "into":
			t.take()
			t.words++
			continue
		}
		t.prev = "into"
		return
	}
}

// settingQuery reads SET @a = (SELECT ..) as its query.
func (t *translator) settingQuery() bool {
	rest := t.sql[t.pos:]
	at := strings.IndexByte(rest, '(')
	if at < 0 {
		return false
	}
	inner := strings.TrimLeft(rest[at+1:], " \t\r\n(")
	if len(inner) < 7 || !strings.EqualFold(inner[:6], "select") {
		return false
	}
	t.pos += at
	t.hasAhead = false
	t.write("select")
	return true
}
