package record

import (
	"bytes"

	"vigil/collectors/formats"
)

// The bounds of one record.
const (
	MaxRecord = 1 << 20
	// MaxDepth is how deep its JSON may be nested.
	MaxDepth = 128
)

// frame is a piece of the stream that stands alone: a JSON value or a line of text.
type frame struct {
	text []byte // valid during the call only
	from formats.Line
	// element says that it was taken out of an array of a document that is too large
	// to be held as a whole.
	element bool
}

// framer cuts a stream of lines into frames. The zero value is ready.
type framer struct {
	buf []byte
	// from is where buf starts.
	from formats.Line
	// depth and what follows are the state within a JSON value: how deep, whether
	// within a string and behind a backslash there, and the last byte that is no space.
	depth           int
	quoted, escaped bool
	last            byte
	// base is the depth at which elements of a document that is too large begin; zero
	// where the document is held whole. outer are the bases around it, of elements that
	// were too large themselves.
	base  int
	outer []int
	// skip drops the value in hand: it is too large or nested too deep, and was told.
	skip bool
	// inLine says that a line of text, not JSON, goes on.
	inLine bool
}

// open reports whether a frame has begun and not ended, and where.
func (f *framer) open() (formats.Line, bool) { return f.from, f.depth > 0 || len(f.buf) > 0 }

var (
	errCut = func(from formats.Line) error {
		return &formats.Error{Code: "json", Reason: "the JSON ends too early: the record is cut off", Line: from}
	}
	errLarge = func(from formats.Line) error {
		return &formats.Error{Code: "too-long", Reason: "the record has more than 1 MiB", Line: from}
	}
	errDeep = func(from formats.Line) error {
		return &formats.Error{Code: "json", Reason: "the JSON is nested more than 128 levels deep", Line: from}
	}
	errRest = func(from formats.Line) error {
		return &formats.Error{Code: "json", Reason: "there is text behind the JSON", Line: from}
	}
)

// feed takes the next line, or the next piece of one, and gives out the frames that
// end in it. Errors of take and of the framing go to fail.
func (f *framer) feed(line formats.Line, take func(frame), fail func(error)) {
	text := line.Text
	if f.depth == 0 {
		if f.inLine || !startsJSON(text) {
			f.text(line, take, fail)
			return
		}
	} else if f.broken(text) {
		fail(errCut(f.from))
		f.reset()
		if !startsJSON(text) {
			f.text(line, take, fail)
			return
		}
	}
	at := 0
	for at < len(text) {
		if f.depth == 0 && !f.quoted {
			// Between values: space, and commas where somebody cut an array into lines.
			rest := bytes.TrimLeft(text[at:], " \t\r\n,")
			if len(rest) == 0 {
				break
			}
			at = len(text) - len(rest)
			if rest[0] != '{' && rest[0] != '[' {
				fail(errRest(formats.Line{Text: nil, Offset: line.Offset, Number: line.Number}))
				break
			}
			f.begin(line, at)
		}
		at += f.value(text[at:], formats.Line{Offset: line.Offset + int64(at), Number: line.Number}, take, fail)
	}
	if f.depth == 0 || line.More {
		return
	}
	if f.quoted { // no JSON string holds a line end
		if !f.skip {
			fail(errCut(f.from))
		}
		f.reset()
		return
	}
	f.keep([]byte{'\n'})
}

// begin notes where a value starts.
func (f *framer) begin(line formats.Line, at int) {
	f.buf = f.buf[:0]
	f.from = formats.Line{Offset: line.Offset + int64(at), Number: line.Number}
}

func (f *framer) reset() {
	*f = framer{buf: f.buf[:0]}
	if cap(f.buf) > MaxRecord/4 {
		f.buf = nil
	}
}

// text takes a line that is no JSON.
func (f *framer) text(line formats.Line, take func(frame), fail func(error)) {
	if !f.inLine {
		if !line.More {
			if t := bytes.TrimSpace(line.Text); len(t) > 0 {
				take(frame{text: line.Text, from: line})
			}
			return
		}
		f.inLine = true
		f.begin(line, 0)
	}
	if f.buf = append(f.buf, line.Text...); len(f.buf) > MaxRecord && !f.skip {
		fail(errLarge(f.from))
		f.skip, f.buf = true, nil
	}
	if f.skip {
		f.buf = nil
	}
	if line.More {
		return
	}
	if !f.skip {
		take(frame{text: f.buf, from: f.from})
	}
	f.reset()
}

// broken says that a line begins a new object though the one in hand has not ended:
// its writer was cut off.
func (f *framer) broken(text []byte) bool {
	if len(text) < 2 || text[0] != '{' || text[1] != '"' {
		return false
	}
	switch f.last {
	case ',', '[', ':', '{':
		return false
	}
	return true
}

