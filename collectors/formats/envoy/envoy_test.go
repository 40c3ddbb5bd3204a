package envoy_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/envoy"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, envoy.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"envoy"},
		Disagree: func(field string, e *vigil.Event, _ formatstest.Expected) string {
			if field == "outcome" && e.Outcome == vigil.OutcomeError && e.Bytes == 0 {
				return "who asked went away before the answer: response code 0"
			}
			return ""
		},
	}.Check(t, envoy.Format())
}

func TestParametersThatCantBe(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"trusted_proxies": "x", "timezone": "x", "colour": "x"} {
		if _, err := envoy.Format().New(formats.Options{Params: map[string]string{name: value}}); err == nil {
			t.Errorf("%s=%s passes", name, value)
		}
	}
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
		formatstest.Fuzz(t, envoy.Format(), formats.Options{Source: "s"}, input)
	})
}
