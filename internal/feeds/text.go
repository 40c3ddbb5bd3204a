package feeds

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readCSV reads a table with a header. Its values are divided by what divides the
// header most often: comma, semicolon, tab or bar.
func readCSV(name string, text []byte, t *taker) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.Comma = divider(text)
	first, err := r.Read()
	if errors.Is(err, io.EOF) {
		return &Error{Problem{File: name, Message: "the text is empty", Remedy: "write a header line at least"}}
	}
	if err != nil {
		return &Error{Problem{File: name, Line: 1, Message: "the header can't be read: " + csvReason(err)}}
	}
	header := slices.Clone(first)
	for i, column := range header {
		t.ours(column)
		if at := slices.Index(header[:i], column); at >= 0 && t.fields[strings.ToLower(strings.TrimSpace(column))] != "" {
			return &Error{Problem{File: name, Line: 1, Field: column, Message: "two columns have this name", Remedy: "rename one of them"}}
		}
	}
	var cells []cell
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var bad *csv.ParseError
			if !errors.As(err, &bad) {
				return &Error{Problem{File: name, Message: err.Error()}}
			}
			t.reading.Records++
			t.aside(Problem{Line: bad.StartLine, Column: bad.Column, Message: csvReason(err), Remedy: `put values that hold the divider into "quotes", and double quotes within them`})
			continue
		}
		line, _ := r.FieldPos(0)
		if len(row) != len(header) {
			t.reading.Records++
			t.aside(Problem{Line: line, Message: fmt.Sprintf("it has %d values, the header %d", len(row), len(header)), Remedy: `put values that hold the divider into "quotes"`})
			continue
		}
		cells = cells[:0]
		for i, value := range row {
			at, column := r.FieldPos(i)
			cells = append(cells, cell{header[i], []string{value}, at, column})
		}
		if err := t.take(cells, line); err != nil {
			return err
		}
	}
}

func csvReason(err error) string {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return bad.Err.Error()
	}
	return err.Error()
}

