package catalog_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
)

// The marks between which the table stands.
const tableFrom, tableTo = "<!-- formats -->\n", "<!-- /formats -->\n"

// TestDocumentation holds the table of formats in docs/sources/README.md against the
// catalog, and looks for each format's page. Run with -update to write it anew.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "docs", "sources")
	path := filepath.Join(dir, "README.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), tableFrom)
	_, after, ok2 := strings.Cut(rest, tableTo)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of the table", path)
	}
	var b strings.Builder
	group := "\x00"
	for _, g := range groups() {
		for _, f := range catalog.All() {
			x := tells(f)
			if x.Group != g {
				continue
			}
			if g != group {
				fmt.Fprintf(&b, "\n### %s\n\n| format | of | who | whose data | rows | bytes | outcome | address |\n|---|---|---|---|---|---|---|---|\n", g)
				group = g
			}
			fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s | %s | %s | %s |\n", f.Name(), f.Name(), x.Title, x.Actor, x.Subjects, x.Rows, x.Bytes, x.Outcome, x.Address)
		}
	}
	want := before + tableFrom + strings.TrimPrefix(b.String(), "\n") + tableTo + after
	if flag.Lookup("update").Value.String() == "true" { // formatstest's
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Errorf("the table in %s is not the catalog's: go test ./collectors/formats/catalog -run Documentation -update", path)
	}
	for _, f := range catalog.All() {
		if x := tells(f); x.Title == "" || x.Group == "" || x.Actor == "" || x.Subjects == "" || x.Rows == "" || x.Bytes == "" || x.Outcome == "" || x.Address == "" {
			t.Errorf("%s does not say what it tells: %+v", f.Name(), x)
		}
		if _, err := os.Stat(filepath.Join(dir, f.Name()+".md")); err != nil {
			t.Errorf("%s has no page: %v", f.Name(), err)
		}
	}
}

func tells(f formats.Format) formats.Tells {
	if t, ok := f.(formats.Teller); ok {
		return t.Tells()
	}
	return formats.Tells{}
}

// groups lists the families in the order in which the catalog has them.
func groups() (list []string) {
	seen := map[string]bool{}
	for _, f := range catalog.All() {
		if g := tells(f).Group; !seen[g] {
			seen[g] = true
			list = append(list, g)
		}
	}
	return list
}
