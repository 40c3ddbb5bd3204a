package app_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts/slack/slacktest"
	"vigil/internal/app"
	"vigil/internal/config"
)

// decoy is a finding of small weight about somebody of their own.
func decoy(n int, severity vigil.Severity) vigil.Finding {
	now := time.Now().UTC()
	return vigil.Finding{
		ID: fmt.Sprintf("decoy-%d", n), Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: fmt.Sprintf("actor-%06x", n), ActorKind: vigil.KindHuman,
		Start: now.Add(-time.Hour), End: now, Detected: now, Severity: severity, Harm: float64(severity.Rank()), Lane: "day", Evidence: 6, Threshold: 4,
		Sentence: "It read 40 customers.", Subjects: 40, Events: 90, Rows: vigil.Unknown, Conversations: vigil.Unknown, Stores: []string{"helpdesk"},
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 40, Expected: 9, High: 31, P: 1e-5, Share: 1}},
	}
}

// Thousands of mild findings do not hide a grave one, and do not make people switch the
// channel off. VIGIL_TORTURE=1 makes it ten thousand in ten minutes.
func TestFloodHidesNothing(t *testing.T) {
	t.Parallel()
	decoys, length := 240, time.Second
	if os.Getenv("VIGIL_TORTURE") != "" {
		decoys, length = 10_000, 10*time.Minute
	}
	workspace := slacktest.New(slackToken)
	server := httptest.NewServer(workspace)
	t.Cleanup(server.Close)
	cfg := configure(t, filepath.Join(t.TempDir(), "data"))
	cfg.Slack = config.Slack{Token: config.NewSecret(slackToken), Channel: slacktest.Channel, APIURL: server.URL + "/api", NoPictures: true}
	if os.Getenv("VIGIL_TORTURE") == "" {
		cfg.Alerts.Limits.Mild = 3 // Slack takes one message in 1.2 seconds, and ten take too long
	}
	w := begin(t, cfg, app.Options{})

	const atOnce = 20
	began := time.Now()
	var grave time.Time
	tick := time.NewTicker(length * atOnce / time.Duration(decoys))
	defer tick.Stop()
	for n := 0; n < decoys; n += atOnce {
		var batch []vigil.Finding
		for i := range atOnce {
			batch = append(batch, decoy(n+i, vigil.SeverityLow))
		}
		if grave.IsZero() && n >= decoys/2 {
			grave = time.Now()
			f := decoy(decoys, vigil.SeverityHigh)
			f.Sentence = "It took the whole store."
			batch = append(batch, f)
		}
		app.Find(t, w.App, batch...)
		<-tick.C
	}
	took := time.Since(began)
	shown := func(text string) *slacktest.Message {
		for _, m := range workspace.Messages() {
			if strings.Contains(m.Blocks, text) {
				return &m
			}
		}
		return nil
	}
	until(t, "the grave one in Slack", func() bool { return shown("It took the whole store.") != nil })
	if late := shown("It took the whole store.").Posted.Sub(grave); late > time.Minute {
		t.Errorf("the grave finding was told after %s", late)
	} else {
		t.Logf("the grave finding was told after %s", late.Round(time.Millisecond))
	}
	until(t, "the flood's notice in Slack", func() bool { return shown("Too many cases to tell one by one") != nil })
	until(t, "the flood as a finding", func() bool {
		for _, f := range w.findings() {
			if f.Source == vigil.FloodSource && f.Rule == "source-flood" {
				return true
			}
		}
		return false
	})
	until(t, "all findings are decided on", func() bool { return app.Undecided(t, w.App) == 0 })
	until(t, "what is to be told is told", func() bool { return app.Untold(t, w.App, "slack") == 0 })
	if n := len(workspace.Messages()); n > 20 {
		t.Errorf("%d messages in Slack, at most 20", n)
	}
	t.Logf("%d findings in %s: %d messages, %d edits in Slack", decoys+1, took.Round(time.Millisecond), len(workspace.Messages()), workspace.Count("chat.update"))
	w.end()
}