func divider(text []byte) rune {
	head, _, _ := bytes.Cut(text, []byte{'\n'})
	best, most := ',', bytes.Count(head, []byte{','})
	for _, c := range ";\t|" {
		if n := bytes.Count(head, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// readJSON reads an array of objects, or objects one after the other.
func readJSON(name string, text []byte, t *taker) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	lines := lineCounter{text: text}
	if start := bytes.TrimLeft(text, " \t\r\n"); len(start) > 0 && start[0] == '[' {
		if _, err := d.Token(); err != nil {
			return jsonError(name, &lines, d, err)
		}
		for d.More() {
			if err := takeJSON(name, d, &lines, t); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return jsonError(name, &lines, d, err)
		}
		return nil
	}
	for {
		err := takeJSON(name, d, &lines, t)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lineCounter turns rising offsets into lines.
type lineCounter struct {
	text     []byte
	at, line int
}

func (l *lineCounter) of(offset int64) int {
	to := min(int(offset), len(l.text))
	for to < len(l.text) && strings.IndexByte(" \t\r\n,", l.text[to]) >= 0 {
		to++
	}
	if to > l.at {
		l.line += bytes.Count(l.text[l.at:to], []byte{'\n'})
		l.at = to
	}
	return l.line + 1
}

func jsonError(name string, lines *lineCounter, d *json.Decoder, err error) error {
	return &Error{Problem{File: name, Line: lines.of(d.InputOffset()), Message: "this is no JSON: " + err.Error(), Remedy: "write an array of objects, or one object a line"}}
}

func takeJSON(name string, d *json.Decoder, lines *lineCounter, t *taker) error {
	line := lines.of(d.InputOffset())
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		var kind *json.UnmarshalTypeError
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case errors.As(err, &kind):
			t.reading.Records++
			t.aside(Problem{Line: line, Message: "it is a " + kind.Value + ", no object", Remedy: "write an object for each record"})
			return nil
		}
		return jsonError(name, lines, d, err)
	}
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	slices.Sort(names)
	var cells []cell
	for _, n := range names {
		values, err := jsonValues(fields[n])
		if err != nil {
			if t.ours(n) == "" {
				continue
			}
			t.reading.Records++
			t.aside(Problem{Line: line, Field: n, Message: err.Error(), Remedy: "write a text, a number, yes or no, or a list of them"})
			return nil
		}
		cells = append(cells, cell{n, values, line, 0})
	}
	return t.take(cells, line)
}

// jsonValues are the texts of a value; none of null.
func jsonValues(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		var all []string
		for _, e := range v {
			s, err := jsonValues(e)
			if err != nil || len(s) != 1 {
				return nil, errors.New("it is a list of lists or objects")
			}
			all = append(all, s[0])
		}
		return all, nil
	case map[string]any:
		return nil, errors.New("it is an object")
	}
	return []string{fmt.Sprint(v)}, nil
}

// maxYAML bounds a YAML text, of which the whole tree is held.
const maxYAML = 8 << 20

// maxNesting is how deep a list of records may nest.
const maxNesting = 64

// readYAML reads a list of keys with values.
func readYAML(name string, text []byte, t *taker) error {
	if len(text) > maxYAML {
		return &Error{Problem{File: name, Message: fmt.Sprintf("the text has %d bytes, at most %d are read of YAML", len(text), maxYAML), Remedy: "write it as CSV or JSON"}}
	}
	if line := nested(text); line > 0 {
		return &Error{Problem{File: name, Line: line, Message: fmt.Sprintf("nested more than %d levels deep", maxNesting)}}
	}
	file, err := parseYAML(text)
	if err != nil {
		p := Problem{File: name, Message: strings.SplitN(err.Error(), "\n", 2)[0]}
		var located yaml.Error
		if errors.As(err, &located) && located.GetToken() != nil {
			p.Line, p.Column, p.Message = located.GetToken().Position.Line, located.GetToken().Position.Column, located.GetMessage()
		}
		return &Error{p}
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.NullType {
			continue
		}
		list, ok := doc.Body.(*ast.SequenceNode)
		if !ok {
			at := doc.Body.GetToken().Position
			return &Error{Problem{File: name, Line: at.Line, Column: at.Column, Message: "a list is expected", Remedy: `begin each record with "- "`}}
		}
		for _, item := range list.Values {
			if err := takeYAML(item, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseYAML is the boundary to the foreign parser: a panic in it is an error here.
func parseYAML(text []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, errors.New("the text is not readable as YAML")
		}
	}()
	return parser.ParseBytes(text, 0)
}

// nested returns the first line that nests too deep, or 0, without understanding
// quotes, which errs on the strict side.
func nested(text []byte) int {
	depth, line := 0, 0
	for row := range bytes.Lines(text) {
		line++
		indent := len(row) - len(bytes.TrimLeft(row, " "))
		dashes := bytes.Count(row[:min(len(row), indent+4*maxNesting)], []byte("- "))
		depth = max(0, depth+bytes.Count(row, []byte{'['})+bytes.Count(row, []byte{'{'}))
		if depth > maxNesting || dashes > maxNesting || indent > 4*maxNesting {
			return line
		}
		depth = max(0, depth-bytes.Count(row, []byte{']'})-bytes.Count(row, []byte{'}'}))
	}
	return 0
}

func takeYAML(item ast.Node, t *taker) error {
	var entries []*ast.MappingValueNode
	at := item.GetToken().Position
	switch n := item.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		t.reading.Records++
		t.aside(Problem{Line: at.Line, Column: at.Column, Message: "keys with values are expected", Remedy: `write "- actor: maria" and its other keys below`})
		return nil
	}
	var cells []cell
	for i, e := range entries {
		pos := e.Key.GetToken().Position
		if i == 0 {
			at = pos
		}
		values, err := yamlValues(e.Value)
		if err != nil {
			if t.ours(e.Key.GetToken().Value) == "" {
				continue
			}
			t.reading.Records++
			t.aside(Problem{Line: pos.Line, Column: pos.Column, Field: e.Key.GetToken().Value, Message: err.Error(), Remedy: "write a value or a list of values"})
			return nil
		}
		cells = append(cells, cell{e.Key.GetToken().Value, values, pos.Line, pos.Column})
	}
	return t.take(cells, at.Line)
}

func yamlValues(n ast.Node) ([]string, error) {
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.StringNode:
		return []string{n.Value}, nil
	case *ast.LiteralNode:
		return []string{n.Value.Value}, nil
	case *ast.SequenceNode:
		var all []string
		for _, v := range n.Values {
			s, err := yamlValues(v)
			if err != nil || len(s) != 1 {
				return nil, errors.New("a list of lists is not read here")
			}
			all = append(all, s[0])
		}
		return all, nil
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return nil, errors.New("anchors, aliases and tags are not read here")
	case ast.ScalarNode:
		return []string{n.GetToken().Value}, nil
	}
	return nil, errors.New("a value is expected, not keys")
}
