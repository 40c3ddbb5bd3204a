package traefik_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/traefik"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, traefik.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"traefik"},
		Disagree: func(field string, e *vigil.Event, _ formatstest.Expected) string {
			if field == "outcome" && e.Outcome == vigil.OutcomeUnspecified {
				return "a line without a status tells no outcome"
			}
			return ""
		},
	}.Check(t, traefik.Format())
}

func TestParametersThatCantBe(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"trusted_proxies": "x", "timezone": "x", "colour": "x"} {
		if _, err := traefik.Format().New(formats.Options{Params: map[string]string{name: value}}); err == nil {
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
		formatstest.Fuzz(t, traefik.Format(), formats.Options{Source: "s"}, input)
	})
}
