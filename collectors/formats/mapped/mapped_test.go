package mapped_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mapped"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, mapped.Format(), "testdata")
}

// What is wrong in a file is told with its line and the remedy.
func TestFilesThatCantBeUsed(t *testing.T) {
	t.Parallel()
	const good = "fields:\n  time: t\n  actor: a\n  action: {const: read}\n"
	for name, c := range map[string]struct{ file, says string }{
		"empty":            {"", `fields.actor: is missing; every event needs it: write for example "actor: path.to.it"`},
		"no YAML":          {"fields: [", "m.yaml:1"},
		"unknown key":      {good + "skp: []\n", `m.yaml:5:1: skp: unknown key; did you mean "skip"?`},
		"unknown field":    {good + "  acter: x\n", `m.yaml:5:3: fields.acter: an event has no such field; did you mean "actor"?`},
		"unknown in value": {good + "  rows: {paht: n}\n", `m.yaml:5:10: fields.rows.paht: unknown key; did you mean "path"?`},
		"no action":        {"fields:\n  time: t\n  actor: a\n", "fields.action: is missing"},
		"action":           {good[:len(good)-len("{const: read}\n")] + "{path: op, map: {X: raed}}\n", `m.yaml:4:28: fields.action.map.X: "raed" is no action; did you mean "read"?`},
		"outcome":          {good + "  outcome: {path: x, default: fine}\n", `"fine" is no outcome; it is one of`},
		"both":             {good + "  rows: {path: n, const: 1}\n", "stands beside a path"},
		"nowhere":          {good + "  rows: {lower: true}\n", "says not where it is found"},
		"nothing":          {good + "  rows:\n", "m.yaml:5:3: fields.rows: is empty"},
		"layout":           {strings.Replace(good, "time: t", "time: {path: t, layout: DD.MM.YYYY}", 1), `m.yaml:2:19: fields.time.layout: "DD.MM.YYYY" holds no day; write it as strftime does`},
		"strftime":         {strings.Replace(good, "time: t", "time: {path: t, layout: \"%Q\"}", 1), `"%Q" can't be read`},
		"zone":             {good + "timezone: Mars\n", `timezone: "Mars" is no time zone; write for example "Europe/Berlin"`},
		"layout elsewhere": {good + "  rows: {path: n, layout: \"2006\"}\n", "is no time"},
		"expression":       {good + "  resource: {path: n, match: \"(\"}\n", "fields.resource.match: is no regular expression: missing closing"},
		"pattern":          {good + "pattern: \"(x)\"\n", "has no named group"},
		"condition":        {good + "skip: [{is: [x]}]\n", "skip[0]: has no path"},
		"split":            {good + "  rows: {path: n, split: \",\"}\n", "only subjects and fields"},
		"status alone":     {good + "  status: s\n", "without url"},
		"separator":        {good + "separator: \";\"\n", "stands without columns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mapped.Parse("m.yaml", []byte(c.file))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
	if _, err := mapped.Format().New(formats.Options{}); err == nil || !strings.Contains(err.Error(), "needs the parameter mapping") {
		t.Errorf("without a file: %v", err)
	}
	if _, err := mapped.Format().New(formats.Options{Params: map[string]string{"mapping": "no-such-file"}}); err == nil || !strings.Contains(err.Error(), "read the mapping") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// The file that the documentation shows can be used.
func TestDocumentedFile(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sources", "mapped.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "## The file\n\n```yaml\n")
	file, _, found := strings.Cut(after, "```")
	if _, err := mapped.Parse("m.yaml", []byte(file)); err != nil || !found {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/input*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), filepath.Base(filepath.Dir(path)))
	}
	f.Fuzz(func(t *testing.T, input, name string) {
		switch name {
		case "json", "csv", "nameless", "pattern", "web":
		default:
			name = "json"
		}
		opts := formats.Options{Source: "s", Params: map[string]string{"mapping": filepath.Join("testdata", name, "mapping.yaml")}}
		formatstest.Fuzz(t, mapped.Format(), opts, input)
	})
}

func FuzzParse(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/mapping.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if m, err := mapped.Parse("m.yaml", file); err == nil && m == nil {
			t.Error("neither a mapping nor an error")
		}
	})
}
