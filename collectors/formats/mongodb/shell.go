package mongodb

import (
	"encoding/json"
	"strings"
)

// maxNest bounds how deep a document may be nested.
const maxNest = 100

// document reads a document as the servers before 4.4 print it, and as carriers spoil
// JSON: keys without quotes, single quotes, ObjectId('...'), new Date(...), and the like.
// It returns JSON and how many bytes of text it took. A document that is cut off is
// closed where it ends, and marked by a key "$truncated".
func document(text string) (doc string, n int, ok bool) {
	p := &shell{text: text}
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != '{' {
		return "", 0, false
	}
	p.value(0)
	return p.out.String(), p.at, true
}

type shell struct {
	text string
	at   int
	out  strings.Builder
	// cut says that the text ended, or made no sense, within a value.
	cut bool
}

func (p *shell) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\n' || p.text[p.at] == '\r') {
		p.at++
	}
}

func (p *shell) peek() byte {
	p.space()
	if p.at >= len(p.text) {
		p.cut = true
		return 0
	}
	return p.text[p.at]
}

// value copies one value.
func (p *shell) value(depth int) {
	if depth > maxNest {
		p.cut = true
	}
	if p.cut {
		p.out.WriteString("null")
		return
	}
	switch c := p.peek(); c {
	case '{':
		p.object(depth)
	case '[':
		p.array(depth)
	case '"', '\'':
		p.write(p.quoted(c))
	case '/':
		p.regex()
	case 0:
		p.out.WriteString("null")
	default:
		p.word()
	}
}

func (p *shell) object(depth int) {
	p.at++
	p.out.WriteByte('{')
	for first := true; ; first = false {
		if p.peek() == '}' {
			p.at++
			break
		}
		if p.cut {
			break
		}
		if !first {
			if p.text[p.at] != ',' {
				p.cut = true
				break
			}
			p.at++
			if p.peek(); p.cut {
				break
			}
			p.out.WriteByte(',')
		}
		p.write(p.key())
		p.out.WriteByte(':')
		p.value(depth + 1)
	}
	if p.cut && depth == 0 {
		if s := p.out.String(); !strings.HasSuffix(s, "{") {
			p.out.WriteByte(',')
		}
		p.out.WriteString(`"$truncated":true`)
	}
	p.out.WriteByte('}')
}

// key reads a key and its colon.
func (p *shell) key() (k string) {
	if c := p.text[p.at]; c == '"' || c == '\'' {
		k = p.quoted(c)
		if p.peek() == ':' {
			p.at++
		} else {
			p.cut = true
		}
		return k
	}
	n := strings.IndexAny(p.text[p.at:], ":,{}[]\"")
	if n <= 0 || p.text[p.at+n] != ':' {
		p.cut = true
		return "?"
	}
	k = strings.TrimSpace(p.text[p.at : p.at+n])
	p.at += n + 1
	return k
}

func (p *shell) array(depth int) {
	p.at++
	p.out.WriteByte('[')
	for first := true; ; first = false {
		if p.peek() == ']' {
			p.at++
			break
		}
		if p.cut {
			break
		}
		if !first {
			if p.text[p.at] != ',' {
				p.cut = true
				break
			}
			p.at++
			p.out.WriteByte(',')
		}
		p.value(depth + 1)
	}
	p.out.WriteByte(']')
}

// quoted reads a string that ends with the quote it began with.
func (p *shell) quoted(quote byte) string {
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == quote:
			return b.String()
		case c == '\\' && p.at < len(p.text):
			switch e := p.text[p.at]; e {
			case 'n', 'r', 't':
				b.WriteByte(' ')
			default:
				b.WriteByte(e)
			}
			p.at++
		default:
			b.WriteByte(c)
		}
	}
	p.cut = true
	return b.String()
}

func (p *shell) regex() {
	p.at++
	for p.at < len(p.text) && p.text[p.at] != '/' {
		if p.text[p.at] == '\\' {
			p.at++
		}
		p.at++
	}
	p.at = min(p.at+1, len(p.text))
	for p.at < len(p.text) && p.text[p.at] >= 'a' && p.text[p.at] <= 'z' {
		p.at++
	}
	p.out.WriteString(`{"$regex":""}`)
}

// word reads a number, a constant or a call.
func (p *shell) word() {
	n := strings.IndexAny(p.text[p.at:], ",}]( ")
	if n < 0 {
		p.cut = true
		n = len(p.text) - p.at
	}
	w := p.text[p.at : p.at+n]
	p.at += n
	if w == "new" {
		p.space()
		n = strings.IndexByte(p.text[p.at:], '(')
		if n < 0 {
			p.cut = true
			n = len(p.text) - p.at
		}
		w = p.text[p.at : p.at+n]
		p.at += n
	}
	if p.at < len(p.text) && p.text[p.at] == '(' {
		p.call(w)
		return
	}
	if w == "Timestamp" { // Timestamp 1520000000000|1
		p.space()
		if n := strings.IndexAny(p.text[p.at:], ",}] "); n > 0 {
			p.at += n
		}
		w = "null"
	}
	switch {
	case w == "true" || w == "false":
		p.out.WriteString(w)
	case json.Valid([]byte(w)): // a number: strings and braces are no words
		p.out.WriteString(w)
	default:
		p.out.WriteString("null")
		if w == "" { // nothing that stands here makes sense
			p.cut = true
		}
	}
}

// call reads Name(arguments): ids and numbers are kept, all else is null.
func (p *shell) call(name string) {
	p.at++
	var arg string
	switch c := p.peek(); c {
	case '"', '\'':
		arg = p.quoted(c)
	}
	end := strings.IndexByte(p.text[p.at:], ')')
	if end < 0 {
		p.cut = true
		end = len(p.text) - p.at
	}
	if arg == "" {
		arg = strings.TrimSpace(p.text[p.at : p.at+end])
	}
	p.at = min(p.at+end+1, len(p.text))
	switch name {
	case "ObjectId", "UUID", "ISODate":
		p.write(arg)
	case "Date", "NumberLong", "NumberInt", "NumberDecimal":
		if json.Valid([]byte(arg)) && arg != "" && arg[0] != '{' && arg[0] != '[' {
			p.out.WriteString(arg)
			return
		}
		p.out.WriteString("null")
	default:
		p.out.WriteString("null")
	}
}

func (p *shell) write(s string) {
	b, err := json.Marshal(strings.ToValidUTF8(s, ""))
	if err != nil {
		b = []byte(`""`)
	}
	p.out.Write(b)
}
