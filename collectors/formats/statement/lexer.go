package statement

import "strings"

// Literals are written into the normalised text as tagged literals of the same
// kind, so that the text stays grammatical everywhere and a literal found in the
// parse tree leads back to its slot.
const (
	numberTag = 1_000_000 // slot 3 as a number is 1000003
	stringTag = "#"       // slot 3 as a string is '#3'
)

type valueKind uint8

const (
	kindNumber valueKind = iota
	kindString           // '..' with '' doubled
	kindEscape           // E'..' with backslashes as well
	kindDollar           // $$..$$
	kindParam            // $n
)

// value is one literal or parameter. Several can share a slot: a list of any
// length is one slot.
type value struct {
	slot  int32
	kind  valueKind
	param int32
	raw   string
}

// lexed is a statement text taken apart. Its slices are reused by the next scan.
type lexed struct {
	text     []byte // normalised
	values   []value
	comments []string
	slots    int32
	// weight counts tokens that can nest, depth is the deepest parenthesis: what
	// the grammar's stack has to hold.
	weight, depth int
	// broken says that a quote or comment never ended.
	broken bool
}

// prev is what the last token was, as far as later ones depend on it.
type prev uint8

const (
	prevNone prev = iota
	prevWord
	prevLiteral
	prevClose
	prevOther
)

type lexer struct {
	sql  string
	pos  int
	out  *lexed
	prev prev
	// word is the last word, lower case, when prev is prevWord; "" otherwise.
	word string

	// An IN list or ARRAY constructor of literals: its first literal holds the
	// slot, further ones join it and write no text.
	list    listState
	listEnd int32

	// VALUES rows: the first row's text and slots; a row that reads the same
	// joins it.
	fold     bool
	inValues bool
	rowDepth int
	rowStart int
	rowText  []byte
	rowSlot  int32
	rowMark  int
	folded   bool
	paren    int
}

type listState uint8

const (
	listNone   listState = iota
	listOpened           // "(" or "[" just read
	listFirst            // the first literal and what follows it
	listComma            // a comma that is not written yet
	listMore             // a later literal and its cast: not written
)

// scan takes sql apart into out. fold asks for VALUES rows to be joined; it
// reports false when rows differ and the text must be scanned again without.
func scan(sql string, out *lexed, fold bool) bool {
	out.text, out.values, out.comments = out.text[:0], out.values[:0], out.comments[:0]
	out.slots, out.weight, out.depth, out.broken = 0, 0, 0, false
	l := lexer{sql: sql, out: out, fold: fold}
	return l.run()
}

func (l *lexer) run() bool {
	s := l.sql
	for l.pos < len(s) {
		c := s[l.pos]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			l.pos++
		case isWordStart(c):
			l.readWord()
		case c >= '0' && c <= '9', c == '.' && l.pos+1 < len(s) && s[l.pos+1] >= '0' && s[l.pos+1] <= '9' && l.prev != prevWord:
			l.number(l.pos)
		case c == '\'':
			l.quoted(kindString)
		case c == '"':
			l.identifier()
		case c == '$':
			l.dollar()
		case c == '-' && strings.HasPrefix(s[l.pos:], "--"):
			l.lineComment()
		case c == '/' && strings.HasPrefix(s[l.pos:], "/*"):
			l.blockComment()
		case c == '(' || c == '[':
			l.open(c)
		case c == ')' || c == ']':
			if !l.close(c) {
				return false
			}
		case c == ',':
			l.comma()
		case c == ';' || c == '.':
			l.pos++
			if l.list == listMore && c == '.' {
				continue
			}
			if c == ';' {
				l.inValues = false
			}
			l.emit(s[l.pos-1:l.pos], prevOther)
		case isOperator(c) || c == ':':
			l.operator()
		default:
			l.pos++ // a control character or a stray byte: no part of any token
		}
	}
	if l.folded && l.inValues && l.rowDepth > 0 {
		return false // cut within a folded row
	}
	return true
}

func isWordStart(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || c >= '0' && c <= '9' || c == '$' }

func isOperator(c byte) bool {
	switch c {
	case '+', '-', '*', '/', '<', '>', '=', '~', '!', '@', '#', '%', '^', '&', '|', '`', '?':
		return true
	}
	return false
}

// emit writes one token. Inside a folded list item nothing is written.
func (l *lexer) emit(tok string, p prev) {
	l.settle()
	if l.list == listMore {
		return
	}
	if len(l.out.text) > 0 {
		l.out.text = append(l.out.text, ' ')
	}
	l.out.text = append(l.out.text, tok...)
	l.prev, l.word = p, ""
}

// settle ends a list that turned out to hold more than literals.
func (l *lexer) settle() {
	switch l.list {
	case listOpened:
		l.list = listNone
	case listComma:
		l.list = listNone
		l.out.text = append(l.out.text, " ,"...)
	}
}

