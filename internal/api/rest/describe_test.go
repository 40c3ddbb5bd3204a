package rest_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigil/internal/access"
	"vigil/internal/api/rest"
)

// The description is held against the schema of OpenAPI 3.1 itself (spec.openapis.org,
// Apache-2.0), and each schema in it must compile.
func TestDescriptionIsValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/oas31-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	for name, text := range map[string][]byte{"openapi": text, "vigil": rest.Description()} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("mem:///"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	meta, err := c.Compile("mem:///openapi")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rest.Description()))
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Error(err)
	}
	var parts struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(rest.Description(), &parts); err != nil || len(parts.Components.Schemas) < 20 {
		t.Fatalf("%d schemas, %v", len(parts.Components.Schemas), err)
	}
	for name := range parts.Components.Schemas {
		if _, err := c.Compile("mem:///vigil#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is wrong is seen.
	delete(doc.(map[string]any), "info")
	if meta.Validate(doc) == nil {
		t.Error("a description without its info counts as valid")
	}
}

// The table of routes and the description are of the same addresses.
func TestEachRouteIsDescribed(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Parameters  []struct{ Name, In, Description string }
		}
	}
	if err := json.Unmarshal(rest.Description(), &doc); err != nil {
		t.Fatal(err)
	}
	described, ids := map[string]bool{}, map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			described[name] = true
			if ids[op.OperationID] || op.OperationID == "" || !strings.HasSuffix(op.Summary, ".") {
				t.Errorf("%s: id %q, summary %q", name, op.OperationID, op.Summary)
			}
			ids[op.OperationID] = true
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: the parameter %s is not described", name, p.Name)
				}
			}
		}
	}
	want := map[string]bool{}
	for _, r := range access.Routes() {
		if r.Kind == access.KindAPI {
			want[r.Name()] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(described))); diff != "" {
		t.Errorf("routes (-table +description; run go generate ./internal/api/rest):\n%s", diff)
	}
}
