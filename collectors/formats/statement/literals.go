package statement

import (
	"strconv"
	"strings"
)

func (l *lexer) number(start int) {
	s := l.sql
	for l.pos < len(s) {
		c := s[l.pos]
		if c >= '0' && c <= '9' || c == '.' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			l.pos++
			continue
		}
		if (c == '+' || c == '-') && s[l.pos-1]|0x20 == 'e' && l.pos > start+1 && s[start] != '0' {
			l.pos++
			continue
		}
		break
	}
	l.literal(value{kind: kindNumber, raw: s[start:l.pos]})
}

// literal gives v a slot and writes its tag.
func (l *lexer) literal(v value) {
	switch l.list {
	case listOpened:
		l.list, l.listEnd = listFirst, l.out.slots
	case listComma, listMore:
		if l.list == listComma {
			l.list = listMore
		}
		v.slot = l.listEnd
		l.out.values = append(l.out.values, v)
		return
	}
	v.slot = l.out.slots
	l.out.slots++
	l.out.values = append(l.out.values, v)
	t := l.out.text
	if len(t) > 0 {
		t = append(t, ' ')
	}
	switch v.kind {
	case kindNumber:
		t = strconv.AppendInt(t, numberTag+int64(v.slot), 10)
	case kindParam:
		t = append(t, '$')
		t = strconv.AppendInt(t, int64(v.slot)+1, 10)
	default:
		t = append(t, '\'', '#')
		t = strconv.AppendInt(t, int64(v.slot), 10)
		t = append(t, '\'')
	}
	l.out.text = t
	l.prev, l.word = prevLiteral, ""
}

// quoted reads '..' from the quote at pos.
func (l *lexer) quoted(kind valueKind) {
	s := l.sql
	i := l.pos + 1
	for {
		if kind == kindString {
			n := strings.IndexByte(s[i:], '\'')
			if n < 0 {
				i = len(s)
			} else {
				i += n
			}
		} else {
			for i < len(s) && s[i] != '\'' {
				if s[i] == '\\' {
					i++
				}
				i++
			}
		}
		if i >= len(s) {
			l.out.broken = true
			l.literal(value{kind: kind, raw: s[l.pos+1:]})
			l.pos = len(s)
			return
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i += 2
			continue
		}
		break
	}
	l.literal(value{kind: kind, raw: s[l.pos+1 : i]})
	l.pos = i + 1
	l.continued()
}

// continued skips what belongs to the literal just read: a further piece after a
// line break, or UESCAPE '!'.
func (l *lexer) continued() {
	rest := l.sql[l.pos:]
	trimmed := strings.TrimLeft(rest, " \t\r\n")
	gap := len(rest) - len(trimmed)
	if len(trimmed) > 8 && strings.EqualFold(trimmed[:7], "uescape") {
		if q := strings.IndexByte(trimmed, '\''); q > 0 && strings.TrimSpace(trimmed[7:q]) == "" && q+2 < len(trimmed) && trimmed[q+2] == '\'' {
			l.pos += gap + q + 3
		}
		return
	}
	if len(trimmed) > 0 && trimmed[0] == '\'' && strings.Contains(rest[:gap], "\n") {
		if end := strings.IndexByte(trimmed[1:], '\''); end >= 0 {
			l.pos += gap + end + 2
		}
	}
}

// identifier reads "..".
func (l *lexer) identifier() {
	s := l.sql
	i := l.pos + 1
	for {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			l.out.broken = true
			l.pos = len(s)
			return
		}
		i += n
		if i+1 < len(s) && s[i+1] == '"' {
			i += 2
			continue
		}
		break
	}
	tok := s[l.pos : i+1]
	l.pos = i + 1
	l.emit(tok, prevWord)
}

// dollar reads $1 or $tag$..$tag$.
func (l *lexer) dollar() {
	s := l.sql
	i := l.pos + 1
	if i < len(s) && s[i] >= '0' && s[i] <= '9' {
		n := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			if n < 1<<20 {
				n = n*10 + int(s[i]-'0')
			}
			i++
		}
		l.pos = i
		l.literal(value{kind: kindParam, param: int32(n)})
		return
	}
	for i < len(s) && isWordPart(s[i]) && s[i] != '$' {
		i++
	}
	if i >= len(s) || s[i] != '$' {
		l.pos++
		return
	}
	tag := s[l.pos : i+1]
	end := strings.Index(s[i+1:], tag)
	if end < 0 {
		l.out.broken = true
		l.literal(value{kind: kindDollar, raw: s[i+1:]})
		l.pos = len(s)
		return
	}
	l.literal(value{kind: kindDollar, raw: s[i+1 : i+1+end]})
	l.pos = i + 1 + end + len(tag)
}

func (l *lexer) lineComment() {
	n := strings.IndexByte(l.sql[l.pos:], '\n')
	if n < 0 {
		n = len(l.sql) - l.pos
	}
	l.comment(l.sql[l.pos+2 : l.pos+n])
	l.pos += n
}

// blockComment reads /* .. */, which nests.
func (l *lexer) blockComment() {
	s := l.sql
	depth, i := 1, l.pos+2
	for i < len(s) && depth > 0 {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i += 2
		default:
			i++
		}
	}
	if depth > 0 {
		l.out.broken = true
	} else {
		l.comment(s[l.pos+2 : i-2])
	}
	l.pos = i
}

// maxComments bounds the comments that are kept for reading.
const maxComments = 4

func (l *lexer) comment(text string) {
	if len(l.out.comments) < maxComments && len(text) <= 4096 {
		l.out.comments = append(l.out.comments, text)
	}
}
