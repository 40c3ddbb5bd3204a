package rest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"vigil/internal/access"
	"vigil/internal/api"
)

// described is what tools/openapi wrote.
//
//go:generate go run vigil/tools/openapi -o openapi.json
//go:embed openapi.json
var described []byte

// Description is the OpenAPI 3.1 description of the API, as JSON.
func Description() []byte { return slices.Clone(described) }

func (h *Handler) description() resource {
	return resource{name: "description", thing: "description", there: true, endpoints: []endpoint{
		on("GET /api/v1/openapi.json", "getDescription", "Gives this description.", func(context.Context, nothing) (jsontext.Value, error) {
			return Description(), nil
		}),
	}}
}

// Docs is what the comments in the Go source say, by the name of what they are about.
type Docs struct {
	// Text is of types ("vigil.Finding") and their fields ("vigil.Finding.Harm").
	Text map[string]string
	// Values are the constants of a type, in the order of the source.
	Values map[string][]string
}

// Types lists the types of which Describe needs the comments.
func Types() []reflect.Type {
	d := describer{names: map[string]reflect.Type{}, schemas: map[string]any{}}
	var inputs []reflect.Type
	for _, r := range (&Handler{}).resources() {
		for _, e := range r.endpoints {
			d.schema(e.out, false)
			inputs = append(inputs, e.in)
			for _, f := range fieldsOf(e.in) {
				d.schema(f.Type, false)
				inputs = append(inputs, ownerOf(e.in, f))
			}
		}
	}
	d.schema(reflect.TypeFor[api.Problem](), false)
	return slices.Concat(d.seen, inputs)
}

// Describe makes the description of the API out of its endpoints and their types.
func Describe(docs Docs) ([]byte, error) {
	d := describer{docs: docs, names: map[string]reflect.Type{}, schemas: map[string]any{}}
	paths, tags := map[string]any{}, []any{}
	for _, r := range (&Handler{}).resources() {
		if tag := (object{"name": r.name}); !slices.ContainsFunc(tags, func(t any) bool { return t.(object)["name"] == r.name }) {
			tags = append(tags, tag)
		}
		for _, e := range r.endpoints {
			method, path, _ := strings.Cut(e.route, " ")
			at, _ := paths[path].(object)
			if at == nil {
				at = object{}
				paths[path] = at
			}
			at[strings.ToLower(method)] = d.operation(r, e, method)
		}
	}
	problem := d.schema(reflect.TypeFor[api.Problem](), false)
	if d.err != nil {
		return nil, d.err
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "vigil", "version": "1", "summary": "Findings, cases, and what people say of them.",
			"description": "Lists are paged: give the answer's next as the cursor of the next question. A write may bring an Idempotency-Key along: " +
				"the same one with the same body is done once. Errors are problem details (RFC 9457) with a code of a closed set. " +
				"Values of texts that are listed may become more: take one that you do not know as unknown.",
			"license": object{"name": "See the file LICENSE of vigil"},
		},
		"tags": tags, "paths": paths,
		"security": []any{object{"token": []any{}}},
		"components": object{
			"schemas":         d.schemas,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
			"responses": object{"Problem": object{
				"description": "It was not done: why, and what to do.",
				"content":     object{"application/problem+json": object{"schema": problem}},
			}},
		},
	}, "", "\t")
}

// object is one of JSON.
type object = map[string]any

// describer gathers the schemas of types.
type describer struct {
	docs    Docs
	names   map[string]reflect.Type
	schemas map[string]any
	seen    []reflect.Type
	err     error
}

