package m365_test

import (
	"os"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/m365"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, m365.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"m365"}, Foreign: map[string]string{
		"panther-microsoft_graph_passthrough.json": "alerts of Defender, no audit log",
	}}.Check(t, m365.New())
}

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, m365.New(), firstLine(t, "testdata/activity/input.ndjson"))
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, m365.New(), formats.Options{}, input) })
}
