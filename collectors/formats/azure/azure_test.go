//go:build !race

package azure_test

import (
	"os"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/azure"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, azure.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"azure_signin", "azure_activity", "azure_cosmosdb", "azure_openai"}, Foreign: map[string]string{
		"elastic-azure_openai-metrics-test-openai-request.json": "metrics",
	}}.Check(t, azure.New())
}

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, azure.New(), firstLine(t, "testdata/signin/input.ndjson"))
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
	format := azure.New() // knows the grammar once it has started
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, formats.Options{}, input) })
}
