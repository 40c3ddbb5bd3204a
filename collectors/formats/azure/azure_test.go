package azure_test

import (
	"os"
	"path/filepath"
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

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/*/input*")
	for _, path := range inputs {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, azure.New(), formats.Options{}, input) })
}
