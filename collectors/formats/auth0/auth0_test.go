package auth0_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/auth0"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, auth0.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"auth0"}, Disagree: func(field string, e *vigil.Event, _ formatstest.Expected) string {
		if field == "action" && strings.HasPrefix(e.Shape, "GET ") {
			return "a call of the Management API that reads"
		}
		return ""
	}}.Check(t, auth0.New())
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/*/input*")
	for _, path := range inputs {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, auth0.New(), formats.Options{}, input) })
}
