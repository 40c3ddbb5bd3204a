package slack_test

import (
	"strings"
	"testing"

	"vigil"
	"vigil/alerts/slack"
)

// TestButtons: what can be pressed fits the state of the case.
func TestButtons(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"case-new": "Acknowledge Verdict… Expected… Ask the person Open", "case-acknowledged": "Verdict… Expected… Ask the person Open",
		"case-answered": "Verdict… Expected… Open", "case-resolved": "Reopen by verdict… Open", "case-snoozed": "Verdict… Open",
	} {
		if got := labels(t, blocksOf(t, samples()[name])); strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	n, err := slack.New(slack.Config{Token: canary, Channel: "C1", ConsoleURL: console}, slack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := n.Blocks(samples()["case-new"])
	if err != nil {
		t.Fatal(err)
	}
	if got := labels(t, raw); strings.Join(got, " ") != "Open" {
		t.Errorf("where nobody answers: %q", got)
	}
}

// TestBlockIDs: what a button carries leads back to its case.
func TestBlockIDs(t *testing.T) {
	t.Parallel()
	id, revision, ok := slack.CaseOf(slack.BlockOf(&vigil.Case{ID: "case-7c41d9e2", Revision: 12}))
	if id != "case-7c41d9e2" || revision != 12 || !ok {
		t.Errorf("got %q, %d, %v", id, revision, ok)
	}
	for _, bad := range []string{"", "vigil.case/", "vigil.case/x", "vigil.case//1", "vigil.case/x/", "vigil.case/x/-1", "vigil.case/x/1e3", "vigil.case/x/99999999999999999999", "other/x/1"} {
		if id, _, ok := slack.CaseOf(bad); ok {
			t.Errorf("%q leads to case %q", bad, id)
		}
	}
}
