package slack_test

import (
	"os"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/slack"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, slack.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	// Made-up entries without a time.
	formatstest.Samples{Dirs: []string{"slack"}, Broken: map[string]int{
		"panther-slack_app_access_expanded.json": 2, "panther-slack_dlp_modified.json": 2, "panther-slack_ekm_config_changed.json": 1, "panther-slack_ekm_unenrolled.json": 1, "panther-slack_legal_hold_policy_modified.json": 4, "panther-slack_mfa_settings_changed.json": 1, "panther-slack_org_created.json": 2, "panther-slack_potentially_malicious_file_shared.json": 1, "panther-slack_service_owner_transferred.json": 1,
	}}.Check(t, slack.New())
}

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, slack.New(), firstLine(t, "testdata/lines/input.ndjson"))
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, slack.New(), formats.Options{}, input) })
}
