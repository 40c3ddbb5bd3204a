package yaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file: its bytes, and its depth. Deeper nesting than a
// configuration needs is refused before the parser, which recurses, sees it.
const (
	MaxFile  = 1 << 20
	maxDepth = 32
)

// Document is a file that was read into a value: what is wrong with it, and where
// its fields stand. It is strict by construction: each key must be a field.
type Document struct {
	// Problems are what was found wrong so far, in the order in which it was found.
	Problems []Problem

	file   string
	text   string
	places map[string]place
}

// place is where a field and its value stand; value is nil for an empty one.
type place struct{ field, value *token.Token }

// Decode reads text, the file's content, into what into points to: structs, whose
// fields have a yaml tag each, maps from strings, slices, strings, numbers and
// booleans, and whatever reads itself from text. Keys that are absent leave what
// into holds. Of a text with problems into holds what could be read.
func Decode(file string, text []byte, into any) *Document {
	d := &Document{file: file, text: string(text), places: map[string]place{}}
	if len(text) > MaxFile {
		d.add("", nil, fmt.Sprintf("the file has %d bytes, at most %d are read", len(text), MaxFile), "")
		return d
	}
	if line := tooDeep(text); line > 0 {
		d.Problems = append(d.Problems, Problem{File: d.file, Line: line, Column: 1,
			Message: fmt.Sprintf("nested more than %d levels deep", maxDepth)})
		return d
	}
	tree, err := parse(text)
	if err != nil {
		d.syntax(err)
		return d
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			d.add("", doc.Body.GetToken(), "a second document", "keep one document in the file")
			return d
		}
		body = doc.Body
	}
	if body != nil {
		d.value("", body, reflect.ValueOf(into).Elem())
	}
	return d
}

// Short is a struct that may be written as one scalar.
type Short interface{ SetShort(text string) }

// Whole reports whether the file as a whole could be read as YAML.
func (d *Document) Whole() bool {
	return !slices.ContainsFunc(d.Problems, func(p Problem) bool { return p.Field == "" })
}

// Bad reports whether a field has a problem already.
func (d *Document) Bad(field string) bool {
	return slices.ContainsFunc(d.Problems, func(p Problem) bool { return p.Field == field })
}

// At reports a problem of a field. Where the field itself does not stand in the
// file, the nearest one around it gives the line.
func (d *Document) At(field, message, remedy string) {
	for at := field; at != ""; {
		if p, ok := d.places[at]; ok {
			d.add(field, p.field, message, remedy)
			return
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	d.add(field, nil, message, remedy)
}

// Within reports a problem inside the text of a field: at the rune that the value
// has at offset.
func (d *Document) Within(field, value string, offset int, message, remedy string) {
	p, ok := d.places[field]
	if !ok || p.value == nil {
		d.At(field, message, remedy)
		return
	}
	line, column := locate(d.text, p.value.Position, value, offset)
	d.Problems = append(d.Problems, Problem{File: d.file, Line: line, Column: column, Field: field, Message: message, Remedy: remedy})
}

// Sorted returns the problems in the file's order.
func (d *Document) Sorted() []Problem {
	slices.SortStableFunc(d.Problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return d.Problems
}

// parse is the boundary to the foreign parser: a panic in it is an error here.
func parse(text []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, errors.New("the file is not readable as YAML")
		}
	}()
	return parser.ParseBytes(text, 0)
}

// tooDeep returns the first line that nests too deep, or 0. It counts brackets
// and list dashes without understanding quotes, which errs on the strict side.
func tooDeep(text []byte) int {
	depth, line := 0, 0
	for row := range strings.Lines(string(text)) {
		line++
		indent := len(row) - len(strings.TrimLeft(row, " "))
		dashes := 0
		for rest := row[indent:]; strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "? "); {
			rest = strings.TrimLeft(rest[2:], " ")
			dashes++
		}
		depth = max(0, depth+strings.Count(row, "[")+strings.Count(row, "{"))
		if indent/2+dashes+depth > maxDepth*2 || depth > maxDepth || dashes > maxDepth {
			return line
		}
		depth = max(0, depth-strings.Count(row, "]")-strings.Count(row, "}"))
	}
	return 0
}

func (d *Document) syntax(err error) {
	var located yaml.Error
	if errors.As(err, &located) {
		remedy := ""
		if strings.Contains(located.GetMessage(), "tab") {
			remedy = "indent with spaces"
		}
		d.add("", located.GetToken(), located.GetMessage(), remedy)
		return
	}
	d.add("", nil, strings.SplitN(err.Error(), "\n", 2)[0], "")
}