// startsJSON says that a line looks like the start of JSON rather than like text that
// begins with a bracket.
func startsJSON(text []byte) bool {
	t := bytes.TrimLeft(text, " \t\r")
	if len(t) == 0 || t[0] != '{' && t[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(t[1:], " \t\r\n")
	if len(rest) == 0 {
		return true
	}
	if t[0] == '{' {
		return rest[0] == '"' || rest[0] == '}'
	}
	return rest[0] == '{' || rest[0] == ']' || rest[0] == '['
}

// value goes on with the value in hand and returns how much of text it took. where is
// the place of text's first byte.
func (f *framer) value(text []byte, where formats.Line, take func(frame), fail func(error)) int {
	start := 0 // of what is not in buf yet
	for i := 0; i < len(text); i++ {
		c := text[i]
		if f.quoted {
			switch {
			case f.escaped:
				f.escaped = false
			case c == '\\':
				f.escaped = true
			case c == '"':
				f.quoted, f.last = false, '"'
			}
			continue
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			f.quoted = true
		case '{', '[':
			f.depth++
			if f.base > 0 && f.depth == f.base+1 { // an element begins
				f.buf, f.skip = f.buf[:0], false
				f.from = formats.Line{Offset: where.Offset + int64(i), Number: where.Number + int64(bytes.Count(text[:i], []byte{'\n'}))}
				start = i
			}
			if f.depth > MaxDepth && !f.skip {
				fail(errDeep(f.from))
				f.skip = true
			}
		case '}', ']':
			f.depth--
			switch {
			case f.depth <= 0:
				f.end(text[start:i+1], take, fail)
				return i + 1
			case f.base == 0:
			case f.depth == f.base:
				f.keep(text[start : i+1])
				f.give(true, take, fail)
				start = i + 1
			case f.depth < f.base: // the rest of what holds the elements is not wanted
				f.base, f.skip = 0, true
				if n := len(f.outer); n > 0 {
					f.base, f.outer = f.outer[n-1], f.outer[:n-1]
				}
			}
		}
		f.last = c
	}
	f.keep(text[start:])
	if len(f.buf) > MaxRecord {
		f.large(take, fail)
	}
	return len(text)
}

// end gives out a value that ends with part.
func (f *framer) end(part []byte, take func(frame), fail func(error)) {
	f.keep(part)
	f.give(false, take, fail)
	f.reset()
}

// give gives out what is in hand.
func (f *framer) give(element bool, take func(frame), fail func(error)) {
	switch {
	case f.skip:
	case len(f.buf) <= MaxRecord:
		take(frame{text: f.buf, from: f.from, element: element})
	case element:
		fail(errLarge(f.from))
	default:
		f.large(take, fail)
	}
	f.buf = f.buf[:0]
}

// keep adds a part to the frame in hand.
func (f *framer) keep(part []byte) {
	if !f.skip && (f.base == 0 || f.depth >= f.base) && len(f.buf) <= MaxRecord {
		f.buf = append(f.buf, part...)
	}
}

// large gives up to hold the value in hand: if it grew too large within an array of
// objects, those are frames from now on.
func (f *framer) large(take func(frame), fail func(error)) {
	doc, from, depth, quoted, escaped := f.buf, f.from, f.depth, f.quoted, f.escaped
	at, base := openArray(doc)
	if at < 0 {
		fail(errLarge(from))
		f.skip, f.buf = true, f.buf[:0]
		return
	}
	if f.base > 0 {
		f.outer = append(f.outer, f.base)
		base += f.base
	}
	f.buf, f.base, f.depth, f.quoted, f.escaped = nil, base, base, false, false
	rest := doc[at+1:]
	n := f.value(rest, formats.Line{Offset: from.Offset + int64(at+1), Number: from.Number + int64(bytes.Count(doc[:at], []byte{'\n'}))}, take, fail)
	if n == len(rest) && depth > 0 {
		// The state is what it was: the same bytes went by.
		f.depth, f.quoted, f.escaped = depth, quoted, escaped
	}
}

// openArray finds the outermost array of objects that a piece of JSON ends within: where
// its bracket is, and the depth within it; -1 for none.
func openArray(doc []byte) (at, depth int) {
	open := make([]int, 0, MaxDepth) // where arrays of objects begin, -1 for what else is open
	quoted := false
	for i := 0; i < len(doc); i++ {
		c := doc[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			open = append(open, -1)
		case c == '[':
			begins := -1
			if rest := bytes.TrimLeft(doc[i+1:], " \t\r\n"); len(rest) > 0 && rest[0] == '{' {
				begins = i
			}
			open = append(open, begins)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	for d, begins := range open {
		if begins >= 0 {
			return begins, d + 1
		}
	}
	return -1, 0
}
