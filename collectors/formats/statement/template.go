package statement

import (
	"strconv"
	"strings"

	"vigil"
)

// column is a column as the statement names it. table is "schema.table" or
// "table", lower case; empty for a named argument.
type column struct{ table, name string }

// use is a slot that is compared with, or written to, a column.
type use struct {
	slot int
	// columns are the candidates: an unqualified column may belong to any table
	// in scope, and the mapping decides.
	columns []column
	// array says that a string value is an array literal.
	array bool
	// alternative says that the access is not confined to the value: it stands
	// under an OR.
	alternative bool
}

// part is what one top-level statement does, literals apart. It is shared and
// never changed once made.
type part struct {
	command string // "SELECT", "COPY", ...
	action  vigil.Action
	tables  []string // qualified as written, in order of appearance
	target  string   // the table that a statement fills from others
	// copies says that rows of the other tables flow into target.
	copies bool
	// unbounded are the tables read without any predicate.
	unbounded []string
	uses      []use
	limit     int // slot, or -1
	fields    []string
	// resource names what is no table: a role, a setting, a function.
	resource    string
	destination string
	shape       string
	lexical     bool

	prepares string // PREPARE's name
	executes string // EXECUTE's name
	args     []int  // EXECUTE's slots
}

// maxNames bounds the tables and fields that a part names.
const maxNames = 200

func (p *part) addTable(name string) {
	if name == "" || len(p.tables) >= maxNames {
		return
	}
	for _, t := range p.tables {
		if t == name {
			return
		}
	}
	p.tables = append(p.tables, name)
}

func (p *part) addField(name string) {
	if name == "" || len(p.fields) >= maxNames {
		return
	}
	for _, f := range p.fields {
		if f == name {
			return
		}
	}
	p.fields = append(p.fields, name)
}

// bare strips the schema of a qualified name.
func bare(table string) string {
	if i := strings.LastIndexByte(table, '.'); i >= 0 {
		return table[i+1:]
	}
	return table
}

// slotOfNumber and slotOfString read a tag back; ok is false for a literal that
// is the grammar's own.
func slotOfNumber(n int64) (int, bool) {
	if n < 0 {
		n = -n
	}
	if n < numberTag {
		return 0, false
	}
	return int(n - numberTag), true
}

func slotOfString(s string) (int, bool) {
	rest, ok := strings.CutPrefix(s, stringTag)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil && n >= 0
}

// anonymous is the normalised text with every tag replaced by "?" and simple
// identifiers unquoted: what the shape is the hash of, so that it does not change
// with the driver's habits.
func anonymous(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for tok := range strings.SplitSeq(text, " ") {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		switch {
		case tok == "":
		case strings.HasPrefix(tok, "'"+stringTag), tok[0] == '$':
			b.WriteByte('?')
		case tok[0] >= '0' && tok[0] <= '9':
			b.WriteByte('?')
		case tok[0] == '"' && len(tok) > 2 && simple(tok[1:len(tok)-1]):
			b.WriteString(tok[1 : len(tok)-1])
		default:
			b.WriteString(tok)
		}
	}
	return strings.TrimRight(b.String(), "; ")
}

func simple(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c == '_' || i > 0 && c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}
