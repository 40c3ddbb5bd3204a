package yaml_test

import (
	"fmt"
	"strings"
	"testing"

	"vigil/internal/yaml"
)

type page struct {
	Name string   `yaml:"name"`
	When string   `yaml:"when"`
	List []string `yaml:"list"`
}

// TestWithin shows that a problem inside a text is told where it stands in the file,
// however the text is written.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, where string }{
		{"plain", "name: a\nwhen: one and HERE\n", "2:15"},
		{"double quotes", `when: "one and HERE"`, "1:16"},
		{"escapes", `when: "one == \"two\" and HERE"`, "1:27"},
		{"single quotes", `when: 'one == ''two'' and HERE'`, "1:27"},
		{"literal", "when: |\n  one and\n  two and HERE\n", "3:11"},
		{"folded", "when: >-\n  one and\n  two and HERE\n", "3:11"},
		{"folded, with a comment", "when: > # why\n  one\n  and\n\n  HERE\n", "5:3"},
		{"plain over lines", "when: one and\n  two and HERE\nname: b\n", "2:11"},
		{"flow", `{name: x, when: "one HERE"}`, "1:22"},
		{"in a list", "list:\n  - one\n  - two HERE\n", "3:9"},
		{"wide letters", "when: größe == HERE", "1:16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p page
			d := yaml.Decode("f.yaml", []byte(c.text), &p)
			if len(d.Problems) > 0 {
				t.Fatal(d.Problems)
			}
			field, value := "when", p.When
			if len(p.List) > 0 {
				field, value = "list[1]", p.List[1]
			}
			before, _, ok := strings.Cut(value, "HERE")
			if !ok {
				t.Fatalf("%q does not say where", value)
			}
			at := len([]rune(before))
			d.Within(field, value, at, "wrong", "right")
			got := d.Problems[0]
			if where := fmt.Sprintf("%d:%d", got.Line, got.Column); where != c.where {
				t.Errorf("told at %s, want %s", where, c.where)
			}
		})
	}
}

// TestStrict shows that what does not belong is told with its place.
func TestStrict(t *testing.T) {
	t.Parallel()
	var p page
	d := yaml.Decode("f.yaml", []byte("name: a\nwen: b\nlist: {a: b}\n"), &p)
	if len(d.Problems) != 2 || d.Whole() == false {
		t.Fatalf("%v", d.Problems)
	}
	if s := d.Sorted()[0].String(); s != `f.yaml:2:1: wen: unknown key; did you mean "when"?` {
		t.Error(s)
	}
	d.At("list[3].deep", "is missing", "")
	if d.Problems[2].Line != 3 || !d.Bad("list[3].deep") || d.Bad("name") {
		t.Errorf("%v", d.Problems)
	}
	if d := yaml.Decode("f.yaml", []byte("a: [b"), &p); d.Whole() {
		t.Error("half a file is read as a whole one")
	}
}
