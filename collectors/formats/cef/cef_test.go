package cef_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/cef"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, cef.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"cef"},
		// These hold no time at all, nor has the other product one.
		Broken: map[string]int{"elastic-cef-log-test-cef.json": 2, "elastic-cef-log-test-netscaler.json": 5},
	}.Check(t, cef.Format())
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
		formatstest.Fuzz(t, cef.Format(), formats.Options{Source: "s"}, input)
	})
}