func (d *describer) operation(r resource, e endpoint, method string) object {
	ok := object{"description": "It was done.", "content": object{"application/json": object{"schema": d.schema(e.out, false)}}}
	if e.hand != nil {
		ok = object{"description": "The file.", "content": object{e.media: object{}}}
	}
	if e.out.Implements(reflect.TypeFor[revised]()) {
		ok["headers"] = object{"ETag": object{"description": "The revision.", "schema": object{"type": "string"}}}
	}
	op := object{
		"operationId": e.id, "summary": e.does, "tags": []string{r.name},
		"responses": object{"200": ok, "default": object{"$ref": "#/components/responses/Problem"}},
	}
	if who := rolesOf(e.route); who != "" {
		op["description"] = who
	}
	params := []any{}
	for _, f := range fieldsOf(e.in) {
		text := d.docs.Text[typeName(ownerOf(e.in, f))+"."+f.Name]
		switch {
		case f.Tag.Get(tagPath) != "":
			params = append(params, object{"name": f.Tag.Get(tagPath), "in": "path", "required": true, "description": text,
				"schema": object{"type": "string", "maxLength": 128}})
		case f.Tag == `seen:""`:
			params = append(params, object{"name": "If-Match", "in": "header", "description": "The ETag that was seen. Where somebody else has changed it since, nothing is done.",
				"schema": object{"type": "string"}})
		case f.Tag.Get(tagQuery) != "":
			params = append(params, object{"name": f.Tag.Get(tagQuery), "in": "query", "description": text, "schema": d.parameter(f)})
		default:
			how, body := f.Tag.Lookup(tagBody)
			if body {
				op["requestBody"] = object{"required": how != "optional", "content": object{"application/json": object{"schema": d.schema(f.Type, true)}}}
			}
		}
	}
	if method != http.MethodGet && !e.fleeting {
		params = append(params, object{"name": OnceHeader, "in": "header", "description": "The same one with the same body is done once, and answered alike for a day.",
			"schema": object{"type": "string", "minLength": 1, "maxLength": maxOnceKey}})
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	return op
}

// rolesOf says who may ask for a route.
func rolesOf(route string) string {
	for _, r := range access.Routes() {
		if r.Name() != route {
			continue
		}
		if r.Deed == access.DeedPublic {
			return "For everybody."
		}
		var who []string
		for _, role := range access.Roles() {
			if access.May([]access.Role{role}, r.Deed) {
				who = append(who, string(role))
			}
		}
		return "For: " + strings.Join(who, ", ") + "."
	}
	return ""
}

// parameter is the schema of a parameter of the address.
func (d *describer) parameter(f reflect.StructField) object {
	out := object{"type": "string"}
	switch {
	case f.Type == reflect.TypeFor[time.Time]():
		out["format"] = "date-time"
	case f.Type.Kind() == reflect.Int:
		low, high := bounds(f.Tag)
		out = object{"type": "integer", "minimum": low, "maximum": high}
	case f.Type.Kind() == reflect.Bool:
		out["type"] = "boolean"
	case f.Tag.Get(tagEnum) != "":
		out["enum"] = strings.Split(f.Tag.Get(tagEnum), ",")
	}
	if s := f.Tag.Get(tagDefault); s != "" {
		out["default"] = s
		if n, err := strconv.Atoi(s); err == nil {
			out["default"] = n
		}
	}
	return out
}

// schema is that of a type as JSON. A closed one takes no key that it does not know.
func (d *describer) schema(t reflect.Type, closed bool) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[jsontext.Value]():
		return object{"type": "object"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem(), closed)
	case reflect.String:
		return d.text(t)
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": d.schema(t.Elem(), closed)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem(), closed)}
	case reflect.Struct:
		return d.structure(t, closed)
	}
	d.err = fmt.Errorf("describe %s: no such type has a form in JSON", t)
	return nil
}

// text is a text, of which the known values are told.
func (d *describer) text(t reflect.Type) object {
	out := object{"type": "string"}
	if t.PkgPath() == "" {
		return out
	}
	d.note(t)
	values := d.docs.Values[typeName(t)]
	if t == reflect.TypeFor[api.Code]() {
		out["enum"] = values // the one closed set
	} else if len(values) > 0 {
		out["examples"] = values
	}
	return out
}

func (d *describer) note(t reflect.Type) {
	if !slices.Contains(d.seen, t) {
		d.seen = append(d.seen, t)
	}
}

// structure is an object that is described once, under its name.
func (d *describer) structure(t reflect.Type, closed bool) object {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	ref := object{"$ref": "#/components/schemas/" + name}
	if was, ok := d.names[name]; ok {
		if was != t {
			d.err = fmt.Errorf("describe %s: it has the same name as %s", t, was)
		}
		return ref
	}
	d.names[name] = t
	d.note(t)
	props, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("json")
		key, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && !tagged {
			d.note(f.Type)
			continue
		}
		if !f.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			key = f.Name
		}
		of := d.schema(f.Type, closed)
		if text := d.docs.Text[typeName(ownerOf(t, f))+"."+f.Name]; text != "" {
			of = withText(of, text)
		}
		props[key] = of
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, key)
		}
	}
	out := object{"type": "object", "properties": props}
	if len(required) > 0 {
		out["required"] = required
	}
	if closed {
		out["additionalProperties"] = false
		delete(out, "required") // zero stands for what is not given
	}
	if text := d.docs.Text[typeName(t)]; text != "" {
		out["description"] = text
	}
	d.schemas[name] = out
	return ref
}

// withText adds a description. Beside a reference it may stand in OpenAPI 3.1.
func withText(schema object, text string) object {
	out := object{"description": text}
	for k, v := range schema {
		out[k] = v
	}
	return out
}

// ownerOf is the struct in which a field is written, which may be embedded in t.
func ownerOf(t reflect.Type, f reflect.StructField) reflect.Type {
	for _, i := range f.Index[:len(f.Index)-1] {
		t = t.Field(i).Type
	}
	return t
}

// typeName is the name of a type in Docs.
func typeName(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }
