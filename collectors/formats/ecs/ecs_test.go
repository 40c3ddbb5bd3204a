package ecs_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/ecs"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, ecs.Format(), "testdata")
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
		formatstest.Fuzz(t, ecs.Format(), formats.Options{Source: "s"}, input)
	})
}
