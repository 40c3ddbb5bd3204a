package mysql

import "strings"

// tokenKind is what a piece of a MySQL statement is.
type tokenKind uint8

const (
	tokenEnd      tokenKind = iota
	tokenSpace              // white space
	tokenWord               // a bare word
	tokenName               // `..`
	tokenString             // '..' or ".."
	tokenNumber             // 12, 0x1F, 1e5
	tokenComment            // /* .. */, -- .., # ..
	tokenExec               // the opening of /*! .., whose text is executed
	tokenExecEnd            // its */
	tokenVariable           // @a, @@b, ?
	tokenSign               // anything else, one or more bytes
)

// lexer cuts a statement of MySQL's dialect into tokens.
type lexer struct {
	sql string
	pos int
	// exec counts the open /*! comments.
	exec int
	// open says that the text ended within a string, name or comment.
	open bool
}

func isWordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// next returns the next token.
func (l *lexer) next() (tokenKind, string) {
	s, start := l.sql, l.pos
	if start >= len(s) {
		return tokenEnd, ""
	}
	kind := tokenSign
	switch c := s[start]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		kind = tokenSpace
		for l.pos < len(s) && (s[l.pos] == ' ' || s[l.pos] >= '\t' && s[l.pos] <= '\r') {
			l.pos++
		}
	case c == '\'' || c == '"':
		kind = tokenString
		l.quoted(c, true)
	case c == '`':
		kind = tokenName
		l.quoted(c, false)
	case c == '#', c == '-' && strings.HasPrefix(s[start:], "--") && (start+2 == len(s) || s[start+2] <= ' '):
		kind = tokenComment
		if n := strings.IndexByte(s[start:], '\n'); n >= 0 {
			l.pos += n
		} else {
			l.pos = len(s)
		}
	case c == '/' && strings.HasPrefix(s[start:], "/*"):
		kind = l.comment()
	case c == '*' && l.exec > 0 && strings.HasPrefix(s[start:], "*/"):
		kind = tokenExecEnd
		l.exec--
		l.pos += 2
	case c >= '0' && c <= '9':
		kind = l.number()
	case isWordByte(c):
		kind = tokenWord
		l.word()
	case c == '@':
		kind = tokenVariable
		l.variable()
	case c == '?':
		kind = tokenVariable
		l.pos++
	default:
		l.pos++
		for _, two := range [...]string{"<=>", ":=", "&&", "||", "!=", "<>", "<=", ">=", "<<", ">>", "->>", "->"} {
			if strings.HasPrefix(s[start:], two) {
				l.pos = start + len(two)
				break
			}
		}
	}
	return kind, s[start:l.pos]
}

func (l *lexer) word() {
	for l.pos < len(l.sql) && isWordByte(l.sql[l.pos]) {
		l.pos++
	}
}

// quoted reads to the closing quote; a doubled one, and one behind a backslash where
// those escape, is part of it.
func (l *lexer) quoted(q byte, escapes bool) {
	s := l.sql
	for l.pos++; l.pos < len(s); l.pos++ {
		switch {
		case escapes && s[l.pos] == '\\':
			l.pos++
		case s[l.pos] == q:
			if l.pos+1 < len(s) && s[l.pos+1] == q {
				l.pos++
				continue
			}
			l.pos++
			return
		}
	}
	l.pos, l.open = len(s), true
}

// comment reads /* .. */, which does not nest, or the opening of /*!50000 .. and of
// MariaDB's /*M!100000 .., whose text is executed.
func (l *lexer) comment() tokenKind {
	s := l.sql
	body := strings.TrimPrefix(s[l.pos+2:], "M")
	if strings.HasPrefix(body, "!") {
		l.pos = len(s) - len(body) + 1
		for l.pos < len(s) && s[l.pos] >= '0' && s[l.pos] <= '9' {
			l.pos++
		}
		l.exec++
		return tokenExec
	}
	if n := strings.Index(s[l.pos+2:], "*/"); n >= 0 {
		l.pos += n + 4
	} else {
		l.pos, l.open = len(s), true
	}
	return tokenComment
}

// number reads a number, or a name that begins with a digit.
func (l *lexer) number() tokenKind {
	s, start := l.sql, l.pos
	letters := false
	for l.pos < len(s) {
		c := s[l.pos]
		switch {
		case c >= '0' && c <= '9' || c == '.' && !letters:
		case (c == '+' || c == '-') && s[l.pos-1]|0x20 == 'e' && !strings.HasPrefix(s[start:], "0x"):
		case isWordByte(c):
			letters = letters || c|0x20 != 'e' && c|0x20 != 'x'
		default:
			return numberKind(s[start:l.pos])
		}
		l.pos++
	}
	return numberKind(s[start:l.pos])
}

func numberKind(t string) tokenKind {
	if len(t) > 2 && t[0] == '0' && t[1]|0x20 >= 'b' { // 0x.., 0b..
		return tokenNumber
	}
	for i := 0; i < len(t); i++ {
		if c := t[i]; c > '9' && c|0x20 != 'e' {
			return tokenWord
		}
	}
	return tokenNumber
}

// variable reads @name, @'name', @@scope.name.
func (l *lexer) variable() {
	s := l.sql
	for l.pos < len(s) && s[l.pos] == '@' {
		l.pos++
	}
	if l.pos < len(s) {
		if c := s[l.pos]; c == '\'' || c == '"' || c == '`' {
			l.quoted(c, c != '`')
			return
		}
	}
	for l.pos < len(s) && (isWordByte(s[l.pos]) || s[l.pos] == '.') {
		l.pos++
	}
}

// open says that a statement's text, as far as it goes, ends within a string, a name or
// a comment between slashes.
func open(sql string) bool {
	if strings.IndexByte(sql, '\'') < 0 && strings.IndexByte(sql, '"') < 0 && strings.IndexByte(sql, '`') < 0 && !strings.Contains(sql, "/*") {
		return false
	}
	l := lexer{sql: sql}
	for {
		kind, _ := l.next()
		if kind == tokenEnd {
			return l.open
		}
	}
}
