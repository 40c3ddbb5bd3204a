package panther_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/panther"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, panther.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"ocsf_like_panther_audit"},
		// These are cut down to what a rule looks at, and hold no time.
		Broken: map[string]int{"panther-panther_saml_modified.json": 2},
	}.Check(t, panther.Format())
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
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, panther.Format(), formats.Options{Source: "s"}, input)
	})
}
