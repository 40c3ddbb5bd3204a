package talk_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bytes"
	"encoding/json"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
)

var update = flag.Bool("update", false, "rewrite the expected dialogues in testdata")

func sampleCase() *vigil.Case {
	return &vigil.Case{
		ID: "case-1", State: vigil.CaseNew, About: vigil.AboutActor, Actor: "actor-7f3a91", ActorKind: vigil.KindHuman, Role: "agent",
		Total: 2, Severity: vigil.SeverityHigh, Start: epoch.Add(-90 * time.Minute),
	}
}

func sampleFinding(n int) vigil.Finding {
	return vigil.Finding{
		ID: fmt.Sprintf("f-%d", n), About: vigil.AboutActor, Actor: "actor-7f3a91", Severity: vigil.SeverityMedium, Start: epoch.Add(-time.Duration(n*27) * time.Hour),
		Sentence: "Read the conversations of 214 customers in an hour, usually 12.",
	}
}

func sampleCovered() *alerts.Covered {
	return &alerts.Covered{
		Since: epoch.Add(-30 * 24 * time.Hour), Says: "this account: up to 268 customers in an hour",
		Events: 412, Of: 9310, Wholly: []vigil.Finding{sampleFinding(1), sampleFinding(2)}, WhollyTotal: 3,
		Partly: []vigil.Finding{sampleFinding(3)}, PartlyTotal: 1, Breaches: 1,
	}
}

// evil is what a log may hold.
const evil = "<!channel> <@U1|x> &amp; `code` *b* _i_ ~s~ :smile: https://evil.example \u202egnp.exe \x1b[2J \xff\n> quote"

// answers is a desk that does everything.
func answers(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
	f := sampleFinding(0)
	out := alerts.Outcome{Case: sampleCase(), Finding: &f}
	switch {
	case a.Preview && a.Deed != alerts.DeedAsk:
		out.Covered = sampleCovered()
		if a.Deed == alerts.DeedSilence { // hides findings, wholly or not at all, and counts no accesses
			c := out.Covered
			c.Says, c.Events, c.Of, c.Partly, c.PartlyTotal = "findings up to medium, of account actor-7f3a91", 0, 0, nil, 0
		}
	case a.Deed == alerts.DeedAsk:
		out.Question = &alerts.Question{Case: a.Case, To: alerts.Person{Channel: "slack", ID: "U0PERSON", Workspace: "T1"}, Text: "Between 14:00 and 15:00 UTC today your account read the conversations of 214 customers in support-db.\nWas this you?"}
	case a.Deed == alerts.DeedStatus:
		out = alerts.Outcome{Text: "vigil runs: 3 sources, all on time.", Lines: []string{"pg-main: 2 minutes ago", "zendesk: 1 minute ago"}, Link: "/sources"}
	case a.Deed == alerts.DeedTop:
		out = alerts.Outcome{Link: "/"}
		for i := range 12 {
			c := *sampleCase()
			c.Actor = fmt.Sprintf("actor-%d", i)
			out.Cases = append(out.Cases, c)
		}
	case a.Deed == alerts.DeedReaders:
		out = alerts.Outcome{Text: "Three people read it in the last 90 days.", Lines: []string{"actor-1, 4 times", evil}}
	}
	return out, nil
}

// golden holds a dialogue against testdata/<name>.json.
func golden(t *testing.T, name string, raw []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

func has(t testing.TB, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

func lacks(t testing.TB, text string, nots ...string) {
	t.Helper()
	for _, n := range nots {
		if strings.Contains(text, n) {
			t.Errorf("%q is in:\n%s", n, text)
		}
	}
}