func (l *lexer) readWord() {
	start := l.pos
	lower := true
	for l.pos < len(l.sql) && isWordPart(l.sql[l.pos]) {
		if c := l.sql[l.pos]; c >= 'A' && c <= 'Z' {
			lower = false
		}
		l.pos++
	}
	w := l.sql[start:l.pos]
	if l.pos < len(l.sql) && l.sql[l.pos] == '\'' && len(w) == 1 {
		switch w[0] {
		case 'e', 'E':
			l.quoted(kindEscape)
			return
		case 'n', 'N', 'b', 'B', 'x', 'X':
			l.quoted(kindString)
			return
		}
	}
	if len(w) == 1 && w[0]|0x20 == 'u' && strings.HasPrefix(l.sql[l.pos:], "&'") {
		l.pos++
		l.quoted(kindString)
		return
	}
	if l.list == listMore {
		return // a cast's type
	}
	l.settle()
	if len(l.out.text) > 0 {
		l.out.text = append(l.out.text, ' ')
	}
	at := len(l.out.text)
	l.out.text = append(l.out.text, w...)
	if !lower {
		for i := at; i < len(l.out.text); i++ {
			if c := l.out.text[i]; c >= 'A' && c <= 'Z' {
				l.out.text[i] = c + 0x20
			}
		}
	}
	l.prev, l.word = prevWord, ""
	switch string(l.out.text[at:]) { // no allocation: compared, not kept
	case "in":
		l.word = "in"
	case "array":
		l.word = "array"
	case "values":
		l.inValues, l.rowDepth, l.rowText = l.fold, 0, l.rowText[:0]
	case "on", "returning", "union", "order", "limit", "as":
		if l.rowDepth == 0 {
			l.inValues = false
		}
		l.out.weight++
	case "select", "not", "case", "join", "except", "intersect", "collate", "at", "is", "isnull", "notnull", "between", "like":
		l.out.weight++
	}
}

func (l *lexer) open(c byte) {
	in := c == '(' && l.prev == prevWord && l.word == "in" || c == '[' && l.prev == prevWord && l.word == "array"
	l.pos++
	if l.list == listMore { // int[] or varchar(3) in the cast of a folded item
		if n := strings.IndexAny(l.sql[l.pos:], ")]"); n >= 0 && n < 16 {
			l.pos += n + 1
			return
		}
	}
	if l.inValues && c == '(' {
		if l.rowDepth == 0 {
			if len(l.rowText) > 0 {
				// A later row: read it as if it were the first.
				l.folded = true
				l.rowMark = len(l.out.text)
				l.out.slots = l.rowSlot
			} else {
				l.rowSlot = l.out.slots
			}
			l.rowStart = len(l.out.text)
		}
		l.rowDepth++
	}
	l.paren++
	l.out.depth = max(l.out.depth, l.paren)
	if c == '[' {
		l.out.weight++
		l.emit("[", prevOther)
	} else {
		l.emit("(", prevOther)
	}
	if in {
		l.list = listOpened
	}
}

func (l *lexer) close(c byte) bool {
	l.pos++
	l.list = listNone
	l.paren = max(0, l.paren-1)
	if c == ']' {
		l.emit("]", prevClose)
	} else {
		l.emit(")", prevClose)
	}
	if !l.inValues || c != ')' || l.rowDepth == 0 {
		return true
	}
	l.rowDepth--
	if l.rowDepth > 0 {
		return true
	}
	row := l.out.text[l.rowStart:]
	if len(l.rowText) == 0 {
		l.rowText = append(l.rowText, row...)
		return true
	}
	if string(row) != string(l.rowText) {
		return false
	}
	// Drop the row and the comma before it.
	l.out.text = l.out.text[:l.rowMark-len(" ,")]
	return true
}

func (l *lexer) comma() {
	l.pos++
	switch l.list {
	case listFirst, listMore:
		l.list = listComma
		l.prev, l.word = prevOther, ""
	default:
		l.emit(",", prevOther)
	}
}

func (l *lexer) operator() {
	s := l.sql
	if s[l.pos] == ':' {
		n := 1
		if l.pos+1 < len(s) && (s[l.pos+1] == ':' || s[l.pos+1] == '=') {
			n = 2
		}
		l.pos += n
		if l.list != listMore && l.list != listFirst {
			l.out.weight++
		}
		l.emit(s[l.pos-n:l.pos], prevOther)
		return
	}
	start := l.pos
	i := start
	special := false
	for i < len(s) && isOperator(s[i]) {
		if i > start && (strings.HasPrefix(s[i:], "--") || strings.HasPrefix(s[i:], "/*")) {
			break
		}
		switch s[i] {
		case '~', '!', '@', '#', '%', '^', '&', '|', '`', '?':
			special = true
		}
		i++
	}
	if !special { // an operator ends in + or - only when it holds a special character
		for i > start+1 && (s[i-1] == '+' || s[i-1] == '-') {
			i--
		}
	}
	if i == start+1 && s[start] == '-' && i < len(s) && s[i] >= '0' && s[i] <= '9' && l.prev == prevOther {
		l.pos = i
		l.number(start)
		return
	}
	l.pos = i
	l.out.weight++
	if l.list == listFirst || l.list == listMore {
		// Not a list of literals after all, as far as this item goes: what was
		// folded stays folded, the rest is written.
		l.list = listNone
	}
	l.emit(s[start:i], prevOther)
}
