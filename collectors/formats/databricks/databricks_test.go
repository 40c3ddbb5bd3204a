//go:build !race

package databricks_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/databricks"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, databricks.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*/input*")
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	mapping := &formats.Mapping{Tables: map[string]formats.Table{"customers": {Columns: map[string]formats.Meaning{"_id": formats.MeansSubject}}}}
	format := databricks.New()
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, format, formats.Options{Mapping: mapping}, input)
	})
}
