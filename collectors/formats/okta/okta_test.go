package okta_test

import (
	"os"
	"strings"
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

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, okta.New(), firstLine(t, "testdata/lines/input.ndjson"))
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, okta.New(), formats.Options{}, input) })
}
