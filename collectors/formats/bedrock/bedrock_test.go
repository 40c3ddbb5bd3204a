package bedrock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/bedrock"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, bedrock.New(), "testdata")
}

// Nothing of what was asked and answered stays.
func TestNoContentIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"converse", "invoke"} {
		b, err := os.ReadFile(filepath.Join("testdata", c, "expected.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"Where is", "hello", "refund", "passwd", "ada@", "Ada", "Bo\"", "on its way", "not allowed"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s: %q was kept", c, word)
			}
		}
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"aws_bedrock_invocation"}}.Check(t, bedrock.New())
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	for _, p := range inputs {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f.Add(line)
		}
	}
	format := bedrock.New()
	opts := formats.Options{Source: "models", File: "f", Mapping: &formats.Mapping{Params: map[string]formats.Meaning{"customer_id": formats.MeansSubject, "limit": formats.MeansLimit}}}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, opts, input) })
}