func (d *Document) add(path string, at *token.Token, message, remedy string) {
	p := Problem{File: d.file, Field: path, Message: message, Remedy: remedy}
	if at != nil && at.Position != nil {
		p.Line, p.Column = at.Position.Line, at.Position.Column
	}
	d.Problems = append(d.Problems, p)
}

// value reads node into v, which is settable.
func (d *Document) value(path string, node ast.Node, v reflect.Value) {
	switch node.Type() {
	case ast.NullType:
		return // a key without a value keeps its default
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
		d.add(path, node.GetToken(), "anchors, aliases and tags are not read here", "write the value out")
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if s, ok := v.Addr().Interface().(Short); ok {
		if _, scalar := node.(ast.ScalarNode); scalar {
			if text, ok := d.scalar(path, node); ok {
				s.SetShort(text)
			}
			return
		}
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := d.scalar(path, node); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				d.add(path, node.GetToken(), err.Error(), "")
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(path, node, v)
	case reflect.Map:
		d.mapping(path, node, v)
	case reflect.Slice:
		d.list(path, node, v)
	case reflect.String:
		if text, ok := d.scalar(path, node); ok {
			v.SetString(text)
		}
	default:
		d.plain(path, node, v)
	}
}

// plain reads booleans and numbers.
func (d *Document) plain(path string, node ast.Node, v reflect.Value) {
	text, ok := d.scalar(path, node)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil || node.Type() != ast.BoolType {
			d.add(path, node.GetToken(), fmt.Sprintf("%q is neither true nor false", text), "write true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.add(path, node.GetToken(), fmt.Sprintf("%q is no whole number", text), "")
			return
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != f || f > 1e300 || f < -1e300 {
			d.add(path, node.GetToken(), fmt.Sprintf("%q is no number", text), "")
			return
		}
		v.SetFloat(f)
	}
}

func (d *Document) structure(path string, node ast.Node, v reflect.Value) {
	values, ok := d.entries(path, node)
	if !ok {
		return
	}
	names := fieldNames(v.Type())
	for _, entry := range values {
		key, ok := d.key(path, entry)
		if !ok {
			continue
		}
		field := join(path, key)
		index := slices.Index(names, key)
		if index < 0 {
			remedy := "the keys here are " + strings.Join(names, ", ")
			if near := Nearest(key, names); near != "" {
				remedy = fmt.Sprintf("did you mean %q?", near)
			}
			d.add(field, entry.Key.GetToken(), "unknown key", remedy)
			continue
		}
		d.places[field] = place{entry.Key.GetToken(), textToken(entry.Value)}
		d.value(field, entry.Value, v.Field(index))
	}
}

func (d *Document) mapping(path string, node ast.Node, v reflect.Value) {
	values, ok := d.entries(path, node)
	if !ok {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, entry := range values {
		key, ok := d.key(path, entry)
		if !ok {
			continue
		}
		field := join(path, key)
		d.places[field] = place{entry.Key.GetToken(), textToken(entry.Value)}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(field, entry.Value, element)
		v.SetMapIndex(reflect.ValueOf(key), element)
	}
}

func (d *Document) list(path string, node ast.Node, v reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		if v.Type().Elem().Kind() == reflect.String {
			// One string where a list is meant is a list of one.
			element := reflect.New(v.Type().Elem()).Elem()
			d.value(path, node, element)
			v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), element))
			return
		}
		d.add(path, node.GetToken(), "a list is expected", `begin each entry with "- "`)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values))
	for i, item := range sequence.Values {
		field := fmt.Sprintf("%s[%d]", path, i)
		d.places[field] = place{firstToken(item), textToken(item)}
		d.value(field, item, out.Index(i))
	}
	v.Set(out)
}

// firstToken is where a node begins; a mapping's own token is its first colon.
func firstToken(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

// textToken is where a value's text begins, nil for what is no text.
func textToken(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.GetToken()
	case *ast.LiteralNode:
		return n.GetToken() // the bar: the lines follow it
	}
	return nil
}

// entries returns the key-value pairs of a mapping.
func (d *Document) entries(path string, node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	d.add(path, node.GetToken(), "keys with values are expected here", `write "key: value" lines`)
	return nil, false
}

func (d *Document) key(path string, entry *ast.MappingValueNode) (string, bool) {
	switch k := entry.Key.(type) {
	case *ast.MergeKeyNode:
		d.add(path, k.GetToken(), "anchors, aliases and tags are not read here", "write the value out")
	case ast.ScalarNode:
		return k.GetToken().Value, true
	default:
		d.add(path, entry.Key.GetToken(), "a key must be a plain word", "")
	}
	return "", false
}

// scalar returns a scalar's text as it is written.
func (d *Document) scalar(path string, node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	d.add(path, node.GetToken(), "a single value is expected here", "")
	return "", false
}

// fieldNames lists a struct's keys in the order of its fields.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
