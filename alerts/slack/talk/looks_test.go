package talk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/looks"
)

// forms are the dialogues, as they open.
var forms = []string{"ask", "assign", "aware", "expect", "mine", "note", "silence", "silenced", "snooze", "verdict"}

// said are what people are told, and the pages without anything to fill in.
var said = []string{
	"answer-acknowledged", "answer-own", "answer-status", "answer-top", "answer-top-none", "answer-readers", "answer-help", "answer-unknown",
	"page-asked", "page-stranger", "form-failed", "question", "question-answered",
}

func shown() []string { return append(append([]string(nil), forms...), said...) }

// TestLooks draws what people are shown, as they see it. With -update the pictures in
// testdata are made anew of the golden files as they are, for people to look at: where
// those change too, run it twice. Else a few are made.
func TestLooks(t *testing.T) {
	t.Parallel()
	names := []string{"expect", "answer-top"}
	if *update {
		names = shown()
	}
	c := looks.Start(t)
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		c.Take(t, name, raw, nil, *update)
	}
}

// TestAllIsDrawn keeps the pictures in step with what is shown.
func TestAllIsDrawn(t *testing.T) {
	t.Parallel()
	looks.Complete(t, shown(), shown())
}

// TestSaid is what people are told, in the desk's own words.
func TestSaid(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	answer := func(name, words string, out alerts.Outcome, err error) {
		t.Helper()
		r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) { return out, err })
		_, raw := r.Typed(t, "UANN", words)
		var a struct{ Blocks json.RawMessage }
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		golden(t, name, a.Blocks)
	}
	answer("answer-help", "help", alerts.Outcome{}, nil)
	answer("answer-unknown", "staus", alerts.Outcome{}, nil)
	answer("answer-status", "status", alerts.Outcome{
		Text: "vigil watches 3 sources.", Link: "/",
		Lines: []string{
			"48,211 accesses judged, up to " + alerts.Moment(epoch), "2 cases are not resolved", "3 records set aside that could not be read",
			`the lane "day" warms up: 12 of 14 days are known`,
			"to know: Channel mail can't be used: the server mail.example does not answer.",
		},
	}, nil)
	first, second := *sampleCase(), *sampleCase()
	first.Severity, first.Team, first.Aware = vigil.SeverityCritical, "emea", &vigil.Mark{Time: epoch.Add(-time.Hour)}
	second.State, second.Owner, second.Total = vigil.CaseAcknowledged, "actor-0a11ce", 1
	third := vigil.Case{ID: "case-3", State: vigil.CaseNew, About: vigil.AboutSource, Source: "pg-main", Severity: vigil.SeverityMedium, Total: 1, Start: epoch.Add(-26 * time.Hour)}
	answer("answer-top", "top", alerts.Outcome{Text: "3 cases are not resolved.", Cases: []vigil.Case{first, second, third}, CaseLinks: []string{"/findings/f-1", "/findings/f-2", "/findings/f-3"}, Link: "/"}, nil)
	answer("answer-top-none", "top", alerts.Outcome{Text: "No case is open.", Link: "/"}, nil)
	answer("answer-readers", "readers 4711", alerts.Outcome{
		Text: "2 accounts read data of this customer in the last 90 days, in 15 accesses.",
		Lines: []string{
			"actor-7f3a91c2d4e6 (support agent): 11 accesses, from Tue 3 Mar 2026, 14:02 to Wed 4 Mar 2026, 15:30 UTC",
			"actor-0b9942aa1c70 (bot): 4 accesses, on Thu 12 Feb 2026 between 09:40 and 09:44 UTC",
		},
	}, nil)

	// What a press says.
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) {
		return alerts.Outcome{Text: "You have taken note of it.", Case: sampleCase(), Link: "/findings/f-1"}, nil
	})
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	golden(t, "answer-acknowledged", r.Next(t, "chat.postEphemeral").JSON("blocks"))
	r.desk.will(failing(alerts.ErrOwnCase))
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	golden(t, "answer-own", r.Next(t, "chat.postEphemeral").JSON("blocks"))
	r.desk.will(failing(alerts.ErrStranger))
	r.Press(t, "UANN", slack.ActionVerdict, "case-1")
	golden(t, "page-stranger", r.Opened(t).View.Raw)
	r.desk.will(answers)
	r.Press(t, "UANN", slack.ActionSnooze, "case-1")
	d := r.Opened(t)
	r.desk.will(failing(fmt.Errorf("%w: a case can be snoozed for up to 30 days", alerts.ErrNotDone)))
	r.Submit(t, "UANN", &d, map[string]string{"for": "168h"})
	golden(t, "form-failed", d.View.Raw)

	// The question, and what is left of it when it is answered.
	r.desk.will(func(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
		out := alerts.Outcome{Text: "They are asked; what they answer lands in the case.", Case: sampleCase(), Link: "/findings/f-1"}
		out.Question = &alerts.Question{Case: a.Case, To: person, Text: "On Wed 4 Mar 2026 between 14:00 and 15:00 UTC an account of yours read data of 214 customers in support-db. That is more or other than usual. Was this you, and what was it for?"}
		return out, nil
	})
	r.Press(t, "UANN", slack.ActionAsk, "case-1")
	d = r.Opened(t)
	r.Submit(t, "UANN", &d, nil)
	golden(t, "page-asked", d.View.Raw)
	asked := r.Next(t, "chat.postMessage")
	golden(t, "question", asked.JSON("blocks"))
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) {
		return alerts.Outcome{Text: "Thank you: your answer is with the security team."}, nil
	})
	p := r.PressPayload("U0PERSON", "vigil.mine", "case-1")
	p["message"] = map[string]any{"text": asked.Str("text")}
	r.Way.Deliver(t, "interactive", p)
	d = r.Opened(t)
	r.Submit(t, "U0PERSON", &d, map[string]string{"note": "The refund campaign, as agreed with the team lead."})
	golden(t, "question-answered", r.Next(t, "chat.update").JSON("blocks"))
}
