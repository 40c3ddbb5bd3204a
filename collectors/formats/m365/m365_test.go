package m365_test

import (
	"os"
	"path/filepath"
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

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/*/input*")
	for _, path := range inputs {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, m365.New(), formats.Options{}, input) })
}
