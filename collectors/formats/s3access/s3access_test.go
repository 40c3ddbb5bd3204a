package s3access_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/s3access"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, s3access.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	for _, p := range inputs {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	format := s3access.New()
	opts := formats.Options{Source: "s3", File: "f", Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "chat-transcripts/{tenant}/{subject}/**"}}}}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, opts, input) })
}

func BenchmarkDecode(b *testing.B) {
	input, err := os.ReadFile(filepath.Join("testdata", "lines", "input.log"))
	if err != nil {
		b.Fatal(err)
	}
	format, n := s3access.New(), 0
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		events, _ := formatstest.Decode(b, format, formats.Options{}, string(input))
		n += len(events)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
}
