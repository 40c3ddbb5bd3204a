package record

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
)

// maxColumns bounds the columns of a table.
const maxColumns = 1024

// table reads comma-separated values (Shafranovich, RFC 4180, 2005) below a line of
// column names: each row becomes a JSON object of strings. Values may be quoted, and
// then hold line ends; separators are commas, semicolons or tabs, whichever the column
// names have. The names hold until others come, as where files were put one behind
// another. The zero value is ready.
type table struct {
	columns []string
	sep     byte
	// buf holds the row in hand, from is where it starts.
	buf  []byte
	from formats.Line
	// inLine says that the line in hand goes on in the next piece; open, that a row has
	// begun and not ended.
	inLine, open bool
	at           place
}

// place is where in a row a byte stands.
type place byte

const (
	atStart  place = iota // of a value
	inPlain               // a value without quotes
	inQuotes              // a value in quotes
	atQuote               // behind a quote in one: its end, or the first of two
	atBroken              // behind text that follows an end quote
)

// after is the place behind one byte more.
func (p place) after(c, sep byte) place {
	switch {
	case p == inQuotes && c != '"':
		return inQuotes
	case p == inQuotes:
		return atQuote
	case p == atQuote && c == '"':
		return inQuotes
	case p == atBroken:
		return atBroken
	case c == sep:
		return atStart
	case p == atStart && c == '"':
		return inQuotes
	case p == atQuote && c != '\r':
		return atBroken
	case p == atQuote:
		return atQuote
	}
	return inPlain
}

// header takes a line for column names if spec says that they are its own, and reports
// whether it did.
func (t *table) header(spec *Spec, text []byte) bool {
	if spec.CSV == nil || len(text) > 1<<16 {
		return false
	}
	columns, sep := names(spec, text)
	if columns == nil {
		return false
	}
	t.columns, t.sep = columns, sep
	return true
}

// names reads a line of column names; nil for none of this format.
func names(spec *Spec, text []byte) (columns []string, sep byte) {
	text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte{'\r'})
	for _, sep := range []byte{',', ';', '\t'} {
		if n := bytes.Count(text, []byte{sep}); n == 0 || n >= maxColumns {
			continue
		}
		if columns, ok := values(text, sep, maxColumns); ok && columnNames(spec, columns) >= IsRecord {
			return columns, sep
		}
	}
	return nil, 0
}

// columnNames says how sure the format is of these names. Few rows of values get as far
// as to be asked for: they hold what no name does.
func columnNames(spec *Spec, columns []string) float64 {
	for i, c := range columns {
		if columns[i] = strings.TrimSpace(c); columns[i] == "" || !utf8.ValidString(c) || len(c) > 128 || strings.ContainsAny(c, ":/\\\"'{}<>=,;@\r\n") {
			return 0
		}
	}
	return spec.CSV(columns)
}

// feed takes the next line, or piece of one. Rows go to take, errors to fail.
func (t *table) feed(spec *Spec, line formats.Line, take func(gjson.Result, frame), fail func(error)) {
	if !t.open {
		if !line.More && len(bytes.TrimSpace(line.Text)) == 0 {
			return
		}
		t.open, t.at = true, atStart
		t.buf, t.from = t.buf[:0], formats.Line{Offset: line.Offset, Number: line.Number}
	} else if !t.inLine {
		t.keep([]byte{'\n'})
	}
	t.keep(line.Text)
	if t.inLine = line.More; line.More {
		return
	}
	if len(t.buf) > MaxRecord {
		fail(errLarge(t.from))
	} else if t.at == inQuotes {
		return // the row goes on in the next line
	} else if err := t.row(spec, take); err != nil {
		fail(err)
	}
	t.reset()
}

// row gives out the row in hand.
func (t *table) row(spec *Spec, take func(gjson.Result, frame)) error {
	row, ok := values(t.buf, t.sep, max(len(t.columns), 256)+1)
	names := slices.Clone(row)
	switch {
	case !ok:
		return &formats.Error{Code: "csv", Reason: "the row can't be read: there is text behind an end quote", Line: t.from}
	case columnNames(spec, names) >= IsRecord:
		t.columns = names
	case len(row) != len(t.columns):
		return &formats.Error{Code: "csv", Reason: "the row has another number of values than there are column names", Line: t.from}
	default:
		take(object(t.columns, row), frame{text: t.buf, from: t.from})
	}
	return nil
}

// flush ends the stream.
func (t *table) flush(spec *Spec, take func(gjson.Result, frame)) error {
	if !t.open {
		return nil
	}
	defer t.reset()
	if t.at == inQuotes {
		return &formats.Error{Code: "csv", Reason: "the row ends within quotes: it is cut off", Line: t.from}
	}
	return t.row(spec, take)
}

// keep adds to the row in hand.
func (t *table) keep(part []byte) {
	for _, c := range part {
		t.at = t.at.after(c, t.sep)
	}
	if len(t.buf) <= MaxRecord {
		t.buf = append(t.buf, part...)
	}
}

func (t *table) reset() {
	t.inLine, t.open = false, false
	if t.buf = t.buf[:0]; cap(t.buf) > MaxRecord/4 {
		t.buf = nil
	}
}

// values cuts a row into its values, at most so many. ok is false where a quote ends and
// text follows, or does not end.
func values(row []byte, sep byte, most int) (out []string, ok bool) {
	row = bytes.TrimSuffix(row, []byte{'\r'})
	at := atStart
	var value []byte
	for _, c := range row {
		next := at.after(c, sep)
		switch {
		case next == atStart:
			if out, value = append(out, string(value)), value[:0]; len(out) >= most {
				return out, true
			}
		case next == inQuotes && at == atStart, next == atQuote: // the quotes themselves
		case next == atBroken:
			return nil, false
		default: // of two quotes within quotes the second stands for both
			value = append(value, c)
		}
		at = next
	}
	return append(out, string(value)), at != inQuotes
}

// object is a row as JSON.
func object(columns, row []string) gjson.Result {
	size := 2
	for i, c := range columns {
		size += len(c) + len(row[i]) + len(row[i])/8 + 8
	}
	b := append(make([]byte, 0, size), '{')
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = gjson.AppendJSONString(b, c)
		b = append(b, ':')
		b = gjson.AppendJSONString(b, row[i])
	}
	return gjson.ParseBytes(append(b, '}'))
}

// Columns is a row of a table with these column names, as JSON without values: for
// formats that know their tables by the keys by which they know their JSON.
func Columns(names []string) gjson.Result {
	return object(names, make([]string, len(names)))
}
