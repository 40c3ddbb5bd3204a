package rules_test

import (
	"strings"
	"testing"

	"vigil/detector/rules"
	"vigil/detector/rules/builtin"
)

// FuzzLoad loads whatever file: it is a rule whose examples can be run, or problems
// that name their place within it.
func FuzzLoad(f *testing.F) {
	files, err := builtin.Files()
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(string(file.Text))
	}
	for _, when := range realistic {
		f.Add(file(when))
	}
	f.Add(file(`"a \"b\" 'c'"`))
	f.Fuzz(func(t *testing.T, text string) {
		r, wrong := rules.Load("f.yaml", []byte(text))
		if (r == nil) != (len(wrong) > 0) {
			t.Fatalf("a rule: %v, and problems: %v", r != nil, wrong)
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range wrong {
			if p.Message == "" || p.File != "f.yaml" || p.Line < 0 || p.Line > lines+1 || p.Column < 0 {
				t.Fatalf("%+v in %d lines", p, lines)
			}
		}
		if r != nil {
			r.Try()
		}
	})
}
