package okta_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/okta"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, okta.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	const derived = "rows that a warehouse's query made, no log records"
	formatstest.Samples{Dirs: []string{"okta"}, Foreign: map[string]string{
		"panther-okta_ad_agent_auth_zscore_anomaly.json":    derived,
		"panther-okta_ad_agent_token_abuse_behavioral.json": derived,
		"panther-okta_skeleton_key_bypass_behavioral.json":  derived,
		"panther-okta_swa_bulk_access_behavioral.json":      derived,
	}, Broken: map[string]int{"panther-okta_support_reset.json": 1 /* has no time */}}.Check(t, okta.New())
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, okta.New(), formats.Options{}, input) })
}
