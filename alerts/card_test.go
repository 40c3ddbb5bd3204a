package alerts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
)

// texts are fields as lines.
func texts(fields []alerts.Field) (out []string) {
	for _, f := range fields {
		out = append(out, f.Label+": "+f.Value.String())
	}
	return out
}

func TestCaseCard(t *testing.T) {
	t.Parallel()
	f := about("f", "ann", vigil.SeverityHigh)
	m := caseMessage(f)
	c := alerts.CardOf(m, "")
	if c.CaseID != m.Case.ID || c.Title != "High: person ann" || c.Closed || !strings.HasPrefix(c.Footer, "Case "+m.Case.ID+" · Finding f") {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff([]string{"State: new, not acknowledged yet"}, texts(c.Standing)); diff != "" {
		t.Error(diff)
	}
	k := m.Case
	k.State, k.Owner, k.Acknowledged, k.Word, k.Total = vigil.CaseAcknowledged, "ben", &vigil.Mark{By: "olga", Time: began}, vigil.WordMisuse, 4
	k.Snoozed, k.SnoozedBy = began.Add(time.Hour), "ben"
	k.Asked = &vigil.Asked{Mark: vigil.Mark{By: "ben", Time: began}}
	k.Aware = &vigil.Mark{By: "ben", Time: began}
	c = alerts.CardOf(m, "")
	if diff := cmp.Diff([]string{
		"State: acknowledged by olga · Tue 3 Nov 2026, 09:00 UTC", "Owner: ben", "Verdict: misuse", "Snoozed: until Tue 3 Nov 2026, 10:00 UTC by ben",
		"Asked: the person concerned, by ben · Tue 3 Nov 2026, 09:00 UTC", "Answer: none yet", "72-hour clock: until Fri 6 Nov 2026, 09:00 UTC, started by ben", "Findings: and 3 more findings",
	}, texts(c.Standing)); diff != "" {
		t.Error(diff)
	}
	for _, f := range c.Standing {
		for _, r := range f.Value {
			if r.Person != (r.S == "ben" || r.S == "olga") {
				t.Errorf("%s: %+v", f.Label, r)
			}
		}
	}
	k.Asked.Answered, k.Asked.Mine, k.Asked.Why = began, true, "a ticket"
	if s := texts(alerts.CardOf(m, "").Standing); !slices.Contains(s, "Answer: it was them: “a ticket”") {
		t.Error(s)
	}
	k.Asked.Mine, k.Asked.Why = false, ""
	if s := texts(alerts.CardOf(m, "").Standing); !slices.Contains(s, "Answer: it was not them") {
		t.Error(s)
	}
	// The lead may be over while the case is not, and the other way round.
	m.Finding.State = vigil.StateClosed
	if c := alerts.CardOf(m, ""); c.Closed || c.Title != "High: person ann" {
		t.Errorf("%+v", c)
	}
	k.Open = false
	if c := alerts.CardOf(m, ""); !c.Closed || c.Title != "Closed · High: person ann" {
		t.Errorf("%+v", c)
	}
	k.State = vigil.CaseResolved
	if c := alerts.CardOf(m, ""); !c.Closed || c.Title != "Resolved · High: person ann" || c.Standing[0].Value.String() != "resolved" {
		t.Errorf("%+v", c)
	}
	// Without its lead the case still says what it is about.
	m.Finding = nil
	if c := alerts.CardOf(m, ""); c.Title != "Resolved · High: person ann" || c.Sentence == "" {
		t.Errorf("%+v", c)
	}
}

func TestDeeds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*vigil.Case, *vigil.Finding)
		want   []alerts.Deed
	}{
		"new":          {func(*vigil.Case, *vigil.Finding) {}, []alerts.Deed{"acknowledge", "assign", "verdict", "expect", "ask", "snooze", "aware", "note"}},
		"acknowledged": {func(c *vigil.Case, _ *vigil.Finding) { c.State = vigil.CaseAcknowledged }, []alerts.Deed{"assign", "verdict", "expect", "ask", "snooze", "aware", "note"}},
		"asked, aware": {func(c *vigil.Case, _ *vigil.Finding) { c.Asked, c.Aware = &vigil.Asked{}, &vigil.Mark{} }, []alerts.Deed{"acknowledge", "assign", "verdict", "expect", "snooze", "note"}},
		"a rule, low":  {func(c *vigil.Case, f *vigil.Finding) { c.Severity, f.Rule = "low", "honey-record" }, []alerts.Deed{"acknowledge", "assign", "verdict", "ask", "snooze", "note"}},
		"a bot":        {func(c *vigil.Case, _ *vigil.Finding) { c.ActorKind = vigil.KindBot }, []alerts.Deed{"acknowledge", "assign", "verdict", "expect", "snooze", "aware", "note"}},
		"a source":     {func(c *vigil.Case, _ *vigil.Finding) { c.About = vigil.AboutSource }, []alerts.Deed{"acknowledge", "assign", "verdict", "snooze", "aware", "note"}},
		"resolved":     {func(c *vigil.Case, _ *vigil.Finding) { c.State = vigil.CaseResolved }, []alerts.Deed{"verdict", "note"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := caseMessage(about("f", "ann", vigil.SeverityHigh))
			tc.change(m.Case, m.Finding)
			if diff := cmp.Diff(tc.want, alerts.CardOf(m, "").Deeds); diff != "" {
				t.Error(diff)
			}
		})
	}
	f := about("f", "ann", vigil.SeverityHigh)
	if d := alerts.CardOf(alerts.Message{Kind: alerts.KindFinding, Finding: &f}, "").Deeds; len(d) != 0 {
		t.Errorf("a finding without a case offers %v", d)
	}
}

