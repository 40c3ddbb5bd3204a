package googleworkspace_test

import (
	"os"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/googleworkspace"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, googleworkspace.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs:    []string{"google_workspace"},
		Foreign: map[string]string{"panther-gsuite_google_access.json": "neither actor nor event is in it"},
		// Made-up records without a time.
		Broken: map[string]int{
			"panther-google_workspace_many_docs_downloaded.json": 1, "panther-gsuite_advanced_protection.json": 2, "panther-gsuite_drive_overly_visible.json": 4,
			"panther-gsuite_gov_attack.json": 2, "panther-gsuite_group_banned_user.json": 2, "panther-gsuite_login_type.json": 3,
			"panther-gsuite_mobile_device_compromise.json": 3, "panther-gsuite_suspicious_logins.json": 3, "panther-gsuite_two_step_verification.json": 2,
			"panther-gsuite_user_suspended.json": 3,
		},
		Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
			switch {
			case field == "outcome" && (x.Original.Action == "login_challenge" || x.Original.Action == "login_verification") && e.Outcome == vigil.OutcomeSuccess:
				return "the challenge was passed"
			case field == "action" && strings.HasPrefix(x.Original.Action, "VIEW_") && e.Action == vigil.ActionRead:
				return "an administrator looked at something"
			case field == "action" && x.Original.Action == "gov_attack_warning":
				return "Google warns; nobody changed anything"
			}
			return ""
		},
	}.Check(t, googleworkspace.New())
}

func TestLargeRecords(t *testing.T) {
	formatstest.Large(t, googleworkspace.New(), firstLine(t, "testdata/activities/input.ndjson"))
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
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, googleworkspace.New(), formats.Options{}, input) })
}
