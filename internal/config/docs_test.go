package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vigil/internal/config"
)

// Each setting stands in the documentation.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "collecting", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join("..", "..", "docs", "alerts", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, page := range append(append(pages, more...), filepath.Join("..", "..", "docs", "configuration.md")) {
		one, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, one...)
	}
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] || typ == reflect.TypeFor[config.Secret]() {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				name := f.Tag.Get("yaml")
				if name == "" {
					t.Errorf("%s.%s has no key", typ, f.Name)
				}
				if !strings.Contains(string(text), "`"+name+"`") && !strings.Contains(string(text), name+":") {
					t.Errorf("%s (%s.%s) is not documented", name, typ, f.Name)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[config.Config]())
}

// eachDocumented visits the configurations that the documentation shows: of the pages on
// formats and ways in those that are whole.
func eachDocumented(t *testing.T, visit func(page, block string)) {
	t.Helper()
	docs := filepath.Join("..", "..", "docs")
	pages := []string{filepath.Join("..", "..", "README.md")}
	for _, folder := range []string{docs, filepath.Join(docs, "sources"), filepath.Join(docs, "collecting")} {
		some, err := filepath.Glob(filepath.Join(folder, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, some...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(part, "```")
			if strings.HasPrefix(block, "id:") {
				continue // a rule's file, which the rules' own tests read
			}
			if strings.Contains(page, filepath.Join("docs", "sources")) && !strings.HasPrefix(block, "data_dir:") {
				continue // another product's configuration
			}
			visit(page, block)
		}
	}
}

// What the documentation shows as configurations can be used.
func TestDocumentedConfigurationsAreGood(t *testing.T) {
	t.Setenv("VIGIL_BOT_TOKEN", "0123456789abcdef")
	t.Setenv("VIGIL_SLACK_TOKEN", "xoxb-1")
	for _, name := range []string{"ZENDESK_SECRET", "SALESFORCE_SECRET", "INTERCOM_TOKEN", "OKTA_TOKEN"} {
		t.Setenv(name, "0123456789abcdef")
	}
	found := 0
	eachDocumented(t, func(page, block string) {
		known := known()
		if strings.Contains(page, "sources") || strings.Contains(page, "collecting") {
			known.Formats, known.Decoder = nil, nil // which there are the catalog knows
		}
		found++
		if strings.HasPrefix(block, "name:") {
			if _, err := config.ParseCollect(page, []byte(block), known); err != nil {
				t.Errorf("%s\n%v", block, err)
			}
			return
		}
		if _, err := config.Parse(page, []byte(block), known); err != nil {
			t.Errorf("%s\n%v", block, err)
		}
	})
	if found < 4 {
		t.Errorf("only %d configurations are shown", found)
	}
}