func TestReplyAndNotice(t *testing.T) {
	t.Parallel()
	m := caseMessage(about("f", "ann", vigil.SeverityHigh))
	m.Kind, m.Finding = alerts.KindReply, nil
	m.Reply = &alerts.Reply{Kind: vigil.CaseEscalated, Time: began, By: "vigil", Text: "Level 1 of 2\nis called.", Call: []string{"olga", "ben"}}
	c := alerts.CardOf(m, "")
	if c.Title != "Nobody answered" || c.Sentence != `Level 1 of 2\nis called.` || c.Severity != "high" || c.CaseID != m.Case.ID || len(c.Deeds) != 0 {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff([]string{"Case: High: person ann", "Called: olga, ben"}, texts(c.Fields)); diff != "" {
		t.Error(diff)
	}
	m.Reply = &alerts.Reply{Kind: vigil.CaseNoted, By: "ben", Text: "I look."}
	if diff := cmp.Diff([]string{"Case: High: person ann", "By: ben"}, texts(alerts.CardOf(m, "").Fields)); diff != "" {
		t.Error(diff)
	}
	n := alerts.Message{Kind: alerts.KindNotice, Notice: &alerts.Notice{Severity: "medium", Title: "Flood", Sentence: "Much.", Lines: slices.Repeat([]string{"x"}, 25)}}
	c = alerts.CardOf(n, "")
	if c.Title != "Flood" || c.Sentence != "Much." || c.Severity != "medium" || len(c.Notes) != 21 || c.Notes[20] != "and 5 more lines" {
		t.Errorf("%+v", c)
	}
}

func TestLookedForAndBars(t *testing.T) {
	t.Parallel()
	f := about("f", "ann", vigil.SeverityHigh)
	f.Subjects, f.ReasonsLooked, f.Unreasoned = 41, []string{"assignment", "shift"}, 38
	f.Contributions = []vigil.Contribution{
		{Model: "volume", Observation: "subjects", Span: "day", Seen: 41, Expected: 4, Low: 1, High: 9, Share: .5},
		{Model: "volume", Observation: "subjects", Span: "week", Seen: 60, Expected: 20, Low: 9, High: 30, Share: .1},
		{Model: "novelty", Observation: "network", Seen: 1, SeenLabel: "192.0.2.0/24", Share: .3},
		{Model: "volume", Observation: "rows", Span: "hour", Seen: 900, Expected: 30, Low: 5, High: 5, Share: .2},
		{Model: "volume", Observation: "drift", Span: "week", Seen: 9, Expected: 3, Share: .2},
	}
	looked := func() string {
		for _, f := range alerts.CardOf(alerts.Message{Finding: &f}, "").Fields {
			if f.Label == "Looked for" {
				return f.Value.String()
			}
		}
		return ""
	}
	if s := looked(); s != "assignment, shift\nnone found for 38 of 41 customers" {
		t.Error(s)
	}
	f.Subjects = vigil.Unknown
	if s := looked(); s != "assignment, shift\nnone found for 38 customers" {
		t.Error(s)
	}
	f.Unreasoned = 0
	if s := looked(); s != "assignment, shift\nfound for all" {
		t.Error(s)
	}
	f.ReasonsLooked = nil
	if s := looked(); s != "" {
		t.Error(s)
	}
	want := []alerts.Bar{{Label: "customers in a day", Seen: 41, Expected: 4, Low: 1, High: 9}, {Label: "rows in an hour", Seen: 900, Expected: 30}}
	if diff := cmp.Diff(want, alerts.CardOf(alerts.Message{Finding: &f}, "").Bars); diff != "" {
		t.Error(diff)
	}
}

func TestWeek(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 7)
	d := alerts.Day{
		From: from, To: to, Events: 10, Notes: []string{"pg was silent"},
		Held: map[vigil.MuteReason]int{vigil.HeldSilence: 12, vigil.HeldFlood: 9990, "odd": 3},
		Reviews: []alerts.Review{
			{Kind: "silence", Says: "team emea", By: "ben", Ends: to.Add(48 * time.Hour)}, {Kind: "exception", Says: "ann from 192.0.2.0/24", By: "olga", Ends: to.Add(24 * time.Hour)},
			{Kind: "exception", Says: "later", By: "olga", Ends: to.Add(8 * 24 * time.Hour)}, {Kind: "exception", Says: "over", By: "olga", Ends: to.Add(-time.Hour)},
		},
	}
	for i := range 7 {
		f := about("f", "ann", []vigil.Severity{"low", "high"}[i%2])
		c, _ := alerts.Join(nil, nil, &f, from.Add(time.Duration(i)*time.Hour)) // its events are not looked at
		d.Waiting = append(d.Waiting, c)
	}
	c := alerts.CardOf(alerts.NewDigest(d), "")
	if c.Title != "Week · 2 November to 8 November 2026" {
		t.Error(c.Title)
	}
	if diff := cmp.Diff([]string{
		"Judged: 10 accesses", "Held back: 12 silenced, 9,990 too many at once", "Not acknowledged: 7 cases", "To be reviewed: 2 exceptions and silences that end within a week",
	}, texts(c.Fields)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"pg was silent",
		"Nobody acknowledged: High, person ann, since Mon 2 Nov 2026, 01:00 UTC", "Nobody acknowledged: High, person ann, since Mon 2 Nov 2026, 03:00 UTC",
		"Nobody acknowledged: High, person ann, since Mon 2 Nov 2026, 05:00 UTC", "Nobody acknowledged: Low, person ann, since Mon 2 Nov 2026, 00:00 UTC",
		"Nobody acknowledged: Low, person ann, since Mon 2 Nov 2026, 02:00 UTC",
		"Exception of olga ends Tue 10 Nov 2026, 00:00 UTC: ann from 192.0.2.0/24", "Silence of ben ends Wed 11 Nov 2026, 00:00 UTC: team emea",
	}, c.Notes); diff != "" {
		t.Error(diff)
	}
}
