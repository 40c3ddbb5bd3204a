package ocsf_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/ocsf"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, ocsf.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"ocsf"},
		Disagree: func(field string, _ *vigil.Event, x formatstest.Expected) string {
			switch {
			case field == "time" && x.Time.Year() == 1970:
				return "the sample has seconds where the schema wants milliseconds, and the other product takes them for 1970"
			case field == "action" && slices.Contains(x.Original.Category, "session"):
				return "the class gives privileges to a session: a grant"
			}
			return ""
		},
	}.Check(t, ocsf.Format())
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
		formatstest.Fuzz(t, ocsf.Format(), formats.Options{Source: "s"}, input)
	})
}
