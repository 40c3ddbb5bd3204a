package rules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/detector/rules"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/rules.md")

// TestDocumentation holds the tables of docs/rules.md against the program, and tries
// the rules that it shows.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "rules.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for _, part := range []struct{ name, table string }{{"builtin", builtinTable(t)}, {"fields", fieldTable()}} {
		begin := "<!-- " + part.name + " -->\n"
		before, rest, ok := strings.Cut(want, begin)
		_, after, closed := strings.Cut(rest, "<!-- end -->")
		if !ok || !closed {
			t.Fatalf("docs/rules.md has no part %q", part.name)
		}
		want = before + begin + part.table + "<!-- end -->" + after
	}
	if want != string(text) {
		if !*update {
			t.Fatal("the tables of docs/rules.md are not those of the program; run go test ./detector/rules -run Documentation -update")
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown := 0
	for i, block := range strings.Split(want, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.HasPrefix(block, "id:") {
			continue
		}
		shown++
		r, wrong := rules.Load(fmt.Sprintf("block %d", i), []byte(block))
		if r != nil {
			wrong = r.Try()
		}
		for _, p := range wrong {
			t.Error(p)
		}
	}
	if shown == 0 {
		t.Error("docs/rules.md shows no rule")
	}
}

func builtinTable(t *testing.T) string {
	all, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| rule | severity | asks feeds of | numbers |\n|---|---|---|---|\n")
	for _, r := range all {
		var needs, ids []string
		for _, n := range r.Needs() {
			needs = append(needs, strings.Join(n, " or "))
		}
		for _, f := range r.Frameworks {
			ids = append(ids, f.ID)
		}
		fmt.Fprintf(&b, "| **%s** (`%s`). %s | %s | %s | %s |\n", r.Name, r.ID, r.About, r.Severity, strings.Join(needs, "; "), strings.Join(ids, ", "))
	}
	return b.String()
}

func fieldTable() string {
	var b strings.Builder
	b.WriteString("| field | type | meaning | feeds of |\n|---|---|---|---|\n")
	for _, f := range rules.Fields() {
		typ := f.Type
		if f.MayBeUnknown {
			typ += ", may be unknown"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, typ, f.Meaning, strings.Join(f.Needs, " or "))
	}
	return b.String()
}

// TestEveryFieldIsSaid shows that each field has a name, a type and a meaning.
func TestEveryFieldIsSaid(t *testing.T) {
	t.Parallel()
	for _, f := range rules.Fields() {
		if f.Name == "" || f.Meaning == "" || f.Type == "" {
			t.Errorf("%+v lacks something", f)
		}
	}
}
