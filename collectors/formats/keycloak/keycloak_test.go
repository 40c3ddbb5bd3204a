package keycloak_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/keycloak"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, keycloak.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"keycloak"}, Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
		if field == "time" && x.Time.Sub(e.Time) == 5*time.Hour {
			return "the sample's reader was told a zone of -05:00"
		}
		return ""
	}}.Check(t, keycloak.New())
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, keycloak.New(), formats.Options{}, input) })
}
