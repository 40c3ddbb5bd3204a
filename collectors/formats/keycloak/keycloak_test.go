package keycloak_test

import (
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
	formatstest.Seeds(f, "testdata")
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, keycloak.New(), formats.Options{}, input) })
}
