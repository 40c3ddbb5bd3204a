package auth0_test

import (
	"os"
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

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, auth0.New(), firstLine(t, "testdata/stream/input.ndjson"))
}

func firstLine(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

func FuzzDecode(f *testing.F) {
	formatstest.Seeds(f, "testdata")
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, auth0.New(), formats.Options{}, input) })
}
