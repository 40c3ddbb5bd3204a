package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/internal/config"
)

var update = flag.Bool("update", false, "write the generated files anew")

// object is a JSON object.
type object = map[string]any

// generator makes a schema of types and their comments.
type generator struct {
	comments map[string]string // "Type" or "Type.Field"
	defs     object
}

func newGenerator(t *testing.T) *generator {
	t.Helper()
	g := &generator{comments: map[string]string{}, defs: object{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range gen.Specs {
				if typ, ok := spec.(*ast.TypeSpec); ok {
					g.comment(typ, gen)
				}
			}
		}
	}
	return g
}

func (g *generator) comment(typ *ast.TypeSpec, gen *ast.GenDecl) {
	doc := typ.Doc
	if doc == nil {
		doc = gen.Doc
	}
	g.comments[typ.Name.Name] = oneLine(doc.Text())
	s, ok := typ.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			g.comments[typ.Name.Name+"."+name.Name] = oneLine(field.Doc.Text())
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// of makes the schema of a type.
func (g *generator) of(typ reflect.Type) object {
	switch typ {
	case reflect.TypeFor[config.Secret]():
		return object{"type": "string", "description": "env:NAME, file:/path, or the value itself"}
	case reflect.TypeFor[config.Duration]():
		return object{"type": []string{"string", "integer"}, "examples": []string{"30d", "12h", "90m"}}
	case reflect.TypeFor[config.Size]():
		return object{"type": []string{"string", "integer"}, "examples": []string{"64MB", "10GB"}}
	case reflect.TypeFor[vigil.ActorKind]():
		return object{"enum": []string{"human", "service", "bot", "vendor", "admin", "anonymous"}}
	case reflect.TypeFor[vigil.FactKind]():
		return object{"enum": vigil.FactKinds()}
	case reflect.TypeFor[formats.Meaning]():
		return object{"enum": []string{"subject", "conversation", "tenant", "ticket", "limit"}}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return g.of(typ.Elem())
	case reflect.Struct:
		if _, known := g.defs[typ.Name()]; !known {
			g.defs[typ.Name()] = object{} // a type may hold itself
			g.defs[typ.Name()] = g.structure(typ)
		}
		ref := object{"$ref": "#/$defs/" + typ.Name()}
		if reflect.PointerTo(typ).Implements(reflect.TypeFor[interface{ SetShort(text string) }]()) {
			return object{"anyOf": []object{ref, {"type": "string"}}}
		}
		return ref
	case reflect.Slice:
		one := g.of(typ.Elem())
		if typ.Elem().Kind() == reflect.String {
			return object{"anyOf": []object{one, {"type": "array", "items": one}}}
		}
		return object{"type": "array", "items": one}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.of(typ.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	}
	// A number or a word without quotes is a text too.
	return object{"type": []string{"string", "number", "boolean"}}
}

func (g *generator) structure(typ reflect.Type) object {
	properties := object{}
	var required []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := f.Tag.Get("yaml")
		s := g.of(f.Type)
		text := g.comments[typ.Name()+"."+f.Name]
		if strings.Contains(text, "Required.") || strings.Contains(text, "Required and unique") || strings.Contains(text, "Required, at least one") {
			required = append(required, name)
		}
		if f.Type.Kind() != reflect.Struct || f.Type == reflect.TypeFor[config.Secret]() {
			s["description"] = text
		}
		if typ == reflect.TypeFor[config.Source]() && name == "format" {
			s = object{"description": text, "enum": names()}
		}
		properties[name] = s
	}
	out := object{"type": "object", "description": g.comments[typ.Name()], "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func names() (out []string) {
	for _, f := range catalog.All() {
		out = append(out, f.Name())
	}
	return out
}

func generate(t *testing.T, title string, typ reflect.Type) []byte {
	t.Helper()
	g := newGenerator(t)
	root := g.structure(typ)
	delete(g.defs, typ.Name())
	root["$schema"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", title, g.defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestSchemaIsUpToDate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, title string
		typ         reflect.Type
		embedded    []byte
	}{
		{"schema.json", "The configuration of vigil", reflect.TypeFor[config.Config](), config.Schema()},
		{"schema-collect.json", "The configuration of vigil collect", reflect.TypeFor[config.Collect](), config.SchemaCollect()},
	} {
		want := generate(t, c.title, c.typ)
		if *update {
			if err := os.WriteFile(c.file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !bytes.Equal(want, c.embedded) {
			t.Errorf("%s is not what the types say: run go test ./internal/config -run Schema -update", c.file)
		}
	}
}

// The schemas take what the documentation shows, and refuse what vigil check does.
func TestSchemaFitsTheDocumentation(t *testing.T) {
	t.Parallel()
	whole, collect := compile(t, config.Schema()), compile(t, config.SchemaCollect())
	n := 0
	eachDocumented(t, func(page, block string) {
		s := whole
		if strings.HasPrefix(block, "name:") {
			s = collect
		}
		n++
		if err := s.Validate(parsed(t, block)); err != nil {
			t.Errorf("%s:\n%s\n%v", page, block, err)
		}
	})
	if n < 4 {
		t.Errorf("only %d configurations are shown", n)
	}
	for name, bad := range map[string]string{
		"unknown key":    "data_dir: x\nsources: [{name: a, file: x}]\nnope: 1",
		"unknown deeper": "data_dir: x\nsources: [{name: a, file: x, mapping: {tabels: {}}}]",
		"wrong kind":     "data_dir: x\nsources: [{name: a, file: x}]\nactors: [{match: a, kind: robot}]",
		"wrong type":     "data_dir: x\nsources: {name: a}",
		"no sources":     "data_dir: x",
	} {
		if err := whole.Validate(parsed(t, bad)); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed is a YAML text as JSON values.
func parsed(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
